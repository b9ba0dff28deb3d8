"""The outbox: writing what must be told, and sending it until its fate is known.

A row is written in the transaction of the decision that it tells of. It is sent by leasing it, sending outside of any
transaction, and recording the outcome. A crash between sending and recording leaves a lease that runs out: the row is
sent again, marked as a possible repeat. So nothing is lost, and only an unknown outcome is ever told twice.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from listener.decide.render import render, render_notice
from listener.decide.schedule import retry_at
from listener.domain.case import Case, CaseEvent, CaseEventKind, CaseState
from listener.domain.errors import DeliveryDelayed, DeliveryRefused
from listener.domain.message import Message
from listener.domain.notification import Alert, Notice, Notification, NotificationState, Why
from listener.domain.policy import ChannelSpec, Policy
from listener.failpoint import reach
from listener.ports import NewNotification, UnitOfWork
from listener.ruleset import Ruleset, World

log = logging.getLogger("listener.outbox")

LEASE = timedelta(seconds=90)
"""Longer than any notifier's own deadline, so that a lease runs out only when its holder is gone."""

PAUSE = timedelta(minutes=15)
"""How long a channel rests after it refused us as a whole; a new rules.yaml ends the pause at once."""

# Updates that are no longer news once somebody has the case; a raised severity is, until the case is over.
_STALE_ONCE_TAKEN = {Why.MORE, Why.REMINDER, Why.ESCALATED}


def write_alert(uow: UnitOfWork, rules: Ruleset, *, alert: Alert, case: Case, round_: str, now: datetime) -> set[str]:
    """Write an outbox row for every target of every channel of the alert's receiver. Returns the channels to ring.

    `round_` tells repeated alerts of one kind apart ("2" for the second opening), so that a decision made twice is told once.
    """
    row = NewNotification(
        channel="",
        receiver=alert.receiver,
        target="",
        case_id=case.id,
        mention_id=case.lead_mention_id,
        notice_key=None,
        why=alert.why,
        route=alert.route,
        due_at=alert.not_before,
        dedupe_key=f"{case.name}:{alert.why}:{round_}",
        created_at=now,
    )
    return _write(uow, rules, rules.policy.receivers[alert.receiver].channels, row)


def announce(uow: UnitOfWork, rules: Ruleset, notice: Notice) -> set[str]:
    """Tell people something about the service itself, once while it lasts. Returns the channels to ring."""
    if not uow.open_notice(notice):
        return set()
    log.warning(notice.title, extra={"event": "notice_opened", "key": notice.key, "body": notice.body})
    row = NewNotification(
        channel="",
        receiver="",
        target="",
        case_id=None,
        mention_id=None,
        notice_key=notice.key,
        why=Why.NOTICE,
        route="routes",
        due_at=notice.opened_at,
        dedupe_key=f"notice:{notice.key}:{notice.opened_at.isoformat()}",
        created_at=notice.opened_at,
    )
    return _write(uow, rules, _notice_channels(rules.policy, avoid=notice.avoid), row)


def _write(uow: UnitOfWork, rules: Ruleset, channels: tuple[ChannelSpec, ...], row: NewNotification) -> set[str]:
    """The row once for each target of each channel. Returns the channels' names."""
    for channel in channels:
        for target in rules.notifiers[channel.name].targets:
            key = f"{row.dedupe_key}:{channel.name}:{target}"
            to = replace(row, channel=channel.name, receiver=channel.receiver, target=target, dedupe_key=key)
            uow.add_notification(to)
    return {channel.name for channel in channels}


def _notice_channels(policy: Policy, *, avoid: str | None) -> tuple[ChannelSpec, ...]:
    """The first receiver that can be told without the channel to avoid: the root route's, then the others in order."""
    root = policy.route.receiver
    receivers = sorted(policy.receivers.values(), key=lambda receiver: receiver.id != root)
    for receiver in receivers:
        channels = tuple(channel for channel in receiver.channels if channel.name != avoid)
        if channels:
            return channels
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one delivery leaves behind: the channels that have new work, and until when this one is to be left alone."""

    ring: frozenset[str] = frozenset()
    rest_until: datetime | None = None


def deliver_next(world: World, rules: Ruleset, channel: str) -> Outcome | None:
    """Send the channel's next due notification; `None` if none is due."""
    now = world.clock.now()
    with world.store.writing() as uow:
        leased = uow.lease_due(channel, now=now, lease_until=now + LEASE, limit=1)
        message = _compose(uow, rules.policy, leased[0], now) if leased else None
    if not leased:
        return None
    reach("deliver.leased")
    row = leased[0]
    if message is None:
        return _drop(world, row, "the case was handled before this update was sent", now)
    return _send(world, rules, row, message)


