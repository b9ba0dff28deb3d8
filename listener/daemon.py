"""The background service: starts the engine, swaps the rules when they change, feeds the watchdog, drains on SIGTERM."""

import contextlib
import ctypes
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType

import watchfiles

from listener.app import App, read_rules
from listener.domain.errors import ConfigError
from listener.domain.notification import Notice
from listener.domain.policy import Policy
from listener.engine.embedded import EmbeddedEngine
from listener.observe import redactor, sd_notify, secrets_in, watchdog_interval
from listener.outbox import announce, begin
from listener.pipeline import ChannelPace, deliver, poll, tick
from listener.ports import Job
from listener.rules.changes import changes
from listener.rules.load import Loaded
from listener.ruleset import Ruleset, World

log = logging.getLogger("listener.daemon")

DRAIN_SECONDS = 20.0
STALLED_AFTER_SECONDS = 120.0
_LAST_GOOD = "rules.last_good"
_BROKEN = "rules:broken"


class Daemon:
    """One running service. `run` returns when it was asked to stop and running work is done."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._engine = EmbeddedEngine({"poll": 16, "deliver": 8, "tick": 1}, app.clock)
        self._world = World(store=app.store, clock=app.clock, bell=self._engine)
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._reload = threading.Event()
        self._paces: dict[str, ChannelPace] = {}
        self._rules = self._first_rules()

    # --- rules

    def _first_rules(self) -> Ruleset:
        """The file on disk, or, if somebody broke it while we were away, the last good one."""
        try:
            text = read_rules(self._app.settings.rules)
            rules, loaded = self._app.ruleset(text)
        except ConfigError as error:
            return self._last_good(error)
        _log_warnings(loaded)
        self._keep(text, rules)
        return rules

    def _last_good(self, error: ConfigError) -> Ruleset:
        with self._app.store.reading() as uow:
            text = uow.recall(_LAST_GOOD)
        if text is None:
            raise error
        rules, _ = self._app.ruleset(text)
        hide_secrets(rules.policy)
        self._tell_broken(rules, error)
        return rules

    def _keep(self, text: str, rules: Ruleset) -> None:
        hide_secrets(rules.policy)
        now = self._app.clock.now()
        with self._app.store.writing() as uow:
            uow.remember(_LAST_GOOD, text)
            uow.close_notice(_BROKEN, now)
            ring = begin(uow, rules, now)
        for channel in ring:
            self._engine.ring(f"deliver:{channel}")
        log.info("rules in force", extra={"event": "rules_loaded", "ruleset": rules.policy.digest})

    def _tell_broken(self, rules: Ruleset, error: ConfigError) -> None:
        for problem in error.problems:
            log.error(problem.sentence(error.file), extra={"event": "rules_broken"})
        more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
        notice = Notice(
            key=_BROKEN,
            title="rules.yaml on disk is not the policy in force",
            body=f"{error.problems[0].sentence(error.file)}{more}. The last good rules stay in force until it is mended.",
            opened_at=self._app.clock.now(),
        )
        with self._app.store.writing() as uow:
            ring = announce(uow, rules, notice)
        for channel in ring:
            self._engine.ring(f"deliver:{channel}")

    def _reload_rules(self) -> None:
        """Swap the rules for those on disk, or keep the last good ones and say so."""
        sd_notify("RELOADING=1")
        try:
            text = read_rules(self._app.settings.rules)
            rules, loaded = self._app.ruleset(text)
        except ConfigError as error:
            self._tell_broken(self._rules, error)
        else:
            _log_warnings(loaded)
            for line in changes(self._rules.policy, rules.policy):
                log.info(line, extra={"event": "rules_changed"})
            self._rules = rules
            self._paces.clear()
            self._engine.set_jobs(self._jobs())
            self._keep(text, rules)
        sd_notify("READY=1")

    # --- work

    def _jobs(self) -> tuple[Job, ...]:
        policy = self._rules.policy
        polls = [Job(name=f"poll:{spec.id}", lane="poll", run=self._poll(spec.id)) for spec in policy.sources]
        sends = [Job(name=f"deliver:{name}", lane="deliver", run=self._deliver(name)) for name in policy.channels]
        return (Job(name="tick", lane="tick", run=self._tick), *polls, *sends)

    def _poll(self, source_id: str) -> Callable[[], datetime | None]:
        return lambda: poll(self._world, self._rules, source_id)

    def _deliver(self, channel: str) -> Callable[[], datetime | None]:
        return lambda: deliver(self._world, self._rules, channel, self._paces.setdefault(channel, ChannelPace()))

    def _tick(self) -> datetime:
        return tick(self._world, self._rules)

    # --- life

    def run(self) -> bool:
        """Work until asked to stop; False if some work could not be finished in time."""
        with self._signals(), self._watching():
            with self._app.store.writing() as uow:
                uow.release_leases(self._app.clock.now())  # their holder is gone: we hold the lock
            self._engine.set_jobs(self._jobs())
            self._engine.start()
            sd_notify("READY=1")
            log.info("listening", extra={"event": "started", "sources": len(self._rules.policy.sources)})
            self._attend()
            return self._shut_down()

    def _attend(self) -> None:
        """Wait for something to do; feed the watchdog only while work advances."""
        interval = watchdog_interval()
        while not self._stop.is_set():
            self._wake.wait(timeout=(interval or 60.0) / 2)
            self._wake.clear()
            if self._reload.is_set() and not self._stop.is_set():
                self._reload.clear()
                self._reload_rules()
            stalled = self._engine.stalled(STALLED_AFTER_SECONDS)
            if stalled:
                log.error("work has stalled", extra={"event": "stalled", "jobs": list(stalled)})
            else:
                sd_notify("WATCHDOG=1")

    def _shut_down(self) -> bool:
        sd_notify("STOPPING=1")
        log.info("stopping: running work is finished first", extra={"event": "stopping"})
        drained = self._engine.stop(DRAIN_SECONDS)
        if not drained:
            log.warning(
                "some work did not end in time; it is taken up again at the next start", extra={"event": "undrained"}
            )
        return drained

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def on_stop(_signum: int, _frame: FrameType | None) -> None:
            self._stop.set()
            self._wake.set()

        def on_reload(_signum: int, _frame: FrameType | None) -> None:
            self._reload.set()
            self._wake.set()

        handlers = {signal.SIGTERM: on_stop, signal.SIGINT: on_stop, signal.SIGHUP: on_reload}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def _watching(self) -> Iterator[None]:
        """Notice a saved rules.yaml. The folder is watched: editors replace the file, and a watch on it sees only the first."""
        thread = threading.Thread(target=self._watch, name="rules-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(timeout=5)

    def _watch(self) -> None:
        path = self._app.settings.rules.resolve()
        for _ in watchfiles.watch(
            path.parent,
            watch_filter=lambda _change, changed: Path(changed).name == path.name,
            stop_event=self._stop,
            debounce=300,
            step=50,
            rust_timeout=1000,
            recursive=False,
        ):
            self._reload.set()
            self._wake.set()


def share_heaps() -> None:
    """Let threads share two heaps of the C library: one for each of thirty threads takes 25 MB more. Before threads start."""
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc, which does as it likes
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


_M_ARENA_MAX = -8  # as in malloc.h


def hide_secrets(policy: Policy) -> None:
    """Let no log line hold a secret that the policy was given."""
    configs = [spec.config for spec in policy.sources] + [spec.config for spec in policy.channels.values()]
    redactor.keep(secrets_in(configs))


def _log_warnings(loaded: Loaded) -> None:
    for problem in loaded.warnings:
        log.warning(problem.sentence("rules.yaml"), extra={"event": "rules_warning"})


ONCE_SECONDS = 60.0
"""How long `run --once` waits for group_wait and for a sink's pace; what is due later is sent by the next run."""


