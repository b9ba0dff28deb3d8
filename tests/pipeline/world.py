"""A whole service without network: a real database in a temporary folder, a clock set by hand, scripted ends."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from listener.app import judging_ruleset
from listener.connector import Checkpoint, ConnectorConfig, Page
from listener.connector import Limits as ConnectorLimits
from listener.domain.errors import DeliveryError, SourceError
from listener.domain.mention import Author, RawItem
from listener.domain.message import Message
from listener.notifier import Limits, NotifierConfig, Sent
from listener.pipeline import ChannelPace, deliver, poll, tick
from listener.rules.load import load
from listener.ruleset import Ruleset, World
from listener.store import SqlStore, migrate
from listener.testing.fakes import FakeClock

RULES = """
version: 1
brands:
  podopay: {name: Podopay, query: 'podopay OR 포도페이', accounts: ["@podopay"]}
sources:
  forum: {connector: script, every: 5m, silent_after: 1d}
  other: {connector: script, every: 5m}
  quiet: {connector: script, every: 5m, mode: shadow}
topics:
  outage: {any: [outage, completely down, 먹통], at_least: urgent, points: 40}
  billing: {any: [charged twice, 이중결제], points: 50}
scoring:
  negative: {points: 35}
  unknown: {points: 10, review: true}
  severity: {urgent: 70, high: 45, normal: 20}
respond_within: {urgent: 5m, high: 1h, normal: 1d}
receivers:
  oncall: {notify: [{notifier: tape}]}
  spare: {notify: [{notifier: tape}]}
routes:
  receiver: oncall
  group_wait: 0s
  group_interval: 5m
"""


class ScriptConfig(ConnectorConfig):
    """Nothing to set."""


class TapeConfig(NotifierConfig):
    """Nothing to set."""


class Script:
    """A connector that yields what the test put into `next`: items, or an error to raise."""

    name: ClassVar[str] = "script"
    Config: ClassVar[type[ConnectorConfig]] = ScriptConfig
    limits: ClassVar[ConnectorLimits] = ConnectorLimits(min_interval=1.0)

    def __init__(self) -> None:
        self.next: list[tuple[RawItem, ...] | Exception] = []
        self.polls = 0
        self.checkpoints: list[Checkpoint | None] = []

    def check(self) -> None:
        """Nothing to try."""

    def poll(self, checkpoint: Checkpoint | None) -> Iterator[Page]:
        """One page a poll."""
        self.polls += 1
        self.checkpoints.append(checkpoint)
        step = self.next.pop(0) if self.next else ()
        if isinstance(step, Exception):
            raise step
        yield Page(items=step, checkpoint=Checkpoint(version=1, data={"polls": self.polls}))


@dataclass
class Tape:
    """A notifier that keeps what it was sent, or fails as the test says."""

    sent: list[Message] = field(default_factory=list)
    failures: list[DeliveryError | Exception] = field(default_factory=list)
    targets: tuple[str, ...] = ("",)
    name: ClassVar[str] = "tape"
    Config: ClassVar[type[NotifierConfig]] = TapeConfig
    limits: ClassVar[Limits] = Limits(max_title=100, max_body=1000, per_minute=6000, markup="none")

    def check(self) -> str:
        """Nothing to try."""
        return "ok"

    def send(self, message: Message, target: str) -> Sent:
        """Keep it, or fail."""
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)
        return Sent(receipt="kept")


class Bells:
    """Remembers who was rung."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    def ring(self, job_name: str) -> None:
        """Remember."""
        self.rung.append(job_name)


class Service:
    """The pipeline around scripted ends; `poll` and `deliver` do what the engine would.

    The database is a SQLite file in `folder` unless `url` names another.
    """

    def __init__(self, folder: Path, rules: str = RULES, *, url: str | None = None) -> None:
        self.url = url or f"sqlite:///{folder / 'listener.db'}"
        migrate(self.url)
        self.clock = FakeClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        self.bells = Bells()
        self.store = SqlStore(self.url)
        self.world = World(store=self.store, clock=self.clock, bell=self.bells)
        self.use(rules)

    def use(self, rules: str) -> None:
        """Put rules in force, with new scripted ends."""
        loaded = load(
            rules, file="rules.yaml", connectors={"script": ScriptConfig}, notifiers={"tape": TapeConfig}, env={}
        )
        judging = judging_ruleset(loaded.policy)
        self.sources = {spec.id: Script() for spec in loaded.policy.sources}
        self.tapes = {name: Tape() for name in loaded.policy.channels}
        self.paces = {name: ChannelPace() for name in loaded.policy.channels}
        self.rules = Ruleset(
            policy=loaded.policy,
            matcher=judging.matcher,
            models=judging.models,
            connectors=self.sources,
            notifiers=self.tapes,
        )

    def says(self, source: str, *items: RawItem) -> None:
        """Let the source give these items at its next poll, and poll it."""
        self.sources[source].next.append(items)
        self.poll(source)

    def fails(self, source: str, error: SourceError | Exception) -> None:
        """Let the source fail at its next poll, and poll it."""
        self.sources[source].next.append(error)
        self.poll(source)

    def poll(self, source: str) -> None:
        """Poll the source when it is due, letting time go by until then."""
        with self.store.reading() as uow:
            state = uow.source(source)
        if state and state.next_poll_at and state.next_poll_at > self.clock.now():
            self.clock.advance(state.next_poll_at - self.clock.now())
        poll(self.world, self.rules, source)

    def deliver(self) -> None:
        """Send everything that is due now on every channel."""
        for channel in self.rules.policy.channels:
            for _ in range(100):
                due = deliver(self.world, self.rules, channel, self.paces[channel])
                if due is None or due > self.clock.now() + timedelta(seconds=1):
                    break
                self.clock.advance(timedelta(milliseconds=20))

    def tick(self) -> None:
        """The heartbeat."""
        tick(self.world, self.rules)

    def tape(self, receiver: str) -> Tape:
        """What a receiver was sent."""
        return next(tape for name, tape in self.tapes.items() if name.startswith(f"{receiver}/"))

    def read(self, question: Callable[[Any], Any]) -> Any:
        """Ask the database."""
        with self.store.reading() as uow:
            return question(uow)


def post(native_id: str, text: str, **more: Any) -> RawItem:
    """An item of the forum."""
    author = more.pop("author", "mara")
    return RawItem(
        native_id=native_id,
        url=more.pop("url", f"https://forum.example/t/{native_id}"),
        text=text,
        author=Author(handle=author),
        **more,
    )
