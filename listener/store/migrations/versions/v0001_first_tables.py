"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG = sa.BigInteger()
_COUNTING = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _memory()
    _mentions()
    _cases()
    _paths_to_cases()
    _outbox()
    _notices()


def downgrade() -> None:
    """Drop them, children first."""
    tables = "notices outbox case_events case_shingles case_keys case_mentions cases verdicts revisions mention_keys"
    for name in [*tables.split(), "mentions", "counters", "memory", "sources"]:
        op.drop_table(name)


def _text(*names: str, null: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=null) for name in names]


def _instants(*names: str, null: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=null) for name in names]


def _numbers(*names: str, null: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, _BIG, nullable=null) for name in names]


def _integers(*names: str, null: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=null) for name in names]


def _flags(*names: str, null: bool = False) -> list[sa.Column[bool]]:
    return [sa.Column(name, sa.Boolean(), nullable=null) for name in names]


def _id(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", _COUNTING, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    ]


def _points(table: str, column: str, target: str, *, deferred: bool = False) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [f"{target}.id"],
        name=f"fk_{table}_{column}_{target}",
        deferrable=deferred or None,
        initially="DEFERRED" if deferred else None,
    )


def _partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _memory() -> None:
    op.create_table(
        "sources",
        *_text("id", "connector", "health"),
        *_integers("checkpoint_version", null=True),
        *_text("checkpoint_data", null=True),
        *_instants("next_poll_at", "last_poll_at", "last_success_at", "last_item_at", null=True),
        *_integers("failures"),
        *_text("error_code", "error", null=True),
        *_numbers("items_total"),
        sa.PrimaryKeyConstraint("id", name="pk_sources"),
    )
    op.create_table("memory", *_text("name", "value"), sa.PrimaryKeyConstraint("name", name="pk_memory"))
    op.create_table("counters", *_text("name"), *_numbers("value"), sa.PrimaryKeyConstraint("name", name="pk_counters"))


def _mentions() -> None:
    op.create_table(
        "mentions",
        *_text("id", "source_id"),
        *_text("native_key", null=True),
        *_text("content_hash"),
        *_text("url", "title", null=True),
        *_text("text"),
        *_text("author_handle", "author_name", "author_url", null=True),
        *_numbers("author_followers", null=True),
        *_flags("author_verified", null=True),
        *_text("lang", null=True),
        *_text("script"),
        *_numbers("followers", "likes", "reposts", "replies", "views", null=True),
        *_instants("published_at", "found_at", null=True),
        *_instants("seen_at", "said_at"),
        *_text("thread_id", null=True),
        *_text("brands"),
        *_flags("truncated"),
        *_integers("revision"),
        *_text("complainant", null=True),
        sa.PrimaryKeyConstraint("id", name="pk_mentions"),
    )
    _partial_index("ix_mentions_complaints", "mentions", ["complainant", "said_at"], "complainant IS NOT NULL")
    op.create_table(
        "mention_keys",
        *_id("mention_keys"),
        *_text("key", "mention_id"),
        sa.UniqueConstraint("key", name="uq_mention_keys_key"),
        _points("mention_keys", "mention_id", "mentions"),
    )
    op.create_index("ix_mention_keys_mention_id", "mention_keys", ["mention_id"])
    op.create_table(
        "revisions",
        *_text("mention_id"),
        *_integers("revision"),
        *_text("content_hash"),
        *_text("title", null=True),
        *_text("text"),
        *_instants("replaced_at"),
        sa.PrimaryKeyConstraint("mention_id", "revision", name="pk_revisions"),
        _points("revisions", "mention_id", "mentions"),
    )
    op.create_table(
        "verdicts",
        *_id("verdicts"),
        *_text("mention_id", "brands", "matches", "label"),
        sa.Column("sentiment", sa.Float()),
        sa.Column("p_negative", sa.Float()),
        *_text("model", "why", "topics", "intents"),
        *_integers("score"),
        *_text("severity", "reasons"),
        *_flags("review"),
        *_text("ruleset"),
        *_instants("decided_at"),
        _points("verdicts", "mention_id", "mentions"),
    )
    op.create_index("ix_verdicts_mention_id_id", "verdicts", ["mention_id", "id"])


