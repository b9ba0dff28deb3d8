"""One process per database."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Connection

from listener.domain.errors import StoreBusy, StoreError
from listener.store.connect import WRITERS_LOCK, make_engine, make_private_file, parse, sqlite_path
from listener.store.faults import as_store_errors, place

_PROCESS_LOCK = WRITERS_LOCK + 1

_HOLDER = """
SELECT a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid = 0 AND l.objid = %(key)s
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class ProcessLock:
    """Held by the process that polls and delivers; the system lets go of it when that process ends, however it ends.

    SQLite: `flock` on a file beside the database, which names the holder. PostgreSQL: an advisory lock on a connection of
    its own, which bears the holder's name.
    """

    def __init__(self, url: str) -> None:
        """Opens nothing. Raises `StoreError` if the address cannot be used."""
        self._url = parse(url)
        self._where = place(self._url)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock. Raises `StoreBusy` if another process does."""
        path = sqlite_path(self._url)
        with self._flock(path.with_name(f"{path.name}.lock")) if path else self._advisory_lock():
            yield

    @contextmanager
    def _flock(self, path: Path) -> Iterator[None]:
        try:
            make_private_file(path)
            file = path.open("r+", encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{path} cannot be written ({error.strerror}): check who owns its folder") from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise self._busy(file.read(200).strip()) from error
            _write_name(file)
            yield
            file.truncate(0)  # the file stays: to delete it would let a third process lock another file of that name

    @contextmanager
    def _advisory_lock(self) -> Iterator[None]:
        engine = make_engine(self._url.update_query_dict({"application_name": f"listener {_name()}"}), migrating=True)
        with as_store_errors(self._where):
            connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with connection:
            with as_store_errors(self._where):
                self._take(connection)
            yield

    def _take(self, connection: Connection) -> None:
        taken = connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_PROCESS_LOCK})").scalar()
        if not taken:
            holder = connection.exec_driver_sql(_HOLDER, {"key": _PROCESS_LOCK}).scalar() or ""
            raise self._busy(holder.removeprefix("listener "))

    def _busy(self, holder: str) -> StoreBusy:
        who = f"another listener ({holder})" if holder else "another listener"
        return StoreBusy(f"{who} is using {self._where}: stop it first, or give this one a database of its own")


def _name() -> str:
    return f"pid {os.getpid()} on {socket.gethostname()}"[:50]


def _write_name(file: IO[str]) -> None:
    file.seek(0)
    file.truncate()
    file.write(_name())
    file.flush()
