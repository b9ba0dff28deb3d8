"""What people do to a case: acknowledge, snooze, resolve. Each is one transaction and one line on its timeline."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from listener.domain.case import Case, CaseEvent, CaseEventKind, CaseState, Disposition
from listener.domain.errors import UsageError
from listener.domain.verdict import Severity
from listener.ports import Store, UnitOfWork

_CASE = re.compile(r"^[Cc]?(\d{1,18})$")


def case_id(text: str) -> int:
    """The id behind `C42`, `c42` or `42`. Raises `UsageError` for anything else."""
    found = _CASE.match(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is not a case; cases are named like C42 (see: listener queue)")
    return int(found.group(1))


def acknowledge(store: Store, case: int, *, who: str, now: datetime) -> Case:
    """`who` has it. Acknowledging twice is harmless and keeps the first owner's line on the timeline."""
    with store.writing() as uow:
        found = _unresolved(uow, case)
        if found.state is CaseState.ACKNOWLEDGED and found.owner == who:
            return found
        taken = replace(found, state=CaseState.ACKNOWLEDGED, owner=who, snoozed_until=None)
        return _save(uow, taken, CaseEventKind.ACKNOWLEDGED, who, f"{who} has it", now)


def snooze(store: Store, case: int, *, who: str, until: datetime, now: datetime) -> Case:
    """Let it rest until then; it comes back to the queue by itself."""
    if until <= now:
        raise UsageError("a case can only be snoozed into the future; say for example: --for 2h")
    with store.writing() as uow:
        found = _unresolved(uow, case)
        rested = replace(found, state=CaseState.SNOOZED, owner=found.owner or who, snoozed_until=until)
        return _save(uow, rested, CaseEventKind.SNOOZED, who, f"{who} snoozed it until {until:%Y-%m-%d %H:%M} UTC", now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What people found a case to be. `meant` is the severity that it should have had: with WRONG_SEVERITY, and only then.

    `note` is a sentence for the timeline.
    """

    disposition: Disposition
    meant: Severity | None = None
    note: str | None = None

    @property
    def sentence(self) -> str:
        """`wrong_severity (should have been high): the refund was a joke`."""
        should = f" (should have been {self.meant})" if self.meant else ""
        return f"{self.disposition}{should}{f': {self.note}' if self.note else ''}"


def resolve(store: Store, case: int, *, who: str, outcome: Outcome, now: datetime) -> Case:
    """It is over, and this is what it was: `listener calibrate` learns from it. Raises `UsageError` if that makes no sense."""
    with store.writing() as uow:
        found = _unresolved(uow, case)
        _refuse_nonsense(found, outcome)
        over = replace(
            found,
            state=CaseState.RESOLVED,
            owner=found.owner or who,
            disposition=outcome.disposition,
            meant=outcome.meant,
            resolved_at=now,
            snoozed_until=None,
        )
        return _save(uow, over, CaseEventKind.RESOLVED, who, f"{who} resolved it as {outcome.sentence}", now)


def _refuse_nonsense(case: Case, outcome: Outcome) -> None:
    wrong = outcome.disposition is Disposition.WRONG_SEVERITY
    if wrong and outcome.meant is None:
        raise UsageError("say which severity it should have had; for example: --as wrong_severity --severity high")
    if not wrong and outcome.meant is not None:
        raise UsageError(f"a severity goes with --as wrong_severity, not with --as {outcome.disposition}; leave it out")
    if outcome.meant is case.severity:
        raise UsageError(f"{case.name} is {case.severity} already; resolve it with: --as real")


def wake(uow: UnitOfWork, now: datetime) -> tuple[Case, ...]:
    """Bring back the snoozed cases whose time has come."""
    woken = []
    for case in uow.snoozed_until(now):
        back = replace(case, state=CaseState.OPEN, snoozed_until=None)
        woken.append(_save(uow, back, CaseEventKind.WOKE, None, "its snooze ended", now))
    return tuple(woken)


_DURATION = re.compile(r"^(\d{1,4})\s*([smhdw])$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> timedelta:
    """`90s`, `5m`, `2h`, `1d`, `1w`. Raises `UsageError` for anything else."""
    found = _DURATION.match(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is not a duration; write for example 30m, 2h or 1d")
    return timedelta(**{_UNITS[found.group(2)]: int(found.group(1))})


def _unresolved(uow: UnitOfWork, case: int) -> Case:
    found = uow.case(case)
    if found is None:
        raise UsageError(f"there is no case C{case}; see: listener queue")
    if found.state is CaseState.RESOLVED:
        raise UsageError(f"C{case} is resolved already ({found.disposition}); a new mention would open it again")
    return found


def _save(uow: UnitOfWork, case: Case, kind: CaseEventKind, who: str | None, detail: str, now: datetime) -> Case:
    uow.save_case(case)
    uow.add_event(CaseEvent(case_id=case.id, at=now, kind=kind, who=who, detail=detail))
    return case
