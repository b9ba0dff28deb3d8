"""What the small internet of the demo says, and when: praise, noise, a double charge, an outage building up."""

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where a post appears."""

    FORUM = "forum"
    ALERTS = "alerts"
    HACKER_NEWS = "hn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A post that appears `at` seconds after the beginning."""

    at: float
    place: Place
    author: str
    title: str
    text: str
    reactions: int = 0

    @property
    def slug(self) -> str:
        """Its id on every place."""
        return f"{self.place}-{int(self.at * 10):04d}"


STORY = (
    Scene(
        at=0,
        place=Place.FORUM,
        author="mara_k",
        title="Podopay just works",
        text="Split a dinner bill nine ways with Podopay in twenty seconds. Love it, nobody had to do maths.",
    ),
    Scene(
        at=2,
        place=Place.ALERTS,
        author="Harbour Daily",
        title="Podopay to sponsor the autumn marathon",
        text="The payment company <b>Podopay</b> said on Monday that it will sponsor the city's autumn marathon.",
    ),
    Scene(
        at=4,
        place=Place.HACKER_NEWS,
        author="tinkerer",
        title="Ask HN: payment APIs for a small shop?",
        text="Looking at Ganapay and two others. Their docs are fine. No strong feelings.",
    ),
    Scene(
        at=7,
        place=Place.FORUM,
        author="lena.b",
        title="Charged twice by Podopay, third mail, no answer",
        text="Podopay charged me twice for one coffee machine, 418 euros each. This is my third mail and still no answer. "
        "I want my money back or I am leaving. <!channel> =?utf-8?B?QmNjOg==?= \u202etxt.exe",
        reactions=14,
    ),
    Scene(
        at=11,
        place=Place.FORUM,
        author="소라게",
        title="포도페이 이중결제",
        text="포도페이에서 같은 금액이 두 번 결제됐어요. 고객센터에 세 번이나 문의했는데 3주째 처리 중이래요. 환불해 주세요.",
        reactions=9,
    ),
    Scene(
        at=15,
        place=Place.ALERTS,
        author="Ganapay watch",
        title="Ganapay down for two hours yesterday",
        text="Rival <b>Ganapay</b> apologised for yesterday's two hour outage. Podopay was not affected.",
    ),
    Scene(
        at=18,
        place=Place.FORUM,
        author="dev_arjun",
        title="Is Podopay down right now?",
        text="Podopay is completely down right now, payment just spins, the three people behind me have the same thing. "
        "Anyone else?",
        reactions=31,
    ),
    Scene(
        at=21,
        place=Place.FORUM,
        author="한강라면",
        title="포도페이 지금 먹통",
        text="포도페이 지금 결제가 안 돼요. 앱이 먹통이고 가게에 줄이 길어요. 나만 안 되나요? 다들 접속 장애라는데.",
        reactions=22,
    ),
    Scene(
        at=25,
        place=Place.HACKER_NEWS,
        author="sre_on_a_train",
        title="Podopay outage: payments failing in three regions",
        text="Podopay is down for us too. All payments fail since ten minutes ago, status page says all green.",
        reactions=120,
    ),
    Scene(
        at=29,
        place=Place.FORUM,
        author="dev_arjun",
        title="Re: Is Podopay down right now?",
        text="Podopay is still down right now, payment just spins, and the status page says all systems green.",
        reactions=12,
    ),
    Scene(
        at=33,
        place=Place.FORUM,
        author="mellow",
        title="Great, Podopay, really great",
        text="Je ne sais pas quoi penser de Podopay, la caisse ne marche pas depuis une heure.",
    ),
)

LENGTH = 36.0
"""Seconds until everything has appeared."""
