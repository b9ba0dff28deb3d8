"""The embedded engine, with real threads. Every wait is for an event, with a limit that only a failure reaches."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from listener.domain.errors import StoreError
from listener.engine.embedded import EmbeddedEngine
from listener.ports import Job
from listener.testing.fakes import FakeClock

LIMIT = 20.0
"""Seconds that only a failing test waits; the machine may be busy."""


class Probe:
    """A job that counts its runs, can be held inside one, and returns what `answer` says."""

    def __init__(self, answer: Callable[[int], datetime | None] = lambda _run: None) -> None:
        self._answer = answer
        self._changed = threading.Condition()
        self._gate = threading.Event()
        self._gate.set()
        self.begun = 0
        self.ended = 0
        self.at_once = 0
        self.most_at_once = 0

    def __call__(self) -> datetime | None:
        with self._changed:
            self.begun += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            run = self.begun
            self._changed.notify_all()
        try:
            assert self._gate.wait(LIMIT)
            return self._answer(run)
        finally:
            with self._changed:
                self.at_once -= 1
                self.ended += 1
                self._changed.notify_all()

    def hold(self) -> None:
        self._gate.clear()

    def release(self) -> None:
        self._gate.set()

    def wait_begun(self, runs: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.begun >= runs, LIMIT), f"{self.begun} of {runs} runs began"

    def wait_ended(self, runs: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.ended >= runs, LIMIT), f"{self.ended} of {runs} runs ended"


class House:
    """An engine with one thread in each of two lanes, on a clock that is set by hand."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.engine = EmbeddedEngine({"poll": 1, "tick": 1}, self.clock, supervise_every=0.01)
        self.jobs: dict[str, Job] = {}

    def add(self, name: str, run: Callable[[], datetime | None], lane: str = "poll") -> None:
        self.jobs[name] = Job(name=name, lane=lane, run=run)
        self.engine.set_jobs(tuple(self.jobs.values()))

    def remove(self, name: str) -> None:
        del self.jobs[name]
        self.engine.set_jobs(tuple(self.jobs.values()))

    def quiet(self, lane: str = "poll") -> None:
        """Return when the lane has done all that was asked of it before: its one thread ran a job that came last."""
        last = Probe()
        self.add(f"last in {lane}", last, lane)
        last.wait_ended(1)
        self.remove(f"last in {lane}")


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    assert house.engine.stop(LIMIT)


