"""What we think of a mention, and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """The band that routes act on. Ordered: `Severity.URGENT.rank` is the largest."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for low to 3 for urgent."""
        return _RANKS[self]


_RANKS = {Severity.LOW: 0, Severity.NORMAL: 1, Severity.HIGH: 2, Severity.URGENT: 3}


class Label(StrEnum):
    """Sentiment towards the brand. UNKNOWN means that nobody could judge it; it is never the same as NEUTRAL."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A half-open range of characters of `Mention.full_text`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Where a query found something.

    `query_id` is the rule's place in rules.yaml: "brands.haneul", "topics.outage", "intents.leave". `term` is the term as
    the rule writes it. `span` is `None` for a field test or a match that has no place in the text.
    """

    query_id: str
    term: str
    span: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentiment:
    """What one model says of one text.

    `value` is in -1..1 and `p_negative` in 0..1, both `None` exactly when `label` is UNKNOWN. `model` names the model
    and its version. `why` says in a few words what decided it, or why it could not judge. `unsure` asks for a person: the
    model judged beyond the languages that it was made for, and it may be a complaint.
    """

    label: Label
    value: float | None
    p_negative: float | None
    model: str
    why: str = ""
    unsure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stakes:
    """How likely each severity is by what the text says is at stake. The four sum up to 1.

    `phrases` are the words that spoke most for a higher severity, each with its weight in log-odds, the heaviest first.
    """

    p_urgent: float
    p_high: float
    p_normal: float
    p_low: float
    model: str
    phrases: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Sentiment towards the brand, topics and intents. `topics` and `intents` are ids from rules.yaml, in its order.

    `stakes` is `None` where no model reads the text, and on a verdict that was read back: what it led to is among the
    verdict's reasons.
    """

    sentiment: Sentiment
    topics: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()
    stakes: Stakes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One line of why: a stable `code`, a sentence for people, the points it gave, and its place in rules.yaml."""

    code: str
    text: str
    points: float
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The recorded decision on one mention. `ruleset` is the digest of the policy that was in force.

    `brands` are the ids of the brands it is about; empty means that no brand was named. `review` marks what a person has
    to look at because nobody could judge it.
    """

    mention_id: str
    brands: tuple[str, ...]
    matches: tuple[Match, ...]
    judgement: Judgement
    score: int
    severity: Severity
    reasons: tuple[Reason, ...]
    review: bool
    ruleset: str
    decided_at: datetime
