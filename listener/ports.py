"""What the core asks of the world. Each protocol has one real adapter and one double in `listener.testing`."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from listener.domain.case import Case, CaseCandidate, CaseEvent, CaseState, KnownMention
from listener.domain.mention import Mention
from listener.domain.notification import Notice, Notification, NotificationState, Why
from listener.domain.source import SourceState
from listener.domain.verdict import Severity, Verdict

__all__ = [
    "Bell",
    "CaseCandidate",
    "Clock",
    "Engine",
    "HttpClient",
    "Job",
    "KnownMention",
    "NewNotification",
    "OutboxCount",
    "Request",
    "Response",
    "Store",
    "UnitOfWork",
]


class Clock(Protocol):
    """Time. `now` is aware UTC; `monotonic` is in seconds and never goes back."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One exchange to make. `url` may hold a secret (a webhook), so it never stands in an error or a log line in full.

    `deadline` bounds the whole exchange with all its redirects, in seconds. `max_bytes` bounds the decoded body.
    `allow_private` lets the URL as given reach loopback and private networks; it is no leave for where it redirects.
    `follow` is how many redirects are followed. `piecemeal` asks for what came of an answer (status 200) that broke off.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    deadline: float = 20.0
    connect_timeout: float = 5.0
    max_bytes: int = 16 * 1024 * 1024
    allow_private: bool = False
    follow: int = 5
    piecemeal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A complete answer; to a POST, a 2xx whose body broke off is one too, for its status line is what was asked for.

    Header names are lower case. `url` is where it came from after redirects; `permanent_url` is the target if every
    redirect on the way was permanent (301, 308). `complete` is False for what a piecemeal request got of one that broke off.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    permanent_url: str | None = None
    complete: bool = True


class HttpClient(Protocol):
    """A polite, bounded, synchronous client that any thread may call."""

    def fetch(self, request: Request) -> Response:
        """Make the exchange. Any status is a response; anything less than a complete one raises `TransportError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A named piece of work for the engine. `run` does it and returns when to run again; `None` waits for the bell.

    `lane` names the pool of workers ("poll", "deliver", "tick"), so that slow work of one kind never delays another.
    """

    name: str
    lane: str
    run: Callable[[], datetime | None]


class Bell(Protocol):
    """Run soon. Ringing twice, or for a job that is unknown or already running, does no harm."""

    def ring(self, job_name: str) -> None: ...


