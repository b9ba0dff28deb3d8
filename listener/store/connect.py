"""Engines: how we open a database, and what every connection is told first."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool, QueuePool

from listener.domain.errors import StoreError

BUSY_SECONDS = 5.0
"""How long a transaction waits for another one before it gives up."""

WRITERS_LOCK = 0x4C53544E  # any constant will do: PostgreSQL's advisory locks are numbers that a database agrees on

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",  # readers never wait for the writer
    "PRAGMA synchronous=FULL",  # a commit survives a power cut; at 100 rows a commit it costs nothing that we could measure
    "PRAGMA foreign_keys=ON",
    "PRAGMA journal_size_limit=67108864",
)


def parse(url: str) -> URL:
    """The address of a database. Raises `StoreError` for what we cannot use."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(_WRONG_ADDRESS) from None  # the text of the cause would show the address with its password
    backend = parsed.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise StoreError(_WRONG_ADDRESS)
    return parsed


_WRONG_ADDRESS = (
    "the database's address cannot be used: write sqlite:///path/to/file or postgresql+psycopg://user@host/name"
)


def sqlite_path(url: URL) -> Path | None:
    """The file of a SQLite database with all links resolved, or `None` on PostgreSQL."""
    return Path(url.database).resolve() if url.get_backend_name() == "sqlite" and url.database else None


def make_private_folder(folder: Path) -> None:
    """Make the folder and those above it, for the owner only; one that is there stays as it is."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Make an empty file for the owner only, unless it is there. SQLite gives the files beside it the same mode.

    A file that is there is not even opened: closing it again would drop all locks that this process has on it (POSIX).
    """
    make_private_folder(path.parent)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def make_engine(url: URL, *, migrating: bool = False) -> Engine:
    """An engine whose transactions begin as its connections' `begin` option says ("DEFERRED" if it says nothing).

    `migrating` leaves foreign keys unchecked, which SQLite needs while a table is rebuilt, and pools nothing.
    """
    path = sqlite_path(url)
    if path is None:
        return _postgres_engine(url, migrating=migrating)
    engine = create_engine(
        "sqlite://",
        creator=lambda: open_sqlite(path),
        poolclass=NullPool if migrating else QueuePool,
        hide_parameters=True,
        **({} if migrating else {"pool_size": 8, "max_overflow": 24}),
    )
    event.listen(engine, "begin", _begin)
    if migrating:
        event.listen(engine, "connect", _leave_foreign_keys)
    return engine


def open_sqlite(path: Path) -> sqlite3.Connection:
    """A connection to a file that is there: opening never makes one, so that a wrong path is not an empty database.

    `isolation_level=None` leaves BEGIN to us; the driver's own would begin too late and never IMMEDIATE.
    """
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get("begin", "DEFERRED")
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if mode == 'IMMEDIATE' else 'ON'}")
    connection.exec_driver_sql(f"BEGIN {mode}")


def _leave_foreign_keys(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys=OFF")


def _postgres_engine(url: URL, *, migrating: bool) -> Engine:
    try:
        engine = create_engine(
            url, hide_parameters=True, pool_pre_ping=True, **({"poolclass": NullPool} if migrating else {})
        )
    except ModuleNotFoundError as error:
        raise StoreError("PostgreSQL needs its driver: pip install 'listener-daemon[postgres]'") from error
    event.listen(engine, "begin", _begin_on_postgres)
    return engine


def _begin_on_postgres(connection: Connection) -> None:
    """Writers wait for each other, as with IMMEDIATE: what a decision read is still true when it is written."""
    if connection.get_execution_options().get("begin") == "IMMEDIATE":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BUSY_SECONDS * 1000:.0f}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")
