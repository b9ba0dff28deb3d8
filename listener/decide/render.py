"""What one notification says: a case, its leading mention and the verdict on it become a `Message`.

The words are for a support lead who is woken at three in the morning: what, how bad, how much time is left, what to do.
Notifiers give the message their sink's form, cut it to their limits and neutralise it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from listener.decide.defang import boundary, cut, link, one_line
from listener.domain.case import Case, CaseState
from listener.domain.mention import Author, Mention
from listener.domain.message import Message, Post
from listener.domain.notification import Notice, Why
from listener.domain.policy import Advice, Policy
from listener.domain.verdict import Label, Reason, Verdict

MAX_HEADLINE = 140
MAX_LINE = 300
MAX_REASONS = 5
MAX_ADVICE = 6
LATE = timedelta(minutes=5)
"""How long after its posting a mention may be seen before the alert says so."""

_FLOOR = "at_least"
"""Code of the reason that sets a least severity: it decides whatever the points are, so it is told first."""


def render(  # noqa: PLR0913 - one alert needs all that is known of it, and each part has another owner
    case: Case,
    mention: Mention,
    verdict: Verdict,
    policy: Policy,
    *,
    why: Why,
    dedupe_key: str,
    mention_count: int,
    source_name: str,
    possible_repeat: bool,
    now: datetime,
) -> Message:
    """The message of an alert. `mention` is the one to show, `verdict` the newest on it."""
    brands = tuple(_brand_name(policy, brand) for brand in case.brands or verdict.brands)
    topics = case.topics or verdict.judgement.topics
    over = case.state is CaseState.RESOLVED or why is Why.RESOLVED
    advice = _advice(policy, (*topics, *verdict.judgement.topics), verdict.judgement.intents) if not over else Advice()
    return Message(
        dedupe_key=dedupe_key,
        thread_key=f"case:{case.id}",
        why=why,
        severity=case.severity,
        case_name=case.name,
        headline=headline(case, mention, why=why, brands=brands, topics=topics),
        body=_introduction(why, case, mention_count),
        brands=brands,
        topics=topics,
        reasons=reasons(verdict),
        clock=None if over else clock(case.respond_by, now),
        do=advice.do,
        avoid=advice.avoid,
        handle_by=advice.handle_by,
        how=None if over else _how(case),
        post=_post(mention, source_name, now),
        mention_count=mention_count,
        possible_repeat=possible_repeat,
        created_at=now,
    )


def render_notice(notice: Notice, *, dedupe_key: str, now: datetime) -> Message:
    """The message of a notice: what the service has to say about itself."""
    over = "Over: " if notice.closed_at else ""
    return Message(
        dedupe_key=dedupe_key,
        thread_key=f"notice:{notice.key}",
        why=Why.NOTICE,
        severity=None,
        case_name=None,
        headline=cut(one_line(f"Listener · {over}{notice.title}"), MAX_HEADLINE),
        body=notice.body,
        created_at=now,
    )


_PREFIX = {
    Why.MORE: "MORE · ",
    Why.RAISED: "RAISED TO ",
    Why.ESCALATED: "NOBODY ANSWERED · ",
    Why.REMINDER: "STILL OPEN · ",
    Why.RESOLVED: "RESOLVED · ",
}


def headline(case: Case, mention: Mention, *, why: Why, brands: Iterable[str], topics: Iterable[str]) -> str:
    """One line: `URGENT · Haneul Air · billing — charged twice, no answer…`. The first words are the post's: hostile."""
    about = " · ".join(part for part in (", ".join(brands), ", ".join(topics)) if part)
    start = f"{_PREFIX.get(why, '')}{case.severity.upper()}" + (f" · {about}" if about else "")
    start = cut(one_line(start), MAX_HEADLINE // 2)
    words = one_line(_words(mention))
    room = MAX_HEADLINE - len(start) - 3
    return f"{start} — {_first_words(words, room)}" if words else start


def _words(mention: Mention) -> str:
    """Title and text, but not the title twice: many places repeat it as the start of the text."""
    if mention.title and mention.text.startswith(mention.title):
        return mention.text
    return mention.full_text


def _first_words(words: str, room: int) -> str:
    if len(words) <= room:
        return words
    start, _, _ = words[: room - 1].rpartition(" ")
    # Korean is written with long words and Chinese without spaces: cut inside a word rather than lose half of the room.
    return (start.rstrip(",.;: ") if len(start) > room // 2 else words[: boundary(words, room - 1)]) + "…"


def _introduction(why: Why, case: Case, mention_count: int) -> str:
    """The sentences that say why this comes now, and who has the case."""
    posts = f"{mention_count:,} posts" if mention_count != 1 else "1 post"
    because = {
        Why.MORE: f"More about the same matter: {posts} in this case now.",
        Why.RAISED: f"This case is now {case.severity}; {posts} in it.",
        Why.ESCALATED: "Nobody has acknowledged this case yet.",
        Why.REMINDER: "This case is still open.",
        Why.RESOLVED: "This case was resolved.",
    }.get(why, "")
    owner = f"{case.owner} has it." if case.owner and case.state is not CaseState.OPEN else ""
    return " ".join(sentence for sentence in (because, owner) if sentence)


def reasons(verdict: Verdict) -> tuple[str, ...]:
    """Why it has its severity: floors first, then by points, at most `MAX_REASONS`; "unknown" is always said."""
    ranked = sorted(verdict.reasons, key=_rank)[:MAX_REASONS]
    lines = [_reason(reason) for reason in ranked]
    sentiment = verdict.judgement.sentiment
    if sentiment.label is Label.UNKNOWN and not any("could not be judged" in line for line in lines):
        because = f" ({one_line(sentiment.why)})" if sentiment.why else ""
        lines = [*lines[: MAX_REASONS - 1], f"how the author feels could not be judged{because}; please read it"]
    return tuple(cut(line, MAX_LINE) for line in lines)


def _rank(reason: Reason) -> tuple[bool, float]:
    return (reason.code != _FLOOR, -reason.points)


def _reason(reason: Reason) -> str:
    points = f" ({reason.points:+.0f})" if reason.points else ""
    return one_line(reason.text) + points


def _advice(policy: Policy, topics: Iterable[str], intents: Iterable[str]) -> Advice:
    """The advice of all topics and intents together, each line once, in the order of the topics."""
    found = [policy.topic(topic) for topic in dict.fromkeys(topics)]
    found += [intent for intent in policy.intents if intent.id in set(intents)]
    parts = [topic.advice for topic in found if topic is not None]
    return Advice(
        do=_unique(line for advice in parts for line in advice.do),
        avoid=_unique(line for advice in parts for line in advice.avoid),
        handle_by=next((advice.handle_by for advice in parts if advice.handle_by), None),
    )


def _unique(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cut(one_line(line), MAX_LINE) for line in lines))[:MAX_ADVICE]


def _how(case: Case) -> str:
    return f"listener {'resolve' if case.state is CaseState.ACKNOWLEDGED else 'ack'} {case.name}"


def _brand_name(policy: Policy, brand_id: str) -> str:
    brand = policy.brand(brand_id)
    return brand.name if brand else brand_id


def _post(mention: Mention, source_name: str, now: datetime) -> Post:
    shown = link(mention.url)
    return Post(
        author=author(mention.author),
        reach=reach(mention),
        title=None if mention.title and mention.text.startswith(mention.title) else mention.title,
        text=mention.text,
        url=shown.url if shown else None,
        host=shown.host if shown else None,
        source=source_name,
        age=age(mention, now),
        said_at=mention.said_at,
    )


def author(who: Author) -> str:
    """`Minji (@minji)`, with what is known; never empty."""
    handle = who.handle and (who.handle if who.handle.startswith("@") else f"@{who.handle}")
    known = f"{who.name} ({handle})" if who.name and handle and who.name != who.handle else handle or who.name
    return cut(one_line(known or ""), 100) + (", verified" if who.verified else "") if known else "author unknown"


def reach(mention: Mention) -> str:
    """`12,400 followers, 38 reactions`; "reach unknown" where the place does not say."""
    followers = mention.reach.followers if mention.reach.followers is not None else mention.author.followers
    counts = (
        (followers, "follower"),
        (mention.reach.reactions, "reaction"),
        (mention.reach.views, "view"),
    )
    known = [f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in counts if count is not None]
    return ", ".join(known) or "reach unknown"


def age(mention: Mention, now: datetime) -> str:
    """`posted 4 min ago`, and how late we saw it where that matters; says so where the time of posting is not known."""
    if mention.published_at is None:
        if mention.found_at is None:
            return f"first seen {duration(now - mention.seen_at)} ago, time of posting unknown"
        return f"found {duration(now - mention.found_at)} ago, time of posting unknown"
    late = mention.seen_at - mention.published_at
    seen = f", seen {duration(late)} after it was posted" if late >= LATE else ""
    return f"posted {duration(now - mention.published_at)} ago{seen}"


def clock(respond_by: datetime | None, now: datetime) -> str | None:
    """The customer's clock: `answer within 56 min`, `overdue by 3 min`; `None` if there is no time to keep."""
    if respond_by is None:
        return None
    left = respond_by - now
    return f"answer within {duration(left)}" if left > timedelta(0) else f"overdue by {duration(-left)}"


_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def duration(time: timedelta) -> str:
    """A length of time in its two largest units: `40 s`, `4 min`, `3 h 20 min`, `2 d 4 h`. Negative counts as none."""
    seconds = max(int(time.total_seconds()), 0)
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        return _two(seconds, _HOUR, "h", _MINUTE, "min")
    return _two(seconds, _DAY, "d", _HOUR, "h") if seconds < 30 * _DAY else f"{seconds // _DAY:,} d"


def _two(seconds: int, unit: int, name: str, smaller: int, smaller_name: str) -> str:
    rest = seconds % unit // smaller
    return f"{seconds // unit} {name}" + (f" {rest} {smaller_name}" if rest else "")