class Engine(Bell, Protocol):
    """Runs jobs at their times, each at most once at a time. It holds no truth: due times live in the database."""

    def start(self) -> None: ...
    def set_jobs(self, jobs: tuple[Job, ...]) -> None:
        """Make exactly these jobs known: new ones run at once, missing ones are forgotten, known ones keep their time."""
        ...

    def stop(self, timeout: float) -> bool:
        """Take no new work and wait up to `timeout` seconds for running jobs; False if some still run."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotification:
    """An outbox row to be written. A row whose `dedupe_key` is already there is not written again."""

    channel: str
    receiver: str
    target: str
    case_id: int | None
    mention_id: str | None
    notice_key: str | None
    why: Why
    route: str
    due_at: datetime
    dedupe_key: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxCount:
    """How many notifications of a channel are in a state, and since when the oldest of them waits."""

    channel: str
    state: NotificationState
    count: int
    oldest_due_at: datetime


class UnitOfWork(Protocol):
    """One transaction. Everything read and written through it is one truth; leaving its context commits it.

    All batch look-ups take any number of keys and make a bounded number of statements.
    """

    # --- sources
    def sources(self) -> tuple[SourceState, ...]: ...
    def source(self, source_id: str) -> SourceState | None: ...
    def save_source(self, state: SourceState) -> None:
        """Insert or replace."""
        ...

    # --- mentions and verdicts
    def known(self, keys: Sequence[str]) -> Mapping[str, KnownMention]:
        """The stored mention behind each of the keys that is known."""
        ...

    def add_mention(self, mention: Mention, verdict: Verdict) -> None:
        """Store a new mention with its keys, its first revision and its verdict."""
        ...

    def add_revision(self, mention_id: str, edited: Mention, verdict: Verdict) -> None:
        """Store the edited text as the newest revision of a known mention, and the verdict on it. Keys are added."""
        ...

    def add_keys(self, mention_id: str, keys: Sequence[str]) -> None:
        """Make further keys lead to a known mention (it was seen again elsewhere)."""
        ...

    def mention(self, mention_id: str) -> Mention | None: ...
    def revision_count(self, mention_id: str) -> int: ...
    def verdict(self, mention_id: str) -> Verdict | None:
        """The newest verdict."""
        ...

    def last_complaints(self, author_handles: Sequence[str], *, since: datetime) -> Mapping[str, datetime]:
        """For each author, the `said_at` of the newest mention since then whose label was negative."""
        ...

    def mention_count(self) -> int: ...

    # --- cases
    def add_case(self, case: Case, *, keys: Sequence[str]) -> Case:
        """Store a new case (its `id` is ignored) and return it with the id that it got."""
        ...

    def save_case(self, case: Case) -> None: ...
    def case(self, case_id: int) -> Case | None: ...
    def attach(self, case_id: int, mention_id: str, *, keys: Sequence[str], shingles: Sequence[int]) -> None:
        """Make a stored mention part of a case, and its keys and shingles lead to it."""
        ...

    def case_candidates(
        self, *, keys: Sequence[str], shingles: Sequence[int], min_shared: int, since: datetime
    ) -> tuple[CaseCandidate, ...]:
        """Cases with a mention since then that share a key or at least `min_shared` shingles, newest first, at most 20."""
        ...

    def case_mentions(self, case_id: int, *, limit: int = 50) -> tuple[Mention, ...]:
        """Its mentions, oldest first."""
        ...

    def triage_queue(
        self, *, limit: int = 50, severity: Severity | None = None, state: CaseState | None = None
    ) -> tuple[Case, ...]:
        """Cases that are not resolved: by severity, then by `respond_by` (soonest first, none last), then by id.

        Its time does not grow with resolved cases nor with stored mentions.
        """
        ...

    def open_case_counts(self) -> Mapping[Severity, int]: ...
    def snoozed_until(self, now: datetime) -> tuple[Case, ...]:
        """Snoozed cases whose time has come."""
        ...

    def resolved_cases(self, *, since: datetime, limit: int = 5000) -> tuple[Case, ...]:
        """Cases that were resolved since then and are so still, newest first."""
        ...

    def add_event(self, event: CaseEvent) -> None: ...
    def events(self, case_id: int) -> tuple[CaseEvent, ...]:
        """The timeline, oldest first."""
        ...

    # --- outbox
    def add_notification(self, row: NewNotification) -> bool:
        """Write an outbox row; False if its `dedupe_key` is already there."""
        ...

    def lease_due(self, channel: str, *, now: datetime, lease_until: datetime, limit: int) -> tuple[Notification, ...]:
        """Take due rows of a channel: PENDING with `due_at` passed, and SENDING whose lease ran out (marked ambiguous).

        The rows become SENDING, `attempts` grows by one, the lease is set. Oldest `due_at` first.
        """
        ...

    def save_notification(self, notification: Notification) -> None: ...
    def notification(self, notification_id: int) -> Notification | None: ...
    def notifications_of_case(self, case_id: int) -> tuple[Notification, ...]: ...
    def next_due(self, channel: str) -> datetime | None:
        """When the channel's next row is due: a PENDING row's `due_at` or a SENDING row's `lease_until`."""
        ...

    def hurry(self, channel: str, now: datetime) -> int:
        """Make rows due that wait after a failed attempt: the channel was mended. Returns how many."""
        ...

    def release_leases(self, now: datetime) -> int:
        """End all leases at once: the process that held them is gone. Returns how many."""
        ...

    def outbox_counts(self) -> tuple[OutboxCount, ...]:
        """What is not finished: rows that wait, that are being sent, or that were given up."""
        ...

    def dead_letters(self, *, limit: int = 50) -> tuple[Notification, ...]:
        """FAILED rows, newest first."""
        ...

    # --- notices
    def open_notice(self, notice: Notice) -> bool:
        """Store a notice; False if one with its key is already open."""
        ...

    def close_notice(self, key: str, at: datetime) -> bool:
        """Close the open notice of that key; False if there is none."""
        ...

    def notice(self, key: str) -> Notice | None:
        """The newest notice of that key, open or closed."""
        ...

    def open_notices(self) -> tuple[Notice, ...]: ...

    # --- the service's own memory
    def remember(self, name: str, value: str) -> None:
        """Keep a small fact across restarts (the digest of the last good ruleset)."""
        ...

    def recall(self, name: str) -> str | None: ...


class Store(Protocol):
    """The database."""

    def reading(self) -> AbstractContextManager[UnitOfWork]:
        """A consistent view; writes through it are an error."""
        ...

    def writing(self) -> AbstractContextManager[UnitOfWork]:
        """One writing transaction (BEGIN IMMEDIATE on SQLite). An exception rolls everything back."""
        ...
