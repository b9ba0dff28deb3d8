"""How a mention gets its score, its severity and its reasons."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.match import Found
from listener.decide.prioritise import prioritise, severity_of, stakes_worth
from listener.domain.mention import Author, Mention, Reach
from listener.domain.policy import Policy, ReachScoring, Topic
from listener.domain.verdict import Judgement, Label, Match, Reason, Severity, Stakes, Verdict
from tests.decide.examples import NOW, found, judgement, mention, policy, scoring, stakes, topic


def decide(
    said: Mention | None = None,
    seen: Found | None = None,
    judged: Judgement | None = None,
    rules: Policy | None = None,
    last_complaint_at: datetime | None = None,
) -> Verdict:
    return prioritise(
        said or mention(),
        seen or found(),
        judged or judgement(),
        rules or policy(),
        last_complaint_at=last_complaint_at,
        now=NOW,
    )


def reason(verdict: Verdict, code: str) -> Reason:
    return next(reason for reason in verdict.reasons if reason.code == code)


def codes(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


def test_sentiment_points_grow_with_the_certainty_of_the_model() -> None:
    verdict = decide(judged=judgement(Label.NEGATIVE, 0.8))
    assert reason(verdict, "sentiment") == Reason(
        code="sentiment",
        text="reads as negative; 80% sure that the author is unhappy (lost)",
        points=28.0,
        rule="scoring.negative",
    )
    assert (verdict.score, verdict.severity) == (28, Severity.NORMAL)


def test_unknown_is_marked_for_review_and_never_called_neutral() -> None:
    verdict = decide(judged=judgement(Label.UNKNOWN))
    assert reason(verdict, "unknown").text == "could not be judged: no model reads Korean yet"
    assert (verdict.score, verdict.review, verdict.judgement.sentiment.label) == (10, True, Label.UNKNOWN)


def test_a_judgement_that_is_not_sure_of_itself_is_for_review() -> None:
    judged = judgement(Label.NEGATIVE, 0.6)
    assert decide(judged=replace(judged, sentiment=replace(judged.sentiment, unsure=True))).review
    assert not decide(judged=judged).review


def test_a_policy_may_keep_unknown_out_of_review() -> None:
    assert not decide(judged=judgement(Label.UNKNOWN), rules=policy(scoring=scoring(unknown_review=False))).review


def test_topics_and_intents_give_their_points_and_name_what_was_found() -> None:
    matches = tuple(
        Match(query_id="topics.billing", term=term, span=None)
        for term in ("charged twice", "refund", "fee", "bill", "fee")
    )
    verdict = decide(seen=found(topics=("billing",), intents=("leave",), matches=matches))
    assert reason(verdict, "topic") == Reason(
        code="topic",
        text="topic billing: charged twice, refund, fee and 1 more",
        points=25.0,
        rule="topics.billing",
    )
    assert reason(verdict, "intent").text == "intent leave"
    assert (verdict.score, verdict.severity) == (73, Severity.URGENT)


def test_a_floor_lifts_score_and_severity_together() -> None:
    """Smoke is urgent even where the model reads praise."""
    verdict = decide(seen=found(topics=("safety",)), judged=judgement(Label.POSITIVE, 0.1))
    assert reason(verdict, "at_least") == Reason(
        code="at_least", text="safety is at least urgent", points=66.5, rule="topics.safety.at_least"
    )
    assert (verdict.score, verdict.severity) == (70, Severity.URGENT)


def test_the_highest_floor_counts() -> None:
    verdict = decide(seen=found(topics=("safety", "staff")))
    assert codes(verdict).count("at_least") == 1
    assert reason(verdict, "at_least").rule == "topics.safety.at_least"


def test_a_floor_that_is_reached_gives_no_points_and_stays_a_reason() -> None:
    rules = policy(topics=(topic("safety", points=90, at_least=Severity.URGENT),))
    verdict = decide(seen=found(topics=("safety",)), rules=rules)
    assert (reason(verdict, "at_least").points, verdict.score) == (0, 100)


def test_a_floor_of_low_says_nothing() -> None:
    rules = policy(topics=(topic("praise", at_least=Severity.LOW),))
    assert "at_least" not in codes(decide(seen=found(topics=("praise",)), rules=rules))


def test_a_topic_that_the_file_no_longer_has_gives_nothing() -> None:
    assert codes(decide(seen=found(topics=("gone",)))) == ["sentiment"]


def test_reach_makes_a_complaint_louder() -> None:
    loud = mention(reach=Reach(likes=100), author=Author(followers=10_000))
    verdict = decide(loud, found(topics=("billing",)))
    assert reason(verdict, "reach") == Reason(
        code="reach", text="10,000 followers, 100 reactions", points=20.0, rule="scoring.reach"
    )


def test_reach_is_no_complaint_by_itself() -> None:
    """A newspaper's neutral report counts only as far as the model takes it for a complaint."""
    verdict = decide(mention(reach=Reach(followers=10_000)), judged=judgement(Label.NEUTRAL, 0.25))
    assert reason(verdict, "reach").points == 4.0


