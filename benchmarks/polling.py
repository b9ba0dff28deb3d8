"""A thousand feeds on loopback through `pipeline.poll`, with the real store, HTTP client and connector.

In the first round everything is new; in the second the server answers 304 to all. The server is a process of its own.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median

from benchmarks.row import Row, at_most, lasting
from benchmarks.timing import clean_environment, cpu
from listener.app import USER_AGENT, compile_rules, full_ruleset
from listener.http import AiohttpClient
from listener.pipeline import poll
from listener.ruleset import World
from listener.store import SqlStore, migrate
from listener.testing.fakes import FakeClock

MOST_SHARE = 0.2
_BRANDS = "brands:\n  firefox: {name: Firefox, query: firefox OR 파이어폭스}\n"  # one in ten of our posts names it
_TELLING = "receivers:\n  desk: {notify: [{notifier: console}]}\nroutes: {receiver: desk}\n"


def polling(feeds: int = 1_000, quiet_rounds: int = 3) -> Iterator[Row]:
    """CPU of one feed when nothing is new (the median of some rounds) as a share of the first round's."""
    with ExitStack() as stack:
        url = stack.enter_context(feed_server(feeds))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="listener-bench-")))
        http = stack.enter_context(AiohttpClient(user_agent=USER_AGENT))
        service = _Service(folder, rules(url, feeds, every="1h"), http)
        stack.callback(service.close)
        first = service.round()
        quiet = median([service.round() for _ in range(quiet_rounds)])
    yield Row(
        what=f"polling: {feeds:,} feeds that all answer 304, against their first round",
        ours=f"{lasting(quiet / feeds)} a feed",
        peer=f"{lasting(first / feeds)} a feed",
        ratio=quiet / first,
        wanted=at_most(MOST_SHARE),
    )


def rules(url: str, feeds: int, *, every: str) -> str:
    """A rules file that listens to all of them and tells the console of what is urgent."""
    sources = "".join(
        f"  feed{number}: {{connector: rss, url: '{url}/{number}', every: {every}, allow_private: true}}\n"
        for number in range(feeds)
    )
    return f"version: 1\n{_BRANDS}sources:\n{sources}{_TELLING}"


@contextmanager
def feed_server(feeds: int) -> Iterator[str]:
    """The server's address, while it runs."""
    with subprocess.Popen(  # noqa: S603 (our own module)
        [sys.executable, "-m", "benchmarks.feed_server", str(feeds)],
        cwd=Path(__file__).parent.parent,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            yield next(iter(server.stdout or ())).strip()
        finally:
            server.terminate()


class _Service:
    """What the daemon would poll with, on a clock set by hand so that a round is due when we want it."""

    def __init__(self, folder: Path, text: str, http: AiohttpClient) -> None:
        url = f"sqlite:///{folder / 'listener.db'}"
        migrate(url)
        self._clock = FakeClock()
        self._store = SqlStore(url)
        self._world = World(store=self._store, clock=self._clock, bell=_NoBell())
        policy = compile_rules(text, file="rules.yaml", env={}).policy
        self._rules = full_ruleset(policy, http=http, clock=self._clock)

    def round(self) -> float:
        """Poll every source once; seconds of CPU. Raises `RuntimeError` if one could not be heard."""
        self._clock.advance(timedelta(hours=2))
        seconds = cpu(lambda: [poll(self._world, self._rules, spec.id) for spec in self._rules.policy.sources])
        with self._store.reading() as uow:
            deaf = [state for state in uow.sources() if state.failures or state.last_poll_at != self._clock.now()]
        if deaf:
            raise RuntimeError(f"{len(deaf)} sources were not heard: {deaf[0].error}")
        return seconds

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()


class _NoBell:
    def ring(self, job_name: str) -> None:
        """Nobody delivers here."""