def _compose(uow: UnitOfWork, policy: Policy, row: Notification, now: datetime) -> Message | None:
    if row.notice_key is not None:
        notice = uow.notice(row.notice_key)
        return render_notice(notice, dedupe_key=row.dedupe_key, now=now) if notice else None
    case = uow.case(row.case_id) if row.case_id is not None else None
    if case is None or _stale(row, case):
        return None
    mention = uow.mention(case.lead_mention_id)
    verdict = uow.verdict(case.lead_mention_id)
    if mention is None or verdict is None:
        return None
    return render(
        case,
        mention,
        verdict,
        policy,
        why=row.why,
        dedupe_key=row.dedupe_key,
        mention_count=case.mention_count,
        source_name=mention.source_id,
        possible_repeat=row.ambiguous,
        now=now,
    )


def _stale(row: Notification, case: Case) -> bool:
    """A first alert is sent even if somebody was faster; updates of a handled case are not."""
    if row.why in _STALE_ONCE_TAKEN:
        return case.state is not CaseState.OPEN
    return row.why is Why.RAISED and case.state is CaseState.RESOLVED


def _drop(world: World, row: Notification, because: str, now: datetime) -> Outcome:
    with world.store.writing() as uow:
        uow.save_notification(replace(row, state=NotificationState.DROPPED, lease_until=None, error=because))
        _note(uow, row, CaseEventKind.SUPPRESSED, f"{row.why} to {row.channel}: {because}", now)
    return Outcome()


def _send(
    world: World,
    rules: Ruleset,
    row: Notification,
    message: Message,
) -> Outcome:
    try:
        sent = rules.notifiers[row.channel].send(message, row.target)
    except DeliveryDelayed as error:
        return _delayed(world, rules, row, error, world.clock.now())
    except DeliveryRefused as error:
        return _refused(world, rules, row, error, world.clock.now())
    except Exception:  # a bug in one notifier must not stop the others; the row is tried again, then a dead letter
        log.exception("notifier failed", extra={"event": "notifier_bug", "channel": row.channel})
        bug = DeliveryDelayed("the notifier has a fault of its own; see the log", ambiguous=True)
        return _delayed(world, rules, row, bug, world.clock.now())
    reach("deliver.sent")
    now = world.clock.now()
    with world.store.writing() as uow:
        done = replace(
            row, state=NotificationState.SENT, lease_until=None, sent_at=now, receipt=sent.receipt, error=None
        )
        uow.save_notification(done)
        _note(uow, row, CaseEventKind.NOTIFIED, _told(row), now)
        uow.close_notice(_pause_key(row.channel), now)
        reach("deliver.recording")
    log.info(
        "notification sent",
        extra={"event": "notification_sent", "channel": row.channel, "case": row.case_id, "attempt": row.attempts},
    )
    return Outcome()


def _told(row: Notification) -> str:
    whom = f"{row.channel} ({row.target})" if row.target else row.channel
    tries = f" at attempt {row.attempts}" if row.attempts > 1 else ""
    return f"{row.why}: told {whom}{tries}"


def _delayed(
    world: World,
    rules: Ruleset,
    row: Notification,
    error: DeliveryDelayed,
    now: datetime,
) -> Outcome:
    due_at = retry_at(attempts=row.attempts, now=now, retry_after=error.retry_after, seed=row.dedupe_key)
    if due_at is None:
        return _dead_letter(world, rules, row, f"given up after {row.attempts} attempts: {error}", now)
    log.warning(
        "notification delayed",
        extra={"event": "notification_delayed", "channel": row.channel, "case": row.case_id, "error": str(error)},
    )
    with world.store.writing() as uow:
        waiting = replace(
            row,
            state=NotificationState.PENDING,
            lease_until=None,
            due_at=due_at,
            ambiguous=row.ambiguous or error.ambiguous,
            error=str(error),
        )
        uow.save_notification(waiting)
        ring = _warn_if_late(uow, rules, waiting, error, now)
    # A sink that names a pause means the whole channel: nothing else is sent there before it ends.
    return Outcome(ring=frozenset(ring), rest_until=due_at if error.retry_after is not None else None)


