"""The database as the core knows it: `ports.Store` on SQLite or PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from sqlalchemy import Engine

from listener.domain.errors import StoreError
from listener.store.connect import make_engine, parse, sqlite_path
from listener.store.faults import as_store_errors, place
from listener.store.schema import refuse_other_schema
from listener.store.unit_of_work import SqlUnitOfWork

_SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""What makes a reading transaction of PostgreSQL one consistent view; SQLite's always is."""


class SqlStore:
    """Any thread may use it; each unit of work has a connection of its own. Nothing is opened before the first one.

    The database must be there and at this program's schema (`migrate` sees to both); otherwise the first unit of work
    raises `StoreError` with what to do.
    """

    def __init__(self, url: str) -> None:
        """`url` is `sqlite:///path` or `postgresql+psycopg://...`. Raises `StoreError` if it is neither."""
        self._url = parse(url)
        self._where = place(self._url)
        self._engine = make_engine(self._url)
        self._writers = self._engine.execution_options(begin="IMMEDIATE")
        self._readers = self._engine.execution_options(**({} if sqlite_path(self._url) else _SNAPSHOT))
        self._checked = False
        self._checking = Lock()

    @contextmanager
    def reading(self) -> Iterator[SqlUnitOfWork]:
        """A consistent view; writes through it raise `RuntimeError`."""
        with self._unit(self._readers, may_write=False) as uow:
            yield uow

    @contextmanager
    def writing(self) -> Iterator[SqlUnitOfWork]:
        """One writing transaction; writers wait for each other. An exception rolls everything back."""
        with self._unit(self._writers, may_write=True) as uow:
            yield uow
            uow.finish()

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._engine.dispose()

    @contextmanager
    def _unit(self, engine: Engine, *, may_write: bool) -> Iterator[SqlUnitOfWork]:
        self._check_once()
        with as_store_errors(self._where), engine.begin() as connection:
            yield SqlUnitOfWork(connection, may_write=may_write)

    def _check_once(self) -> None:
        with self._checking:
            if not self._checked:
                self._check()
                self._checked = True

    def _check(self) -> None:
        path = sqlite_path(self._url)
        if path and not path.exists():
            raise StoreError(
                f"{self._where} does not exist yet: start the service once (listener run), or check the path"
            )
        with as_store_errors(self._where), self._engine.connect() as connection:
            refuse_other_schema(connection, self._where)
