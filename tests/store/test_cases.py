"""Cases, the triage queue and what leads a mention to a case."""

from dataclasses import replace
from datetime import timedelta

import pytest

from listener.domain.case import Case, CaseEvent, CaseEventKind, CaseState, Disposition
from listener.domain.verdict import Severity
from listener.ports import CaseCandidate
from listener.store import SqlStore
from listener.store.unit_of_work import SqlUnitOfWork
from tests.store.build import NOW, case, mention, minutes, stored_case, verdict

HOUR = minutes(60)


def test_a_case_gets_an_id_and_comes_back_as_it_went_in(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.add_mention(mention(), verdict())
        stored = uow.add_case(case(), keys=())
        assert stored.id > 0
        assert stored == case(id=stored.id)
    with store.reading() as uow:
        assert uow.case(stored.id) == stored
        assert uow.case(stored.id + 1) is None


def test_a_saved_case_replaces_what_was_there(store: SqlStore) -> None:
    with store.writing() as uow:
        stored = stored_case(uow)
        done = replace(
            stored,
            state=CaseState.RESOLVED,
            severity=Severity.LOW,
            owner="민지\x00",
            review=True,
            respond_by=None,
            snoozed_until=NOW,
            resolved_at=NOW,
            disposition=Disposition.WRONG_SEVERITY,
            meant=Severity.URGENT,
        )
        uow.save_case(done)
    with store.reading() as uow:
        assert uow.case(stored.id) == replace(done, owner="민지�")


def test_resolved_cases_come_newest_first_without_those_that_were_opened_again(store: SqlStore) -> None:
    with store.writing() as uow:
        over = {"state": CaseState.RESOLVED}
        stored_case(uow, "old", resolved_at=NOW - HOUR, **over)
        first = stored_case(uow, "first", resolved_at=NOW, disposition=Disposition.REAL, **over)
        second = stored_case(uow, "second", resolved_at=NOW + HOUR, **over)
        stored_case(uow, "again", resolved_at=NOW + HOUR)
        assert uow.resolved_cases(since=NOW) == (second, first)
        assert uow.resolved_cases(since=NOW, limit=1) == (second,)


def test_a_case_that_is_not_stored_cannot_be_saved(store: SqlStore) -> None:
    with pytest.raises(LookupError, match="C7 is not stored"), store.writing() as uow:
        uow.save_case(case(id=7))


def test_ids_of_cases_are_never_given_twice(store: SqlStore) -> None:
    """People type them: C42 must not become another matter, not even after a rollback or a deletion."""
    with store.writing() as uow:
        first = stored_case(uow, "m1")
    with store.writing() as uow:
        second = stored_case(uow, "m2")
    assert second.id > first.id


def test_the_queue_is_ordered_by_severity_then_time_left_then_age(store: SqlStore) -> None:
    with store.writing() as uow:
        low = stored_case(uow, "low", severity=Severity.LOW, respond_by=NOW)
        never = stored_case(uow, "never", severity=Severity.URGENT, respond_by=None)
        late = stored_case(uow, "late", severity=Severity.URGENT, respond_by=NOW + HOUR)
        soon = stored_case(uow, "soon", severity=Severity.URGENT, respond_by=NOW + minutes(1))
        same = stored_case(uow, "same", severity=Severity.URGENT, respond_by=NOW + minutes(1))
        gone = stored_case(uow, "gone", severity=Severity.URGENT, state=CaseState.RESOLVED)
        slept = stored_case(uow, "slept", severity=Severity.HIGH, state=CaseState.SNOOZED)
        queue = uow.triage_queue()
        assert [one.lead_mention_id for one in queue] == ["soon", "same", "late", "never", "slept", "low"]
        assert gone not in queue
        assert uow.triage_queue(limit=2) == (soon, same)
        assert uow.triage_queue(severity=Severity.HIGH) == (slept,)
        assert uow.triage_queue(state=CaseState.SNOOZED) == (slept,)
        assert uow.triage_queue(severity=Severity.LOW, state=CaseState.OPEN) == (low,)
        assert uow.triage_queue(state=CaseState.RESOLVED) == ()
        assert uow.open_case_counts() == {Severity.URGENT: 4, Severity.HIGH: 1, Severity.LOW: 1}
        assert late in queue
        assert never in queue


def test_an_empty_queue_counts_nothing(store: SqlStore) -> None:
    with store.reading() as uow:
        assert uow.triage_queue() == ()
        assert uow.open_case_counts() == {}


def test_snoozed_cases_are_found_when_their_time_has_come(store: SqlStore) -> None:
    with store.writing() as uow:
        due = stored_case(uow, "due", state=CaseState.SNOOZED, snoozed_until=NOW)
        stored_case(uow, "later", state=CaseState.SNOOZED, snoozed_until=NOW + minutes(1))
        stored_case(uow, "awake", state=CaseState.OPEN, snoozed_until=NOW)
        assert uow.snoozed_until(NOW) == (due,)


def test_a_case_has_its_mentions_oldest_first(store: SqlStore) -> None:
    with store.writing() as uow:
        opened = stored_case(uow, "m1")
        uow.add_mention(mention("m2", published_at=NOW - HOUR), verdict("m2"))
        uow.add_mention(mention("m3"), verdict("m3"))
        uow.attach(opened.id, "m2", keys=(), shingles=())
        assert [one.id for one in uow.case_mentions(opened.id)] == ["m2", "m1"]
        assert uow.case_mentions(opened.id, limit=1) == (mention("m2", published_at=NOW - HOUR),)
        assert uow.case_mentions(opened.id + 1) == ()


def test_a_mention_that_is_attached_again_belongs_to_the_last_case_only(store: SqlStore) -> None:
    with store.writing() as uow:
        first, second = stored_case(uow, "m1"), stored_case(uow, "m2")
    with store.writing() as uow:
        uow.attach(second.id, "m1", keys=("k",), shingles=(1, 2))
        assert uow.case_mentions(first.id) == ()
        assert uow.known(["forum:m1"])["forum:m1"].case_id == second.id


def test_what_is_not_stored_cannot_be_attached(store: SqlStore) -> None:
    with pytest.raises(LookupError, match="m9 is not stored"), store.writing() as uow:
        uow.attach(stored_case(uow).id, "m9", keys=(), shingles=())


def test_the_timeline_is_in_the_order_of_writing(store: SqlStore) -> None:
    with store.writing() as uow:
        opened = stored_case(uow)
        first = CaseEvent(
            case_id=opened.id, at=NOW, kind=CaseEventKind.OPENED, who="forum", detail="이중결제", mention_id="m1"
        )
        second = replace(first, at=NOW - HOUR, kind=CaseEventKind.ACKNOWLEDGED, who=None, mention_id=None)
        uow.add_event(first)
        uow.add_event(second)
        assert uow.events(opened.id) == (first, second)
    with store.reading() as uow:
        assert uow.events(opened.id) == (first, second)
        assert uow.events(opened.id + 1) == ()


def joined(
    uow: SqlUnitOfWork, name: str, into: Case, *, keys: tuple[str, ...] = (), like: tuple[int, ...] = ()
) -> None:
    """A further mention of a case."""
    uow.add_mention(mention(name), verdict(name))
    uow.attach(into.id, name, keys=keys, shingles=like)


def candidates(
    uow: SqlUnitOfWork, *, keys: tuple[str, ...] = (), like: tuple[int, ...] = (), min_shared: int = 3
) -> tuple[CaseCandidate, ...]:
    """Candidates of the last hour."""
    return uow.case_candidates(keys=keys, shingles=like, min_shared=min_shared, since=NOW - HOUR)


def test_a_shared_key_leads_to_the_case(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.add_mention(mention("m1"), verdict("m1"))
        opened = uow.add_case(case(), keys=("thread-7", "url-1"))
        joined(uow, "m2", opened, keys=("thread-8", "thread-7"))
        stored_case(uow, "m3")
        (found,) = candidates(uow, keys=("thread-7", "thread-8", "thread-9"))
    assert found.case == opened
    assert sorted(found.shared_keys) == ["thread-7", "thread-8"]
    assert found.shared_shingles == 0
    assert found.closest_text == mention("m1").full_text


def test_near_identical_text_leads_to_the_case_by_its_closest_mention(store: SqlStore) -> None:
    with store.writing() as uow:
        opened = stored_case(uow, "m1")
        joined(uow, "m2", opened, like=(1, 2, 3, 10))
        joined(uow, "m3", opened, like=(1, 2, 3, 4, 2**64 - 1))
        joined(uow, "m4", stored_case(uow, "other"), like=(1, 2))
        (found,) = candidates(uow, like=(1, 2, 3, 4, 5, 2**64 - 1))
    assert found.case == opened
    assert found.shared_keys == ()
    assert found.shared_shingles == 5
    assert found.closest_text == mention("m3").full_text


def test_too_few_shared_shingles_lead_nowhere_but_are_counted_beside_a_key(store: SqlStore) -> None:
    with store.writing() as uow:
        opened = stored_case(uow, "m1")
        joined(uow, "m2", opened, keys=("thread-7",), like=(1, 2))
        assert candidates(uow, like=(1, 2)) == ()
        (found,) = candidates(uow, keys=("thread-7",), like=(1, 2))
    assert (found.shared_shingles, found.shared_keys) == (2, ("thread-7",))
    assert found.closest_text == mention("m2").full_text


def test_nothing_shared_is_no_candidate(store: SqlStore) -> None:
    with store.writing() as uow:
        joined(uow, "m2", stored_case(uow, "m1"), keys=("a",), like=(1, 2, 3))
        assert candidates(uow, keys=("b",), like=(7, 8, 9)) == ()
        assert candidates(uow) == ()


def test_cases_without_a_recent_mention_are_no_candidates(store: SqlStore) -> None:
    with store.writing() as uow:
        old = stored_case(uow, "m1", last_mention_at=NOW - 2 * HOUR)
        joined(uow, "m2", old, keys=("thread-7",), like=(1, 2, 3))
        assert candidates(uow, keys=("thread-7",), like=(1, 2, 3)) == ()


def test_resolved_cases_are_candidates_too(store: SqlStore) -> None:
    """Whether a new post reopens a case is for `correlate` to decide."""
    with store.writing() as uow:
        done = stored_case(uow, "m1", state=CaseState.RESOLVED, resolved_at=NOW)
        joined(uow, "m2", done, keys=("thread-7",))
        assert [one.case for one in candidates(uow, keys=("thread-7",))] == [done]


def test_the_twenty_newest_candidates_come_newest_first(store: SqlStore) -> None:
    with store.writing() as uow:
        for n in range(25):
            at = NOW - timedelta(minutes=n % 5)
            joined(uow, f"m{n}", stored_case(uow, f"lead-{n}", last_mention_at=at), keys=("thread-7",))
        found = candidates(uow, keys=("thread-7",))
    order = [(one.case.last_mention_at, one.case.id) for one in found]
    assert len(order) == 20
    assert order == sorted(order, reverse=True)
    assert order[0][0] == NOW


def test_a_storm_of_equal_posts_does_not_make_every_look_up_look_at_all_of_them(store: SqlStore) -> None:
    """Only the newest mentions of a shingle are looked at; the closest of them still is the closest."""
    with store.writing() as uow:
        storm = stored_case(uow, "m1")
        for n in range(300):
            seen = NOW - minutes(30) + timedelta(seconds=n)
            uow.add_mention(mention(f"s{n}", seen_at=seen), verdict(f"s{n}"))
            uow.attach(storm.id, f"s{n}", keys=(), shingles=range(8))
    with store.reading() as uow:
        (found,) = candidates(uow, like=tuple(range(8)))
        assert found.shared_shingles == 8
        assert len(uow._shared_rows("[0,1,2,3,4,5,6,7]", NOW - HOUR)) == 64
