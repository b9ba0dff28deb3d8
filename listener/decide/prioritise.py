"""Step 4: how soon somebody has to look: a score from 0 to 100, the severity it falls into, and a reason for each point.

Points add up; nothing takes points away, so no word of praise can hide an outage. Two models give most of them: one says
what is at stake (`scoring.stakes`), the other how sure it is that the author is unhappy with us (`scoring.negative`). What
is urgent for a content author ("five stars, though the plug melted") and what is unhappy about a trifle both show.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from listener.decide.match import Found
from listener.domain.mention import Mention
from listener.domain.policy import Policy, Scoring, Topic
from listener.domain.verdict import Judgement, Label, Match, Reason, Sentiment, Severity, Stakes, Verdict

_BANDS = (Severity.URGENT, Severity.HIGH, Severity.NORMAL)


def prioritise(
    mention: Mention,
    found: Found,
    judgement: Judgement,
    policy: Policy,
    *,
    last_complaint_at: datetime | None,
    now: datetime,
) -> Verdict:
    """The verdict on a mention. The points of its reasons sum to the score before that is cut to 0-100 and rounded.

    `last_complaint_at` is when the author last complained before this mention, if known. A mention about no brand is
    judged like any other. A post by an account of ours scores nothing, whatever it says.
    """
    reasons = _own(found) or _reasons(mention, found, judgement, policy, last_complaint_at)
    score = _score(reason.points for reason in reasons)
    unsure = judgement.sentiment.unsure or judgement.sentiment.label is Label.UNKNOWN
    return Verdict(
        mention_id=mention.id,
        brands=found.brands,
        matches=found.matches,
        judgement=judgement,
        score=score,
        severity=severity_of(score, policy.scoring),
        reasons=reasons,
        review=unsure and policy.scoring.unknown_review and not found.own,
        ruleset=policy.digest,
        decided_at=now,
    )


def severity_of(score: float, scoring: Scoring) -> Severity:
    """The band that a score falls into."""
    return next((band for band in _BANDS if score >= scoring.severity[band]), Severity.LOW)


def _score(points: Iterable[float]) -> int:
    """Whole points, halves rounded up, so that a floor's least score is always reached."""
    return min(100, max(0, math.floor(math.fsum(points) + 0.5)))


def _own(found: Found) -> tuple[Reason, ...]:
    if not found.own:
        return ()
    rule = f"brands.{found.brands[0]}.accounts" if found.brands else "brands"
    return (Reason(code="own_account", text="posted by an account of ours", points=0.0, rule=rule),)


def _reasons(
    mention: Mention, found: Found, judgement: Judgement, policy: Policy, last_complaint_at: datetime | None
) -> tuple[Reason, ...]:
    scoring = policy.scoring
    matters = (*_of(policy.topics, found.topics), *_of(policy.intents, found.intents))
    reasons = [_sentiment(judgement.sentiment, scoring), *_stakes(judgement.stakes, scoring)]
    reasons += [_matter(topic, found.matches) for topic in matters]
    reasons += _reach(mention, _concern(judgement.sentiment, matters), scoring)
    reasons += _repeat(mention, judgement.sentiment, last_complaint_at, scoring)
    reasons += _floors(matters, math.fsum(reason.points for reason in reasons), scoring)
    return tuple(reasons)


def _of(topics: Sequence[Topic], ids: Sequence[str]) -> tuple[Topic, ...]:
    return tuple(topic for topic in topics if topic.id in ids) if ids else ()


# --- what gives points -------------------------------------------------------------------------------------------------


def _sentiment(sentiment: Sentiment, scoring: Scoring) -> Reason:
    """Points grow evenly with the model's certainty: no cliff between "neutral" and "negative"."""
    if sentiment.p_negative is None:
        text = f"could not be judged: {sentiment.why}"
        return Reason(code="unknown", text=text, points=scoring.unknown_points, rule="scoring.unknown")
    points = round(scoring.negative_points * sentiment.p_negative, 1)
    text = f"reads as {sentiment.label}; {sentiment.p_negative:.0%} sure that the author is unhappy ({sentiment.why})"
    return Reason(code="sentiment", text=text, points=points, rule="scoring.negative")


# What a text is worth that is surely of that severity, as a share of `scoring.stakes.points`: of the shipped 90, just enough
# for its band.
_NORMAL_WORTH, _HIGH_WORTH = 0.25, 0.5