def test_reach_counts_in_full_only_for_a_topic_that_counts() -> None:
    """Praise and news have topics too, for routing and digests."""
    rules = policy(topics=(topic("praise"), topic("billing", points=5)))
    for name, points in (("praise", 4.0), ("billing", 16.0)):
        famous = mention(reach=Reach(followers=10_000))
        verdict = decide(famous, found(topics=(name,)), judgement(Label.NEUTRAL, 0.25), rules)
        assert reason(verdict, "reach").points == points


def test_reach_counts_in_full_where_nobody_could_judge() -> None:
    verdict = decide(mention(reach=Reach(followers=10_000)), judged=judgement(Label.UNKNOWN))
    assert reason(verdict, "reach").points == 16.0


@pytest.mark.parametrize("reach", [Reach(), Reach(followers=0, likes=0), Reach(followers=1), Reach(followers=-5)])
def test_no_reach_is_no_reason(reach: Reach) -> None:
    assert "reach" not in codes(decide(mention(reach=reach)))


@pytest.mark.parametrize(("days", "counts"), [(3, True), (30, True), (31, False)])
def test_a_repeated_complaint_counts_within_its_time(days: int, *, counts: bool) -> None:
    said = mention()
    verdict = decide(said, last_complaint_at=said.said_at - timedelta(days=days))
    assert ("repeat_complaint" in codes(verdict)) is counts


def test_thanks_after_a_complaint_is_no_second_complaint() -> None:
    assert "repeat_complaint" not in codes(decide(judged=judgement(Label.POSITIVE, 0.1), last_complaint_at=NOW))


def test_a_policy_without_repeat_complaints_gives_nothing_for_them() -> None:
    assert "repeat_complaint" not in codes(
        decide(rules=policy(scoring=scoring(repeat_complaint=None)), last_complaint_at=NOW)
    )


def test_the_day_of_the_last_complaint_is_told() -> None:
    verdict = decide(last_complaint_at=NOW - timedelta(days=2))
    assert reason(verdict, "repeat_complaint").text == "the same author complained on 2026-02-28"


@pytest.mark.parametrize(("brands", "rule"), [(("haneul",), "brands.haneul.accounts"), ((), "brands")])
def test_our_own_posts_score_nothing(brands: tuple[str, ...], rule: str) -> None:
    verdict = decide(seen=found(brands=brands, own=True, topics=("safety",)), judged=judgement(Label.UNKNOWN))
    assert (verdict.score, verdict.severity, verdict.review) == (0, Severity.LOW, False)
    assert [reason.rule for reason in verdict.reasons] == [rule]


def test_a_mention_about_no_brand_is_judged_all_the_same() -> None:
    verdict = decide(seen=found(brands=(), topics=("billing",)))
    assert (verdict.brands, verdict.severity) == ((), Severity.HIGH)