def run_once(app: App) -> int:
    """Poll every source that is due, deliver what is due, and return how many sources are in trouble; for cron and tests."""
    rules, _ = app.ruleset(read_rules(app.settings.rules))
    hide_secrets(rules.policy)
    world = World(store=app.store, clock=app.clock, bell=_NoBell())
    with app.store.writing() as uow:
        uow.release_leases(app.clock.now())
    for spec in rules.policy.sources:
        poll(world, rules, spec.id)
    tick(world, rules)
    deadline = app.clock.monotonic() + ONCE_SECONDS
    paces = {channel: ChannelPace() for channel in rules.policy.channels}
    while (due := _deliver_all(world, rules, paces)) is not None and app.clock.monotonic() < deadline:
        time.sleep(min(max((due - app.clock.now()).total_seconds(), 0.0), 1.0))
    with app.store.reading() as uow:
        return sum(1 for state in uow.sources() if state.failures)


def _deliver_all(world: World, rules: Ruleset, paces: Mapping[str, ChannelPace]) -> datetime | None:
    """One run of every channel; when the next notification is due, if that is soon enough to wait for."""
    dues = [deliver(world, rules, channel, pace) for channel, pace in paces.items()]
    soon = world.clock.now() + timedelta(seconds=ONCE_SECONDS)
    return min((due for due in dues if due is not None and due < soon), default=None)


class _NoBell:
    """Rings nothing: `run_once` delivers by itself."""

    def ring(self, job_name: str) -> None:
        """Do nothing."""
