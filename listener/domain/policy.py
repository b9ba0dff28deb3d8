"""The compiled meaning of rules.yaml. Values are right by construction: `rules.load` checked them.

Every value knows its place in the file where people may ask "which rule was it?".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from listener.domain.query import Query
from listener.domain.verdict import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """Whom we listen for. `terms` is the query's positive part, which `near: brand/N` measures from.

    `accounts` are our own handles and sites, folded: posts by them are never mentions. `rivals` are queries.
    """

    id: str
    name: str
    query: Query
    exclude: Query | None = None
    accounts: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Texts of a topic that are run by `listener rules check`."""

    match: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What the team should do and avoid, and how to answer ("phone")."""

    do: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    handle_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What a mention can be about. Also the shape of an intent: `place` is "topics.outage" or "intents.leave".

    It applies if `any` matches, and is not covered by `none`: a `none` match hides the `any` matches that it overlaps,
    or that stand in the same sentence. `near_brand` asks for an `any` match within that many words of a brand term.
    """

    id: str
    place: str
    any: Query
    none: Query | None = None
    near_brand: int | None = None
    at_least: Severity | None = None
    points: float = 0.0
    advice: Advice = field(default_factory=Advice)
    examples: Examples = field(default_factory=Examples)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachScoring:
    """Points for each tenfold of followers and of reactions, and the most that reach may give."""

    per_tenfold_followers: float = 0.0
    per_tenfold_reactions: float = 0.0
    cap: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatComplaint:
    """Points when the same author complained before, within the given time."""

    within: timedelta
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """How points add up to 0-100. `severity` holds the least score of each band but low."""

    negative_points: float
    unknown_points: float
    unknown_review: bool
    reach: ReachScoring
    repeat_complaint: RepeatComplaint | None
    severity: Mapping[Severity, float]
    lexicon: Mapping[str, float] = field(default_factory=dict)
    stakes_points: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec:
    """One notifier of a receiver. `name` is unique and stable: "oncall/0:slack". `config` is the notifier's own model."""

    name: str
    receiver: str
    notifier: str
    config: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Who is told, by which channels."""

    id: str
    channels: tuple[ChannelSpec, ...]


class MatchOp(StrEnum):
    """How a matcher compares, in Alertmanager's words."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """A test on one label. A label may hold several values (topics); it is equal if one of them is."""

    label: str
    op: MatchOp
    value: str

    def __str__(self) -> str:
        """As people write it in rules.yaml."""
        return f"{self.label}{self.op}{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A node of the routing tree. `receiver` is `None` for "none": nobody is told, on purpose.

    A child inherits what it does not say; `place` is its path in rules.yaml ("routes.routes[1]"). `digest` and
    `escalation` name entries of the policy.
    """

    place: str
    matchers: tuple[Matcher, ...]
    receiver: str | None
    continue_: bool
    group_by: tuple[str, ...]
    group_wait: timedelta
    group_interval: timedelta
    repeat_interval: timedelta
    digest: str | None
    escalation: str | None
    routes: tuple["Route", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStep:
    """Tell `receiver` once `after` has gone by without an acknowledgement."""

    after: timedelta
    receiver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Who next if nobody acknowledges."""

    id: str
    acknowledge_within: timedelta
    steps: tuple[EscalationStep, ...]
    repeat: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Hours in which only the excepted severities are pushed; the rest is held, never dropped."""

    zone: str
    start: time
    end: time
    exempt: tuple[Severity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Many low alerts in one notification, on a schedule."""

    id: str
    cron: str
    zone: str
    receiver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Alerts that match are held until `until`."""

    matchers: tuple[Matcher, ...]
    until: datetime
    by: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long a closed mention is kept; `None` is for ever."""

    low: timedelta | None = None
    mentions: timedelta | None = None


class SourceMode(StrEnum):
    """LIVE alerts; SHADOW is judged and stored, and never alerts; OFF is not polled."""

    LIVE = "live"
    SHADOW = "shadow"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """One configured use of a connector. `brands` empty means: every item is matched against all brands.

    `silent_after` is how long without any new item before people are told; `None` is never. `config` is the connector's
    own model. `queries` are the brands' queries for connectors that push them down.
    """

    id: str
    connector: str
    config: Any
    every: timedelta
    brands: tuple[str, ...] = ()
    mode: SourceMode = SourceMode.LIVE
    silent_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All of rules.yaml. `digest` is a hash of its meaning and names the ruleset in verdicts."""

    digest: str
    brands: tuple[Brand, ...]
    sources: tuple[SourceSpec, ...]
    topics: tuple[Topic, ...]
    intents: tuple[Topic, ...]
    scoring: Scoring
    respond_within: Mapping[Severity, timedelta]
    receivers: Mapping[str, Receiver]
    route: Route
    escalations: Mapping[str, Escalation] = field(default_factory=dict)
    quiet_hours: QuietHours | None = None
    digests: Mapping[str, Digest] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    retention: Retention = field(default_factory=Retention)

    @property
    def channels(self) -> Mapping[str, ChannelSpec]:
        """Every channel of every receiver by its name."""
        return {channel.name: channel for receiver in self.receivers.values() for channel in receiver.channels}

    def topic(self, topic_id: str) -> Topic | None:
        """The topic of that id, or `None` if the file no longer has it."""
        return next((topic for topic in self.topics if topic.id == topic_id), None)

    def source(self, source_id: str) -> SourceSpec | None:
        """The source of that id, or `None` if the file no longer has it."""
        return next((source for source in self.sources if source.id == source_id), None)

    def brand(self, brand_id: str) -> Brand | None:
        """The brand of that id, or `None` if the file no longer has it."""
        return next((brand for brand in self.brands if brand.id == brand_id), None)
