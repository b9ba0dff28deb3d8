"""How well verdicts agree with labels, and where the bands of the score should begin.

Severity is measured as people feel it: of what was urgent, how much was called so (recall); of what was called urgent, how
much was (precision). A figure without a denominator is `None`, never 0 or 1.

**Why two thresholds are the whole fit.** A line drawn through the score (slope and offset, score' = a * score + b) followed
by the fixed bands at U and H decides exactly like bands at (U - b) / a and (H - b) / a on the score as it is: two parameters
either way, and the same decisions. So `fit` moves the two thresholds that alert people, urgent and high, and nothing else:
the score keeps its meaning, every point of it stays in its reason, and the result is two numbers in rules.yaml.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from listener.domain.policy import Policy
from listener.domain.verdict import Label, Severity, Verdict

# --- counting hits -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """A yes-or-no question asked of many posts: `found` and `missed` are truly yes; `false` was said yes and is not."""

    found: int
    missed: int
    false: int
    rest: int

    @property
    def truly(self) -> int:
        """How many are truly yes."""
        return self.found + self.missed

    @property
    def said(self) -> int:
        """How many were said to be."""
        return self.found + self.false

    @property
    def recall(self) -> float | None:
        """The share of the true ones that was found; `None` if there are none."""
        return self.found / self.truly if self.truly else None

    @property
    def precision(self) -> float | None:
        """The share of what was said that is true; `None` if nothing was said."""
        return self.found / self.said if self.said else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; `None` if there was nothing to find and nothing was said."""
        total = self.truly + self.said
        return 2 * self.found / total if total else None


def hits(pairs: Iterable[tuple[bool, bool]]) -> Hits:
    """Count (is it, was it said) pairs."""
    counts = Counter(pairs)
    return Hits(
        found=counts[True, True], missed=counts[True, False], false=counts[False, True], rest=counts[False, False]
    )


def average_precision(scored: Iterable[tuple[float, bool]]) -> float | None:
    """The area under precision against recall, in steps (no interpolation); `None` without a true one.

    For each distinct score from the top: the precision among all that score at least that much, times the recall that this
    score adds. Equal scores count together, so the order of the input does not matter.
    """
    by_score: dict[float, list[bool]] = {}
    for score, true in scored:
        by_score.setdefault(score, []).append(true)
    found = said = 0
    area = 0.0
    for score in sorted(by_score, reverse=True):
        added = sum(by_score[score])
        found += added
        said += len(by_score[score])
        area += added * found / said
    return area / found if found else None


# --- severity ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityReport:
    """`confusion` counts (truth, said); `urgent` asks for urgent, `alerted` for high or above; `low_alerted` of `low`."""

    confusion: Mapping[tuple[Severity, Severity], int]
    urgent: Hits
    alerted: Hits
    low: int
    low_alerted: int

    @property
    def n(self) -> int:
        """How many were compared."""
        return sum(self.confusion.values())


def severity_report(pairs: Iterable[tuple[Severity, Severity]]) -> SeverityReport:
    """Compare (truth, said) pairs."""
    counts = Counter(pairs)
    low = {said: counts[Severity.LOW, said] for said in Severity}
    return SeverityReport(
        confusion=counts,
        urgent=_reaching(counts, Severity.URGENT),
        alerted=_reaching(counts, Severity.HIGH),
        low=sum(low.values()),
        low_alerted=low[Severity.URGENT] + low[Severity.HIGH],
    )


def _reaching(counts: Counter[tuple[Severity, Severity]], band: Severity) -> Hits:
    return hits((truth.rank >= band.rank, said.rank >= band.rank) for truth, said in counts.elements())


def gravity(truth: Severity, said: Severity) -> float:
    """How bad a mistake is: bands apart, and a miss twice as bad as a false alarm; 0 for no mistake."""
    apart = truth.rank - said.rank
    return MISS * apart if apart > 0 else float(-apart)


# --- sentiment ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentReport:
    """Negative against the rest, among posts that were judged. `unknown` posts were not; `unknown_negative` of them are
    truly negative. They count in no other figure, for "could not judge" is not "neutral".
    """

    negative: Hits
    average_precision: float | None
    unknown: int
    unknown_negative: int

    @property
    def n(self) -> int:
        """How many were compared, the unknown among them."""
        return self.negative.truly + self.negative.false + self.negative.rest + self.unknown


