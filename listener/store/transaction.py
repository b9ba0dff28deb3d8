"""What every part of the unit of work stands on: one connection, one transaction, a buffer of rows to be inserted."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

from listener.store.mapping import Row, Values
from listener.store.tables import (
    CASE_EVENTS,
    CASE_KEYS,
    CASE_MENTIONS,
    CASE_SHINGLES,
    MENTION_KEYS,
    MENTIONS,
    VERDICTS,
)

Insert = sqlite.Insert | postgresql.Insert
Key = TypeVar("Key", str, int)

_BUFFERED = (MENTIONS, MENTION_KEYS, VERDICTS, CASE_MENTIONS, CASE_KEYS, CASE_SHINGLES, CASE_EVENTS)
"""Parents before children: the order in which the buffer is written."""

_REPEATABLE = {MENTION_KEYS, CASE_KEYS, CASE_SHINGLES}
"""Tables in which a row that is already there is no error."""

_CHUNK = 500
"""Keys in one statement. SQLite before 3.32 takes 999 parameters."""


def chunks(keys: Sequence[Key]) -> Iterator[list[Key]]:
    """The distinct keys in their order, in lists that fit a statement."""
    distinct = iter(dict.fromkeys(keys))
    while chunk := list(islice(distinct, _CHUNK)):
        yield chunk


class Transaction:
    """One transaction on one connection.

    Rows that nothing has to wait for are buffered and written by `executemany`: one statement for a page of mentions
    instead of three for each of them. A read `settle`s the tables that it looks at first.
    """

    def __init__(self, connection: Connection, *, may_write: bool) -> None:
        self._connection = connection
        self._may_write = may_write
        self._buffer: dict[Table, list[Values]] = {}

    def rows(self, statement: Executable, values: Values | None = None) -> list[Row]:
        """All rows of a query, by the names of their columns."""
        return [row._asdict() for row in self._connection.execute(statement, values)]

    def row(self, statement: Select[Any]) -> Row | None:
        """The first row of a query, if there is one."""
        row = self._connection.execute(statement).first()
        return row._asdict() if row else None

    def scalar(self, statement: Select[Any]) -> Any:
        """The first value of the first row, or `None`."""
        return self._connection.scalar(statement)

    def write(self, statement: Executable, values: Sequence[Values] | Values | None = None) -> CursorResult[Any]:
        """Write at once, after what the buffer holds."""
        self.settle()
        return self.write_past_buffer(statement, values)

    def write_past_buffer(
        self, statement: Executable, values: Sequence[Values] | Values | None = None
    ) -> CursorResult[Any]:
        """Write at once, before what the buffer holds."""
        self.refuse_if_reading()
        return self._connection.execute(statement, values)

    def later(self, into: Table, values: Values) -> None:
        """Write with the next batch."""
        self.refuse_if_reading()
        self._buffer.setdefault(into, []).append(values)

    def settle(self, *read: Table) -> None:
        """Write the buffer, so that a read of these tables sees it. Without any: write it in any case."""
        if self._buffer and (not read or not self._buffer.keys().isdisjoint(read)):
            buffer, self._buffer = self._buffer, {}
            for into in _BUFFERED:
                if rows := buffer.get(into):
                    self.write_past_buffer(self._insert_batch(into), rows)

    def waiting(self, into: Table, key: str) -> Values | None:
        """The newest buffered row of a table with this `id`."""
        return next((row for row in reversed(self._buffer.get(into, [])) if row["id"] == key), None)

    def insert(self, into: Table) -> Insert:
        """An INSERT that may say what to do on a conflict, in the words of this database."""
        return _insert(into, on_postgres=self.on_postgres)

    def is_new(self, statement: Insert, values: Values) -> bool:
        """Insert one row unless it is there already; True if it was inserted."""
        # SQLAlchemy counts the rows of an INSERT only if asked to, and not those of one with RETURNING, which inline avoids
        counted = statement.inline().execution_options(preserve_rowcount=True)
        return self.write(counted, values).rowcount == 1

    def upsert(self, into: Table, values: Values) -> None:
        """Insert, or replace the row that has the same primary key."""
        self.write(_replacing(into, tuple(values), on_postgres=self.on_postgres), values)

    @property
    def on_postgres(self) -> bool:
        """True on PostgreSQL, False on SQLite."""
        return self._connection.dialect.name == "postgresql"

    def _insert_batch(self, into: Table) -> Insert:
        if into in _REPEATABLE:
            return self.insert(into).on_conflict_do_nothing()
        if into is CASE_MENTIONS:
            return _replacing(into, ("case_id", "said_at"), on_postgres=self.on_postgres)
        return self.insert(into)

    def refuse_if_reading(self) -> None:
        """Raise `RuntimeError` in a reading unit: it is a bug of the caller, which a retry would hide."""
        if not self._may_write:
            raise RuntimeError("this unit of work only reads: use Store.writing() to change anything")


def _insert(into: Table, *, on_postgres: bool) -> Insert:
    return postgresql.insert(into) if on_postgres else sqlite.insert(into)


@cache  # the same each time, and SQLAlchemy takes longer to put it together than SQLite to do it
def _replacing(into: Table, columns: tuple[str, ...], *, on_postgres: bool) -> Insert:
    """An INSERT that puts `columns` into the row that has the same primary key, if there is one."""
    statement = _insert(into, on_postgres=on_postgres)
    keys = list(into.primary_key.columns)
    changed = {name: statement.excluded[name] for name in columns if name not in into.primary_key.columns}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)
