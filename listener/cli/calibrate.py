"""`listener calibrate`: the thresholds that fit what the team found its own cases to be."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from listener.casework import duration
from listener.cli.in_place import replace_file
from listener.cli.measured import severity_table
from listener.decide.measure import (
    NEEDED,
    Cuts,
    Fit,
    Graded,
    fit,
    gravity,
    held_out,
    report_at,
    unlifted,
)
from listener.domain.case import Case, Disposition
from listener.domain.errors import UsageError
from listener.domain.mention import Mention
from listener.domain.verdict import Severity, Verdict
from listener.rules.edit import LayoutError, set_numbers

if TYPE_CHECKING:
    from listener.ruleset import Ruleset
    from listener.store import SqlStore

_BANDS = ("scoring", "severity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A resolved case with the post that set its severity, and the verdict that was given on it then."""

    case: Case
    mention: Mention
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What one case teaches: its score by the rules in force, and the severity that it should have had.

    `floors` are the topics and intents whose `at_least` lifts it.
    """

    case: Case
    graded: Graded
    floors: tuple[str, ...]


@click.command()
@click.option("--since", "period", default="90d", show_default=True, help="How far back to look: 30d, 12w.")
@click.option(
    "--apply", "write", is_flag=True, help="Write the thresholds into rules.yaml; without it nothing is written."
)
def calibrate(period: str, write: bool) -> None:
    """Fit the thresholds for urgent and high to what your team found its cases to be.

    Learns from `listener resolve --as real`, `noise`, and `wrong_severity --severity S`; shows recall, precision and alerts
    before and after on cases that it did not learn from. See docs/evaluate.md.
    """
    from listener.app import judging_ruleset, open_store
    from listener.cli.offline import offline_rules
    from listener.settings import load_settings

    settings = load_settings()
    now, back = datetime.now(UTC), duration(period)
    ruleset = judging_ruleset(offline_rules(settings.rules).policy)
    before = settings.rules.read_bytes()
    resolved = _resolved(open_store(settings), now - back)
    lessons = [lesson for told in resolved if (lesson := _lesson(ruleset, told, now)) is not None]
    click.echo(_counted(lessons, period))
    if len(lessons) < NEEDED:
        raise click.ClickException(_too_few(len(lessons), period))
    present = Cuts.of(ruleset.policy.scoring.severity)
    found = fit([one.graded for one in lessons if not held_out(one.case.name)], present)
    _show(lessons, present, found)
    if found.cuts == present:
        fitted = "The thresholds fit as they are" if len(found.stays) < 2 else "Neither threshold can be fitted yet"
        click.echo(f"{fitted}: there is nothing to write.")
    elif write:
        _refuse_worse(lessons, present, found.cuts)
        changed = {name: new for name, old, new in _steps(present, found.cuts) if old != new}
        apply_thresholds(settings.rules, changed, before=before)
        click.echo(_done(settings.rules, changed))
    else:
        click.echo("Nothing was written. To put the new thresholds into rules.yaml: listener calibrate --apply")


# --- what the cases teach ----------------------------------------------------------------------------------------------


def _resolved(store: "SqlStore", since: datetime) -> list[Told]:
    told = []
    with store.reading() as uow:
        for case in uow.resolved_cases(since=since):
            mention, verdict = uow.mention(case.lead_mention_id), uow.verdict(case.lead_mention_id)
            if mention is not None and verdict is not None:
                told.append(Told(case=case, mention=mention, verdict=verdict))
    return told


def _lesson(ruleset: "Ruleset", told: Told, now: datetime) -> Lesson | None:
    """Judge the post anew: thresholds act on what the rules in force would score, not on scores of older rules."""
    from listener.decide.prioritise import prioritise
    from listener.pipeline import assess

    truth = _truth(told.case)
    if truth is None:
        return None
    complained = any(reason.code == "repeat_complaint" for reason in told.verdict.reasons)
    mention, found = told.mention, ruleset.matcher.match(told.mention)
    verdict = prioritise(
        mention,
        found,
        assess(ruleset, mention, found),
        ruleset.policy,
        last_complaint_at=mention.said_at if complained else None,  # the history as it was then
        now=now,
    )
    lifted = tuple(reason.rule.removesuffix(".at_least") for reason in verdict.reasons if reason.code == "at_least")
    return Lesson(case=told.case, graded=Graded(scored=unlifted(verdict, ruleset.policy), truth=truth), floors=lifted)


def _truth(case: Case) -> Severity | None:
    """The severity that people say is right. A duplicate says nothing of it."""
    if case.disposition is Disposition.REAL:
        return case.severity
    return Severity.LOW if case.disposition is Disposition.NOISE else case.meant


def _counted(lessons: Sequence[Lesson], period: str) -> str:
    counts = Counter(one.case.disposition for one in lessons)
    kinds = ((Disposition.REAL, "real"), (Disposition.NOISE, "noise"), (Disposition.WRONG_SEVERITY, "wrong severity"))
    parts = ", ".join(f"{counts[kind]} {name}" for kind, name in kinds)
    return f"{len(lessons)} cases that were resolved in the last {period} say how severe they were: {parts}."


def _too_few(count: int, period: str) -> str:
    return (
        f"{NEEDED - count} more are needed ({NEEDED} in all); resolve cases with --as real, --as noise or --as wrong_severity "
        f"--severity S, or look further back than --since {period}"
    )


# --- what would change -------------------------------------------------------------------------------------------------


def _show(lessons: Sequence[Lesson], present: Cuts, found: Fit) -> None:
    console = Console()
    kept = [one for one in lessons if held_out(one.case.name)]
    console.print(
        Text(f"\n{len(lessons) - len(kept)} of them teach; {len(kept)} are held out to test what was learnt.\n")
    )
    for name, was, becomes in _steps(present, found.cuts):
        console.print(Text(f"scoring.severity.{name}: {_step(was, becomes)}"))
    for band, why in found.stays.items():
        console.print(Text(f"scoring.severity.{band} stays: {why}."))
    rows = [(name, report_at([one.graded for one in kept], cuts)) for name, cuts in _pair(present, found.cuts)]
    console.print(severity_table(rows, title="\nOn the cases held out", first="Thresholds"))
    console.print(Text(_alerts(lessons, kept, present, found.cuts)))
    if floors := _stubborn(lessons):
        console.print(Text(floors))
    console.print(
        Text("What was wrongly called low became no case and is not counted here: see docs/evaluate.md.", "dim")
    )


def _pair(present: Cuts, after: Cuts) -> tuple[tuple[str, Cuts], ...]:
    now, then = f"{present.urgent:g}/{present.high:g}", f"{after.urgent:g}/{after.high:g}"
    if after == present:
        return ((f"as they are: {now}", present),)
    return (f"before: {now}", present), (f"after: {then}", after)


def _steps(present: Cuts, after: Cuts) -> tuple[tuple[str, float, float], ...]:
    return ("urgent", present.urgent, after.urgent), ("high", present.high, after.high)


def _step(was: float, becomes: float) -> str:
    return f"{was:g}, as it is" if was == becomes else f"{was:g} -> {becomes:g}"


def _alerts(lessons: Sequence[Lesson], kept: Sequence[Lesson], present: Cuts, after: Cuts) -> str:
    """Cases a day, among those held out and scaled up to all that people resolved."""
    opened = [one.case.opened_at for one in lessons]
    days = (max(opened) - min(opened)).total_seconds() / 86400
    if not kept or days <= 0:
        return "How many alerts a day that means cannot be told: the cases were all opened at once."

    def rate(band: Severity, cuts: Cuts) -> float:
        reaching = sum(one.graded.scored.severity(cuts).rank >= band.rank for one in kept)
        return reaching * len(lessons) / len(kept) / days

    told = (
        f"{name} {rate(band, present):.1f} before, {rate(band, after):.1f} after"
        for band, name in ((Severity.URGENT, "urgent"), (Severity.HIGH, "high or above"))
    )
    return f"Alerts a day among these cases: {'; '.join(told)}."


def _stubborn(lessons: Iterable[Lesson]) -> str:
    """Which rules lift cases higher than people found right: no threshold mends that."""
    lifted = Counter(
        place for one in lessons if one.graded.scored.floor.rank > one.graded.truth.rank for place in one.floors
    )
    if not lifted:
        return ""
    named = ", ".join(f"{place} ({count})" for place, count in lifted.most_common(5))
    return (
        f"Too severe because of a rule's at_least, which no threshold changes: {named}. Look at what these rules match."
    )


# --- writing -----------------------------------------------------------------------------------------------------------


def _refuse_worse(lessons: Sequence[Lesson], present: Cuts, after: Cuts) -> None:
    kept = [one.graded for one in lessons if held_out(one.case.name)]
    was, becomes = (sum(gravity(one.truth, one.scored.severity(cuts)) for one in kept) for cuts in (present, after))
    if becomes > was:
        raise click.ClickException(
            "on the cases held out the new thresholds do worse than the old ones, so nothing was written; "
            "wait for more cases, or edit scoring.severity in rules.yaml yourself"
        )


def _done(path: Path, changed: Mapping[str, float]) -> str:
    numbers = ", ".join(f"{name} {value:g}" for name, value in changed.items())
    return f"{path} is changed: {numbers}. A running service takes it over by itself."


def apply_thresholds(path: Path, changed: Mapping[str, float], *, before: bytes) -> None:
    """Write thresholds into the file, in place. `before` is what it held when the thresholds were fitted.

    Raises `ListenerError` and leaves the file alone if that is not safe.
    """
    from listener.app import compile_rules
    from listener.cli.offline import AnySecret

    mark = "\ufeff" if before.startswith(b"\xef\xbb\xbf") else ""
    try:
        text = set_numbers(before.decode("utf-8").removeprefix(mark), _BANDS, changed)
    except LayoutError as error:
        by_hand = "\n".join(["scoring:", "  severity:", *(f"    {name}: {value:g}" for name, value in changed.items())])
        raise UsageError(f"{path}: {error}, so nothing was written; write it yourself:\n{by_hand}") from error
    compile_rules(text, file=str(path), env=AnySecret())
    replace_file(path, before=before, after=f"{mark}{text}".encode())