def test_the_verdict_says_by_which_rules_and_when() -> None:
    match = Match(query_id="brands.haneul", term="haneul", span=None)
    verdict = decide(seen=found(matches=(match,)))
    assert (verdict.mention_id, verdict.ruleset, verdict.decided_at, verdict.matches) == ("m1", "d1", NOW, (match,))


# --- what is at stake ----------------------------------------------------------------------------------------------------

STAKES_90 = policy(scoring=scoring(stakes_points=90.0, negative_points=20.0, unknown_points=0.0))


@pytest.mark.parametrize(
    ("known", "severity"),
    [
        (stakes(urgent=1), Severity.URGENT),
        (stakes(high=1), Severity.HIGH),
        (stakes(normal=1), Severity.NORMAL),
        (stakes(), Severity.LOW),
    ],
)
def test_where_nothing_else_is_known_the_severity_is_that_of_the_model(known: Stakes, severity: Severity) -> None:
    assert decide(judged=judgement(Label.UNKNOWN, stakes=known), rules=STAKES_90).severity is severity


@pytest.mark.parametrize(("p_negative", "severity"), [(1.0, Severity.NORMAL), (0.05, Severity.LOW)])
def test_an_unhappy_author_is_heard_where_little_is_at_stake(p_negative: float, severity: Severity) -> None:
    assert decide(judged=judgement(p_negative=p_negative, stakes=stakes()), rules=STAKES_90).severity is severity


def test_a_content_author_does_not_hide_an_emergency() -> None:
    judged = judgement(Label.POSITIVE, 0.02, stakes=stakes(urgent=0.8, high=0.1))
    assert decide(judged=judged, rules=STAKES_90).severity is Severity.URGENT


def test_the_stakes_are_told_with_the_words_that_counted() -> None:
    known = stakes(urgent=0.62, high=0.21, normal=0.1, phrases=(("burning smell", 1.31), ("charger", 0.4)))
    assert reason(decide(judged=judgement(stakes=known), rules=STAKES_90), "stakes") == Reason(
        code="stakes",
        text="what is at stake: 62% urgent, 21% high; burning smell (+1.3), charger (+0.4)",
        points=67.5,
        rule="scoring.stakes",
    )


def test_little_at_stake_is_told_too() -> None:
    told = reason(decide(judged=judgement(stakes=stakes(normal=0.1)), rules=STAKES_90), "stakes")
    assert (told.text, told.points) == ("what is at stake: most likely nothing", 2.2)


def test_a_policy_may_do_without_the_stakes() -> None:
    assert "stakes" not in codes(decide(judged=judgement(stakes=stakes(urgent=1))))


SHARES = st.tuples(*[st.floats(0, 1)] * 4).filter(lambda four: sum(four) > 0.1)


def shares(four: tuple[float, ...]) -> Stakes:
    low, normal, high, urgent = (share / sum(four) for share in four)
    return Stakes(p_low=low, p_normal=normal, p_high=high, p_urgent=urgent, model="m")


@given(SHARES, st.integers(0, 3), st.floats(0, 1), st.floats(0, 1))
def test_what_becomes_more_severe_never_scores_less(
    four: tuple[float, ...], place: int, part: float, p_negative: float
) -> None:
    """Move part of a share to the next severity."""
    known = shares(four)
    steps = [known.p_low, known.p_normal, known.p_high, known.p_urgent]
    moved = steps[place] * part
    steps[place] -= moved
    steps[min(place + 1, 3)] += moved
    worse = Stakes(p_low=steps[0], p_normal=steps[1], p_high=steps[2], p_urgent=steps[3], model="m")
    before, after = (
        decide(judged=judgement(p_negative=p_negative, stakes=one), rules=STAKES_90).score for one in (known, worse)
    )
    assert after >= before
    assert 0 <= stakes_worth(known) <= stakes_worth(worse) + 1e-9 <= 1 + 1e-8


