"""Figures against their definitions, written out the long way; and thresholds against all others."""

import math
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.measure import (
    BLUR,
    MISS,
    OF_EACH,
    PULL,
    Cuts,
    Graded,
    Scored,
    average_precision,
    cut_for_recall,
    fit,
    gravity,
    held_out,
    hits,
    report_at,
    sentiment_report,
    severity_report,
    unlifted,
    urgent_at,
)
from listener.decide.prioritise import prioritise
from listener.domain.verdict import Label, Severity
from tests.decide.examples import NOW, found, judgement, mention, policy, topic

URGENT, HIGH, NORMAL, LOW = Severity.URGENT, Severity.HIGH, Severity.NORMAL, Severity.LOW
PRESENT = Cuts(urgent=70.0, high=45.0, normal=20.0)

severities = st.sampled_from(list(Severity))
scores = st.integers(0, 100)
scored = st.builds(Scored, score=scores, floor=severities)
graded = st.builds(Graded, scored=scored, truth=severities)


def case(score: int, truth: Severity, floor: Severity = LOW) -> Graded:
    return Graded(scored=Scored(score=score, floor=floor), truth=truth)


# --- counting


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_recall_precision_and_f1_are_what_their_definitions_say(pairs: list[tuple[bool, bool]]) -> None:
    counted = hits(pairs)
    said_of_true = [said for true, said in pairs if true]
    true_of_said = [true for true, said in pairs if said]
    assert counted.recall == (sum(said_of_true) / len(said_of_true) if said_of_true else None)
    assert counted.precision == (sum(true_of_said) / len(true_of_said) if true_of_said else None)
    assert counted.found + counted.missed + counted.false + counted.rest == len(pairs)
    if counted.recall and counted.precision:
        harmonic = 2 / (1 / counted.recall + 1 / counted.precision)
        assert counted.f1 == pytest.approx(harmonic)


def test_nothing_to_divide_by_is_none_and_not_zero() -> None:
    assert (hits([]).recall, hits([]).precision, hits([]).f1) == (None, None, None)
    assert hits([(True, False)]).f1 == 0.0


def brute_average_precision(pairs: list[tuple[float, bool]]) -> float | None:
    """Sum over thresholds of (recall - recall before) * precision."""
    positives = sum(true for _, true in pairs)
    if not positives:
        return None
    area = before = 0.0
    for threshold in sorted({score for score, _ in pairs}, reverse=True):
        above = [true for score, true in pairs if score >= threshold]
        recall = sum(above) / positives
        area += (recall - before) * sum(above) / len(above)
        before = recall
    return area


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans())), st.randoms())
def test_pr_auc_is_average_precision_whatever_the_order(pairs: list[tuple[float, bool]], chance: Random) -> None:
    wanted = brute_average_precision(pairs)
    assert average_precision(pairs) == (None if wanted is None else pytest.approx(wanted))
    shuffled = sorted(pairs, key=lambda _: chance.random())
    assert average_precision(shuffled) == average_precision(pairs)


def test_a_perfect_order_has_the_whole_area_and_a_tie_has_the_share() -> None:
    assert average_precision([(0.9, True), (0.8, True), (0.1, False)]) == 1.0
    assert average_precision([(0.5, True), (0.5, False), (0.5, False), (0.5, False)]) == 0.25
    assert average_precision([(0.5, False)]) is None


@given(st.lists(st.tuples(severities, severities)))
def test_a_severity_report_counts_what_alerts_people(pairs: list[tuple[Severity, Severity]]) -> None:
    report = severity_report(pairs)
    assert report.n == len(pairs)
    assert all(report.confusion[pair] == pairs.count(pair) for pair in pairs)
    assert report.urgent == hits((truth is URGENT, said is URGENT) for truth, said in pairs)
    loud = (URGENT, HIGH)
    assert report.alerted == hits((truth in loud, said in loud) for truth, said in pairs)
    assert report.low == sum(truth is LOW for truth, _ in pairs)
    assert report.low_alerted == sum(truth is LOW and said in loud for truth, said in pairs)


