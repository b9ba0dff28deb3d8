"""How the databases find their answers: through the index that was made for the question, never by reading it all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event

from listener.domain.case import CaseState
from listener.domain.verdict import Severity
from listener.store import SqlStore
from listener.store.unit_of_work import SqlUnitOfWork
from tests.store.build import NOW, minutes

Action = Callable[[SqlUnitOfWork], object]
HOUR_AGO = NOW - minutes(60)


@contextmanager
def heard(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that go over a connection."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    yield statements
    event.remove(connection, "before_cursor_execute", note)


def plans(store: SqlStore, action: Action) -> str:
    """How the database would answer every question of an action, as one text."""
    with store.writing() as uow:
        connection = uow._connection
        if uow.on_postgres:
            connection.exec_driver_sql(
                "SET LOCAL enable_seqscan = off"
            )  # tables are empty: a scan would be the fastest
        with heard(connection) as statements:
            action(uow)
        explain = "EXPLAIN " if uow.on_postgres else "EXPLAIN QUERY PLAN "
        asked = [one for one in statements if one[0].lstrip().startswith(("SELECT", "WITH", "UPDATE"))]
        rows = [row for text, values in asked for row in connection.exec_driver_sql(explain + text, values)]
    return "\n".join(str(row[-1]) for row in rows)


QUESTIONS: dict[str, tuple[Action, str]] = {
    "the triage queue": (lambda uow: uow.triage_queue(), "ix_cases_queue"),
    "the queue of a severity": (lambda uow: uow.triage_queue(severity=Severity.HIGH), "ix_cases_queue"),
    "the queue of a state": (lambda uow: uow.triage_queue(state=CaseState.OPEN), "ix_cases_queue"),
    "counts of open cases": (lambda uow: uow.open_case_counts(), "ix_cases_queue"),
    "snoozed cases": (lambda uow: uow.snoozed_until(NOW), "ix_cases_snoozed"),
    "resolved cases": (lambda uow: uow.resolved_cases(since=NOW), "ix_cases_resolved"),
    "the next due row": (lambda uow: uow.next_due("a"), "ix_outbox_unsent"),
    "due rows": (lambda uow: uow.lease_due("a", now=NOW, lease_until=NOW, limit=9), "ix_outbox_unsent"),
    "dead letters": (lambda uow: uow.dead_letters(), "ix_outbox_dead"),
    "notifications of a case": (lambda uow: uow.notifications_of_case(1), "ix_outbox_case_id"),
    "complaints": (lambda uow: uow.last_complaints(["a", "b"], since=HOUR_AGO), "ix_mentions_complaints"),
    "known keys": (lambda uow: uow.known(["a", "b"]), "mention_keys_"),
    "a mention": (lambda uow: uow.revision_count("a"), "mentions"),
    "a verdict": (lambda uow: uow.verdict("a"), "ix_verdicts_mention_id_id"),
    "a timeline": (lambda uow: uow.events(1), "ix_case_events_case_id_id"),
    "mentions of a case": (lambda uow: uow.case_mentions(1), "ix_case_mentions_case_id_said_at"),
    "a notice": (lambda uow: uow.notice("a"), "ix_notices_key_id"),
    "open notices": (lambda uow: uow.open_notices(), "uq_notices_open"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_by_its_index(store: SqlStore, question: str) -> None:
    action, index = QUESTIONS[question]
    plan = plans(store, action)
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan
    tables = [line for line in plan.splitlines() if line.startswith("SCAN") and "USING" not in line]
    assert not tables, plan


@pytest.mark.parametrize("question", ["the triage queue", "the queue of a severity", "due rows", "dead letters"])
def test_what_people_wait_for_is_read_in_order_and_never_sorted(store: SqlStore, question: str) -> None:
    plan = plans(store, QUESTIONS[question][0])
    assert "TEMP B-TREE" not in plan, plan
    assert "Sort" not in plan, plan


def test_candidates_are_found_through_keys_and_shingles(store: SqlStore) -> None:
    plan = plans(
        store,
        lambda uow: uow.case_candidates(keys=("a",), shingles=(1, 2, 3), min_shared=2, since=HOUR_AGO),
    )
    assert "case_keys" in plan
    assert "case_shingles" in plan or "SEARCH s USING PRIMARY KEY (shingle=? AND seen_at>?)" in plan, plan
    for large in ("SCAN s", "SCAN o", "SCAN case_keys", "SCAN m", "SCAN c\n", "Seq Scan"):
        assert large not in plan, plan


def test_a_page_of_mentions_takes_a_handful_of_statements(store: SqlStore) -> None:
    from tests.store.build import mention, verdict

    with store.writing() as uow, heard(uow._connection) as statements:
        uow.known([f"m{n}" for n in range(100)])
        for n in range(100):
            uow.add_mention(mention(f"m{n}"), verdict(f"m{n}"))
        uow.finish()
    assert len(statements) == 5  # known, mentions, keys, verdicts, the counter
