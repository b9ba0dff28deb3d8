"""The tables. They are rows, not the domain: `mapping` makes values of them, and no other room sees them.

What is written down with purpose:

- Enums are strings without a check, so that a new word needs no rebuilding of a table on SQLite.
- The triage queue's order is two plain ascending columns that are never null (`queue_rank`, `queue_by`), because
  "NULLS LAST" and descending keys are served by an index in different ways on different databases.
- Partial indexes hold only what is not finished (open cases, unsent notifications), so that no screen slows down with age.
  Their conditions are text, not parameters: SQLite only uses such an index if it can read the condition in the query.
- What strangers write is indexed through bounded keys (`mapping.index_key`): PostgreSQL refuses index rows over 2.7 kB.
"""

from datetime import datetime
from typing import ClassVar, cast

from sqlalchemy import BigInteger, Column, ForeignKey, Index, MetaData, String, Table, text
from sqlmodel import Field, SQLModel

from listener.store.columns import BigKey, UtcDateTime

IN_QUEUE = text("state <> 'resolved'")
SNOOZED = text("state = 'snoozed'")
RESOLVED = text("state = 'resolved'")
UNSENT = text("state IN ('pending', 'sending')")
SENDING = text("state = 'sending'")
DEAD = text("state = 'failed'")
UNFINISHED = text("state IN ('pending', 'sending', 'failed')")
STILL_OPEN = text("closed_at IS NULL")
COMPLAINED = text("complainant IS NOT NULL")