def test_a_miss_is_worse_than_a_false_alarm_and_two_bands_are_worse_than_one() -> None:
    assert gravity(URGENT, LOW) > gravity(URGENT, NORMAL) > gravity(URGENT, HIGH) > gravity(HIGH, URGENT) > 0
    assert gravity(LOW, URGENT) > gravity(LOW, HIGH)
    assert gravity(HIGH, HIGH) == 0


def test_unknown_is_counted_apart_and_never_as_neutral() -> None:
    report = sentiment_report(
        [
            (Label.NEGATIVE, Label.NEGATIVE, 0.9),
            (Label.NEGATIVE, Label.UNKNOWN, None),
            (Label.NEUTRAL, Label.UNKNOWN, None),
            (Label.POSITIVE, Label.NEUTRAL, 0.2),
            (Label.NEGATIVE, Label.NEUTRAL, 0.4),
        ]
    )
    assert (report.unknown, report.unknown_negative, report.n) == (2, 1, 5)
    assert (report.negative.found, report.negative.missed, report.negative.false, report.negative.rest) == (1, 1, 0, 1)
    assert report.average_precision == 1.0


# --- scores and floors


@given(st.lists(st.sampled_from(["outage", "billing", "praise"]), unique=True), st.floats(0, 1), st.booleans())
def test_the_score_without_its_floor_gives_the_verdicts_own_severity(names: list[str], p: float, leave: bool) -> None:
    """Whatever the rules are: floors and thresholds together decide as the verdict did."""
    rules = policy(
        topics=(
            topic("outage", points=30, at_least=URGENT),
            topic("billing", points=20, at_least=HIGH),
            topic("praise", points=3),
        ),
        intents=(topic("leave", at_least=NORMAL, kind="intents"),),
    )
    seen = found(topics=tuple(names), intents=("leave",) if leave else ())
    judged = replace(judgement(), topics=seen.topics, intents=seen.intents)
    sure = replace(judged, sentiment=replace(judged.sentiment, p_negative=p))
    verdict = prioritise(mention(), seen, sure, rules, last_complaint_at=None, now=NOW)
    bare = unlifted(verdict, rules)
    assert bare.severity(Cuts.of(rules.scoring.severity)) is verdict.severity
    assert bare.score <= verdict.score
    assert (bare.floor is LOW) == (not {"outage", "billing"} & set(names) and not leave)


@given(scored)
def test_a_floor_holds_whatever_the_thresholds(one: Scored) -> None:
    unreachable = Cuts(urgent=300, high=200, normal=101)
    assert one.severity(unreachable) is one.floor
    assert one.severity(Cuts(urgent=0, high=0, normal=0)) is URGENT


# --- the threshold for a recall


@given(st.lists(graded, max_size=30), st.floats(0.01, 1))
def test_the_threshold_for_a_recall_is_the_highest_that_reaches_it(cases: list[Graded], recall: float) -> None:
    answer = cut_for_recall(cases, recall)
    urgent = [one.scored for one in cases if one.truth is URGENT]
    if not urgent:
        assert answer is None
        return
    assert answer is not None

    def reaches(cut: int | None) -> bool:
        return sum(urgent_at(one, cut) for one in urgent) / len(urgent) >= recall - 1e-9

    assert reaches(answer.cut)
    assert answer.hits == hits((one.truth is URGENT, urgent_at(one.scored, answer.cut)) for one in cases)
    if answer.cut is not None:
        assert not reaches(None)
        assert not any(reaches(cut) for cut in range(answer.cut + 1, 102))


# --- the fit


def brute_fit(cases: list[Graded], present: Cuts) -> tuple[int, int]:
    """The cheapest of all pairs of whole thresholds that make fewer mistakes, summed up from the definition."""

    def total(band: Severity, cut: float, *, blurred: bool) -> float:
        value = 0.0
        for one in cases:
            if one.scored.floor.rank < band.rank:
                distance = one.scored.score - cut + 0.5
                below = 1 / (1 + math.exp(distance / BLUR)) if blurred else float(distance < 0)
                value += MISS * below if one.truth.rank >= band.rank else 1 - below
        return value

    def choices(band: Severity, now: float) -> dict[int, float]:
        least = total(band, now, blurred=False)
        allowed = [cut for cut in range(1, 101) if cut == now or total(band, cut, blurred=False) < least]
        return {cut: total(band, cut, blurred=True) + abs(cut - now) / PULL for cut in allowed}

    urgent, high = choices(URGENT, present.urgent), choices(HIGH, present.high)
    pairs = [(urgent[u] + high[h], u, h) for u in urgent for h in high if u > h > present.normal]
    return min(pairs)[1:]