@pytest.fixture
def often_switching() -> Iterator[None]:
    """Let threads take turns a thousand times more often, so that races have their chance."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def test_a_job_runs_at_once_and_then_waits_for_the_bell(house: House) -> None:
    probe = Probe()
    house.add("forum", probe)
    house.engine.start()
    probe.wait_ended(1)
    house.engine.ring("forum")
    probe.wait_ended(2)
    house.quiet()
    assert probe.ended == 2


def test_a_job_that_comes_later_runs_at_once(house: House) -> None:
    house.engine.start()
    probe = Probe()
    house.add("forum", probe)
    probe.wait_ended(1)


def test_a_job_runs_again_at_the_time_that_it_gave(house: House) -> None:
    probe = Probe(lambda run: house.clock.now() + timedelta(milliseconds=5) if run < 4 else None)
    house.add("forum", probe)
    house.engine.start()
    probe.wait_ended(4)
    house.quiet()
    assert probe.ended == 4


def test_a_time_in_the_past_means_now(house: House) -> None:
    probe = Probe(lambda run: house.clock.now() - timedelta(days=1) if run == 1 else None)
    house.add("forum", probe)
    house.engine.start()
    probe.wait_ended(2)


def test_a_time_beyond_all_calendars_harms_nobody(house: House) -> None:
    probe = Probe(lambda run: datetime.max.replace(tzinfo=UTC))
    house.add("forum", probe)
    house.engine.start()
    probe.wait_ended(1)
    house.engine.ring("forum")
    probe.wait_ended(2)


def test_a_bell_during_a_run_makes_exactly_one_more_run(house: House) -> None:
    """The run may have read the database before the row was there: the bell must not be lost, nor be doubled."""
    probe = Probe()
    probe.hold()
    house.add("deliver", probe)
    house.engine.start()
    probe.wait_begun(1)
    for _ in range(100):
        house.engine.ring("deliver")
    probe.release()
    probe.wait_ended(2)
    house.quiet()
    assert (probe.ended, probe.most_at_once) == (2, 1)


def test_a_bell_during_a_run_beats_the_time_that_the_run_gives(house: House) -> None:
    probe = Probe(lambda _run: house.clock.now() + timedelta(hours=1))
    probe.hold()
    house.add("deliver", probe)
    house.engine.start()
    probe.wait_begun(1)
    house.engine.ring("deliver")
    probe.release()
    probe.wait_ended(2)


def test_no_bell_is_lost_whenever_it_rings(house: House) -> None:
    """A bell from another thread, at any moment of the run before, is always followed by a run that began after it."""
    wanted = 300
    probe = Probe()
    house.add("deliver", probe)
    house.engine.start()
    for _ in range(wanted):
        before = probe.begun
        house.engine.ring("deliver")
        probe.wait_begun(before + 1)
    assert probe.most_at_once == 1


def test_a_run_that_begins_while_the_scheduler_still_counts_the_last_one_is_not_dropped(
    house: House, often_switching: None
) -> None:
    """APScheduler counts a run until some time after our function returned; a bell during the run rings in between."""
    wanted = 3000

    def answer(run: int) -> None:
        if run < wanted:
            house.engine.ring("deliver")

    probe = Probe(answer)
    house.add("deliver", probe)
    house.engine.start()
    probe.wait_ended(wanted)


def test_many_bells_from_many_threads_never_run_a_job_twice_at_once(house: House) -> None:
    probe = Probe()
    house.add("deliver", probe)
    house.engine.start()

    def ring_often() -> None:
        for _ in range(200):
            house.engine.ring("deliver")

    ringers = [threading.Thread(target=ring_often) for _ in range(4)]
    for ringer in ringers:
        ringer.start()
    for ringer in ringers:
        ringer.join(LIMIT)
    before = probe.begun
    house.engine.ring("deliver")
    probe.wait_begun(before + 1)
    assert probe.most_at_once == 1


def test_bells_for_a_job_that_waits_for_a_thread_make_one_run(house: House) -> None:
    blocker, probe = Probe(), Probe()
    blocker.hold()
    house.add("blocker", blocker)
    house.engine.start()
    blocker.wait_begun(1)
    house.add("forum", probe)
    house.quiet("tick")  # by now the timer has handed the job to its lane
    for _ in range(50):
        house.engine.ring("forum")
        house.quiet("tick")
    blocker.release()
    house.quiet()
    assert probe.ended == 1


def test_the_bell_of_an_unknown_job_does_no_harm(house: House) -> None:
    house.engine.ring("nobody")
    house.engine.start()
    house.engine.ring("nobody")


def test_a_slow_lane_never_delays_another(house: House) -> None:
    slow, quick = Probe(), Probe()
    slow.hold()
    house.add("slow", slow)
    house.add("quick", quick, "tick")
    house.engine.start()
    slow.wait_begun(1)
    quick.wait_ended(1)
    slow.release()


def test_a_failing_job_is_logged_and_runs_again_after_a_growing_pause(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(run: int) -> None:
        if run <= 2:
            raise RuntimeError("a bug")

    probe = Probe(answer)
    house.add("forum", probe)
    house.engine.start()
    for runs, pause in ((1, 1), (2, 2)):
        probe.wait_ended(runs)
        house.quiet()
        house.engine.ring("forum")  # does not shorten the pause: a bug must not become a busy loop
        house.clock.advance(timedelta(seconds=pause - 0.5))
        house.quiet()
        assert probe.ended == runs
        house.clock.advance(timedelta(seconds=0.6))
    probe.wait_ended(3)
    house.quiet()
    house.engine.ring("forum")
    probe.wait_ended(4)
    events = [
        (record.levelno, record.__dict__["event"], record.__dict__["job"], record.__dict__["again_in_s"])
        for record in caplog.records
        if record.__dict__.get("event") == "job_failed"
    ]
    assert events == [(logging.ERROR, "job_failed", "forum", 1.0), (logging.ERROR, "job_failed", "forum", 2.0)]


def test_trouble_that_we_know_is_a_sentence_without_a_traceback(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """A full disk or a database in use is no bug; the job is tried again all the same."""

    def answer(run: int) -> None:
        if run == 1:
            raise StoreError("the database cannot grow: the disk is full; free some space")

    probe = Probe(answer)
    house.add("tick", probe)
    house.engine.start()
    probe.wait_ended(1)
    house.quiet()
    house.clock.advance(timedelta(seconds=1.1))
    probe.wait_ended(2)
    (record,) = [each for each in caplog.records if each.__dict__.get("event") == "job_delayed"]
    assert record.getMessage() == "the database cannot grow: the disk is full; free some space"
    assert record.exc_info is None


def test_the_pause_after_failures_stays_below_a_minute(house: House) -> None:
    def answer(_run: int) -> None:
        raise RuntimeError("a bug")

    probe = Probe(answer)
    house.add("forum", probe)
    house.engine.start()
    for runs in range(1, 10):
        probe.wait_ended(runs)
        house.quiet()
        house.clock.advance(timedelta(seconds=60.1))
    probe.wait_ended(10)


@pytest.mark.parametrize("thrown", [SystemExit(3), KeyboardInterrupt(), ValueError("x")])
def test_nothing_that_a_job_throws_stops_the_engine(house: House, thrown: BaseException) -> None:
    def answer(run: int) -> None:
        if run == 1:
            raise thrown

    probe, other = Probe(answer), Probe()
    house.add("forum", probe)
    house.engine.start()
    probe.wait_ended(1)
    house.add("other", other)
    other.wait_ended(1)
    house.quiet()
    house.clock.advance(timedelta(seconds=1.1))
    probe.wait_ended(2)


def test_a_naive_time_is_a_bug_of_its_job(house: House, caplog: pytest.LogCaptureFixture) -> None:
    probe = Probe(lambda run: datetime(2026, 3, 2, 9) if run == 1 else None)  # noqa: DTZ001
    house.add("forum", probe)
    house.engine.start()
    probe.wait_ended(1)
    house.quiet()
    assert "job_failed" in [record.__dict__.get("event") for record in caplog.records]


def test_a_clock_set_back_does_not_make_jobs_oversleep(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """The timer still sleeps for an hour of its own clock; by the monotonic clock the hour is over."""
    probe = Probe(lambda _run: house.clock.now() + timedelta(hours=1))
    house.add("forum", probe)
    house.engine.start()
    probe.wait_ended(1)
    house.quiet()
    house.clock.jump(timedelta(days=-1))
    house.clock.advance(timedelta(hours=1, seconds=1))
    probe.wait_ended(2)
    house.quiet()
    assert probe.ended == 2
    assert "jobs_overslept" in [record.__dict__.get("event") for record in caplog.records]


def test_a_clock_set_forward_delays_nothing_and_repeats_nothing(house: House) -> None:
    probe = Probe(lambda _run: house.clock.now() + timedelta(hours=1))
    house.add("forum", probe)
    house.engine.start()
    probe.wait_ended(1)
    house.quiet()
    house.clock.jump(timedelta(days=1))
    house.quiet()
    assert probe.ended == 1
    house.clock.advance(timedelta(hours=1, seconds=1))
    probe.wait_ended(2)
    house.quiet()
    assert probe.ended == 2


def test_new_jobs_run_missing_ones_are_forgotten_known_ones_keep_their_time(house: House) -> None:
    kept, dropped, new = Probe(lambda _run: house.clock.now() + timedelta(hours=1)), Probe(), Probe()
    house.add("kept", kept)
    house.add("dropped", dropped)
    house.engine.start()
    kept.wait_ended(1)
    dropped.wait_ended(1)
    house.remove("dropped")
    house.add("new", new)
    new.wait_ended(1)
    house.engine.ring("dropped")
    house.quiet()
    assert (kept.ended, dropped.ended, new.ended) == (1, 1, 1)
    house.clock.advance(timedelta(hours=1, seconds=1))
    kept.wait_ended(2)


def test_a_known_job_gets_its_new_work_and_its_new_lane(house: House) -> None:
    """After a reload the job of the same name closes over the new policy."""
    old, new, blocker = Probe(), Probe(), Probe()
    blocker.hold()
    house.add("forum", old)
    house.engine.start()
    old.wait_ended(1)
    house.add("blocker", blocker)
    blocker.wait_begun(1)
    house.add("forum", new, "tick")
    house.engine.ring("forum")
    new.wait_ended(1)
    blocker.release()
    assert old.ended == 1


def test_a_job_that_goes_and_comes_back_during_its_run_still_runs_once_at_a_time(house: House) -> None:
    probe = Probe()
    probe.hold()
    house.engine = EmbeddedEngine({"poll": 4}, house.clock, supervise_every=0.01)
    house.add("forum", probe)
    house.engine.start()
    probe.wait_begun(1)
    house.remove("forum")
    house.engine.ring("forum")
    house.add("forum", probe)
    probe.release()
    probe.wait_ended(2)
    assert probe.most_at_once == 1


def test_a_job_forgotten_during_its_run_never_runs_again(house: House) -> None:
    probe = Probe(lambda _run: house.clock.now())
    probe.hold()
    house.add("forum", probe)
    house.engine.start()
    probe.wait_begun(1)
    house.remove("forum")
    probe.release()
    house.quiet()
    assert probe.ended == 1
    assert house.engine.stalled(0) == ()


def test_a_job_forgotten_while_it_waits_for_a_thread_never_runs(house: House) -> None:
    blocker, probe = Probe(), Probe()
    blocker.hold()
    house.add("blocker", blocker)
    house.engine.start()
    blocker.wait_begun(1)
    house.add("forum", probe)
    house.quiet("tick")
    house.remove("forum")
    blocker.release()
    house.quiet()
    assert probe.ended == 0


def test_a_lane_that_is_not_there_is_refused(house: House) -> None:
    with pytest.raises(ValueError, match=r"job forum asks for lane sea; there are \['poll', 'tick'\]"):
        house.add("forum", Probe(), "sea")


def test_stopping_waits_for_running_jobs_and_takes_no_new_work() -> None:
    house = House()
    running, waiting = Probe(lambda _run: house.clock.now()), Probe()
    running.hold()
    house.add("running", running)
    house.engine.start()
    running.wait_begun(1)
    house.add("waiting", waiting)
    house.quiet("tick")
    assert not house.engine.stop(0.01)
    house.engine.ring("running")
    house.add("late", waiting)
    running.release()
    assert house.engine.stop(LIMIT)
    for thread in threading.enumerate():
        if thread.name.startswith("poll"):
            thread.join(LIMIT)
    assert (running.ended, waiting.ended) == (1, 0)


def test_an_engine_that_never_started_stops_at_once() -> None:
    assert EmbeddedEngine({"poll": 1}, FakeClock()).stop(0)


def test_a_job_that_runs_too_long_is_named_as_stalled(house: House) -> None:
    probe = Probe()
    probe.hold()
    house.add("forum", probe)
    house.engine.start()
    probe.wait_begun(1)
    house.clock.advance(timedelta(seconds=50))
    assert house.engine.stalled(60) == ()
    house.clock.advance(timedelta(seconds=11))
    assert house.engine.stalled(60) == ("forum",)
    probe.release()
    house.quiet()
    assert house.engine.stalled(60) == ()


def test_jobs_that_find_no_free_thread_are_named_as_stalled(house: House) -> None:
    blocker = Probe()
    blocker.hold()
    house.add("blocker", blocker)
    house.engine.start()
    blocker.wait_begun(1)
    house.add("b", Probe())
    house.add("a", Probe())
    house.clock.advance(timedelta(seconds=61))
    assert house.engine.stalled(60) == ("a", "b", "blocker")
    blocker.release()


def test_jobs_that_find_no_free_thread_have_not_overslept(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Waking them again would not help. The sleeper shows that the supervisor looked."""
    blocker, sleeper = Probe(), Probe(lambda _run: house.clock.now() + timedelta(minutes=1))
    blocker.hold()
    house.add("blocker", blocker)
    house.add("sleeper", sleeper, "tick")
    house.engine.start()
    blocker.wait_begun(1)
    house.add("waiting", Probe())
    sleeper.wait_ended(1)
    house.quiet("tick")
    house.clock.advance(timedelta(seconds=61))
    sleeper.wait_ended(2)
    woken = [each.__dict__["jobs"] for each in caplog.records if each.__dict__.get("event") == "jobs_overslept"]
    assert set(woken) == {1}
    blocker.release()


def test_a_job_that_waits_for_its_time_or_for_the_bell_is_not_stalled(house: House) -> None:
    bell, hourly = Probe(), Probe(lambda _run: house.clock.now() + timedelta(hours=1))
    house.add("bell", bell)
    house.add("hourly", hourly)
    house.engine.start()
    bell.wait_ended(1)
    hourly.wait_ended(1)
    house.quiet()
    house.clock.advance(timedelta(minutes=59))
    assert house.engine.stalled(60) == ()


def test_an_engine_that_did_not_start_has_only_stalled_jobs() -> None:
    house = House()
    house.add("forum", Probe())
    house.clock.advance(timedelta(seconds=61))
    assert house.engine.stalled(60) == ("forum",)


def test_the_scheduler_s_own_log_is_quiet(house: House, caplog: pytest.LogCaptureFixture) -> None:
    def answer(run: int) -> None:
        if run == 1:
            raise RuntimeError("a bug")

    with caplog.at_level(logging.DEBUG):
        probe = Probe(answer)
        house.add("forum", probe)
        house.engine.start()
        probe.wait_ended(1)
        house.quiet()
    assert {record.name for record in caplog.records} == {"listener.engine.embedded"}
