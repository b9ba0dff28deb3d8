"""The embedded engine: APScheduler 3.11 in one process, one pool of threads per lane.

APScheduler is the timer and the pools. What it does not promise is added here:

* a bell that rings while a job runs is not lost: the job runs once more;
* a wall clock that is set back does not make jobs oversleep: a supervisor compares due times on the monotonic clock
  (APScheduler sleeps until a wall-clock time; agronholm/apscheduler#339 describes the oversleep);
* a wall clock that is set forward costs at most one early run per job, which finds nothing due in the database;
* an exception out of a job stops nobody: it is logged, and the job runs again after a back-off.

Locks: `_state` may be held while the scheduler is called, never the other way round. APScheduler calls into this module only
from a worker thread, when it holds no lock of its own; therefore no event listener of APScheduler is used (it may call
them in its own thread, with its job store locked).
"""

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from listener.domain.errors import ListenerError
from listener.ports import Clock, Job

log = logging.getLogger(__name__)

LANES: Final[Mapping[str, int]] = MappingProxyType({"poll": 16, "deliver": 8, "tick": 2})
"""Threads per lane. Polls wait for the network most of their time, deliveries too; ticks are short."""

FIRST_BACK_OFF: Final = 1.0
LONGEST_BACK_OFF: Final = 60.0
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_LONGEST_DELAY: Final = timedelta(days=3650).total_seconds()


