"""What a driver says becomes a sentence with a remedy; a bug stays a bug."""

import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from listener.domain.errors import StoreBusy, StoreError
from listener.store import SqlStore
from listener.store.faults import as_store_errors, store_error
from tests import postgres
from tests.store.build import mention, verdict


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("SQLITE_BUSY", StoreBusy, "held by another process"),
        ("SQLITE_BUSY_SNAPSHOT", StoreBusy, "held by another process"),
        ("SQLITE_FULL", StoreError, "the disk is full"),
        ("SQLITE_READONLY_DBMOVED", StoreError, "check the owner and mode"),
        ("SQLITE_CANTOPEN_ISDIR", StoreError, "cannot be opened"),
        ("SQLITE_IOERR_WRITE", StoreError, "the disk reports an error"),
        ("SQLITE_CORRUPT_INDEX", StoreError, "copy the newest backup to its place"),
        ("SQLITE_NOTADB", StoreError, "is not a database"),
        ("SQLITE_TOOBIG", StoreError, r"cannot be used \(too big\)"),
    ],
)
def test_each_error_of_sqlite_is_a_sentence(name: str, kind: type[StoreError], sentence: str) -> None:
    cause = sqlite3.OperationalError("too big")
    cause.sqlite_errorname = name
    error = store_error("the database x.db", cause)
    assert type(error) is kind
    with pytest.raises(StoreError, match=f"the database x.db .*{sentence}"):
        raise error


def test_a_raw_error_of_the_driver_is_a_sentence_too() -> None:
    with pytest.raises(StoreError, match=r"the backup cannot be used \(closed\)"), as_store_errors("the backup"):
        raise sqlite3.OperationalError("closed")


@pytest.mark.parametrize(
    ("cause", "kind", "sentence"),
    [
        (psycopg.errors.LockNotAvailable(), StoreBusy, "held by another process"),
        (psycopg.errors.DeadlockDetected(), StoreBusy, "held by another process"),
        (psycopg.errors.DiskFull(), StoreError, "disk is full"),
        (psycopg.errors.InsufficientPrivilege(), StoreError, "the right to"),
        (psycopg.OperationalError(), StoreError, "check its address"),
    ],
)
def test_each_error_of_postgresql_is_a_sentence(cause: Exception, kind: type[StoreError], sentence: str) -> None:
    error = store_error("the database x", cause)
    assert type(error) is kind
    assert sentence in str(error)


def test_too_much_work_at_once_is_busy() -> None:
    with pytest.raises(StoreBusy, match="no free connection"), as_store_errors("the database x"):
        raise PoolTimeout("QueuePool limit")


def test_a_full_disk_is_said_and_nothing_is_lost(sqlite_url: str) -> None:
    """`max_page_count` gives exactly the error of a full disk."""
    store = SqlStore(sqlite_url)
    with store.writing() as uow:
        uow.add_mention(mention("m1"), verdict("m1"))
    with pytest.raises(StoreError, match="the disk is full; free some space"):
        _write_without_room(store)
    with store.reading() as uow:
        assert uow.mention("m1") == mention("m1")
        assert uow.mention_count() == 1
    store.close()


def _write_without_room(store: SqlStore) -> None:
    with store.writing() as uow:
        uow._connection.exec_driver_sql("PRAGMA max_page_count=1")
        for n in range(200):
            uow.add_mention(mention(f"x{n}", text="x" * 10_000), verdict(f"x{n}"))


def test_a_bug_stays_a_bug(store: SqlStore) -> None:
    with pytest.raises(IntegrityError), store.writing() as uow:
        uow._connection.exec_driver_sql("INSERT INTO memory VALUES ('a', NULL)")


@pytest.mark.slow
@pytest.mark.xdist_group("postgres")
def test_a_wrong_statement_is_a_bug_and_a_missing_right_is_not(postgres_url: str) -> None:
    store = SqlStore(postgres_url)
    with pytest.raises(ProgrammingError), store.reading() as uow:
        uow._connection.exec_driver_sql("SELECT * FROM nowhere")
    with store.writing() as uow:
        uow._connection.exec_driver_sql("DROP ROLE IF EXISTS watcher")
        uow._connection.exec_driver_sql("CREATE ROLE watcher")
        uow._connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO watcher")
    store.close()
    watching = SqlStore(_as_watcher(postgres_url))
    with watching.reading() as uow:
        assert uow.recall("a") is None
    with pytest.raises(StoreError, match="cannot be written: give the user of the address the right"):
        _remember(watching)
    watching.close()
    admin = SqlStore(postgres_url)
    with admin.writing() as uow:
        uow._connection.exec_driver_sql("DROP OWNED BY watcher")
        uow._connection.exec_driver_sql("DROP ROLE watcher")
    admin.close()


def _remember(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.remember("a", "b")


def _as_watcher(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).update_query_dict({"options": "-c role=watcher"}).render_as_string(hide_password=False)


def test_without_the_driver_postgresql_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("psycopg")

    monkeypatch.setattr("listener.store.connect.create_engine", missing)
    with pytest.raises(StoreError, match=r"pip install 'listener-daemon\[postgres\]'"):
        SqlStore("postgresql+psycopg://db/listener")


def test_the_text_of_a_post_is_in_no_error(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.add_mention(mention(text="a secret of a customer"), verdict())
    with pytest.raises(IntegrityError) as error, store.writing() as uow:
        uow.add_mention(mention(text="a secret of a customer"), verdict())
    assert "secret of a customer" not in str(error.value)


def test_the_server_of_the_tests_is_private() -> None:
    """Ours listens on a socket in its own folder and runs as somebody who owns nothing."""
    account = postgres.Account.unprivileged()
    assert account.uid != 0
