"""Cases: the triage queue, their mentions, and what leads to them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, select, text, update

from listener.domain.case import Case, CaseEvent, CaseState
from listener.domain.mention import Mention
from listener.domain.verdict import Severity
from listener.ports import CaseCandidate
from listener.store import mapping
from listener.store.columns import UtcDateTime
from listener.store.mentions import Mentions
from listener.store.tables import (
    CASE_EVENTS,
    CASE_KEYS,
    CASE_MENTIONS,
    CASE_SHINGLES,
    CASES,
    IN_QUEUE,
    MENTIONS,
    RESOLVED,
    SNOOZED,
)
from listener.store.transaction import chunks

MAX_CANDIDATES = 20

NEWEST_OF_A_SHINGLE = 64
"""How many mentions a shingle leads to at most, the newest first. What more of them share says little, and in a storm of
ten thousand equal posts every one of them would have to look at all the others."""

_SHARING_KEYS = (
    select(CASE_KEYS.c.key, CASE_KEYS.c.case_id)
    .join(CASES, CASES.c.id == CASE_KEYS.c.case_id)
    .where(CASE_KEYS.c.key.in_(bindparam("keys", expanding=True)), CASES.c.last_mention_at >= bindparam("since"))
    .order_by(CASE_KEYS.c.key)
)

_NEWEST = (
    select(CASES)
    .where(CASES.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(CASES.c.last_mention_at.desc(), CASES.c.id.desc())
    .limit(MAX_CANDIDATES)
)
_BY_ID = select(MENTIONS).where(MENTIONS.c.id.in_(bindparam("ids", expanding=True)))

# The inner query ends the walk along the index at the newest few mentions of each shingle. CROSS JOIN keeps SQLite from
# beginning with the large table; to PostgreSQL it is an ordinary join.
_SHARED = f"""
WITH asked AS (SELECT {{numbers}}),
cut AS (
  SELECT asked.shingle, COALESCE(
    (SELECT o.seen_at FROM case_shingles AS o WHERE o.shingle = asked.shingle AND o.seen_at >= :since
      ORDER BY o.seen_at DESC LIMIT 1 OFFSET {NEWEST_OF_A_SHINGLE} - 1), :since) AS seen_at
  FROM asked)
