"""Someone should know (`Alert`), and that, for one target, as an outbox row (`Notification`)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Why(StrEnum):
    """What an alert is for."""

    FIRST = "first"
    MORE = "more"
    RAISED = "raised"
    ESCALATED = "escalated"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    DIGEST = "digest"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """The decision that a receiver should know of a case. `route` is the place in rules.yaml that decided it."""

    receiver: str
    why: Why
    route: str
    not_before: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """The decision that nobody is told, by name: "route_none", "snoozed", "shadow", "digest", "already_told", ..."""

    name: str
    reason: str
    route: str | None = None


class NotificationState(StrEnum):
    """Where an outbox row stands. SENDING with a lease that ran out means that the outcome is unknown."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One outbox row: one alert or notice for one target of one channel.

    `channel` names one notifier of a receiver ("oncall/0:slack"); `target` is the part of it that fails alone (an e-mail
    address), or "". Exactly one of `case_id` and `notice_key` is set. `attempts` counts sends that were begun.
    `ambiguous` says that an earlier attempt may have arrived. `dedupe_key` is unique in the outbox.
    """

    id: int
    channel: str
    receiver: str
    target: str
    case_id: int | None
    mention_id: str | None
    notice_key: str | None
    why: Why
    route: str
    state: NotificationState
    attempts: int
    ambiguous: bool
    due_at: datetime
    lease_until: datetime | None
    dedupe_key: str
    created_at: datetime
    sent_at: datetime | None = None
    receipt: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the service must tell people about itself: a refused source, a dead letter, a broken rules.yaml.

    `key` is unique while the notice is open ("source:forum:refused"), so that it is told once. `avoid` names a channel
    that must not carry it, because the notice is about that channel.
    """

    key: str
    title: str
    body: str
    opened_at: datetime
    avoid: str | None = None
    closed_at: datetime | None = None
