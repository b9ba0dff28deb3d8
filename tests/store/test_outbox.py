"""The outbox and the notices: nobody is told twice, nothing waits for ever."""

from dataclasses import replace

import pytest

from listener.domain.notification import Notification, NotificationState, Why
from listener.store import SqlStore
from listener.store.unit_of_work import SqlUnitOfWork
from tests.store.build import NOW, minutes, notice, notification, stored_case

SLACK = "oncall/0:slack"


def lease(uow: SqlUnitOfWork, *, at: float = 0, limit: int = 10, channel: str = SLACK) -> tuple[Notification, ...]:
    """Take what is due so many minutes from NOW, for two minutes."""
    return uow.lease_due(channel, now=NOW + minutes(at), lease_until=NOW + minutes(at + 2), limit=limit)


def test_a_notification_comes_back_as_it_went_in(store: SqlStore) -> None:
    with store.writing() as uow:
        case = stored_case(uow)
        new = notification(case_id=case.id, mention_id="m1", notice_key=None, why=Why.FIRST, target="a@x.example")
        assert uow.add_notification(new)
        (stored,) = uow.notifications_of_case(case.id)
    assert stored == Notification(
        id=stored.id,
        channel=SLACK,
        receiver="oncall",
        target="a@x.example",
        case_id=case.id,
        mention_id="m1",
        notice_key=None,
        why=Why.FIRST,
        route="routes",
        state=NotificationState.PENDING,
        attempts=0,
        ambiguous=False,
        due_at=NOW,
        lease_until=None,
        dedupe_key="k1",
        created_at=NOW,
    )
    with store.reading() as uow:
        assert uow.notification(stored.id) == stored
        assert uow.notification(stored.id + 1) is None
        assert uow.notifications_of_case(case.id + 1) == ()


def test_the_same_notification_is_written_once(store: SqlStore) -> None:
    with store.writing() as uow:
        assert uow.add_notification(notification("k1"))
        assert not uow.add_notification(notification("k1", due_at=NOW + minutes(1)))
        assert uow.add_notification(notification("k2"))
    with store.writing() as uow:
        assert not uow.add_notification(notification("k2"))
        assert len(lease(uow)) == 2


