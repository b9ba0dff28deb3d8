"""Sentiment towards a brand, learned from posts: what both languages share.

The n-grams give log-odds of negative, neutral and positive. A falling curve with two parameters, fitted to posts about brands
that the training never saw, turns them into `p_negative`; it ranks well everywhere, and is a frequency only on streams
with as many complaints as those posts (every second one). `docs/quality.md` has the figures and what it cannot do.
"""

import math
from collections.abc import Sequence

from listener.domain.verdict import Label, Sentiment
from listener.sentiment.ngrams import NgramModel, Reading, language
from listener.sentiment.sarcasm import praise_beside_failure

NEGATIVE, NEUTRAL, POSITIVE = range(3)
"""The places of the classes in a sentiment model's scores."""

_SHOWN = 3


class Learned:
    """The shipped sentiment of a language ("en", "ko"), loaded when the first text comes."""

    def __init__(self, lang: str) -> None:
        self._lang = lang

    @property
    def ngrams(self) -> NgramModel:
        """The model itself, for explanations."""
        return language(self._lang)[1]

    def read(self, text: str) -> Reading:
        """What the model finds in a text."""
        return language(self._lang)[0].read(text)[0]

    def sentiment(self, reading: Reading, scores: Sequence[float], *, model: str, also: str = "") -> Sentiment:
        """The sentiment that the log-odds mean. `also` is a further explanation, told after the n-grams."""
        settings = self.ngrams.settings
        p_negative, p_positive = chances(scores, settings["slope"], settings["offset"])
        label = Label.NEUTRAL
        if p_negative >= settings["negative_from"]:
            label = Label.NEGATIVE
        elif not reading.size:
            return _unknown(model, "no word that the model knows")
        elif praise_beside_failure(reading.text):
            return _unknown(model, "praise beside a failure: perhaps irony")
        elif p_positive >= settings["positive_from"]:
            label = Label.POSITIVE
        return Sentiment(
            label=label,
            value=round(p_positive - p_negative, 3),
            p_negative=round(p_negative, 3),
            model=model,
            why="; ".join(filter(None, (self._told(reading, label), also))),
        )

    def _told(self, reading: Reading, label: Label) -> str:
        """The words that pulled most towards the label; on both sides if it is neutral."""
        if label is Label.NEUTRAL:
            sides, most = [(_AGAINST, "-"), (_FOR, "+")], 1
        else:
            sides, most = [(_AGAINST, "-") if label is Label.NEGATIVE else (_FOR, "+")], _SHOWN
        told = [
            f"{words} {sign}{weight:.1f}"
            for pull, sign in sides
            for words, weight in self.ngrams.strongest(reading, pull, most)
        ]
        return ", ".join(told) or "no known word"


def _unknown(model: str, why: str) -> Sentiment:
    return Sentiment(label=Label.UNKNOWN, value=None, p_negative=None, model=model, why=why)


_AGAINST = (1.0, -0.5, -0.5)
_FOR = (-0.5, -0.5, 1.0)


def chances(scores: Sequence[float], slope: float, offset: float) -> tuple[float, float]:
    """How likely the author is unhappy, and how likely pleased: 0..1 each, together at most 1."""
    odds = scores[NEGATIVE] - _log_sum(scores[NEUTRAL], scores[POSITIVE])
    p_negative = _logistic(slope * odds + offset)
    return p_negative, (1 - p_negative) * _logistic(scores[POSITIVE] - scores[NEUTRAL])


def _log_sum(one: float, other: float) -> float:
    return max(one, other) + math.log1p(math.exp(-abs(one - other)))


def _logistic(odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
