"""Mentions, their keys, revisions and verdicts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from listener.domain.mention import Mention
from listener.domain.verdict import Verdict
from listener.ports import KnownMention
from listener.store import mapping
from listener.store.tables import CASE_MENTIONS, COUNTERS, MENTION_KEYS, MENTIONS, REVISIONS, VERDICTS
from listener.store.transaction import Transaction, chunks

_KNOWN = (
    select(
        MENTION_KEYS.c.key,
        MENTIONS.c.id.label("mention_id"),
        MENTIONS.c.source_id,
        MENTIONS.c.native_key,
        MENTIONS.c.content_hash,
        CASE_MENTIONS.c.case_id,
    )
    .join(MENTIONS, MENTIONS.c.id == MENTION_KEYS.c.mention_id)
    .outerjoin(CASE_MENTIONS, CASE_MENTIONS.c.mention_id == MENTIONS.c.id)
    .where(MENTION_KEYS.c.key.in_(bindparam("keys", expanding=True)))
)


class Mentions(Transaction):
    """The part of the unit of work that knows what was said."""

    _added = 0

    def known(self, keys: Sequence[str]) -> Mapping[str, KnownMention]:
        """The stored mention behind each of the keys that is known."""
        self.settle(MENTIONS, MENTION_KEYS, CASE_MENTIONS)
        asked = {key: mapping.index_key(key) for key in keys}
        found = {
            row["key"]: mapping.known_of(row)
            for chunk in chunks(list(asked.values()))
            for row in self.rows(_KNOWN, {"keys": chunk})
        }
        return {key: found[stored] for key, stored in asked.items() if stored in found}

    def add_mention(self, mention: Mention, verdict: Verdict) -> None:
        """Store a new mention with its keys, its first revision and its verdict."""
        self.later(MENTIONS, mapping.mention_values(mention, verdict))
        self.add_keys(mention.id, mention.keys)
        self.later(VERDICTS, mapping.verdict_values(verdict))
        self._added += 1

    def add_keys(self, mention_id: str, keys: Sequence[str]) -> None:
        """Make further keys lead to a known mention. A key that leads somewhere already stays as it is."""
        for key in keys:
            self.later(MENTION_KEYS, {"key": mapping.index_key(key), "mention_id": mention_id})

    def add_revision(self, mention_id: str, edited: Mention, verdict: Verdict) -> None:
        """Keep what the mention said, and let it say what it says now. It was first seen when it was first seen."""
        self.settle()
        old = self._mention_row(mention_id)
        if old is None:
            raise LookupError(f"mention {mention_id} is not stored: it cannot be edited")
        self.write(self.insert(REVISIONS), _superseded(old, edited))
        changed = {**mapping.content_values(edited, verdict), "revision": old["revision"] + 1}
        self.write(update(MENTIONS).where(MENTIONS.c.id == mention_id).values(changed))
        self.later(VERDICTS, {**mapping.verdict_values(verdict), "mention_id": mention_id})
        self.add_keys(mention_id, edited.keys)

    def mention(self, mention_id: str) -> Mention | None:
        """The mention as its newest revision has it, with all keys that lead to it."""
        self.settle(MENTIONS, MENTION_KEYS)
        row = self._mention_row(mention_id)
        return self.mentions_of([row])[0] if row else None

    def mentions_of(self, rows: Sequence[mapping.Row]) -> tuple[Mention, ...]:
        """Rows of `mentions` with their keys, which take one more statement."""
        keys = self._keys_of([row["id"] for row in rows])
        return tuple(mapping.mention_of(row, tuple(keys.get(row["id"], ()))) for row in rows)

    def revision_count(self, mention_id: str) -> int:
        """1 for a mention that was never edited; 0 if it is not stored."""
        self.settle(MENTIONS)
        revision: int | None = self.scalar(select(MENTIONS.c.revision).where(MENTIONS.c.id == mention_id))
        return revision or 0

    def verdict(self, mention_id: str) -> Verdict | None:
        """The newest verdict."""
        self.settle(VERDICTS)
        of_mention = select(VERDICTS).where(VERDICTS.c.mention_id == mention_id)
        row = self.row(of_mention.order_by(VERDICTS.c.id.desc()).limit(1))
        return mapping.verdict_of(row) if row else None

    def last_complaints(self, author_handles: Sequence[str], *, since: datetime) -> Mapping[str, datetime]:
        """For each author, the `said_at` of the newest mention since then whose label is negative."""
        self.settle(MENTIONS)
        asked = {handle: mapping.index_key(handle) for handle in author_handles}
        author, said_at = MENTIONS.c.complainant, MENTIONS.c.said_at
        newest = select(author, func.max(said_at).label("said_at")).where(said_at >= since).group_by(author)
        found = {
            row["complainant"]: row["said_at"]
            for chunk in chunks(list(asked.values()))
            for row in self.rows(newest.where(author.in_(chunk)))
        }
        return {handle: found[key] for handle, key in asked.items() if key in found}

    def mention_count(self) -> int:
        """How many mentions are stored; kept as a number, because counting a million rows takes a scan."""
        stored: int | None = self.scalar(select(COUNTERS.c.value).where(COUNTERS.c.name == "mentions"))
        return (stored or 0) + self._added

    def count_added(self) -> None:
        """Bring the number of mentions up to date, as the last write of the transaction."""
        if self._added:
            counter = self.insert(COUNTERS).values(name="mentions", value=self._added)
            grown = {"value": COUNTERS.c.value + counter.excluded.value}
            self.write(counter.on_conflict_do_update(index_elements=[COUNTERS.c.name], set_=grown))
            self._added = 0

    def _mention_row(self, mention_id: str) -> mapping.Row | None:
        return self.row(select(MENTIONS).where(MENTIONS.c.id == mention_id))

    def _keys_of(self, mention_ids: Sequence[str]) -> dict[str, list[str]]:
        key, mention_id = MENTION_KEYS.c.key, MENTION_KEYS.c.mention_id
        found: dict[str, list[str]] = {}
        for chunk in chunks(mention_ids):
            for row in self.rows(select(key, mention_id).where(mention_id.in_(chunk)).order_by(MENTION_KEYS.c.id)):
                found.setdefault(row["mention_id"], []).append(row["key"])
        return found


def _superseded(old: mapping.Row, edited: Mention) -> dict[str, Any]:
    kept = {name: old[name] for name in ("revision", "content_hash", "title", "text")}
    return {**kept, "mention_id": old["id"], "replaced_at": edited.seen_at}
