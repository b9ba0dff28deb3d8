"""The main job on PostgreSQL: the pipeline in this process, and the installed program against a server."""

import json
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from listener.domain.errors import DeliveryDelayed
from listener.domain.verdict import Severity
from tests import postgres
from tests.e2e.loopback import Program, loopback
from tests.pipeline.world import Service, post

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgres")]

_numbers = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    try:
        with postgres.server() as dsn:
            yield dsn
    except postgres.NoPostgresError as error:
        pytest.skip(str(error))


@pytest.fixture
def url(server: str) -> Iterator[str]:
    """An empty database of the test's own."""
    name = f"listener_e2e_{os.getpid()}_{next(_numbers)}"
    postgres.make_database(server, name)
    yield postgres.sqlalchemy_url(server, name)
    postgres.drop_database(server, name)


def test_a_complaint_travels_from_a_poll_to_people(url: str, tmp_path: Path) -> None:
    """Poll, case, alert, a sink that is late, an edit, a repeat; with Korean and emoji and what PostgreSQL cannot store."""
    service = Service(tmp_path, url=url)
    service.says("forum", post("1", "Podopay completely down 😡"), post("2", "포도페이 먹통이에요\0 \ud800"))
    tape = service.tape("oncall")
    tape.failures.append(DeliveryDelayed("later", ambiguous=True))
    service.deliver()
    assert len(tape.sent) == 1
    for _ in range(20):
        service.tick()
        service.clock.advance(service.rules.policy.sources[0].every)
        service.deliver()
    assert len(tape.sent) == 2
    assert sorted(message.possible_repeat for message in tape.sent) == [False, True]
    service.says("forum", post("1", "Podopay completely down 😡"), post("2", "포도페이 먹통, 이제 괜찮아요"))
    service.says("other", post("x", "Podopay completely down 😡", url="https://forum.example/t/1"))
    cases = service.read(lambda uow: uow.triage_queue(limit=10))
    assert {case.severity for case in cases} == {Severity.URGENT}
    assert len(cases) == 2
    assert service.read(lambda uow: [row.state for row in uow.notifications_of_case(cases[0].id)]) == ["sent"]
    service.store.close()


def test_the_installed_program_runs_on_it(url: str, tmp_path: Path) -> None:
    """It makes its tables, hears, tells, and shows; a second run repeats nothing."""
    with loopback() as place:
        place.items = [("1", "Podopay is completely down 😡"), ("2", "포도페이 지금 먹통이에요")]
        program = Program(tmp_path, place.url)
        for _ in range(2):
            done = program.call("run", "--once", LISTENER_DB=url)
            assert done.returncode == 0, done.stderr
        assert len(place.deliveries) == 2
        cases = [json.loads(line) for line in program.call("queue", "--json", LISTENER_DB=url).stdout.splitlines()]
        assert sorted(case["case"] for case in cases) == ["C1", "C2"]
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "listener.db").exists()


def test_a_second_daemon_on_one_database_is_refused(url: str, tmp_path: Path) -> None:
    """The lock is the database's, not a file's: it holds between machines."""
    with loopback() as place:
        program = Program(tmp_path, place.url)
        with program.running(LISTENER_DB=url):
            program.until("started")
            done = program.call("run", LISTENER_DB=url)
        assert (done.returncode, "another listener" in done.stderr) == (75, True), done.stderr


def test_a_server_that_goes_away_is_waited_for(url: str, tmp_path: Path) -> None:
    """Connections are cut while the daemon runs: it says so, goes on, and loses nothing."""
    with loopback() as place:
        program = Program(tmp_path, place.url)
        with program.running(LISTENER_DB=url):
            program.until("source_polled")
            parts = psycopg.conninfo.conninfo_to_dict(url.replace("postgresql+psycopg", "postgresql"))
            with psycopg.connect(**parts, autocommit=True) as other:  # type: ignore[arg-type]
                other.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                    " and pid <> pg_backend_pid() and not exists"
                    " (select 1 from pg_locks where pg_locks.pid = pg_stat_activity.pid and locktype = 'advisory')"
                )
            place.items = [("1", "Podopay is completely down for me")]
            assert place.wait(1)
    assert "Traceback" not in program.log.read_text(encoding="utf-8")
