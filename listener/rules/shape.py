"""The shape of rules.yaml: one pydantic model for each group of keys. What the keys mean is in docs/rules.md.

The models check what can be checked of one value by itself; `build` checks what takes two. A key with nothing behind it
counts as not written, because that is what is left when somebody comments out the lines below it.
"""

import re
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    model_validator,
)
from pydantic.json_schema import WithJsonSchema

from listener.domain.policy import SourceMode
from listener.domain.verdict import Severity
from listener.rules import units
from listener.rules.query import MAX_NEAR


def _as_written(value: Any) -> Any:
    """A number where a text is meant, such as the error code 404, as its author wrote it."""
    if isinstance(value, bool):
        return str(value).lower()
    return getattr(value, "text", value)


def _one_or_many(value: Any) -> Any:
    """`any: fire` for `any: [fire]`."""
    return value if isinstance(value, list | tuple | dict) or value is None else [value]


def _written_text(parse: Any) -> BeforeValidator:
    def check(value: Any) -> Any:
        text = _as_written(value)
        return parse(text.strip()) if isinstance(text, str) else text

    return BeforeValidator(check)


Text = Annotated[
    str,
    BeforeValidator(_as_written),
    Field(min_length=1),
    WithJsonSchema({"type": ["string", "number", "boolean"], "minLength": 1}),
]
Texts = Annotated[
    tuple[Text, ...],
    BeforeValidator(_one_or_many),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number", "boolean"]},
                {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
            ]
        }
    ),
]
Duration = Annotated[
    timedelta,
    _written_text(units.duration),
    PlainSerializer(units.spoken),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(\d{1,9}[smhdw])+$", "examples": ["30s", "5m", "1h30m", "2d", "1w"]}
    ),
]
TimeOfDay = Annotated[
    time,
    _written_text(units.time_of_day),
    WithJsonSchema({"type": "string", "pattern": r"^([01]?\d|2[0-3]):[0-5]\d$", "examples": ["22:00"]}),
]
Instant = Annotated[
    datetime,
    _written_text(units.instant),
    WithJsonSchema({"type": "string", "examples": ["2026-03-02T02:00Z"]}),
]
Zone = Annotated[str, _written_text(units.zone), WithJsonSchema({"type": "string", "examples": ["Asia/Seoul"]})]
Cron = Annotated[str, _written_text(units.cron), WithJsonSchema({"type": "string", "examples": ["0 9 * * mon-fri"]})]


def _version_1(value: int) -> int:
    if value != 1:
        raise ValueError("this program reads version 1 of the file; write version: 1")
    return value


def _near(written: str) -> int:
    found = re.fullmatch(r"brand/([0-9]{1,3})", written)
    if found is None or not 1 <= int(found[1]) <= MAX_NEAR:
        raise ValueError(
            f"{written[:40]!r} is not a distance from the brand; write it like brand/12, at most brand/{MAX_NEAR}"
        )
    return int(found[1])


def _near_text(words: int) -> str:
    """As rules.yaml writes it. A function of ours: pydantic cannot look into `str.format` from Python 3.13 on."""
    return f"brand/{words}"


Near = Annotated[
    int,
    _written_text(_near),
    PlainSerializer(_near_text),
    WithJsonSchema({"type": "string", "pattern": r"^brand/\d{1,3}$", "examples": ["brand/12"]}),
]
Version = Annotated[int, AfterValidator(_version_1), WithJsonSchema({"const": 1})]
Points = Annotated[float, Field(ge=0, le=100)]