class _UntilArmed(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 ships no types
    """After each run, wait until somebody sets a time. The timer so stays in the job store, which is cheap to change."""

    __slots__ = ()

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        return _NEVER


class _Slot:
    """What the engine knows of one job. `due` and `started` are monotonic seconds; `due` is `None` while the job runs or
    waits for the bell. `rung` means: run once more when this run ends. `gone` means: forget it when this run ends.
    """

    __slots__ = ("due", "failures", "gone", "job", "rung", "started", "timer")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.timer: Any = None
        self.due: float | None = None
        self.started: float | None = None
        self.rung = False
        self.gone = False
        self.failures = 0

    @property
    def queued(self) -> bool:
        """The timer handed it to its lane, where it waits for a free thread."""
        return self.due is not None and self.timer is not None and bool(self.timer.next_run_time == _NEVER)

    @property
    def busy_since(self) -> float | None:
        """Since when it runs, or should have run."""
        return self.due if self.started is None else self.started


class EmbeddedEngine:
    """`ports.Engine` on threads. Thread-safe: any thread may call any method.

    `lanes` maps a lane's name to its number of threads. `supervise_every` is how often, in seconds, the supervisor looks
    for jobs that overslept; a job is helped when it is later than that.
    """

    def __init__(self, lanes: Mapping[str, int], clock: Clock, *, supervise_every: float = 1.0) -> None:
        self._clock = clock
        self._lanes = frozenset(lanes)
        self._every = supervise_every
        self._slots: dict[str, _Slot] = {}
        self._running = 0
        self._started = False
        self._stopping = threading.Event()
        self._state = threading.Condition()
        self._scheduler = _scheduler(lanes)
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor", daemon=True)

    def start(self) -> None:
        """Begin to run jobs; those that are known already run at once."""
        with self._state:
            self._started = True
            self._scheduler.start()
            self._supervisor.start()
            for slot in self._slots.values():
                self._install(slot)

    def set_jobs(self, jobs: tuple[Job, ...]) -> None:
        """Make exactly these jobs known. Raises ValueError for a lane that this engine has not."""
        for job in jobs:
            if job.lane not in self._lanes:
                raise ValueError(f"job {job.name} asks for lane {job.lane}; there are {sorted(self._lanes)}")
        wanted = {job.name: job for job in jobs}
        with self._state:
            for name in self._slots.keys() - wanted.keys():
                self._forget(self._slots[name])
            for job in wanted.values():
                self._learn(job)

    def ring(self, job_name: str) -> None:
        """Run it soon; if it runs right now, once more afterwards. A job in back-off keeps its time: it runs anyway."""
        with self._state:
            slot = self._slots.get(job_name)
            if slot is None or slot.gone or self._stopping.is_set():
                return
            if slot.started is not None:
                slot.rung = True
            elif not slot.failures and not slot.queued:
                self._arm(slot, self._clock.monotonic())

    def stop(self, timeout: float) -> bool:
        """Take no new work and wait up to `timeout` seconds for running jobs; False if some still run.

        A thread cannot be killed: after False, end the process with `os._exit`, or it waits for the job at its exit.
        """
        with self._state:
            self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        with self._state:
            return self._state.wait_for(lambda: self._running == 0, timeout)

    def stalled(self, limit_s: float) -> tuple[str, ...]:
        """Names of jobs that run longer than `limit_s` seconds or should have begun that long ago, sorted.

        Empty means that all lanes advance: the one condition on which the watchdog may be fed.
        """
        with self._state:
            now = self._clock.monotonic()
            since = ((slot.job.name, slot.busy_since) for slot in self._slots.values())
            return tuple(sorted(name for name, begun in since if begun is not None and now - begun > limit_s))

    # --- below, `_state` is held, unless said otherwise

    def _learn(self, job: Job) -> None:
        slot = self._slots.get(job.name)
        if slot is None:
            slot = self._slots[job.name] = _Slot(job)
            slot.due = self._clock.monotonic()
            if self._started:
                self._install(slot)
            return
        if slot.gone:  # came back while its last run has not ended: still at most one run at a time
            slot.gone, slot.rung = False, True
        if slot.job.lane != job.lane and slot.timer is not None:
            slot.timer.modify(executor=job.lane)
        slot.job = job

    def _forget(self, slot: _Slot) -> None:
        slot.gone = True
        if slot.started is not None:
            return
        del self._slots[slot.job.name]
        if slot.timer is not None and not self._stopping.is_set():
            slot.timer.remove()

    def _install(self, slot: _Slot) -> None:
        if self._stopping.is_set():
            return
        slot.timer = self._scheduler.add_job(
            self._work,
            _UntilArmed(),
            args=(slot,),
            name=slot.job.name,
            executor=slot.job.lane,
            next_run_time=datetime.now(UTC),
        )

    def _arm(self, slot: _Slot, due: float) -> None:
        """Let it run at `due`. APScheduler gets a delay from its own wall clock, so ours may differ (in tests it does)."""
        slot.due = due
        if slot.timer is None or self._stopping.is_set():
            return
        delay = min(max(due - self._clock.monotonic(), 0.0), _LONGEST_DELAY)
        slot.timer.modify(next_run_time=datetime.now(UTC) + timedelta(seconds=delay))

    def _work(self, slot: _Slot) -> None:
        """One run, in a thread of the job's lane. Takes `_state` itself; the job runs without it."""
        with self._state:
            if slot.gone or self._stopping.is_set():
                return
            if slot.started is not None:  # a second submission; max_instances=2 lets it through, so it is not lost
                slot.rung = True
                return
            slot.due, slot.rung = None, False
            slot.started = self._clock.monotonic()
            self._running += 1
            job = slot.job
        due = self._run(slot, job)
        with self._state:
            self._finish(slot, due)

    def _run(self, slot: _Slot, job: Job) -> float | None:
        """Run it without `_state` and return when it is due again. Only the running thread touches `failures`."""
        try:
            again_at = job.run()
            due = None if again_at is None else self._due(again_at)
        except ListenerError as error:  # no bug: a full disk, a database that somebody else holds
            return self._after_failure(slot, "job_delayed", str(error))
        except BaseException as error:  # noqa: BLE001 - whatever else comes out (SystemExit too) is a bug in that job alone
            return self._after_failure(slot, "job_failed", "a job failed, which is a bug; it will run again", error)
        slot.failures = 0
        return due

    def _after_failure(self, slot: _Slot, event: str, says: str, bug: BaseException | None = None) -> float:
        """Say it, and return when the job is due again: the pause doubles with each failure in a row."""
        slot.failures += 1
        pause = min(FIRST_BACK_OFF * 2.0 ** min(slot.failures - 1, 16), LONGEST_BACK_OFF)
        extra = {"event": event, "job": slot.job.name, "failures": slot.failures, "again_in_s": pause}
        log.error(says, exc_info=bug, extra=extra)
        return self._clock.monotonic() + pause

    def _due(self, at: datetime) -> float:
        delay = (at - self._clock.now()).total_seconds()
        return self._clock.monotonic() + delay

    def _finish(self, slot: _Slot, due: float | None) -> None:
        slot.started = None
        self._running -= 1
        self._state.notify_all()
        if slot.gone:
            self._forget(slot)
        elif slot.rung and not slot.failures:
            self._arm(slot, self._clock.monotonic())
        elif due is not None:
            self._arm(slot, due)

    def _supervise(self) -> None:
        """The supervisor's thread. `Event.wait` counts monotonic time, whatever the wall clock does."""
        while not self._stopping.wait(self._every):
            late = self._overslept()
            if late:
                log.warning(
                    "jobs overslept and are woken; the clock was set back, or the machine is overloaded",
                    extra={"event": "jobs_overslept", "jobs": len(late)},
                )
                self._wake(late)

    def _overslept(self) -> list[_Slot]:
        """What should have run by now and still waits for its timer. A job that waits for a thread is left alone."""
        with self._state:
            latest = self._clock.monotonic() - self._every
            return [
                slot
                for slot in self._slots.values()
                if slot.due is not None and slot.due < latest and slot.timer is not None and not slot.queued
            ]

    def _wake(self, slots: list[_Slot]) -> None:
        with self._state:
            for slot in slots:
                if slot.due is not None and not slot.queued and not slot.gone:
                    self._arm(slot, slot.due)


def _scheduler(lanes: Mapping[str, int]) -> Any:
    """A scheduler that never drops a late run. Its own log repeats ours, so only its real faults are let through.

    `max_instances` is 2 because APScheduler counts a run until some time after our function returned: with 1, a bell rung
    at that moment would be dropped. That one run happens at a time is held by `_Slot.started`.
    """
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("apscheduler.executors").setLevel(logging.CRITICAL)
    return BackgroundScheduler(
        timezone=UTC,
        executors={
            lane: ThreadPoolExecutor(threads, pool_kwargs={"thread_name_prefix": lane})
            for lane, threads in lanes.items()
        },
        job_defaults={"coalesce": True, "max_instances": 2, "misfire_grace_time": None},
    )
