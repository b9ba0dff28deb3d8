"""Migrations: one set for both databases, all or nothing, after a backup; and what is not ours is left alone."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import listener.store.migrations as shipped
from listener.domain.case import CaseState
from listener.domain.errors import StoreError
from listener.store import ProcessLock, SqlStore, migrate
from listener.store.connect import make_engine, parse
from listener.store.migrate import SCRIPTS, Migrated
from listener.store.schema import HEAD, revision_of
from listener.store.tables import Row
from listener.store.upgrade import migration_config
from tests.store.build import NOW, damage, mention, stored_case, verdict
from tests.store.conftest import ON_POSTGRES

REBUILDING = """
import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("mentions") as mentions:
        mentions.add_column(sa.Column("mood", sa.String(), nullable=False, server_default="calm"))
        mentions.alter_column("script", nullable=True)
"""


@pytest.fixture
def longer_scripts(tmp_path: Path) -> Path:
    """Our migrations and one more that makes a table anew, as a later version of the program would have."""
    folder = tmp_path / "migrations"
    shutil.copytree(Path(shipped.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "v0003_next.py").write_text(REBUILDING)
    return folder


@pytest.fixture(params=["sqlite", ON_POSTGRES], ids=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that has nothing in it yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/down/listener.db"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


def fill(url: str) -> None:
    """One mention."""
    store = SqlStore(url)
    with store.writing() as uow:
        uow.add_mention(mention(), verdict())
    store.close()


def test_a_new_database_is_made_once(empty_url: str) -> None:
    assert migrate(empty_url) == Migrated(before=None, after=HEAD, backup=None)
    assert migrate(empty_url) == Migrated(before=HEAD, after=HEAD, backup=None)
    fill(empty_url)


def test_the_program_knows_its_newest_migration() -> None:
    assert ScriptDirectory.from_config(migration_config(SCRIPTS)).get_current_head() == HEAD


def test_migrations_and_tables_agree(database_url: str) -> None:
    engine = make_engine(parse(database_url), migrating=True)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Row.metadata) == []


def test_migrations_go_down_and_up_again(database_url: str) -> None:
    config = migration_config(SCRIPTS)
    with make_engine(parse(database_url), migrating=True).execution_options(begin="IMMEDIATE").begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert revision_of(connection) is None
    assert migrate(database_url) == Migrated(before=None, after=HEAD, backup=None)
    fill(database_url)


def test_cases_of_the_first_release_are_upgraded_as_they_are(database_url: str) -> None:
    """Schema 0002 adds what a wrong severity should have been; ids that people type go on counting."""
    config = migration_config(SCRIPTS)
    store = SqlStore(database_url)
    with store.writing() as uow:
        before = stored_case(uow, state=CaseState.RESOLVED, resolved_at=NOW)
    store.close()
    with make_engine(parse(database_url), migrating=True).execution_options(begin="IMMEDIATE").begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    assert migrate(database_url).before == "0001"
    store = SqlStore(database_url)
    with store.writing() as uow:
        assert uow.case(before.id) == before
        assert stored_case(uow, "m2").id > before.id
    store.close()


def test_files_of_a_database_are_for_their_owner_only(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        url = f"sqlite:///{tmp_path}/var/listener/listener.db"
        migrate(url)
        store = SqlStore(url)
        with store.writing() as uow:
            uow.remember("a", "b")
        folder = tmp_path / "var" / "listener"
        modes = {one.name: one.stat().st_mode & 0o777 for one in folder.iterdir()}
        store.close()
    finally:
        os.umask(old)
    assert modes == {"listener.db": 0o600, "listener.db-wal": 0o600, "listener.db-shm": 0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o700


def test_migrating_drops_no_lock_of_an_open_store(sqlite_url: str) -> None:
    """Closing any handle of a file drops a process's POSIX locks on it, and another process would take our WAL away."""
    path = sqlite_url.removeprefix("sqlite:///")
    take_wal_away = (
        "import sqlite3, sys\n"
        "print(sqlite3.connect(sys.argv[1], timeout=0).execute('PRAGMA journal_mode=DELETE').fetchone())"
    )
    store = SqlStore(sqlite_url)
    with store.writing() as uow:
        uow.remember("a", "b")
    migrate(sqlite_url)
    with ProcessLock(sqlite_url).held():
        other = subprocess.run([sys.executable, "-c", take_wal_away, path], capture_output=True, text=True, check=False)
    store.close()
    assert "database is locked" in other.stderr


def test_an_upgrade_keeps_every_row_and_the_backup_made_before_it(database_url: str, longer_scripts: Path) -> None:
    fill(database_url)
    done = migrate(database_url, scripts=str(longer_scripts), head="0003")
    assert (done.before, done.after) == ("0002", "0003")
    with make_engine(parse(database_url), migrating=True).connect() as connection:
        assert connection.exec_driver_sql("SELECT id, mood FROM mentions").all() == [("m1", "calm")]
        assert len(connection.exec_driver_sql("SELECT * FROM mention_keys").all()) == 2
    if database_url.startswith("sqlite"):
        assert done.backup
        assert done.backup.stat().st_mode & 0o777 == 0o600
        assert done.backup.name.startswith("listener.db.backup-0002-2")
        restored = SqlStore(f"sqlite:///{done.backup}")
        with restored.reading() as uow:
            assert uow.mention("m1") == mention()
        restored.close()


