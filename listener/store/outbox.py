"""The outbox and the notices: what must be told, and what became of it."""

from datetime import datetime

from sqlalchemy import case, func, or_, select, true, update

from listener.domain.notification import Notice, Notification, NotificationState
from listener.ports import NewNotification, OutboxCount
from listener.store import mapping
from listener.store.tables import DEAD, NOTICES, OUTBOX, SENDING, STILL_OPEN, UNFINISHED, UNSENT
from listener.store.transaction import Transaction

_PENDING = OUTBOX.c.state == NotificationState.PENDING.value


class Outbox(Transaction):
    """The part of the unit of work that knows who must still be told."""

    def add_notification(self, row: NewNotification) -> bool:
        """Write an outbox row; False if its `dedupe_key` is already there."""
        new = self.insert(OUTBOX).on_conflict_do_nothing(index_elements=[OUTBOX.c.dedupe_key])
        return self.is_new(new, mapping.new_notification_values(row))

    def lease_due(self, channel: str, *, now: datetime, lease_until: datetime, limit: int) -> tuple[Notification, ...]:
        """Take due rows of a channel, oldest `due_at` first. A row whose lease ran out may have arrived: ambiguous."""
        self.refuse_if_reading()
        due = (
            select(OUTBOX.c.id)
            .where(UNSENT, OUTBOX.c.channel == channel, OUTBOX.c.due_at <= now)
            .where(or_(_PENDING, OUTBOX.c.lease_until <= now))
            .order_by(OUTBOX.c.due_at, OUTBOX.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)  # SQLite has one writer and leaves this out
        )
        ids = [row["id"] for row in self.rows(due)]
        if not ids:
            return ()
        taken = {
            "state": NotificationState.SENDING.value,
            "attempts": OUTBOX.c.attempts + 1,
            "ambiguous": case((_PENDING, OUTBOX.c.ambiguous), else_=true()),
            "lease_until": lease_until,
        }
        self.write(update(OUTBOX).where(OUTBOX.c.id.in_(ids)).values(taken))
        leased = select(OUTBOX).where(OUTBOX.c.id.in_(ids)).order_by(OUTBOX.c.due_at, OUTBOX.c.id)
        return tuple(mapping.notification_of(row) for row in self.rows(leased))

    def save_notification(self, notification: Notification) -> None:
        """Replace a stored row. Raises `LookupError` if there is none."""
        values = mapping.notification_values(notification)
        if self.write(update(OUTBOX).where(OUTBOX.c.id == notification.id).values(values)).rowcount == 0:
            raise LookupError(f"notification {notification.id} is not stored: it cannot be saved")

    def notification(self, notification_id: int) -> Notification | None:
        """The outbox row of that id."""
        row = self.row(select(OUTBOX).where(OUTBOX.c.id == notification_id))
        return mapping.notification_of(row) if row else None

    def notifications_of_case(self, case_id: int) -> tuple[Notification, ...]:
        """All rows about a case, in the order of writing."""
        rows = self.rows(select(OUTBOX).where(OUTBOX.c.case_id == case_id).order_by(OUTBOX.c.id))
        return tuple(mapping.notification_of(row) for row in rows)

    def next_due(self, channel: str) -> datetime | None:
        """When the channel's next row is due: a PENDING row's `due_at` or a SENDING row's `lease_until`."""
        of_channel = OUTBOX.c.channel == channel
        # ordered, not min(): both databases walk the index to the first pending row instead of reading all of them
        pending = select(OUTBOX.c.due_at).where(UNSENT, of_channel, _PENDING).order_by(OUTBOX.c.due_at).limit(1)
        leased = select(func.min(OUTBOX.c.lease_until)).where(SENDING, of_channel)
        times: list[datetime | None] = [self.scalar(pending), self.scalar(leased)]
        return min((time for time in times if time is not None), default=None)

    def hurry(self, channel: str, now: datetime) -> int:
        """Make rows due that wait after a failed attempt: the channel was mended. Returns how many."""
        waiting = update(OUTBOX).where(UNSENT, OUTBOX.c.channel == channel, _PENDING, OUTBOX.c.attempts > 0)
        return self.write(waiting.where(OUTBOX.c.due_at > now).values(due_at=now)).rowcount

    def release_leases(self, now: datetime) -> int:
        """End all leases at once: the process that held them is gone. Returns how many."""
        held = update(OUTBOX).where(SENDING, OUTBOX.c.lease_until > now).values(lease_until=now)
        return self.write(held).rowcount

    def outbox_counts(self) -> tuple[OutboxCount, ...]:
        """How many rows of each channel are pending, being sent or given up. What was sent is not counted."""
        channel, state = OUTBOX.c.channel, OUTBOX.c.state
        counts = select(
            channel, state, func.count().label("count"), func.min(OUTBOX.c.due_at).label("oldest_due_at")
        ).where(UNFINISHED)
        grouped = counts.group_by(channel, state).order_by(channel, state)
        return tuple(mapping.outbox_count_of(row) for row in self.rows(grouped))

    def dead_letters(self, *, limit: int = 50) -> tuple[Notification, ...]:
        """FAILED rows, newest first."""
        rows = self.rows(select(OUTBOX).where(DEAD).order_by(OUTBOX.c.id.desc()).limit(limit))
        return tuple(mapping.notification_of(row) for row in rows)

    def open_notice(self, notice: Notice) -> bool:
        """Store a notice; False if one with its key is already open."""
        new = self.insert(NOTICES).on_conflict_do_nothing(index_elements=[NOTICES.c.key], index_where=STILL_OPEN)
        return self.is_new(new, mapping.notice_values(notice))

    def close_notice(self, key: str, at: datetime) -> bool:
        """Close the open notice of that key; False if there is none."""
        closed = update(NOTICES).where(STILL_OPEN, NOTICES.c.key == key).values(closed_at=at)
        return self.write(closed).rowcount == 1

    def notice(self, key: str) -> Notice | None:
        """The newest notice of that key, open or closed."""
        row = self.row(select(NOTICES).where(NOTICES.c.key == key).order_by(NOTICES.c.id.desc()).limit(1))
        return mapping.notice_of(row) if row else None

    def open_notices(self) -> tuple[Notice, ...]:
        """Notices that nobody closed, oldest first."""
        # asked for by key, which the index of open ones has in order; SQLite would read all notices to have them by id
        rows = self.rows(select(NOTICES).where(STILL_OPEN).order_by(NOTICES.c.key))
        return tuple(mapping.notice_of(row) for row in sorted(rows, key=lambda row: row["id"]))