class Section(BaseModel):
    """A group of keys. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, value: Any) -> Any:
        return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value


class BrandText(Section):
    """Whom we listen for."""

    name: Text | None = Field(default=None, description="The brand's name for people; its id if not given.")
    query: Text = Field(
        description="What a text must say to be about the brand: words, AND, OR, NOT, NEAR/n, brackets."
    )
    exclude: Text | None = Field(default=None, description="What makes it not about the brand after all.")
    accounts: Texts = Field(default=(), description="Our own accounts and sites; what they post is never a mention.")
    rivals: Texts = Field(default=(), description="Names of competitors; anger at them is not anger at us.")


class SourceText(BaseModel):
    """One use of a connector. All other keys belong to the connector."""

    model_config = ConfigDict(extra="allow", frozen=True)

    connector: Text = Field(description="The kind of place.")
    every: Duration = Field(default=timedelta(minutes=5), description="How often to look.")
    brands: Texts = Field(default=(), description="Only for these brands; all of them if not given.")
    mode: SourceMode = Field(
        default=SourceMode.LIVE, description="live; shadow is judged and stored, never told; off is not read."
    )
    silent_after: Duration | None = Field(default=None, description="Tell people if nothing new came for so long.")


class AdviceText(Section):
    """What the team should do, and what it should not."""

    do: Texts = ()
    avoid: Texts = ()


class ExamplesText(Section):
    """Texts that must match and texts that must not; `listener rules check` tries them."""

    match: Texts = ()
    ignore: Texts = ()


class TopicText(Section):
    """What a mention can be about, or what its author means to do."""

    any: Annotated[Texts, Field(min_length=1)] = Field(
        default=(), description="Words and phrases; one of them is enough. A pack may have some already."
    )
    none: Texts = Field(default=(), description="Phrases in which those words mean something harmless.")
    near: Near | None = Field(default=None, description="brand/12: only within 12 words of the brand.")
    at_least: Severity | None = Field(
        default=None, description="The severity cannot be lower, whatever the model says."
    )
    points: Points | None = Field(default=None, description="Points for the score.")
    handle_by: Text | None = Field(default=None, description="How the team should answer, for instance phone.")
    advice: AdviceText = AdviceText()
    examples: ExamplesText = ExamplesText()


Off = Literal["off"]
OFF: Off = "off"


def _kind(value: object) -> str:
    return OFF if value == OFF else "(topic)"  # brackets, so that no key of a file is taken for this tag


TopicOrOff = Annotated[Annotated[TopicText, Tag("(topic)")] | Annotated[Off, Tag(OFF)], Discriminator(_kind)]
TopicsText = dict[str, TopicOrOff]


class PackText(Section):
    """A pack: topics and intents that a file may include."""

    topics: dict[str, TopicText] = {}
    intents: dict[str, TopicText] = {}


class NegativeText(Section):
    """Points for sounding unhappy with us, times how sure the model is."""

    points: Points = 15


class StakesText(Section):
    """Points for what the text says is at stake, times how severe the model of the language expects it to be."""

    points: Points = 90


class UnknownText(Section):
    """What happens to a text that nobody could judge."""

    points: Points = 10
    review: bool = Field(default=True, description="Mark it, so that a person looks.")


class ReachText(Section):
    """Points for how far a post spreads."""

    per_tenfold_followers: Points = 4
    per_tenfold_reactions: Points = 6
    cap: Points = 20


class RepeatText(Section):
    """Points if the same author complained not long ago."""

    within: Duration = timedelta(days=30)
    points: Points = 10


class AuthorText(Section):
    """Points for who it is."""

    repeat_complaint: RepeatText = RepeatText()


Score = Annotated[float, Field(ge=0, le=100)]


class BandsText(Section):
    """The score from which a mention is urgent, high or normal; below is low."""

    urgent: Score = 70
    high: Score = 45
    normal: Score = 20


class ScoringText(Section):
    """How points add up to a score of 0 to 100."""

    negative: NegativeText = NegativeText()
    stakes: StakesText = StakesText()
    unknown: UnknownText = UnknownText()
    intents: dict[str, Points] = Field(default={}, description="Points for each intent.")
    reach: ReachText = ReachText()
    author: AuthorText = AuthorText()
    severity: BandsText = BandsText()
    lexicon: dict[str, Annotated[float, Field(ge=-4, le=4)]] = Field(
        default={},
        description="The team's own English words for the sentiment model, from -4 (awful) to 4 (wonderful).",
    )


class ChannelText(BaseModel):
    """One means of telling a receiver. All other keys belong to the notifier."""

    model_config = ConfigDict(extra="allow", frozen=True)

    notifier: Text = Field(description="The kind of channel.")


class ReceiverText(Section):
    """Who is told, by which channels."""

    notify: tuple[ChannelText, ...] = Field(min_length=1)


class RouteText(Section):
    """A node of the tree that says who is told. A child takes over what it does not say."""

    when: Texts = Field(default=(), description='All of them must hold: severity=urgent, topic!=billing, brand=~"a|b".')
    receiver: Text | None = Field(default=None, description="Who is told; none is nobody, on purpose.")
    continue_: bool = Field(default=False, alias="continue", description="Go on with the next routes after this one.")
    group_by: Texts | None = None
    group_wait: Duration | None = Field(default=None, description="How long to wait for more before the first alert.")
    group_interval: Duration | None = Field(default=None, description="How long between alerts about the same case.")
    repeat_interval: Duration | None = Field(default=None, description="How long until an open case is told again.")
    digest: Text | None = Field(default=None, description="Collect for this digest.")
    escalation: Text | None = Field(default=None, description="Who is next if nobody acknowledges.")
    routes: "tuple[RouteText, ...]" = ()


class StepText(Section):
    """Tell this receiver once that time has gone by without an acknowledgement."""

    after: Duration
    receiver: Text


class EscalationText(Section):
    """Who next if nobody acknowledges."""

    acknowledge_within: Duration
    steps: tuple[StepText, ...] = Field(min_length=1)
    repeat: int = Field(default=0, ge=0, le=20)


class QuietHoursText(Section):
    """Hours in which only some severities are told at once."""

    zone: Zone
    start: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")
    exempt: tuple[Severity, ...] = Field(default=(Severity.URGENT,), alias="except")


class DigestText(Section):
    """Many small things in one message, on a schedule."""

    cron: Cron
    zone: Zone = "UTC"
    receiver: Text


class SilenceText(Section):
    """Alerts that nobody needs until then."""

    matchers: Annotated[Texts, Field(min_length=1)]
    until: Instant
    by: Text
    because: Text


class RetentionText(Section):
    """How long mentions are kept once their case is closed."""

    low: Duration | None = None
    mentions: Duration | None = None


class RulesText(Section):
    """The file that tunes Listener. Reference: docs/rules.md."""

    version: Version = 1
    brands: dict[str, BrandText] = {}
    sources: dict[str, SourceText] = {}
    include: Texts = Field(default=(), description="Packs of topics and intents that we ship.")
    topics: TopicsText = Field(default={}, description="What a mention is about; off switches one of a pack off.")
    intents: TopicsText = Field(default={}, description="What its author means to do; off switches one of a pack off.")
    scoring: ScoringText = ScoringText()
    respond_within: dict[Severity, Duration] = {
        Severity.URGENT: timedelta(minutes=5),
        Severity.HIGH: timedelta(hours=1),
        Severity.NORMAL: timedelta(days=1),
    }
    receivers: dict[str, ReceiverText] = {}
    routes: RouteText = RouteText()
    escalation: dict[str, EscalationText] = {}
    quiet_hours: QuietHoursText | None = None
    digests: dict[str, DigestText] = {}
    silences: tuple[SilenceText, ...] = ()
    retention: RetentionText = RetentionText()
