"""The installed program as a service: it starts, reloads, refuses, drains and stops as systemd and people expect."""

import signal
import threading
import time
from pathlib import Path

import pytest

from tests.e2e.loopback import Loopback, NotifySocket, Program, eventually, loopback

pytestmark = pytest.mark.slow

DOWN = ("1", "Podopay is completely down for me")


def test_a_saved_rule_is_in_force_within_two_seconds(tmp_path: Path) -> None:
    """By atomic replacement, as editors save, twice over; a broken save keeps the last good rules and says where."""
    with loopback() as place:
        program = Program(tmp_path, place.url)
        with program.running():
            program.until("started")
            good = program.rules.read_text(encoding="utf-8")
            for number, word in enumerate(("melted", "exploded"), start=2):
                began = time.monotonic()
                _save(program.rules, good.replace("completely down", f"completely down, {word}"))
                program.until("rules_loaded", count=number)
                assert time.monotonic() - began < 2.0
            changed = program.until("rules_changed")
            assert "outage" in changed["message"]
            _save(program.rules, good.replace("points: 40", "poins: 40"))
            broken = program.until("rules_broken")
            assert "rules.yaml:7:" in broken["message"]
            assert '"points"' in broken["message"]
            place.items = [DOWN]
            assert place.wait(2)
            whys = {sent["why"] for sent in place.deliveries}
            assert whys == {"notice", "first"}
            _save(program.rules, good)
            program.until("rules_loaded", count=4)


def _save(path: Path, text: str) -> None:
    fresh = path.with_suffix(".tmp")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def test_sighup_reads_the_rules_again(tmp_path: Path) -> None:
    """What `systemctl reload` sends."""
    with loopback() as place:
        program = Program(tmp_path, place.url)
        with program.running() as process:
            program.until("started")
            process.send_signal(signal.SIGHUP)
            program.until("rules_loaded", count=2)


def test_a_file_broken_while_it_was_away_does_not_keep_it_from_starting(tmp_path: Path) -> None:
    """The last good rules are in the database; people are told that the file is not in force."""
    with loopback() as place:
        program = Program(tmp_path, place.url)
        with program.running():
            program.until("started")
        program.rules.write_text("version: 1\nbrands: [", encoding="utf-8")
        place.items = [DOWN]
        with program.running():
            assert place.wait(2)
        assert {sent["why"] for sent in place.deliveries} == {"notice", "first"}


def test_a_first_start_with_broken_rules_exits_78_with_every_problem(tmp_path: Path) -> None:
    """One line a problem, on stderr, with its place."""
    program = Program(tmp_path, "http://127.0.0.1:9")
    text = program.rules.read_text(encoding="utf-8")
    program.rules.write_text(
        text.replace("receiver: oncall", "receiver: oncal").replace("any:", "anny:"), encoding="utf-8"
    )
    done = program.call("run")
    assert done.returncode == 78
    lines = [line for line in done.stderr.splitlines() if "rules.yaml:" in line]
    assert len(lines) >= 2
    assert all("Traceback" not in line for line in done.stderr.splitlines())


def test_a_second_daemon_on_one_database_exits_75(tmp_path: Path) -> None:
    """One process per database."""
    with loopback() as place:
        program = Program(tmp_path, place.url)
        with program.running():
            program.until("started")
            done = program.call("run")
            assert done.returncode == 75
            assert "another listener" in done.stderr


def test_sigterm_finishes_a_delivery_and_exits_0(tmp_path: Path) -> None:
    """Nothing is lost and nothing is sent again after the next start."""
    with loopback() as place:
        place.items = [DOWN]
        program = Program(tmp_path, place.url)
        process = program.start()
        held = _hold(place)
        assert place.wait(1)
        process.send_signal(signal.SIGTERM)
        program.until("stopping")
        held.set()
        assert process.wait(timeout=30) == 0
        with program.running():
            program.until("source_polled", count=3)
        assert len(place.deliveries) == 1


def _hold(place: Loopback) -> threading.Event:
    """Keep the sink's answer back until the event is set."""
    held = threading.Event()

    def reply(_nth: int) -> int:
        place.changed.notify_all()
        place.changed.wait_for(held.is_set, timeout=0.1)
        return 200

    place.reply = reply
    return held


def test_systemd_is_told_when_it_is_ready_reloading_and_stopping(tmp_path: Path) -> None:
    """READY, RELOADING, WATCHDOG and STOPPING over the notify socket."""
    with loopback() as place:
        program = Program(tmp_path, place.url)
        notify = NotifySocket(tmp_path)
        with program.running(NOTIFY_SOCKET=notify.path, WATCHDOG_USEC="1000000") as process:
            assert eventually(lambda: notify.told("READY=1"))
            assert eventually(lambda: notify.told("WATCHDOG=1"))
            process.send_signal(signal.SIGHUP)
            assert eventually(lambda: notify.told("RELOADING=1"))
        assert eventually(lambda: notify.told("STOPPING=1"))
        notify.close()


def test_once_polls_delivers_and_stops(tmp_path: Path) -> None:
    """For cron; a source in trouble is exit 1."""
    with loopback() as place:
        place.items = [DOWN]
        program = Program(tmp_path, place.url)
        done = program.call("run", "--once")
        assert (done.returncode, len(place.deliveries)) == (0, 1)
        place.feed_status = 403
        eventually(lambda: program.call("run", "--once").returncode == 1, seconds=10)
        status = program.call("status", "--json")
        assert '"refused"' in status.stdout
        assert status.returncode == 1


def test_no_secret_is_in_the_log_or_in_what_is_said(tmp_path: Path) -> None:
    """The webhook's path is a password, also when the sink refuses it."""
    with loopback() as place:
        place.items = [DOWN]
        place.reply = lambda _nth: 404
        program = Program(tmp_path, place.url)
        with program.running():
            program.until("channel_refused")
        shown = program.call("show", "C1").stdout + program.call("queue").stdout + program.call("status").stdout
        assert "s3cr3t" not in program.log.read_text(encoding="utf-8") + shown
        assert program.call("show", "C1").returncode == 0


def test_the_files_it_makes_are_its_own(tmp_path: Path) -> None:
    """Database and lock can be read by nobody else."""
    with loopback() as place:
        program = Program(tmp_path, place.url)
        program.call("run", "--once")
        for path in tmp_path.glob("listener.db*"):
            assert path.stat().st_mode & 0o077 == 0, path
