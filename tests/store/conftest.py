"""Databases for the contract: every test that asks for `store` runs on SQLite and on a real PostgreSQL."""

import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from listener.store import SqlStore, migrate
from tests import postgres

_numbers = count(1)
_TEMPLATE = f"listener_template_{os.getpid()}"

ON_POSTGRES = pytest.param("postgres_url", marks=[pytest.mark.slow, pytest.mark.xdist_group("postgres")])
"""All tests on PostgreSQL run in one worker, so that one server is started and not two."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The DSN of a server that has our template database on it."""
    try:
        with postgres.server() as dsn:
            postgres.make_database(dsn, _TEMPLATE)
            migrate(postgres.sqlalchemy_url(dsn, _TEMPLATE))
            yield dsn
            postgres.drop_database(dsn, _TEMPLATE)
    except postgres.NoPostgresError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database that tests copy."""
    path = tmp_path_factory.mktemp("template") / "listener.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of the test's own."""
    path = shutil.copy(sqlite_template, tmp_path / "listener.db")
    return f"sqlite:///{path}"


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """A PostgreSQL database without any table."""
    name = f"listener_test_{os.getpid()}_{next(_numbers)}"
    postgres.make_database(postgres_server, name)
    yield postgres.sqlalchemy_url(postgres_server, name)
    postgres.drop_database(postgres_server, name)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A migrated PostgreSQL database of the test's own."""
    name = f"listener_test_{os.getpid()}_{next(_numbers)}"
    postgres.make_database(postgres_server, name, template=_TEMPLATE)
    yield postgres.sqlalchemy_url(postgres_server, name)
    postgres.drop_database(postgres_server, name)


@pytest.fixture(params=["sqlite_url", ON_POSTGRES], ids=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    """An open store on a database of its own."""
    opened = SqlStore(database_url)
    yield opened
    opened.close()
