"""What a database driver says, as sentences that say what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Error as SqliteError

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from listener.domain.errors import StoreBusy, StoreError

RESTORE = (
    "it was left as it is: stop the service, move it and the files beside it that end in -wal and -shm away, "
    "and copy the newest backup to its place"
)

_SQLITE = {
    "BUSY": "is held by another process; try again, or find who has it open",
    "LOCKED": "is held by another process; try again, or find who has it open",
    "FULL": "cannot grow: the disk is full; free some space",
    "READONLY": "cannot be written: check the owner and mode of the file and of its folder",
    "CANTOPEN": "cannot be opened: check that the folder is there and who may write to it",
    "PERM": "cannot be opened: check the owner and mode of the file and of its folder",
    "IOERR": "cannot be read or written: the disk reports an error; see the kernel's log",
    "CORRUPT": f"is damaged; {RESTORE}",
    "NOTADB": f"is not a database; {RESTORE}",
}

_BUSY_STATES = {"55P03", "40P01", "40001"}
"""PostgreSQL: lock_not_available, deadlock_detected, serialization_failure."""

_NO_RIGHT = {"25006", "42501"}
"""PostgreSQL: read_only_sql_transaction, insufficient_privilege."""


def place(url: URL) -> str:
    """How we call a database in a sentence: never with its password."""
    if url.get_backend_name() == "sqlite":
        return f"the database {url.database}"
    return f"the database {url.database or url.username or 'postgres'} on {url.host or 'the local server'}"


@contextmanager
def as_store_errors(where: str) -> Iterator[None]:
    """Turn what the database cannot do into `StoreError`. What only a bug can cause is let through."""
    try:
        yield
    except DBAPIError as error:
        if _is_bug(error):
            raise
        raise store_error(where, error.orig) from error
    except SqliteError as error:
        raise store_error(where, error) from error
    except PoolTimeout as error:
        raise StoreBusy(f"{where} has no free connection: too much work runs at once; try again") from error


def _is_bug(error: DBAPIError) -> bool:
    """A broken constraint or a wrong statement; PostgreSQL counts a missing right to write among the latter."""
    return isinstance(error, IntegrityError | ProgrammingError) and _sqlstate(error.orig) not in _NO_RIGHT


def _sqlstate(cause: BaseException | None) -> str | None:
    return getattr(cause, "sqlstate", None)


def store_error(where: str, cause: BaseException | None) -> StoreError:
    """The sentence for one error of a driver."""
    if isinstance(cause, SqliteError):
        return _sqlite_error(where, cause)
    state = _sqlstate(cause)
    if state in _BUSY_STATES:
        return StoreBusy(f"{where} is held by another process; try again")
    if state == "53100":
        return StoreError(f"{where} cannot grow: the server's disk is full; free some space")
    if state in _NO_RIGHT:
        return StoreError(f"{where} cannot be written: give the user of the address the right to")
    return StoreError(f"{where} does not answer ({type(cause).__name__}): check its address and that the server runs")


def _sqlite_error(where: str, cause: SqliteError) -> StoreError:
    name = getattr(cause, "sqlite_errorname", None) or ""
    primary = re.sub(r"^SQLITE_([A-Z]+).*$", r"\1", name)
    kind = StoreBusy if primary in ("BUSY", "LOCKED") else StoreError
    return kind(f"{where} {_SQLITE.get(primary, f'cannot be used ({cause})')}")