def stakes_worth(stakes: Stakes) -> float:
    """The worth to expect, 0..1: the mean of what each severity is worth, by how likely it is."""
    return min(1.0, _NORMAL_WORTH * stakes.p_normal + _HIGH_WORTH * stakes.p_high + stakes.p_urgent)


def _stakes(stakes: Stakes | None, scoring: Scoring) -> list[Reason]:
    if stakes is None or not scoring.stakes_points:
        return []
    likely = {Severity.URGENT: stakes.p_urgent, Severity.HIGH: stakes.p_high, Severity.NORMAL: stakes.p_normal}
    told = ", ".join(f"{p:.0%} {severity}" for severity, p in likely.items() if p >= _WORTH_TELLING)
    words = ", ".join(f"{phrase} ({weight:+.1f})" for phrase, weight in stakes.phrases)
    text = f"what is at stake: {told or 'most likely nothing'}{f'; {words}' if words else ''}"
    points = round(scoring.stakes_points * stakes_worth(stakes), 1)
    return [Reason(code="stakes", text=text, points=points, rule="scoring.stakes")]


_WORTH_TELLING = 0.15
_TERMS_SHOWN = 3


def _matter(topic: Topic, matches: Sequence[Match]) -> Reason:
    terms = list(dict.fromkeys(match.term for match in matches if match.query_id == topic.place))
    named = ", ".join(terms[:_TERMS_SHOWN])
    more = len(terms) - _TERMS_SHOWN
    found = f": {named}{f' and {more} more' if more > 0 else ''}" if named else ""
    kind = "intent" if topic.place.startswith("intents.") else "topic"
    return Reason(code=kind, text=f"{kind} {topic.id}{found}", points=topic.points, rule=topic.place)


def _concern(sentiment: Sentiment, matters: Sequence[Topic]) -> float:
    """How much of the reach counts, 0..1. Reach makes a complaint louder and is none by itself: a newspaper's neutral
    report or a famous fan is no reason to hurry. Nor is a topic that counts for nothing: those are for routing.
    """
    counts = any(topic.points or topic.at_least for topic in matters)
    return 1.0 if counts or sentiment.p_negative is None else sentiment.p_negative


def _reach(mention: Mention, concern: float, scoring: Scoring) -> list[Reason]:
    followers = mention.reach.followers if mention.reach.followers is not None else mention.author.followers
    reactions = mention.reach.reactions
    rule = scoring.reach
    points = rule.per_tenfold_followers * _tenfolds(followers) + rule.per_tenfold_reactions * _tenfolds(reactions)
    points = round(min(points, rule.cap) * concern, 1)
    if points <= 0:
        return []
    known = [f"{n:,} {what}" for n, what in ((followers, "followers"), (reactions, "reactions")) if n]
    return [Reason(code="reach", text=", ".join(known), points=points, rule="scoring.reach")]


def _tenfolds(count: int | None) -> float:
    return math.log10(count) if count is not None and count > 1 else 0.0


def _repeat(
    mention: Mention, sentiment: Sentiment, last_complaint_at: datetime | None, scoring: Scoring
) -> list[Reason]:
    """The same author again. Not for a post that reads as content: "thanks, it works now" is no second complaint."""
    rule = scoring.repeat_complaint
    if rule is None or last_complaint_at is None or sentiment.label is Label.POSITIVE:
        return []
    if abs(mention.said_at - last_complaint_at) > rule.within:
        return []
    text = f"the same author complained on {last_complaint_at:%Y-%m-%d}"
    return [Reason(code="repeat_complaint", text=text, points=rule.points, rule="scoring.author.repeat_complaint")]


# --- what severity can not fall below ----------------------------------------------------------------------------------


def _floors(matters: Sequence[Topic], sum_so_far: float, scoring: Scoring) -> list[Reason]:
    """One reason for the highest floor, with the points that lift the score to it (none if it is there already).

    The score itself is lifted, so that sorting by score and by severity agree.
    """
    floors = [(topic.at_least, topic) for topic in matters if topic.at_least is not None]
    least, topic = max(floors, key=lambda floor: floor[0].rank, default=(Severity.LOW, None))
    if topic is None or least is Severity.LOW:
        return []
    missing = max(0.0, math.ceil(scoring.severity[least]) - sum_so_far)
    text = f"{topic.id} is at least {least}"
    return [Reason(code="at_least", text=text, points=missing, rule=f"{topic.place}.at_least")]