def sentiment_report(rows: Iterable[tuple[Label, Label, float | None]]) -> SentimentReport:
    """Compare (truth, said, p_negative) rows; `p_negative` is `None` for UNKNOWN."""
    judged: list[tuple[bool, bool]] = []
    scored: list[tuple[float, bool]] = []
    unknown: list[bool] = []
    for truth, said, p_negative in rows:
        negative = truth is Label.NEGATIVE
        if p_negative is None:
            unknown.append(negative)
        else:
            judged.append((negative, said is Label.NEGATIVE))
            scored.append((p_negative, negative))
    return SentimentReport(
        negative=hits(judged),
        average_precision=average_precision(scored),
        unknown=len(unknown),
        unknown_negative=sum(unknown),
    )


# --- scores and bands --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """The least score of each band but low, as `scoring.severity` has them."""

    urgent: float
    high: float
    normal: float

    @staticmethod
    def of(bands: Mapping[Severity, float]) -> "Cuts":
        """Those of a policy."""
        return Cuts(urgent=bands[Severity.URGENT], high=bands[Severity.HIGH], normal=bands[Severity.NORMAL])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A score without what a rule's `at_least` added, and the severity below which that rule lets it not fall.

    Thresholds act on the score alone: whatever they are, the floor stays.
    """

    score: int
    floor: Severity = Severity.LOW

    def severity(self, cuts: Cuts) -> Severity:
        """The severity with these thresholds."""
        steps = ((Severity.URGENT, cuts.urgent), (Severity.HIGH, cuts.high), (Severity.NORMAL, cuts.normal))
        band = next((severity for severity, least in steps if self.score >= least), Severity.LOW)
        return max(band, self.floor, key=lambda severity: severity.rank)


def unlifted(verdict: Verdict, policy: Policy) -> Scored:
    """The verdict's score without its floor. `policy` is the one that gave it."""
    points = math.fsum(reason.points for reason in verdict.reasons if reason.code != "at_least")
    score = min(100, max(0, math.floor(points + 0.5)))
    if all(reason.code != "at_least" for reason in verdict.reasons):
        return Scored(score=score)
    named = {f"topics.{name}" for name in verdict.judgement.topics}
    named |= {f"intents.{name}" for name in verdict.judgement.intents}
    floors = [topic.at_least for topic in (*policy.topics, *policy.intents) if topic.place in named and topic.at_least]
    return Scored(score=score, floor=max(floors, key=lambda severity: severity.rank, default=Severity.LOW))


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A score, and the severity that people say is right."""

    scored: Scored
    truth: Severity


def report_at(graded: Iterable[Graded], cuts: Cuts) -> SeverityReport:
    """What these thresholds would make of them."""
    return severity_report((one.truth, one.scored.severity(cuts)) for one in graded)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallCut:
    """The highest threshold for urgent that reaches a recall, and what comes with it.

    `cut` is `None` if the floors of rules reach the recall alone, whatever the threshold.
    """

    cut: int | None
    hits: Hits


def urgent_at(scored: Scored, cut: int | None) -> bool:
    """Would it be urgent with that threshold? `None` stands for one that no score reaches."""
    return scored.floor is Severity.URGENT or (cut is not None and scored.score >= cut)


def cut_for_recall(graded: Sequence[Graded], recall: float) -> RecallCut | None:
    """The highest threshold that finds at least that share (0 < recall <= 1) of the urgent ones; `None` if none is urgent."""
    urgent = [one.scored for one in graded if one.truth is Severity.URGENT]
    if not urgent:
        return None
    reachable = sorted((one.score for one in urgent if one.floor is not Severity.URGENT), reverse=True)
    wanted = math.ceil(recall * len(urgent) - 1e-9) - (len(urgent) - len(reachable))
    cut = reachable[wanted - 1] if wanted > 0 else None
    return RecallCut(cut=cut, hits=hits((one.truth is Severity.URGENT, urgent_at(one.scored, cut)) for one in graded))


# --- fitting the thresholds to what people found -----------------------------------------------------------------------

NEEDED = 30
"""Cases with a disposition before anything is fitted: with fewer, one hasty click is more than a twentieth of what we learn
from (two thirds of 30)."""

OF_EACH = 5
"""A threshold moves only with that many cases on each side of it: one side alone would push it to the end of the scale."""

MISS = 2.0
"""A missed one costs as much as two false alarms. It also makes up for what we do not see: a post that was wrongly called
low became no case, so nobody could say that it was missed."""

PULL = 10.0
"""Points of movement that have to save one false alarm or more: what a few cases say gives way to what was set."""

BLUR = 3.5
"""A score is known to about so many points: near a threshold a case counts partly on either side, so that the fit does not
hang on the exact score of one case. `PULL` and `BLUR` were chosen by simulation, with cases whose score was six points off
in the mean: where the present thresholds were right, 20 cases did hardly any harm (1 % more mistakes); where they were 10 too
low, 20 cases took away a third of the avoidable mistakes and 60 cases four fifths."""

_HELD_OUT_OF = 3


def held_out(name: str) -> bool:
    """Is this one kept from the fit, to test it? About a third, by a hash of the name, the same ones every time."""
    return sha256(name.encode()).digest()[0] % _HELD_OUT_OF == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The fitted thresholds. `stays` says of a threshold why it could not be fitted."""

    cuts: Cuts
    stays: Mapping[Severity, str]


