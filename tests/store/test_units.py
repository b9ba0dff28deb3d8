"""Units of work: all or nothing, one writer at a time, readers see one moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier, Event

import pytest
from sqlalchemy.exc import StatementError

from listener.domain.case import Case
from listener.domain.errors import StoreBusy, StoreError
from listener.domain.source import SourceState
from listener.ports import Store
from listener.store import SqlStore
from listener.store import connect as connect_module
from tests.store.build import NOW, case, mention, minutes, notice, notification, stored_case, verdict


class BrokenError(Exception):
    """Something that goes wrong in the middle."""


def test_the_store_keeps_the_contract_of_the_port(store: SqlStore) -> None:
    port: Store = store
    with port.reading() as uow:
        assert uow.sources() == ()


def test_an_exception_leaves_nothing_behind(store: SqlStore) -> None:
    def write_and_break() -> None:
        with store.writing() as uow:
            opened = stored_case(uow)
            uow.save_source(SourceState(id="forum", connector="rss"))
            uow.add_notification(notification())
            uow.open_notice(notice())
            uow.remember("a", "b")
            assert uow.case(opened.id) is not None
            raise BrokenError

    with pytest.raises(BrokenError):
        write_and_break()
    with store.reading() as uow:
        assert uow.mention("m1") is None
        assert uow.mention_count() == 0
        assert uow.sources() == ()
        assert uow.outbox_counts() == ()
        assert uow.open_notices() == ()
        assert uow.triage_queue() == ()
        assert uow.recall("a") is None
        assert uow.known(["forum:m1"]) == {}


def test_what_was_written_is_read_in_the_same_unit(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.add_mention(mention("m1"), verdict("m1"))
        assert uow.mention_count() == 1
        assert uow.known(["forum:m1"])["forum:m1"].mention_id == "m1"
        uow.add_mention(mention("m2"), verdict("m2"))
        assert uow.mention_count() == 2
        assert uow.verdict("m2") == verdict("m2")


def test_a_case_may_be_stored_before_the_buffer_of_mentions_is_written(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.add_mention(mention(), verdict())
        opened = uow.add_case(case(), keys=("thread",))
        uow.attach(opened.id, "m1", keys=("url",), shingles=(1,))
    with store.reading() as uow:
        assert [one.id for one in uow.case_mentions(opened.id)] == ["m1"]


def test_a_case_without_its_mention_is_never_committed(store: SqlStore) -> None:
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError), store.writing() as uow:
        uow.add_case(case("nobody"), keys=())
    with store.reading() as uow:
        assert uow.triage_queue() == ()


@pytest.mark.parametrize(
    "write",
    [
        lambda uow: uow.save_source(SourceState(id="a", connector="rss")),
        lambda uow: uow.add_mention(mention(), verdict()),
        lambda uow: uow.add_keys("m1", ["k"]),
        lambda uow: uow.add_case(case(), keys=()),
        lambda uow: uow.save_case(case()),
        lambda uow: uow.add_notification(notification()),
        lambda uow: uow.lease_due("c", now=NOW, lease_until=NOW, limit=1),
        lambda uow: uow.release_leases(NOW),
        lambda uow: uow.open_notice(notice()),
        lambda uow: uow.close_notice("k", NOW),
        lambda uow: uow.remember("a", "b"),
    ],
)
def test_a_reading_unit_refuses_to_write(store: SqlStore, write: object) -> None:
    assert callable(write)
    with pytest.raises(RuntimeError, match=r"use Store\.writing"), store.reading() as uow:
        write(uow)


def test_the_database_itself_refuses_writes_of_a_reading_unit(store: SqlStore) -> None:
    """Should our own guard ever have a hole."""
    with pytest.raises(StoreError, match="cannot be written"), store.reading() as uow:
        uow._connection.exec_driver_sql("INSERT INTO memory VALUES ('a', 'b')")
    with store.writing() as uow:
        assert uow.recall("a") is None


def test_a_time_without_a_zone_is_refused(store: SqlStore) -> None:
    naive = datetime(2026, 3, 2, 9, 0)  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive datetime"), store.writing() as uow:
        uow.save_source(SourceState(id="forum", connector="rss", last_poll_at=naive))


def test_a_reader_sees_one_moment(store: SqlStore) -> None:
    with store.reading() as before:
        assert before.mention_count() == 0
        with store.writing() as uow:
            uow.add_mention(mention(), verdict())
        assert before.mention_count() == 0
        assert before.mention("m1") is None
    with store.reading() as after:
        assert after.mention_count() == 1


def test_a_reader_waits_for_no_writer(store: SqlStore) -> None:
    with store.writing() as writer:
        writer.add_mention(mention(), verdict())
        assert writer.mention_count() == 1
        with store.reading() as reader:
            assert reader.mention_count() == 0


def test_threads_that_read_and_then_write_lose_nothing(store: SqlStore) -> None:
    """Four threads add one to the same case, fifty times each. With a plain BEGIN most of them fail or are lost."""
    with store.writing() as uow:
        opened = stored_case(uow)
    start = Barrier(4)

    def count_up(worker: int) -> None:
        start.wait()
        for n in range(50):
            with store.writing() as uow:
                before = uow.case(opened.id)
                assert before
                name = f"w{worker}-{n}"
                uow.add_mention(mention(name), verdict(name))
                uow.attach(opened.id, name, keys=(), shingles=())
                uow.save_case(_one_more(before))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count_up, range(4)))
    with store.reading() as uow:
        after = uow.case(opened.id)
        assert after
        assert after.mention_count == 201
        assert len(uow.case_mentions(opened.id, limit=500)) == 201
        assert uow.mention_count() == 201


def _one_more(before: Case) -> Case:
    from dataclasses import replace

    return replace(before, mention_count=before.mention_count + 1)


def test_a_due_row_is_leased_by_one_thread_only(store: SqlStore) -> None:
    with store.writing() as uow:
        for n in range(40):
            uow.add_notification(notification(f"k{n}"))
    start = Barrier(4)

    def lease_all(_worker: int) -> list[int]:
        start.wait()
        taken: list[int] = []
        while True:
            with store.writing() as uow:
                rows = uow.lease_due("oncall/0:slack", now=NOW, lease_until=NOW + minutes(2), limit=3)
            if not rows:
                return taken
            taken += [row.id for row in rows]

    with ThreadPoolExecutor(4) as pool:
        leased = [row for rows in pool.map(lease_all, range(4)) for row in rows]
    assert len(leased) == len(set(leased)) == 40


def test_a_key_that_two_threads_bring_at_once_leads_to_one_mention(store: SqlStore) -> None:
    start = Barrier(4)

    def hear(worker: int) -> None:
        start.wait()
        with store.writing() as uow:
            if not uow.known(["same"]):
                uow.add_mention(mention(f"w{worker}", keys=("same",)), verdict(f"w{worker}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hear, range(4)))
    with store.reading() as uow:
        assert uow.mention_count() == 1


def test_a_writer_that_waits_too_long_says_so(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect_module, "BUSY_SECONDS", 0.05)
    store = SqlStore(database_url)
    try:
        with store.reading():
            pass
        with store.writing() as first:
            first.remember("a", "first")
            with pytest.raises(StoreBusy, match="held by another"), store.writing():
                pytest.fail("two writers at once")
        with store.writing() as uow:
            assert uow.recall("a") == "first"
    finally:
        store.close()


def test_many_threads_share_one_store(store: SqlStore) -> None:
    done = Event()

    def read(_worker: int) -> int:
        with store.reading() as uow:
            done.wait(timeout=5)
            return uow.mention_count()

    with ThreadPoolExecutor(16) as pool:
        counts = [pool.submit(read, n) for n in range(16)]
        done.set()
        assert [one.result() for one in counts] == [0] * 16