SELECT m.case_id, s.mention_id, count(*) AS shared
FROM cut CROSS JOIN case_shingles AS s JOIN case_mentions AS m ON m.mention_id = s.mention_id
JOIN cases AS c ON c.id = m.case_id AND c.last_mention_at >= :since
WHERE s.shingle = cut.shingle AND s.seen_at >= cut.seen_at
GROUP BY m.case_id, s.mention_id
"""  # noqa: S608 (all of it is ours)

_SHARING_SHINGLES = {
    backend: text(_SHARED.format(numbers=numbers)).bindparams(bindparam("since", type_=UtcDateTime))
    for backend, numbers in {
        "sqlite": "value AS shingle FROM json_each(:shingles)",
        "postgresql": "CAST(value AS bigint) AS shingle FROM json_array_elements_text(CAST(:shingles AS json))",
    }.items()
}
"""A list of numbers becomes rows in a way of its own on each database."""


class _Closest(NamedTuple):
    """The mention of a case that has the most shingles in common. Compares by their number."""

    shared: int
    mention_id: str


class Cases(Mentions):
    """The part of the unit of work that knows which matters people have on their hands."""

    def add_case(self, case: Case, *, keys: Sequence[str]) -> Case:
        """Store a new case (its `id` is ignored) and return it with the id that it got."""
        # past the buffer, where its first mention may still wait: that foreign key is checked at the commit
        inserted = self.write_past_buffer(CASES.insert(), mapping.case_values(case))
        stored = replace(case, id=inserted.inserted_primary_key[0])  # type: ignore[index]  # an INSERT of one row has one
        self._lead(stored.id, keys)
        return stored

    def save_case(self, case: Case) -> None:
        """Replace a stored case. Raises `LookupError` if there is none."""
        saved = self.write_past_buffer(update(CASES).where(CASES.c.id == case.id), mapping.case_values(case))
        if saved.rowcount == 0:
            raise LookupError(f"case {case.name} is not stored: it cannot be saved")

    def case(self, case_id: int) -> Case | None:
        """The case of that id."""
        row = self.row(select(CASES).where(CASES.c.id == case_id))
        return mapping.case_of(row) if row else None

    def attach(self, case_id: int, mention_id: str, *, keys: Sequence[str], shingles: Sequence[int]) -> None:
        """Make a stored mention part of a case, and its keys and shingles lead to it."""
        said_at, seen_at = self._times(mention_id)
        self.later(CASE_MENTIONS, {"mention_id": mention_id, "case_id": case_id, "said_at": said_at})
        self._lead(case_id, keys)
        for shingle in {mapping.signed(shingle) for shingle in shingles}:
            self.later(CASE_SHINGLES, {"shingle": shingle, "seen_at": seen_at, "mention_id": mention_id})

    def case_candidates(
        self, *, keys: Sequence[str], shingles: Sequence[int], min_shared: int, since: datetime
    ) -> tuple[CaseCandidate, ...]:
        """Cases with a mention since then that share a key or at least `min_shared` shingles, newest first, at most 20."""
        self.settle(CASE_MENTIONS, CASE_KEYS, CASE_SHINGLES)
        by_key = self._sharing_keys(keys, since)
        by_text = self._sharing_shingles(shingles, since)
        near = [case_id for case_id, closest in by_text.items() if closest.shared >= min_shared]
        cases = self._newest([*by_key, *near])
        nothing = {case.id: _Closest(0, case.lead_mention_id) for case in cases}
        closest = {case.id: by_text.get(case.id, nothing[case.id]) for case in cases}
        texts = self._full_texts([one.mention_id for one in closest.values()])
        return tuple(
            CaseCandidate(
                case=case,
                shared_keys=tuple(by_key.get(case.id, ())),
                shared_shingles=closest[case.id].shared,
                closest_text=texts.get(closest[case.id].mention_id, ""),
            )
            for case in cases
        )

    def case_mentions(self, case_id: int, *, limit: int = 50) -> tuple[Mention, ...]:
        """Its mentions, oldest first."""
        self.settle(CASE_MENTIONS, MENTIONS)
        of_case = select(MENTIONS).join(CASE_MENTIONS, CASE_MENTIONS.c.mention_id == MENTIONS.c.id)
        ordered = of_case.where(CASE_MENTIONS.c.case_id == case_id).order_by(
            CASE_MENTIONS.c.said_at, CASE_MENTIONS.c.mention_id
        )
        return self.mentions_of(self.rows(ordered.limit(limit)))

    def triage_queue(
        self, *, limit: int = 50, severity: Severity | None = None, state: CaseState | None = None
    ) -> tuple[Case, ...]:
        """Cases that are not resolved: by severity, then by `respond_by` (soonest first, none last), then by id."""
        queue = select(CASES).where(IN_QUEUE).order_by(CASES.c.queue_rank, CASES.c.queue_by, CASES.c.id).limit(limit)
        if severity is not None:
            queue = queue.where(CASES.c.queue_rank == mapping.queue_rank(severity))
        if state is not None:
            queue = queue.where(CASES.c.state == state.value)
        return tuple(mapping.case_of(row) for row in self.rows(queue))

    def open_case_counts(self) -> Mapping[Severity, int]:
        """How many cases of each severity are in the queue. Severities without any are not named."""
        rank = CASES.c.queue_rank
        counts = select(rank, func.count().label("cases")).where(IN_QUEUE).group_by(rank).order_by(rank)
        return {mapping.severity_at(row["queue_rank"]): row["cases"] for row in self.rows(counts)}

    def snoozed_until(self, now: datetime) -> tuple[Case, ...]:
        """Snoozed cases whose time has come."""
        due = select(CASES).where(SNOOZED, CASES.c.snoozed_until <= now).order_by(CASES.c.snoozed_until, CASES.c.id)
        return tuple(mapping.case_of(row) for row in self.rows(due))

    def resolved_cases(self, *, since: datetime, limit: int = 5000) -> tuple[Case, ...]:
        """Cases that were resolved since then and are so still, newest first."""
        newest = select(CASES).where(RESOLVED, CASES.c.resolved_at >= since)
        ordered = newest.order_by(CASES.c.resolved_at.desc(), CASES.c.id.desc()).limit(limit)
        return tuple(mapping.case_of(row) for row in self.rows(ordered))

    def add_event(self, event: CaseEvent) -> None:
        """One more line of a case's timeline."""
        self.later(CASE_EVENTS, mapping.event_values(event))

    def events(self, case_id: int) -> tuple[CaseEvent, ...]:
        """The timeline, oldest first, which is the order of writing: clocks may jump back."""
        self.settle(CASE_EVENTS)
        timeline = select(CASE_EVENTS).where(CASE_EVENTS.c.case_id == case_id).order_by(CASE_EVENTS.c.id)
        return tuple(mapping.event_of(row) for row in self.rows(timeline))

    def _lead(self, case_id: int, keys: Sequence[str]) -> None:
        for key in keys:
            self.later(CASE_KEYS, {"key": mapping.index_key(key), "case_id": case_id})

    def _times(self, mention_id: str) -> tuple[datetime, datetime]:
        """When it was said and first seen; from the buffer if the mention still waits there."""
        waiting = self.waiting(MENTIONS, mention_id)
        row = waiting or self.row(select(MENTIONS.c.said_at, MENTIONS.c.seen_at).where(MENTIONS.c.id == mention_id))
        if row is None:
            raise LookupError(f"mention {mention_id} is not stored: it cannot be part of a case")
        return row["said_at"], row["seen_at"]

    def _sharing_keys(self, keys: Sequence[str], since: datetime) -> dict[int, list[str]]:
        asked = {mapping.index_key(key): key for key in keys}
        found: dict[int, list[str]] = {}
        for chunk in chunks(list(asked)):
            for row in self.rows(_SHARING_KEYS, {"keys": chunk, "since": since}):
                found.setdefault(row["case_id"], []).append(asked[row["key"]])
        return found

    def _sharing_shingles(self, shingles: Sequence[int], since: datetime) -> dict[int, _Closest]:
        """For each case the closest of its mentions."""
        if not shingles:
            return {}
        asked = json.dumps(sorted({mapping.signed(shingle) for shingle in shingles}))
        closest: dict[int, _Closest] = {}
        for row in self._shared_rows(asked, since):
            one = _Closest(row["shared"], row["mention_id"])
            closest[row["case_id"]] = max(one, closest.get(row["case_id"], one))
        return closest

    def _shared_rows(self, shingles: str, since: datetime) -> Sequence[mapping.Row]:
        statement = _SHARING_SHINGLES["postgresql" if self.on_postgres else "sqlite"]
        return self.rows(statement, {"shingles": shingles, "since": since})

    def _newest(self, case_ids: Sequence[int]) -> list[Case]:
        found = [mapping.case_of(row) for chunk in chunks(case_ids) for row in self.rows(_NEWEST, {"ids": chunk})]
        return sorted(found, key=lambda case: (case.last_mention_at, case.id), reverse=True)[:MAX_CANDIDATES]

    def _full_texts(self, mention_ids: Sequence[str]) -> dict[str, str]:
        rows = [row for chunk in chunks(mention_ids) for row in self.rows(_BY_ID, {"ids": chunk})]
        return {row["id"]: mapping.mention_of(row, ()).full_text for row in rows}