def fit(graded: Sequence[Graded], present: Cuts) -> Fit:
    """The thresholds for urgent and high with the least cost: mistakes, plus the distance from the present ones.

    A threshold only moves to where it makes fewer mistakes. They are whole numbers (or the present ones) with
    urgent > high > normal; normal is not touched. Tried one by one, so the result does not depend on a starting point or on
    the order of the cases.
    """
    stays = {band: why for band in (Severity.URGENT, Severity.HIGH) if (why := _too_few(graded, band))}
    urgent = _costs(graded, Severity.URGENT, present.urgent, fixed=Severity.URGENT in stays)
    high = _costs(graded, Severity.HIGH, present.high, fixed=Severity.HIGH in stays)
    choices = (
        (round(urgent[u] + high[h], 9), abs(u - present.urgent) + abs(h - present.high), u, h)
        for u in urgent
        for h in high
        if u > h > present.normal
    )
    _, _, best_urgent, best_high = min(choices)
    return Fit(cuts=Cuts(urgent=best_urgent, high=best_high, normal=present.normal), stays=stays)


def _movable(graded: Iterable[Graded], band: Severity) -> list[Graded]:
    """Those that this band's threshold decides: a floor that is as high leaves it nothing to say."""
    return [one for one in graded if one.scored.floor.rank < band.rank]


def _too_few(graded: Iterable[Graded], band: Severity) -> str | None:
    sides = Counter(one.truth.rank >= band.rank for one in _movable(graded, band))
    name = "urgent" if band is Severity.URGENT else "high or above"
    if min(sides[True], sides[False]) >= OF_EACH:
        return None
    return (
        f"{sides[True]} case(s) that its threshold decides should have been {name} and {sides[False]} not; "
        f"{OF_EACH} of each are needed"
    )


def _costs(graded: Sequence[Graded], band: Severity, present: float, *, fixed: bool) -> Mapping[float, float]:
    if fixed:
        return {present: 0.0}
    movable = _movable(graded, band)
    above = [one.scored.score for one in movable if one.truth.rank >= band.rank]
    below = [one.scored.score for one in movable if one.truth.rank < band.rank]
    least = mistakes(above, below, present)
    better = (float(cut) for cut in range(1, 101) if mistakes(above, below, cut) < least)
    return {cut: cost(above, below, cut) + abs(cut - present) / PULL for cut in (present, *better)}


def mistakes(above: Iterable[int], below: Iterable[int], cut: float) -> float:
    """What a threshold costs in false alarms, of scores that belong above it and scores that belong below."""
    return MISS * sum(score < cut for score in above) + sum(score >= cut for score in below)


def cost(above: Iterable[int], below: Iterable[int], cut: float) -> float:
    """`mistakes`, with each score spread out by `BLUR` on both sides.

    A score counts as above from `cut` on, so half a point below it lies the edge between whole scores.
    """
    edge = cut - 0.5
    return MISS * sum(map(_share_below(edge), above)) + sum(1.0 - share for share in map(_share_below(edge), below))


def _share_below(edge: float) -> Callable[[int], float]:
    return lambda score: 1.0 / (1.0 + math.exp((score - edge) / BLUR))
