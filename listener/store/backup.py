"""Complete copies of a SQLite database while it is in use."""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from listener.domain.errors import StoreError
from listener.store.connect import make_private_folder, open_sqlite, parse, sqlite_path
from listener.store.faults import RESTORE, as_store_errors, place


def backup(url: str, path: Path) -> None:
    """Write a complete, checked copy of the database to a new file that only its owner may read.

    Raises `StoreError` if the file is there already, the copy fails, or the database is not SQLite. A plain copy of the
    file would be short: what was committed last stands in the -wal file beside it.
    """
    target = parse(url)
    source = sqlite_path(target)
    if source is None:
        raise StoreError(f"{place(target)} is PostgreSQL: back it up with its own tool (pg_dump)")
    if not source.exists():
        raise StoreError(f"{place(target)} does not exist: there is nothing to back up; check the path")
    copy_database(source, path)


def copy_database(source: Path, path: Path) -> None:
    """`backup` for files. The copy has its name once it is whole; a failed one leaves nothing."""
    if path.exists():
        raise StoreError(f"{path} is there already: a backup never replaces a file; choose another name")
    try:
        make_private_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mkstemp: for the owner only
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}): check its folder") from error
    os.close(handle)
    part = Path(name)
    try:
        with as_store_errors(f"the database {source}"), closing(open_sqlite(source)) as database:
            _copy(database, part, path)
        _keep(part)
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    _keep(path.parent)


def _copy(database: sqlite3.Connection, part: Path, path: Path) -> None:
    with as_store_errors(f"the backup {path}"), closing(sqlite3.connect(part)) as copy:
        database.backup(copy)  # all pages in one step: one snapshot, and writers go on beside it
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        verdict = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StoreError(
            f"the copy is damaged ({verdict.splitlines()[-1]}), so the database is too; it was not kept, and {RESTORE}"
        )


def _keep(path: Path) -> None:
    """Let the disk have it before anybody relies on it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