# --- what holds for every policy ---------------------------------------------------------------------------------------

POINTS = st.floats(0, 60).map(lambda points: round(points, 1))
FLOORS = st.sampled_from([None, *Severity])


@st.composite
def topics(draw: st.DrawFn) -> tuple[Topic, ...]:
    names = draw(st.lists(st.sampled_from("abcdef"), unique=True, max_size=4))
    return tuple(topic(name, points=draw(POINTS), at_least=draw(FLOORS)) for name in names)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    bands = sorted(draw(st.lists(st.floats(1, 100), min_size=3, max_size=3, unique=True)))
    severity = dict(zip((Severity.NORMAL, Severity.HIGH, Severity.URGENT), bands, strict=True))
    reach = ReachScoring(
        per_tenfold_followers=draw(POINTS), per_tenfold_reactions=draw(POINTS), cap=draw(st.floats(0, 100))
    )
    points = scoring(
        negative_points=draw(POINTS),
        unknown_points=draw(POINTS),
        stakes_points=draw(POINTS),
        unknown_review=draw(st.booleans()),
        reach=reach,
        severity=severity,
    )
    return policy(topics=draw(topics()), scoring=points)


COUNTS = st.none() | st.integers(-5, 10**12)
MENTIONS = st.builds(
    lambda followers, likes, own: mention(reach=Reach(followers=followers, likes=likes), author=Author(followers=own)),
    COUNTS,
    COUNTS,
    COUNTS,
)
JUDGEMENTS = st.builds(judgement, st.sampled_from(list(Label)), st.floats(0, 1), stakes=st.none() | SHARES.map(shares))
PAST = st.none() | st.integers(0, 60).map(lambda days: NOW - timedelta(days=days))


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    rules = draw(policies())
    ids = [topic.id for topic in rules.topics]
    matched = draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
    return {
        "said": draw(MENTIONS),
        "seen": found(topics=tuple(matched)),
        "judged": draw(JUDGEMENTS),
        "rules": rules,
        "last_complaint_at": draw(PAST),
    }


@given(situations())
def test_the_score_is_the_sum_of_its_reasons_within_0_and_100(situation: dict[str, Any]) -> None:
    verdict = decide(**situation)
    total = sum(reason.points for reason in verdict.reasons)
    assert 0 <= verdict.score <= 100
    assert abs(verdict.score - min(100, max(0, total))) <= 0.5 + 1e-9


@given(situations())
def test_severity_agrees_with_the_score_and_with_every_floor(situation: dict[str, Any]) -> None:
    verdict = decide(**situation)
    rules: Policy = situation["rules"]
    assert verdict.severity is severity_of(verdict.score, rules.scoring)
    for matched in rules.topics:
        if matched.id in situation["seen"].topics and matched.at_least:
            assert verdict.severity.rank >= matched.at_least.rank


@given(situations())
def test_one_more_topic_never_lowers_the_score(situation: dict[str, Any]) -> None:
    before = decide(**situation)
    every = replace(situation["seen"], topics=tuple(topic.id for topic in situation["rules"].topics))
    after = decide(**{**situation, "seen": every})
    assert after.score >= before.score
    assert after.severity.rank >= before.severity.rank


@given(situations(), st.floats(0, 1), st.floats(0, 1))
def test_a_surer_model_never_lowers_the_score(situation: dict[str, Any], one: float, other: float) -> None:
    calm, angry = (judgement(Label.NEUTRAL, p) for p in sorted((one, other)))
    assert decide(**{**situation, "judged": angry}).score >= decide(**{**situation, "judged": calm}).score


@given(situations())
def test_unknown_is_reviewed_exactly_where_the_policy_says_so(situation: dict[str, Any]) -> None:
    verdict = decide(**situation)
    unknown = verdict.judgement.sentiment.label is Label.UNKNOWN
    assert verdict.review is (unknown and situation["rules"].scoring.unknown_review)
