"""What is at stake: the severity that a text deserves by what it says, not by how angry it sounds.

Two linear models over n-grams, for English and for Korean, trained on posts written for this project (`tools/train/stakes.py`;
their card is `weights/stakes.card.md`). Real complaints are facts ("day 12, still processing"), which no list of sentiment
words knows. The models read words, not situations: whose outage it is and whether it is over, they often cannot tell.
"""

import math
from collections.abc import Sequence

from listener.domain.mention import Mention
from listener.domain.verdict import Stakes
from listener.sentiment.english import plausibly_english
from listener.sentiment.ngrams import NgramModel, Reading, language

MAX_SHOWN = 3
"""Phrases that a verdict tells."""

_PULL = (-7, -3, 1, 9)
"""How much the log-odds of low, normal, high and urgent move the score: their worth, less the mean, in sixteenths."""


class NgramStakes:
    """The shipped model of a language, "en" or "ko", loaded when it first judges. Threads may share it."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self.name = f"stakes-{lang}"

    def reads(self, mention: Mention) -> bool:
        """Korean by its writing; English in Latin letters, or plausibly English where the source names no language."""
        if self._lang == "ko":
            return mention.script == "hangul"
        if mention.script != "latin":
            return False
        return plausibly_english(mention.full_text) if mention.lang is None else mention.lang == "en"

    def judge(self, text: str) -> Stakes:
        """The stakes of a text, of which no more is read than `ngrams.MAX_READ` characters."""
        together, _, model = language(self._lang)
        reading = together.read(text)[1]
        low, normal, high, urgent = _shares(model.scores_of(reading))
        return Stakes(
            p_urgent=urgent,
            p_high=high,
            p_normal=normal,
            p_low=low,
            model=f"{self.name} {model.version}",
            phrases=_phrases(model, reading) if low < _CALM else (),
        )


_CALM = 0.4
"""From this certainty of "low" on there is nothing to explain; most posts are beyond it, and explaining takes time."""


def _phrases(model: NgramModel, reading: Reading) -> tuple[tuple[str, float], ...]:
    scale = _PULL[-1] - _PULL[0]
    told = model.strongest(reading, _PULL, MAX_SHOWN)
    return tuple((phrase, round(weight / scale, 2)) for phrase, weight in told)


def _shares(scores: Sequence[float]) -> list[float]:
    """Log-odds as shares that sum up to 1, rounded to four digits so that every machine says the same."""
    most = max(scores)
    raised = [math.exp(score - most) for score in scores]
    whole = sum(raised)
    return [round(value / whole, 4) for value in raised]
