"""Backups are whole, private, and replace nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from listener.domain.errors import StoreError
from listener.store import SqlStore, backup
from tests.store.build import damage, mention, verdict


def fill(url: str, count: int) -> None:
    """So many mentions, in one transaction."""
    store = SqlStore(url)
    with store.writing() as uow:
        for n in range(count):
            uow.add_mention(mention(f"m{n}"), verdict(f"m{n}"))
    store.close()


def test_a_backup_is_a_whole_database_that_only_its_owner_reads(sqlite_url: str, tmp_path: Path) -> None:
    fill(sqlite_url, 10)
    copy = tmp_path / "backups" / "monday.db"
    backup(sqlite_url, copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in copy.parent.iterdir()] == ["monday.db"]
    restored = SqlStore(f"sqlite:///{copy}")
    with restored.reading() as uow:
        assert uow.mention_count() == 10
        assert uow.mention("m3") == mention("m3")
    restored.close()


def test_a_backup_under_load_is_one_moment(sqlite_url: str, tmp_path: Path) -> None:
    """Each transaction writes ten mentions: a copy has all ten of them or none."""
    store, stop, written = SqlStore(sqlite_url), Event(), Event()

    def write() -> None:
        for page in range(10_000):
            with store.writing() as uow:
                for n in range(10):
                    uow.add_mention(mention(f"{page}-{n}"), verdict(f"{page}-{n}"))
            written.set()
            if stop.is_set():
                return

    writer = Thread(target=write)
    writer.start()
    try:
        assert written.wait(timeout=10)
        for n in range(5):
            backup(sqlite_url, tmp_path / f"{n}.db")
    finally:
        stop.set()
        writer.join()
        store.close()
    for n in range(5):
        with closing(sqlite3.connect(tmp_path / f"{n}.db")) as copy:
            mentions, verdicts = (
                copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("mentions", "verdicts")
            )
            assert mentions == verdicts
            assert mentions % 10 == 0
            assert mentions > 0


def test_a_backup_replaces_nothing(sqlite_url: str, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("x")
    with pytest.raises(StoreError, match="is there already: a backup never replaces a file"):
        backup(sqlite_url, precious)
    assert precious.read_text() == "x"


def test_a_backup_that_cannot_be_written_leaves_nothing(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        backup(sqlite_url, tmp_path / "file" / "x.db")


def test_a_backup_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        backup(f"sqlite:///{tmp_path}/none.db", tmp_path / "x.db")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_makes_no_backup(tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_bytes(b"not a database, but long enough to be one" * 100)
    with pytest.raises(StoreError, match="is not a database; it was left as it is"):
        backup(f"sqlite:///{tmp_path}/bad.db", tmp_path / "x.db")
    assert [one.name for one in tmp_path.iterdir()] == ["bad.db"]


def test_a_damaged_table_is_found_in_the_copy_which_is_not_kept(sqlite_url: str, tmp_path: Path) -> None:
    """A page is copied as it is; only the check of the copy sees what is wrong with it."""
    fill(sqlite_url, 3)
    damage(Path(sqlite_url.removeprefix("sqlite:///")), "mentions")
    with pytest.raises(StoreError, match=r"the copy is damaged .* it was not kept"):
        backup(sqlite_url, tmp_path / "x.db")
    assert not (tmp_path / "x.db").exists()


def test_postgresql_is_backed_up_by_its_own_tool(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="pg_dump") as refusal:
        backup("postgresql+psycopg://ann:s3cret@db.example/listener", tmp_path / "x.db")
    assert "s3cret" not in str(refusal.value)
