"""Bring a database to the schema that this program knows; make it if it is not there."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, inspect

from listener.domain.errors import StoreError
from listener.store.backup import copy_database
from listener.store.connect import make_engine, make_private_file, parse, sqlite_path
from listener.store.faults import RESTORE, as_store_errors, place
from listener.store.schema import HEAD, VERSION_TABLE, newer, revision_of

SCRIPTS = "listener.store:migrations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What was done: the revision before (`None`: the database is new) and after, and the backup that was made first."""

    before: str | None
    after: str
    backup: Path | None


def migrate(url: str, *, scripts: str = SCRIPTS, head: str = HEAD) -> Migrated:
    """Check the database, and upgrade it if its schema is older, after a backup beside it (SQLite).

    All steps of an upgrade commit together or not at all. Raises `StoreError` if the database is damaged, cannot be
    written, belongs to another program or was written by a later version; it is never changed then, let alone made anew.
    PostgreSQL is not backed up here: that is the server's office (pg_dump). `scripts` and `head` say which migrations
    there are.
    """
    target = parse(url)
    where, path = place(target), sqlite_path(target)
    if path:
        _prepare_file(path, where)
    engine = make_engine(target, migrating=True).execution_options(begin="IMMEDIATE")
    with as_store_errors(where):
        with engine.connect() as connection:
            _check_file(connection, where)
            before = _current(connection, where)
        if before == head:
            return Migrated(before=before, after=head, backup=None)
        if before is not None and before > head:
            raise newer(where, before)
        backup = _backup_before_upgrade(path, before)
        with engine.begin() as connection:
            _upgrade(connection, scripts)
    return Migrated(before=before, after=head, backup=backup)


def _prepare_file(path: Path, where: str) -> None:
    try:
        make_private_file(path)
    except OSError as error:
        raise StoreError(
            f"{where} cannot be made or opened ({error.strerror}): check the folder and who owns it"
        ) from error


def _check_file(connection: Connection, where: str) -> None:
    """SQLite's own check of the file (0.5 s for a million mentions), and a try to write to it, which is rolled back.

    BEGIN IMMEDIATE is no such try: on a file that may only be read it begins a reading transaction without a word.
    """
    if connection.dialect.name != "sqlite":
        return
    verdict = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    if verdict != "ok":
        raise StoreError(f"{where} is damaged ({verdict.splitlines()[-1]}); {RESTORE}")
    connection.exec_driver_sql("PRAGMA user_version=0")


def _current(connection: Connection, where: str) -> str | None:
    revision = revision_of(connection)
    if revision is None:
        strangers = sorted(set(inspect(connection).get_table_names()) - {VERSION_TABLE})
        if strangers:
            raise StoreError(
                f"{where} belongs to another program (it has a table {strangers[0]!r}): choose another one"
            )
    return revision


def _backup_before_upgrade(path: Path | None, before: str | None) -> Path | None:
    if path is None or before is None:
        return None
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    backup = path.with_name(f"{path.name}.backup-{before}-{stamp}")
    copy_database(path, backup)
    return backup


def _upgrade(connection: Connection, scripts: str) -> None:
    from listener.store.upgrade import upgrade  # noqa: PLC0415 (needed once in a release, and slow to import)

    upgrade(connection, scripts)
