"""A database in trouble while the daemon runs: it says so, goes on, and nothing is lost."""

import sqlite3
from pathlib import Path

import pytest

from tests.e2e.loopback import Program, loopback

pytestmark = pytest.mark.slow

DOWN = ("1", "Podopay is completely down for me")


def test_a_database_that_somebody_locks_is_waited_for(tmp_path: Path) -> None:
    """For longer than a transaction waits: no crash, one line, and the complaint is told once when the lock is gone."""
    with loopback() as place:
        program = Program(tmp_path, place.url)
        with program.running() as process:
            program.until("source_polled")
            holder = sqlite3.connect(program.database, isolation_level=None)
            holder.execute("begin immediate")
            place.items = [DOWN]
            program.until("job_delayed")
            holder.execute("rollback")
            holder.close()
            assert place.wait(1, seconds=40)
            assert process.poll() is None
        assert len(place.deliveries) == 1
    assert "Traceback" not in program.log.read_text(encoding="utf-8")
