"""A case: mentions about one matter, which people own, acknowledge and resolve."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from listener.domain.verdict import Severity


class CaseState(StrEnum):
    """Where a case stands with the team. Everything but RESOLVED is in the triage queue."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


class Disposition(StrEnum):
    """What people found it to be when they resolved it."""

    REAL = "real"
    NOISE = "noise"
    DUPLICATE = "duplicate"
    WRONG_SEVERITY = "wrong_severity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One matter. `id` is what people type ("C42"); `said_at` is the time of its first post, from which the clock runs.

    `lead_mention_id` is the mention that set the severity: the one that an alert shows. `respond_by` is `None` where the
    policy gives no time for the severity. `meant` is the severity that it should have had, if its disposition says that
    the one it had was wrong.
    """

    id: int
    state: CaseState
    severity: Severity
    score: int
    brands: tuple[str, ...]
    topics: tuple[str, ...]
    title: str
    lead_mention_id: str
    opened_at: datetime
    said_at: datetime
    last_mention_at: datetime
    mention_count: int
    respond_by: datetime | None
    review: bool = False
    owner: str | None = None
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    disposition: Disposition | None = None
    meant: Severity | None = None

    @property
    def name(self) -> str:
        """The id as people read and type it."""
        return f"C{self.id}"


class CaseEventKind(StrEnum):
    """What can happen to a case; the words of its timeline."""

    OPENED = "opened"
    JOINED = "joined"
    RAISED = "raised"
    EDITED = "edited"
    REOPENED = "reopened"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    WOKE = "woke"
    RESOLVED = "resolved"
    SUPPRESSED = "suppressed"
    NOTIFIED = "notified"
    NOT_DELIVERED = "not_delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One line of a case's timeline. `who` is a person, a receiver or a source; `detail` is a sentence."""

    case_id: int
    at: datetime
    kind: CaseEventKind
    who: str | None
    detail: str
    mention_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMention:
    """What a decision needs of a stored mention that shares a key with a new one.

    `native_key` and `content_hash` are those of its newest revision; `case_id` is the case it belongs to, if any.
    """

    mention_id: str
    source_id: str
    native_key: str | None
    content_hash: str
    case_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCandidate:
    """A case that a mention might join. `shared_keys` are the case keys in common; `shared_shingles` counts shingle
    hashes in common with the closest mention of the case, whose text is `closest_text`.
    """

    case: Case
    shared_keys: tuple[str, ...]
    shared_shingles: int
    closest_text: str