def _cases() -> None:
    op.create_table(
        "cases",
        *_id("cases"),
        *_text("state", "severity"),
        *_integers("queue_rank"),
        *_instants("queue_by"),
        *_integers("score"),
        *_text("brands", "topics", "title", "lead_mention_id"),
        *_instants("opened_at", "said_at", "last_mention_at"),
        *_integers("mention_count"),
        *_instants("respond_by", null=True),
        *_flags("review"),
        *_text("owner", null=True),
        *_instants("snoozed_until", "resolved_at", null=True),
        *_text("disposition", null=True),
        _points("cases", "lead_mention_id", "mentions", deferred=True),
        sqlite_autoincrement=True,
    )
    _partial_index("ix_cases_queue", "cases", ["queue_rank", "queue_by", "id"], "state <> 'resolved'")
    _partial_index("ix_cases_snoozed", "cases", ["snoozed_until"], "state = 'snoozed'")
    op.create_table(
        "case_events",
        *_id("case_events"),
        *_numbers("case_id"),
        *_instants("at"),
        *_text("kind"),
        *_text("who", null=True),
        *_text("detail"),
        *_text("mention_id", null=True),
        _points("case_events", "case_id", "cases"),
        _points("case_events", "mention_id", "mentions"),
    )
    op.create_index("ix_case_events_case_id_id", "case_events", ["case_id", "id"])


def _paths_to_cases() -> None:
    op.create_table(
        "case_mentions",
        *_text("mention_id"),
        *_numbers("case_id"),
        *_instants("said_at"),
        sa.PrimaryKeyConstraint("mention_id", name="pk_case_mentions"),
        _points("case_mentions", "mention_id", "mentions"),
        _points("case_mentions", "case_id", "cases"),
    )
    op.create_index("ix_case_mentions_case_id_said_at", "case_mentions", ["case_id", "said_at", "mention_id"])
    op.create_table(
        "case_keys",
        *_text("key"),
        *_numbers("case_id"),
        sa.PrimaryKeyConstraint("key", "case_id", name="pk_case_keys"),
        _points("case_keys", "case_id", "cases"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "case_shingles",
        *_numbers("shingle"),
        *_instants("seen_at"),
        *_text("mention_id"),
        sa.PrimaryKeyConstraint("shingle", "seen_at", "mention_id", name="pk_case_shingles"),
        sqlite_with_rowid=False,
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        *_id("outbox"),
        *_text("channel", "receiver", "target"),
        *_numbers("case_id", null=True),
        *_text("mention_id", "notice_key", null=True),
        *_text("why", "route", "state"),
        *_integers("attempts"),
        *_flags("ambiguous"),
        *_instants("due_at"),
        *_instants("lease_until", null=True),
        *_text("dedupe_key"),
        *_instants("created_at"),
        *_instants("sent_at", null=True),
        *_text("receipt", "error", null=True),
        sa.UniqueConstraint("dedupe_key", name="uq_outbox_dedupe_key"),
        _points("outbox", "case_id", "cases"),
        _points("outbox", "mention_id", "mentions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_case_id", "outbox", ["case_id"])
    unfinished = sa.text("state IN ('pending', 'sending', 'failed')")
    op.create_index(
        "ix_outbox_counts",
        "outbox",
        ["channel", "state", "due_at"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    _partial_index("ix_outbox_unsent", "outbox", ["channel", "due_at", "id"], "state IN ('pending', 'sending')")
    _partial_index("ix_outbox_leases", "outbox", ["channel", "lease_until"], "state = 'sending'")
    _partial_index("ix_outbox_dead", "outbox", ["id"], "state = 'failed'")


def _notices() -> None:
    op.create_table(
        "notices",
        *_id("notices"),
        *_text("key", "title", "body"),
        *_text("avoid", null=True),
        *_instants("opened_at"),
        *_instants("closed_at", null=True),
    )
    op.create_index("ix_notices_key_id", "notices", ["key", "id"])
    _partial_index("uq_notices_open", "notices", ["key"], "closed_at IS NULL", unique=True)