def test_an_upgrade_that_fails_changes_nothing(database_url: str, longer_scripts: Path) -> None:
    fill(database_url)
    script = longer_scripts / "versions" / "v0003_next.py"
    script.write_text(f"{REBUILDING}\n    raise ZeroDivisionError\n")
    with pytest.raises(ZeroDivisionError):
        migrate(database_url, scripts=str(longer_scripts), head="0003")
    store = SqlStore(database_url)
    with store.reading() as uow:
        assert uow.mention("m1") == mention()
    store.close()
    assert migrate(database_url) == Migrated(before=HEAD, after=HEAD, backup=None)


def test_an_upgrade_that_would_leave_broken_links_is_undone(sqlite_url: str, longer_scripts: Path) -> None:
    fill(sqlite_url)
    script = longer_scripts / "versions" / "v0003_next.py"
    script.write_text(f'{REBUILDING}\n    op.execute("DELETE FROM mentions")\n')
    with pytest.raises(StoreError, match="pointing to rows of mentions that are not there; undone"):
        migrate(sqlite_url, scripts=str(longer_scripts), head="0003")
    assert migrate(sqlite_url).before == HEAD


def test_a_newer_database_is_refused_and_left_as_it_is(database_url: str, longer_scripts: Path) -> None:
    migrate(database_url, scripts=str(longer_scripts), head="0003")
    with pytest.raises(StoreError, match=r"has schema 0003, but this version of listener knows none after 0002"):
        migrate(database_url)
    store = SqlStore(database_url)
    with pytest.raises(StoreError, match="install the version that wrote it"), store.reading():
        pytest.fail("opened")
    store.close()


def test_an_older_database_is_not_opened_before_its_upgrade(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("listener.store.schema.HEAD", "0003")
    store = SqlStore(database_url)
    with pytest.raises(StoreError, match=r"older schema 0002: restart the service"), store.writing():
        pytest.fail("opened")
    store.close()


def test_a_database_of_another_program_is_left_alone(empty_url: str, tmp_path: Path) -> None:
    if empty_url.startswith("sqlite"):
        empty_url = f"sqlite:///{tmp_path}/other.db"
        with closing(sqlite3.connect(tmp_path / "other.db")) as other:
            other.execute("CREATE TABLE bookmarks (id INTEGER)")
    else:
        with make_engine(parse(empty_url), migrating=True).begin() as connection:
            connection.exec_driver_sql("CREATE TABLE bookmarks (id INTEGER)")
    with pytest.raises(StoreError, match=r"belongs to another program .*'bookmarks'"):
        migrate(empty_url)


def test_an_unprepared_database_says_what_prepares_it(empty_url: str) -> None:
    if empty_url.startswith("sqlite"):
        path = Path(empty_url.removeprefix("sqlite:///"))
        store = SqlStore(empty_url)
        with pytest.raises(StoreError, match="does not exist yet"), store.reading():
            pytest.fail("opened")
        assert not path.exists()
        path.parent.mkdir(parents=True)
        path.touch()
    store = SqlStore(empty_url)
    with pytest.raises(StoreError, match=r"is empty: start the service once"), store.reading():
        pytest.fail("opened")
    store.close()


def test_what_is_no_database_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "listener.db"
    path.write_bytes(b"a text that somebody put here" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"listener\.db is not a database; it was left as it is.*newest backup"):
        migrate(f"sqlite:///{path}")
    store = SqlStore(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="is not a database"), store.reading():
        pytest.fail("opened")
    store.close()
    assert path.read_bytes() == before


def test_a_damaged_database_is_refused_and_left_as_it_is(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    fill(sqlite_url)
    damage(path, "mentions")
    damaged = path.stat().st_size
    with pytest.raises(StoreError, match=r"is damaged.*move it and the files beside it"):
        migrate(sqlite_url)
    assert path.stat().st_size == damaged


def test_a_folder_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be made or opened \(Not a directory\)"):
        migrate(f"sqlite:///{tmp_path}/file/listener.db")


@contextmanager
def as_ordinary_user(*paths: Path) -> Iterator[None]:
    """Root may write everywhere, so give the paths to `nobody` and be it for a while."""
    if os.geteuid() != 0:
        yield
        return
    for path in paths:
        os.chown(path, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder whose parents anybody may pass."""
    import tempfile

    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


def test_a_database_that_cannot_be_written_says_so(sqlite_template: Path, open_folder: Path) -> None:
    path = Path(shutil.copy(sqlite_template, open_folder / "listener.db"))
    with as_ordinary_user(open_folder, path):
        path.chmod(0o400)
        with pytest.raises(StoreError, match="cannot be written: check the owner and mode"):
            migrate(f"sqlite:///{path}")
        store = SqlStore(f"sqlite:///{path}")
        with pytest.raises(StoreError, match="cannot be written: check the owner and mode"), store.writing() as uow:
            uow.remember("a", "b")
        store.close()


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "http://ann:s3cret@x"]
)
def test_an_address_that_cannot_be_used_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(StoreError, match=r"write sqlite:///path/to/file or postgresql\+psycopg://") as refusal:
        SqlStore(url)
    assert "s3cret" not in str(refusal.value)


def test_a_short_postgresql_address_means_our_driver() -> None:
    assert parse("postgresql://db/listener").drivername == "postgresql+psycopg"
    assert parse("postgresql+psycopg2://db/listener").drivername == "postgresql+psycopg"


def test_a_server_that_does_not_answer_says_so(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://ann:s3cret@/listener?host={tmp_path}"
    for use in (migrate, lambda one: SqlStore(one).reading().__enter__()):
        with pytest.raises(StoreError, match="the database listener on the local server does not answer") as refusal:
            use(url)
        assert "s3cret" not in str(refusal.value)