class Row(SQLModel):
    """Every table; every constraint has a name, so that a migration can speak of it."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class SourceRow(Row, table=True):
    """One per configured source."""

    __tablename__ = "sources"

    id: str = Field(primary_key=True)
    connector: str
    health: str
    checkpoint_version: int | None
    checkpoint_data: str | None
    next_poll_at: datetime | None = Field(sa_type=UtcDateTime)
    last_poll_at: datetime | None = Field(sa_type=UtcDateTime)
    last_success_at: datetime | None = Field(sa_type=UtcDateTime)
    last_item_at: datetime | None = Field(sa_type=UtcDateTime)
    failures: int
    error_code: str | None
    error: str | None
    items_total: int = Field(sa_type=BigInteger)


class MentionRow(Row, table=True):
    """A mention as its newest revision has it. `complainant` is its author, if the newest verdict found it negative."""

    __tablename__ = "mentions"
    __table_args__ = (
        Index(
            "ix_mentions_complaints",
            "complainant",
            "said_at",
            sqlite_where=COMPLAINED,
            postgresql_where=COMPLAINED,
        ),
    )

    id: str = Field(primary_key=True)
    source_id: str
    native_key: str | None
    content_hash: str
    url: str | None
    title: str | None
    text: str
    author_handle: str | None
    author_name: str | None
    author_url: str | None
    author_followers: int | None = Field(sa_type=BigInteger)
    author_verified: bool | None
    lang: str | None
    script: str
    followers: int | None = Field(sa_type=BigInteger)
    likes: int | None = Field(sa_type=BigInteger)
    reposts: int | None = Field(sa_type=BigInteger)
    replies: int | None = Field(sa_type=BigInteger)
    views: int | None = Field(sa_type=BigInteger)
    published_at: datetime | None = Field(sa_type=UtcDateTime)
    found_at: datetime | None = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    said_at: datetime = Field(sa_type=UtcDateTime)
    thread_id: str | None
    brands: str
    truncated: bool
    revision: int
    complainant: str | None


class MentionKeyRow(Row, table=True):
    """A key leads to one mention. `id` keeps the order in which the keys were learnt."""

    __tablename__ = "mention_keys"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    key: str = Field(sa_column_kwargs={"unique": True})
    mention_id: str = Field(foreign_key="mentions.id", index=True)


class RevisionRow(Row, table=True):
    """What a mention said before it was edited. Revisions count from 1; the newest stands in `mentions`."""

    __tablename__ = "revisions"

    mention_id: str = Field(primary_key=True, foreign_key="mentions.id")
    revision: int = Field(primary_key=True)
    content_hash: str
    title: str | None
    text: str
    replaced_at: datetime = Field(sa_type=UtcDateTime)


class VerdictRow(Row, table=True):
    """One decision on one revision of a mention; the newest counts, the others are the record."""

    __tablename__ = "verdicts"
    __table_args__ = (Index("ix_verdicts_mention_id_id", "mention_id", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    mention_id: str = Field(foreign_key="mentions.id")
    brands: str
    matches: str
    label: str
    sentiment: float | None
    p_negative: float | None
    model: str
    why: str
    topics: str
    intents: str
    score: int
    severity: str
    reasons: str
    review: bool
    ruleset: str
    decided_at: datetime = Field(sa_type=UtcDateTime)


class CaseRow(Row, table=True):
    """A case. Ids are typed by people, so they are never given twice."""

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_queue", "queue_rank", "queue_by", "id", sqlite_where=IN_QUEUE, postgresql_where=IN_QUEUE),
        Index("ix_cases_snoozed", "snoozed_until", sqlite_where=SNOOZED, postgresql_where=SNOOZED),
        Index("ix_cases_resolved", "resolved_at", "id", sqlite_where=RESOLVED, postgresql_where=RESOLVED),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    state: str
    severity: str
    queue_rank: int
    queue_by: datetime = Field(sa_type=UtcDateTime)
    score: int
    brands: str
    topics: str
    title: str
    # deferred: the mention may still wait in the unit of work's buffer when its case is stored
    lead_mention_id: str = Field(
        sa_column=Column(String, ForeignKey("mentions.id", deferrable=True, initially="DEFERRED"), nullable=False)
    )
    opened_at: datetime = Field(sa_type=UtcDateTime)
    said_at: datetime = Field(sa_type=UtcDateTime)
    last_mention_at: datetime = Field(sa_type=UtcDateTime)
    mention_count: int
    respond_by: datetime | None = Field(sa_type=UtcDateTime)
    review: bool
    owner: str | None
    snoozed_until: datetime | None = Field(sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(sa_type=UtcDateTime)
    disposition: str | None
    meant: str | None


class CaseMentionRow(Row, table=True):
    """A mention is part of one case at most. `said_at` is its time, here so that the timeline is one index."""

    __tablename__ = "case_mentions"
    __table_args__ = (Index("ix_case_mentions_case_id_said_at", "case_id", "said_at", "mention_id"),)

    mention_id: str = Field(primary_key=True, foreign_key="mentions.id")
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    said_at: datetime = Field(sa_type=UtcDateTime)


class CaseKeyRow(Row, table=True):
    """A key (a thread, a URL) leads to cases."""

    __tablename__ = "case_keys"
    __table_args__ = ({"sqlite_with_rowid": False},)

    key: str = Field(primary_key=True)
    case_id: int = Field(primary_key=True, foreign_key="cases.id", sa_type=BigInteger)


class CaseShingleRow(Row, table=True):
    """Shingles of the mentions of cases: derived, so without foreign keys, and ordered so that the newest are found first."""

    __tablename__ = "case_shingles"
    __table_args__ = ({"sqlite_with_rowid": False},)

    shingle: int = Field(primary_key=True, sa_type=BigInteger)
    seen_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    mention_id: str = Field(primary_key=True)


class CaseEventRow(Row, table=True):
    """One line of a case's timeline."""

    __tablename__ = "case_events"
    __table_args__ = (Index("ix_case_events_case_id_id", "case_id", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    at: datetime = Field(sa_type=UtcDateTime)
    kind: str
    who: str | None
    detail: str
    mention_id: str | None = Field(foreign_key="mentions.id")


class OutboxRow(Row, table=True):
    """A notification."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_unsent", "channel", "due_at", "id", sqlite_where=UNSENT, postgresql_where=UNSENT),
        Index("ix_outbox_leases", "channel", "lease_until", sqlite_where=SENDING, postgresql_where=SENDING),
        Index("ix_outbox_dead", "id", sqlite_where=DEAD, postgresql_where=DEAD),
        Index(
            "ix_outbox_counts",
            "channel",
            "state",
            "due_at",
            sqlite_where=UNFINISHED,
            postgresql_where=UNFINISHED,
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    channel: str
    receiver: str
    target: str
    case_id: int | None = Field(foreign_key="cases.id", sa_type=BigInteger, index=True)
    mention_id: str | None = Field(foreign_key="mentions.id")
    notice_key: str | None
    why: str
    route: str
    state: str
    attempts: int
    ambiguous: bool
    due_at: datetime = Field(sa_type=UtcDateTime)
    lease_until: datetime | None = Field(sa_type=UtcDateTime)
    dedupe_key: str = Field(sa_column_kwargs={"unique": True})
    created_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(sa_type=UtcDateTime)
    receipt: str | None
    error: str | None


class NoticeRow(Row, table=True):
    """What the service says about itself. Of each key, one at most is open."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("uq_notices_open", "key", unique=True, sqlite_where=STILL_OPEN, postgresql_where=STILL_OPEN),
        Index("ix_notices_key_id", "key", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    key: str
    title: str
    body: str
    avoid: str | None
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(sa_type=UtcDateTime)


class MemoryRow(Row, table=True):
    """Small facts that outlive a restart."""

    __tablename__ = "memory"

    name: str = Field(primary_key=True)
    value: str


class CounterRow(Row, table=True):
    """Numbers that screens show and that would take a scan to count."""

    __tablename__ = "counters"

    name: str = Field(primary_key=True)
    value: int = Field(sa_type=BigInteger)


def table(row: type[Row]) -> Table:
    """The table behind a row class, for statements."""
    return cast("Table", row.__table__)  # type: ignore[attr-defined]


SOURCES = table(SourceRow)
MENTIONS = table(MentionRow)
MENTION_KEYS = table(MentionKeyRow)
REVISIONS = table(RevisionRow)
VERDICTS = table(VerdictRow)
CASES = table(CaseRow)
CASE_MENTIONS = table(CaseMentionRow)
CASE_KEYS = table(CaseKeyRow)
CASE_SHINGLES = table(CaseShingleRow)
CASE_EVENTS = table(CaseEventRow)
OUTBOX = table(OutboxRow)
NOTICES = table(NoticeRow)
MEMORY = table(MemoryRow)
COUNTERS = table(CounterRow)
