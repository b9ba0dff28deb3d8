"""Who judges a mention, and what is said when nobody can."""

from typing import Any

import pytest

from listener.decide.judge import judge
from listener.domain.mention import Mention
from listener.domain.verdict import Label, Match, Sentiment, Span, Stakes
from tests.decide.examples import found, mention, sentiment, stakes


class Model:
    """Reads one language and always says the same."""

    def __init__(self, lang: str, answer: Sentiment) -> None:
        self.name = f"model for {lang}"
        self._lang = lang
        self._answer = answer

    def reads(self, mention: Mention) -> bool:
        return mention.lang == self._lang

    def judge(self, text: str) -> Sentiment:
        return self._answer


ENGLISH = Model("en", sentiment(Label.NEGATIVE, 0.9))
KOREAN = Model("ko", sentiment(Label.POSITIVE, 0.1))


def test_the_first_model_that_reads_the_mention_judges_it() -> None:
    second = Model("en", sentiment(Label.POSITIVE, 0.1))
    assert judge(mention(), found(), [KOREAN, ENGLISH, second]).sentiment.p_negative == 0.9


def test_topics_and_intents_come_from_what_was_found() -> None:
    judged = judge(mention(), found(topics=("billing",), intents=("leave",)), [])
    assert (judged.topics, judged.intents) == (("billing",), ("leave",))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"script": "hangul", "lang": "ko", "text": "환불 안 해줘요"}, "no model reads Korean yet"),
        ({"script": "hangul", "lang": "en", "text": "환불 안 해줘요"}, "no model reads Korean yet"),
        ({"script": "kana", "lang": None, "text": "ひどい"}, "no model reads Japanese yet"),
        ({"script": "han", "lang": None, "text": "很差"}, "no model reads Chinese characters yet"),
        ({"script": "latin", "lang": "es", "text": "no funciona"}, "no model reads Spanish yet"),
        ({"script": "latin", "lang": "sw", "text": "haifanyi kazi"}, 'no model reads the language "sw" yet'),
        (
            {"script": "latin", "lang": None, "text": "haifanyi kazi"},
            "no model reads this language in Latin letters yet",
        ),
        ({"script": "cyrillic", "lang": None, "text": "ужас"}, "no model reads Cyrillic script yet"),
        ({"script": "none", "lang": None, "text": "😡😡"}, "too short to judge"),
        ({"script": "none", "lang": "en", "text": ""}, "too short to judge"),
        ({"script": "none", "lang": "en", "text": "404 !!"}, "too short to judge"),
    ],
)
def test_what_nobody_can_judge_is_unknown_and_says_why(changes: dict[str, Any], why: str) -> None:
    judged = judge(mention(**changes), found(), [Model("none", sentiment())]).sentiment
    assert (judged.label, judged.value, judged.p_negative, judged.why) == (Label.UNKNOWN, None, None, why)


def test_the_title_is_judged_with_the_text() -> None:
    assert judge(mention("", title="Awful"), found(), [ENGLISH]).sentiment.label is Label.NEGATIVE


class Echo:
    """Says in `why` what it was given."""

    name = "echo"

    def reads(self, mention: Mention) -> bool:
        return True

    def judge(self, text: str) -> Sentiment:
        return Sentiment(label=Label.NEUTRAL, value=0.0, p_negative=0.3, model=self.name, why=text)


def why(text: str, *rivals: str) -> str:
    return judge(mention(text), found(rivals=rivals), [Echo()]).sentiment.why


def test_anger_at_a_rival_is_not_anger_at_us() -> None:
    told = why("BADA Air lost my bag! Awful. Haneul was lovely.", "Bada Air", "Ganapay")
    assert told == "Awful.\nHaneul was lovely.; without the sentences on Bada Air, Ganapay"


def test_a_sentence_that_names_us_beside_a_rival_is_ours() -> None:
    text = "Bada Air is fine. Haneul broke my bag, so Bada Air it is. Never again."
    at = text.index("Haneul")
    named = Match(query_id="brands.haneul", term="haneul", span=Span(start=at, end=at + 6))
    seen = found(rivals=("Bada Air",), matches=(named,))
    told = judge(mention(text), seen, [Echo()]).sentiment.why
    assert told.startswith("Haneul broke my bag, so Bada Air it is.\nNever again.")


@pytest.mark.parametrize(
    "text", ["Bada Air is worse than Haneul.", "Bada Air lost my bag. 😡", "Haneul is awful. Truly."]
)
def test_a_text_that_cannot_be_told_apart_is_judged_whole(text: str) -> None:
    assert why(text, "Bada Air") == text


# --- what is at stake ----------------------------------------------------------------------------------------------------


class StakesEcho:
    """Reads one language and names in `model` what it was given."""

    name = "stakes"

    def __init__(self, lang: str) -> None:
        self._lang = lang

    def reads(self, mention: Mention) -> bool:
        return mention.lang == self._lang

    def judge(self, text: str) -> Stakes:
        return stakes(urgent=0.5, model=f"{self._lang}: {text}")


def stakes_of(said: Mention, *rivals: str) -> str | None:
    judged = judge(said, found(rivals=rivals), [], [StakesEcho("ko"), StakesEcho("en")]).stakes
    return judged.model if judged else None


def test_the_first_model_that_reads_the_mention_says_what_is_at_stake() -> None:
    assert stakes_of(mention("it melted", title="Toaster")) == "en: Toaster\nit melted"


@pytest.mark.parametrize("said", [mention("on brûle", lang="fr"), mention("🔥🔥"), mention("")])
def test_where_no_model_reads_or_nothing_is_written_the_stakes_are_not_known(said: Mention) -> None:
    assert stakes_of(said) is None


def test_what_is_at_stake_for_a_rival_is_left_out() -> None:
    assert stakes_of(mention("Bada Air caught fire. I flew Haneul."), "Bada Air") == "en: I flew Haneul."