def test_due_rows_are_leased_oldest_first_and_once(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.add_notification(notification("second", due_at=NOW))
        uow.add_notification(notification("first", due_at=NOW - minutes(1)))
        uow.add_notification(notification("later", due_at=NOW + minutes(1)))
        uow.add_notification(notification("elsewhere", channel="social/0:email"))
        taken = lease(uow)
        assert [row.dedupe_key for row in taken] == ["first", "second"]
        assert {(row.state, row.attempts, row.ambiguous, row.lease_until) for row in taken} == {
            (NotificationState.SENDING, 1, False, NOW + minutes(2))
        }
        assert lease(uow) == ()
        assert uow.notification(taken[0].id) == taken[0]
    with store.writing() as uow:
        assert lease(uow) == ()


def test_no_more_than_the_limit_are_leased(store: SqlStore) -> None:
    with store.writing() as uow:
        for n in range(5):
            uow.add_notification(notification(f"k{n}"))
        assert [row.dedupe_key for row in lease(uow, limit=2)] == ["k0", "k1"]
        assert [row.dedupe_key for row in lease(uow, limit=2)] == ["k2", "k3"]


def test_a_lease_that_ran_out_is_taken_again_as_ambiguous(store: SqlStore) -> None:
    """Whoever held it may have sent it: the receiver must be told that this may be a repeat."""
    with store.writing() as uow:
        uow.add_notification(notification())
        lease(uow)
        assert lease(uow, at=1) == ()
        (again,) = lease(uow, at=2)
        assert (again.attempts, again.ambiguous, again.lease_until) == (2, True, NOW + minutes(4))


def test_what_was_ambiguous_stays_so_when_it_is_tried_again(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.add_notification(notification())
        (row,) = lease(uow)
        waiting = replace(
            row, state=NotificationState.PENDING, lease_until=None, ambiguous=True, due_at=NOW + minutes(5)
        )
        uow.save_notification(waiting)
        assert lease(uow, at=4) == ()
        (again,) = lease(uow, at=5)
        assert (again.attempts, again.ambiguous) == (2, True)


def test_a_finished_row_is_never_taken_again(store: SqlStore) -> None:
    ended = (NotificationState.SENT, NotificationState.FAILED, NotificationState.DROPPED)
    with store.writing() as uow:
        for state in ended:
            uow.add_notification(notification(state.value))
        for row, state in zip(lease(uow), ended, strict=True):
            uow.save_notification(
                replace(row, state=state, lease_until=None, sent_at=NOW, receipt="ok\x00", error="no\ud800")
            )
        assert lease(uow, at=99) == ()
        (dead,) = uow.dead_letters()
        assert (dead.state, dead.receipt, dead.error, dead.sent_at) == (NotificationState.FAILED, "ok�", "no�", NOW)


def test_a_row_that_is_not_stored_cannot_be_saved(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.add_notification(notification())
        (row,) = lease(uow)
    with pytest.raises(LookupError, match="is not stored"), store.writing() as uow:
        uow.save_notification(replace(row, id=row.id + 1))


def test_the_next_due_time_is_that_of_a_waiting_row_or_of_a_lease(store: SqlStore) -> None:
    with store.writing() as uow:
        assert uow.next_due(SLACK) is None
        uow.add_notification(notification("far", due_at=NOW + minutes(9)))
        assert uow.next_due(SLACK) == NOW + minutes(9)
        uow.add_notification(notification("now"))
        assert uow.next_due(SLACK) == NOW
        (row,) = lease(uow)
        assert uow.next_due(SLACK) == NOW + minutes(2)
        uow.save_notification(replace(row, state=NotificationState.SENT, lease_until=None))
        assert uow.next_due(SLACK) == NOW + minutes(9)
        assert uow.next_due("social/0:email") is None


def test_rows_of_a_mended_channel_that_failed_before_are_due_at_once(store: SqlStore) -> None:
    """What was never tried keeps its time: a digest is not early because a webhook works again."""
    with store.writing() as uow:
        for key, channel in (("tried", SLACK), ("elsewhere", "social/0:email")):
            uow.add_notification(notification(key, channel=channel))
            (row,) = lease(uow, channel=channel)
            again = NOW + minutes(30)
            uow.save_notification(replace(row, state=NotificationState.PENDING, lease_until=None, due_at=again))
        uow.add_notification(notification("new", due_at=NOW + minutes(9)))
        assert uow.hurry(SLACK, NOW + minutes(1)) == 1
        assert uow.hurry(SLACK, NOW + minutes(1)) == 0
        assert [row.dedupe_key for row in lease(uow, at=1)] == ["tried"]
        assert uow.next_due("social/0:email") == NOW + minutes(30)


def test_leases_end_when_their_holder_is_gone(store: SqlStore) -> None:
    with store.writing() as uow:
        for n in range(3):
            uow.add_notification(notification(f"k{n}"))
        lease(uow, limit=2)
        assert uow.release_leases(NOW) == 2
        assert [(row.attempts, row.ambiguous) for row in lease(uow)] == [(2, True), (2, True), (1, False)]
    with store.writing() as uow:
        assert uow.release_leases(NOW + minutes(1)) == 3
        assert uow.release_leases(NOW + minutes(1)) == 0


def test_the_outbox_is_counted_by_channel_and_state(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.add_notification(notification("a", due_at=NOW - minutes(3)))
        uow.add_notification(notification("b"))
        uow.add_notification(notification("c", due_at=NOW + minutes(1)))
        uow.add_notification(notification("d", channel="social/0:email"))
        uow.add_notification(notification("e", channel="sent/0:slack", due_at=NOW - minutes(9)))
        (sent,) = lease(uow, channel="sent/0:slack", limit=1)
        uow.save_notification(replace(sent, state=NotificationState.SENT, lease_until=None, sent_at=NOW))
        lease(uow, limit=1)
    with store.reading() as uow:
        counts = {(one.channel, one.state): (one.count, one.oldest_due_at) for one in uow.outbox_counts()}
    assert counts == {
        (SLACK, NotificationState.PENDING): (2, NOW),
        (SLACK, NotificationState.SENDING): (1, NOW - minutes(3)),
        ("social/0:email", NotificationState.PENDING): (1, NOW),
    }


def test_dead_letters_come_newest_first(store: SqlStore) -> None:
    with store.writing() as uow:
        for n in range(3):
            uow.add_notification(notification(f"k{n}"))
        for row in lease(uow):
            uow.save_notification(replace(row, state=NotificationState.FAILED, lease_until=None))
        assert [row.dedupe_key for row in uow.dead_letters()] == ["k2", "k1", "k0"]
        assert [row.dedupe_key for row in uow.dead_letters(limit=1)] == ["k2"]


def test_a_notice_is_open_once(store: SqlStore) -> None:
    with store.writing() as uow:
        assert uow.open_notice(notice(avoid=SLACK))
        assert not uow.open_notice(notice(body="again"))
        assert uow.open_notice(notice("rules:broken"))
    with store.writing() as uow:
        assert not uow.open_notice(notice())
        assert uow.open_notices() == (notice(avoid=SLACK), notice("rules:broken"))


def test_a_closed_notice_may_be_opened_again(store: SqlStore) -> None:
    with store.writing() as uow:
        assert uow.notice("source:forum:refused") is None
        assert not uow.close_notice("source:forum:refused", NOW)
        uow.open_notice(notice())
        assert uow.close_notice("source:forum:refused", NOW + minutes(1))
        assert not uow.close_notice("source:forum:refused", NOW + minutes(2))
        assert uow.notice("source:forum:refused") == notice(closed_at=NOW + minutes(1))
        assert uow.open_notices() == ()
        again = notice(opened_at=NOW + minutes(3))
        assert uow.open_notice(again)
        assert uow.notice("source:forum:refused") == again


def test_a_notice_holds_text_that_no_database_takes(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.open_notice(notice(title="a\x00", body="b\udfff"))
        told = uow.notice("source:forum:refused")
    assert told
    assert (told.title, told.body) == ("a�", "b�")
