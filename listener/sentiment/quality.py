"""Judging with the embedding of the extra `quality`: beside the n-grams where a language has them, alone where it has not.

n-grams know the words that they learned; the embedding knows what a text is like in a hundred languages. They err on
different posts, so their log-odds are added. The heads are linear (`weights/embedding.json`, trained by
`tools/train/embedding.py`). Without a vector (a burst, a failure: `NotNow`) the n-grams judge alone, and the verdict says so.
"""

import json
import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from operator import mul
from typing import Any, Protocol

from listener.decide.judge import SentimentModel, StakesModel
from listener.decide.script import dominant_script
from listener.domain.mention import Mention
from listener.domain.verdict import Label, Sentiment, Stakes
from listener.sentiment.embedding import NotNow, Vector

LESS_SURE = "judged across languages, less sure"
"""Stands in `why` of every judgement in a language without a model of its own."""

PERHAPS = 0.15
"""The chance from which such a judgement is for people to review. docs/quality.md says how many complaints reach it."""

TRIED_SCRIPTS = frozenset({"latin", "kana", "han"})
"""Scripts of the languages that the heads learned from. In others they find few complaints, so people review everything."""


class Vectors(Protocol):
    """What gives vectors: an `Embedder`."""

    name: str

    def vector(self, text: str) -> Vector:
        """The vector of a text. Raises `NotNow`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A linear model on vectors, one row of weights for each class."""

    bias: tuple[float, ...]
    weights: tuple[Vector, ...]

    def shares(self, vector: Vector) -> list[float]:
        """How likely each class is; they sum up to 1."""
        return normalised([b + sum(map(mul, row, vector)) for b, row in zip(self.bias, self.weights, strict=True)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """What is read from vectors, and how it is added to what n-grams say.

    `stakes` has the classes low, normal, high, urgent; `sentiment` negative, neutral, positive. `stakes_weights` and
    `sentiment_weights` multiply the log-odds of the n-grams and of the head; `offset` is added for the sentiment, and for
    the stakes an offset for each class by language ("en", "ko", "alone"), so that a surer model does not alert more often.
    `negative_from` and `positive_from` are the chances from which a label is given.
    """

    version: str
    stakes: Head
    stakes_weights: tuple[float, float]
    stakes_offsets: Mapping[str, Sequence[float]]
    sentiment: Head
    sentiment_weights: tuple[float, float]
    offset: float
    negative_from: float
    positive_from: float


@cache
def shipped() -> Heads:
    """The heads `weights/embedding.json`, read once in a process."""
    return parse(files(__package__).joinpath("weights", "embedding.json").read_text("utf-8"))


def parse(text: str) -> Heads:
    """The heads in the text of a weights file."""
    found = json.loads(text)
    stakes, sentiment = found["stakes"], found["sentiment"]
    return Heads(
        version=found["version"],
        stakes=_head(stakes),
        stakes_weights=(stakes["ngrams"], stakes["embedding"]),
        stakes_offsets=stakes["offsets"],
        sentiment=_head(sentiment),
        sentiment_weights=(sentiment["ngrams"], sentiment["embedding"]),
        offset=sentiment["offset"],
        negative_from=sentiment["negative_from"],
        positive_from=sentiment["positive_from"],
    )


def _head(found: Mapping[str, Any]) -> Head:
    weights = tuple(array("f", [float(number) for number in row]) for row in found["weights"])
    return Head(bias=tuple(found["bias"]), weights=weights)


# --- beside n-grams ----------------------------------------------------------------------------------------------------


class SentimentBeside:
    """A language's own model of sentiment, with the embedding's opinion added where there is one."""

    def __init__(self, own: SentimentModel, vectors: Vectors) -> None:
        self.name = own.name
        self._own = own
        self._vectors = vectors

    def reads(self, mention: Mention) -> bool:
        """What the language's own model reads."""
        return self._own.reads(mention)

    def judge(self, text: str) -> Sentiment:
        """As both judge it; as the language's own model does if there is no vector now."""
        own = self._own.judge(text)
        if own.p_negative is None or own.value is None:
            return own
        try:
            vector = self._vectors.vector(text)
        except NotNow as why:
            return replace(own, why=f"{own.why}; without the embedding: {why}")
        heads = shipped()
        seen = heads.sentiment.shares(vector)
        p_negative = added(own.p_negative, seen[0], heads.sentiment_weights, heads.offset)
        pleased = max(0.0, own.value + own.p_negative) / max(0.001, 1 - own.p_negative)
        p_positive = (1 - p_negative) * (pleased + seen[2] / max(0.001, 1 - seen[0])) / 2
        told = f"{own.why}; the embedding reads it as {seen[0]:.0%} negative"
        return _sentiment(
            heads, p_negative, min(p_positive, 1 - p_negative), f"{own.model} + {_name(self._vectors)}", told
        )


class StakesBeside:
    """A language's own model of the stakes, with the embedding's opinion added where there is one."""

    def __init__(self, own: StakesModel, vectors: Vectors) -> None:
        self.name = own.name
        self._lang = own.name.rpartition("-")[2]
        self._own = own
        self._vectors = vectors

    def reads(self, mention: Mention) -> bool:
        """What the language's own model reads."""
        return self._own.reads(mention)

    def judge(self, text: str) -> Stakes:
        """As both judge it; as the language's own model does if there is no vector now."""
        own = self._own.judge(text)
        try:
            vector = self._vectors.vector(text)
        except NotNow:
            return own
        heads = shipped()
        beside, head = heads.stakes_weights
        theirs = (own.p_low, own.p_normal, own.p_high, own.p_urgent)
        opinions = zip(theirs, heads.stakes.shares(vector), heads.stakes_offsets[self._lang], strict=True)
        shares = normalised([beside * math.log(p + _LEAST) + head * math.log(q + _LEAST) + o for p, q, o in opinions])
        return _stakes(shares, f"{own.model} + {_name(self._vectors)}", own.phrases)


def sentiment_with(own: Sequence[SentimentModel], vectors: Vectors) -> tuple[SentimentModel, ...]:
    """Models of sentiment, each with the embedding beside it, and the embedding alone for everything else."""
    return (*(SentimentBeside(model, vectors) for model in own), SentimentAcross(vectors))


def stakes_with(own: Sequence[StakesModel], vectors: Vectors) -> tuple[StakesModel, ...]:
    """As `sentiment_with`, for the stakes; none if the rules want none."""
    return (*(StakesBeside(model, vectors) for model in own), StakesAcross(vectors)) if own else ()


# --- alone -------------------------------------------------------------------------------------------------------------


class SentimentAcross:
    """The embedding alone, for languages without a model of their own. Comes last: it reads whatever has letters."""

    name = "embedding"

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def reads(self, mention: Mention) -> bool:
        """Everything that is written in some script."""
        return mention.script != "none"

    def judge(self, text: str) -> Sentiment:
        """A less sure judgement; UNKNOWN, and why, if there is no vector now."""
        try:
            vector = self._vectors.vector(text)
        except NotNow as why:
            why_not = f"its language has no model of its own, and there is no embedding: {why}"
            return Sentiment(label=Label.UNKNOWN, value=None, p_negative=None, model="none", why=why_not)
        negative, _, positive = shipped().sentiment.shares(vector)
        judged = _sentiment(shipped(), negative, positive, _name(self._vectors), LESS_SURE)
        return replace(judged, unsure=negative >= PERHAPS or dominant_script(text) not in TRIED_SCRIPTS)


class StakesAcross:
    """As `SentimentAcross`, for the stakes."""

    name = "embedding"

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def reads(self, mention: Mention) -> bool:
        """Everything that is written in some script, as long as there is a vector of it."""
        try:
            return mention.script != "none" and bool(self._vectors.vector(mention.full_text))
        except NotNow:
            return False

    def judge(self, text: str) -> Stakes:
        """A less sure judgement. If there is no vector after all: what somebody should look at within a day."""
        try:
            seen = shipped().stakes.shares(self._vectors.vector(text))
            heads = shipped()
            weight, offsets = sum(heads.stakes_weights), heads.stakes_offsets["alone"]
            shares = normalised([weight * math.log(p + _LEAST) + o for p, o in zip(seen, offsets, strict=True)])
        except NotNow:
            shares = [0.0, 1.0, 0.0, 0.0]
        return _stakes(shares, _name(self._vectors), ())


# --- figures -----------------------------------------------------------------------------------------------------------

_LEAST = 0.0001
"""Added to a share before its logarithm is taken."""


def added(own: float, other: float, weights: tuple[float, float], offset: float) -> float:
    """Two chances as one, by adding their log-odds."""
    odds = weights[0] * _odds(own) + weights[1] * _odds(other) + offset
    return 1 / (1 + math.exp(-odds))


def _odds(chance: float) -> float:
    bounded = min(0.999, max(0.001, chance))
    return math.log(bounded / (1 - bounded))


def normalised(scores: Sequence[float]) -> list[float]:
    """Log-odds as shares that sum up to 1."""
    most = max(scores)
    raised = [math.exp(score - most) for score in scores]
    whole = sum(raised)
    return [value / whole for value in raised]


def _name(vectors: Vectors) -> str:
    return f"{vectors.name} heads {shipped().version}"


def _sentiment(heads: Heads, p_negative: float, p_positive: float, model: str, why: str) -> Sentiment:
    label = Label.NEUTRAL
    if p_negative >= heads.negative_from:
        label = Label.NEGATIVE
    elif p_positive >= heads.positive_from:
        label = Label.POSITIVE
    return Sentiment(
        label=label,
        value=round(p_positive - p_negative, 3),
        p_negative=round(p_negative, 3),
        model=model,
        why=why,
    )


def _stakes(shares: Sequence[float], model: str, phrases: tuple[tuple[str, float], ...]) -> Stakes:
    low, normal, high, urgent = (round(share, 4) for share in shares)
    return Stakes(p_urgent=urgent, p_high=high, p_normal=normal, p_low=low, model=model, phrases=phrases)
