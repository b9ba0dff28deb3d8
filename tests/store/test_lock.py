"""One process per database."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from listener.domain.errors import StoreBusy, StoreError
from listener.store import ProcessLock

HOLD = """
import sys
from listener.store import ProcessLock
with ProcessLock(sys.argv[1]).held():
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(url: str) -> None:
    """Take the lock and let go of it."""
    with ProcessLock(url).held():
        pass


def test_a_second_holder_is_refused_and_told_who_the_first_is(database_url: str) -> None:
    ours = rf"another listener \(pid {os.getpid()} on .*\) is using the database"
    with ProcessLock(database_url).held(), pytest.raises(StoreBusy, match=ours):
        hold(database_url)
    hold(database_url)


def test_the_lock_is_free_after_an_error_of_its_holder(database_url: str) -> None:
    with pytest.raises(ZeroDivisionError), ProcessLock(database_url).held():
        raise ZeroDivisionError
    hold(database_url)


@pytest.mark.slow
def test_the_lock_of_a_killed_process_is_free(database_url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreBusy, match=f"pid {holder.pid} "):
            hold(database_url)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert _taken_at_last(database_url)


def _taken_at_last(url: str) -> bool:
    """PostgreSQL sees the end of a connection a moment after the end of its process."""
    for _ in range(200):
        try:
            hold(url)
            return True
        except StoreBusy:
            Event().wait(0.02)
    return False


def test_two_names_of_one_file_are_one_lock(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with ProcessLock(f"sqlite:///{tmp_path}/a.db").held(), pytest.raises(StoreBusy):
        hold(f"sqlite:///{tmp_path}/link/a.db")


def test_the_lock_comes_before_the_database_and_is_private(tmp_path: Path) -> None:
    lock = tmp_path / "new" / "a.db.lock"
    with ProcessLock(f"sqlite:///{tmp_path}/new/a.db").held():
        assert lock.stat().st_mode & 0o777 == 0o600
        assert lock.parent.stat().st_mode & 0o777 == 0o700
        assert f"pid {os.getpid()} " in lock.read_text()
    assert lock.read_text() == ""


def test_a_lock_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"a\.db\.lock cannot be written \(Not a directory\)"):
        hold(f"sqlite:///{tmp_path}/file/a.db")