LATE_AFTER = timedelta(minutes=2)
"""An alert that waits longer than this is announced on another channel (a mail server that is down for an hour)."""


def _warn_if_late(
    uow: UnitOfWork,
    rules: Ruleset,
    row: Notification,
    error: DeliveryDelayed,
    now: datetime,
) -> set[str]:
    if row.notice_key is not None or now - row.created_at < LATE_AFTER:
        return set()
    notice = Notice(
        key=_pause_key(row.channel),
        title=f"Alerts for {row.channel} are waiting",
        body=f"The channel does not take them: {error}. They are tried again until they arrive; see: listener queue",
        opened_at=now,
        avoid=row.channel,
    )
    return announce(uow, rules, notice)


def _refused(
    world: World,
    rules: Ruleset,
    row: Notification,
    error: DeliveryRefused,
    now: datetime,
) -> Outcome:
    if not error.channel_dead:
        return _dead_letter(world, rules, row, str(error), now)
    log.error("channel refuses us", extra={"event": "channel_refused", "channel": row.channel, "error": str(error)})
    with world.store.writing() as uow:
        parked = replace(row, state=NotificationState.PENDING, lease_until=None, due_at=now + PAUSE, error=str(error))
        uow.save_notification(parked)
        notice = Notice(
            key=_pause_key(row.channel),
            title=f"Nobody can be told through {row.channel}",
            body=f"{error}. Waiting: {_subject(uow, row)}. It is tried again every {int(PAUSE.total_seconds() // 60)} min.",
            opened_at=now,
            avoid=row.channel,
        )
        ring = announce(uow, rules, notice)
    return Outcome(ring=frozenset(ring), rest_until=now + PAUSE)


def _dead_letter(
    world: World,
    rules: Ruleset,
    row: Notification,
    because: str,
    now: datetime,
) -> Outcome:
    log.error("notification failed", extra={"event": "dead_letter", "channel": row.channel, "error": because})
    with world.store.writing() as uow:
        uow.save_notification(replace(row, state=NotificationState.FAILED, lease_until=None, error=because))
        _note(uow, row, CaseEventKind.NOT_DELIVERED, f"{row.why} to {row.channel}: {because}", now)
        notice = Notice(
            key=f"dead-letter:{row.id}",
            title=f"Not delivered to {row.channel}",
            body=f"{_subject(uow, row)} was not delivered to {row.target or row.channel}: {because}",
            opened_at=now,
            avoid=row.channel,
        )
        # A notice that cannot be delivered is visible in status and the log; announcing it again could go on for ever.
        ring = announce(uow, rules, notice) if row.notice_key is None else set()
    return Outcome(ring=frozenset(ring))


def _subject(uow: UnitOfWork, row: Notification) -> str:
    case = uow.case(row.case_id) if row.case_id is not None else None
    if case is None:
        return "a notice of the service"
    return f"{case.name} ({case.severity}) {case.title}"


def _note(uow: UnitOfWork, row: Notification, kind: CaseEventKind, detail: str, now: datetime) -> None:
    if row.case_id is not None:
        uow.add_event(CaseEvent(case_id=row.case_id, at=now, kind=kind, who=row.receiver, detail=detail))


def begin(uow: UnitOfWork, rules: Ruleset, now: datetime) -> set[str]:
    """Look at the outbox with new eyes when rules come into force. Returns the channels to ring.

    A channel that was in trouble is tried at once: somebody may have mended it. Rows for a channel that the rules no
    longer have can not be sent; people are told of them.
    """
    troubled = {notice.key for notice in uow.open_notices()}
    ring = {name for name in rules.notifiers if _pause_key(name) in troubled and uow.hurry(name, now)}
    unsent = (NotificationState.PENDING, NotificationState.SENDING)
    for count in uow.outbox_counts():
        if count.state in unsent and count.channel not in rules.notifiers:
            notice = Notice(
                key=f"channel-gone:{count.channel}",
                title=f"{count.count} notification(s) wait for {count.channel}",
                body="The rules in force have no such channel. They are sent when it is there again; see: listener status",
                opened_at=now,
            )
            ring |= announce(uow, rules, notice)
        elif count.channel in rules.notifiers:
            uow.close_notice(f"channel-gone:{count.channel}", now)
    return ring


def _pause_key(channel: str) -> str:
    return f"channel:{channel}"