def many(low_to: int, high_from: int, urgent_from: int) -> list[Graded]:
    """Eight of each: what is low, what is high, what is urgent, each from there on upwards."""
    return [
        *(case(low_to - 2 * step, LOW) for step in range(8)),
        *(case(high_from + step, HIGH) for step in range(8)),
        *(case(urgent_from + step, URGENT) for step in range(8)),
    ]


def test_the_fit_is_the_cheapest_of_all_pairs() -> None:
    cases = [*many(30, 48, 62), case(71, LOW), case(99, NORMAL, floor=URGENT), case(90, LOW, floor=HIGH)]
    cuts = fit(cases, PRESENT).cuts
    assert (cuts.urgent, cuts.high) == brute_fit(cases, PRESENT)
    assert cuts != PRESENT


def test_cases_that_agree_with_the_thresholds_leave_them_alone() -> None:
    assert fit(many(30, 50, 85), PRESENT).cuts == PRESENT


def test_noise_above_a_threshold_lifts_it_and_misses_below_it_lower_it() -> None:
    noisy = [case(72 + step % 6, NORMAL) for step in range(20)] + [case(88 + step, URGENT) for step in range(10)]
    assert 75 < fit(noisy, PRESENT).cuts.urgent < 88
    missed = [case(60 + step % 5, URGENT) for step in range(20)] + [case(30 + step, NORMAL) for step in range(10)]
    assert 40 < fit(missed, PRESENT).cuts.urgent <= 60


def test_a_few_cases_move_less_than_many() -> None:
    def lift(times: int) -> float:
        cases = [*(case(75, NORMAL) for _ in range(times)), *(case(90, URGENT) for _ in range(times))]
        return fit(cases, PRESENT).cuts.urgent - 70

    assert 0 < lift(OF_EACH) <= lift(4 * OF_EACH)


def test_one_side_alone_moves_nothing_and_says_so() -> None:
    """All noise would push the threshold to the end of the scale."""
    done = fit([case(80, LOW) for _ in range(50)], PRESENT)
    assert done.cuts == PRESENT
    assert set(done.stays) == {URGENT, HIGH}
    assert "0 case(s) that its threshold decides should have been urgent and 50 not; 5 of each" in done.stays[URGENT]


def test_what_a_floor_decides_teaches_no_threshold() -> None:
    """False alarms of a rule with at_least are that rule's matter."""
    done = fit([*many(30, 50, 85), *(case(80, LOW, floor=URGENT) for _ in range(50))], PRESENT)
    assert done.cuts == PRESENT


@given(st.lists(graded, max_size=25), st.tuples(scores, scores, scores).filter(lambda three: len(set(three)) == 3))
def test_a_fit_keeps_the_order_of_the_bands_and_normal(cases: list[Graded], three: tuple[int, int, int]) -> None:
    normal, high, urgent = sorted(three)
    present = Cuts(urgent=urgent, high=high, normal=normal)
    cuts = fit(cases, present).cuts
    assert cuts.urgent > cuts.high > cuts.normal == normal
    assert cuts == fit(cases[::-1], present).cuts


def test_about_a_third_is_held_out_and_always_the_same() -> None:
    kept = [name for name in (f"C{number}" for number in range(3000)) if held_out(name)]
    assert 900 < len(kept) < 1100
    assert kept[:3] == [name for name in kept[:3] if held_out(name)]


@given(st.lists(graded, max_size=20))
def test_a_report_at_thresholds_compares_truth_with_what_they_make(cases: list[Graded]) -> None:
    assert report_at(cases, PRESENT) == severity_report((one.truth, one.scored.severity(PRESENT)) for one in cases)
