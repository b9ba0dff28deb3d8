"""VADER for English: the scores of `vaderSentiment`, to the last digit, in linear time and several times faster.

The method and its figures are those of Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis
of Social Media Text" (ICWSM 2014), as the package vaderSentiment computes them; the word lists are read from it.
Its own analyser looks at every word again for every word: 10,000 emoji take it 45 s, 40 kB full of "but" 5 s. Here each
distinct word is looked up once (`_Word`), and only words that carry sentiment are worked on. Its quirks are kept, because
people compare: see `_lean`.
"""

import math
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from importlib.metadata import version
from typing import NamedTuple

from vaderSentiment.vaderSentiment import (
    BOOSTER_DICT,
    C_INCR,
    N_SCALAR,
    NEGATE,
    SPECIAL_CASES,
    SentimentIntensityAnalyzer,
)

from listener.domain.mention import Mention
from listener.domain.verdict import Label, Sentiment
from listener.sentiment.english import plausibly_english

MAX_READ = 20_000
"""Characters of a text that `Vader.judge` reads: ten pages, after which the score no longer moves."""

POSITIVE_FROM, NEGATIVE_FROM = 0.05, -0.05
"""Compound scores from which a text counts as positive or negative: the thresholds in the README of vaderSentiment."""


class Scores(NamedTuple):
    """VADER's four figures: shares of negative, neutral and positive words (0..1), and the compound score (-1..1)."""

    neg: float
    neu: float
    pos: float
    compound: float


class Vader:
    """VADER with a team's own words laid over its lexicon (word or emoticon -> -4..4). Threads may share it."""

    def __init__(self, lexicon: Mapping[str, float] | None = None) -> None:
        shipped = SentimentIntensityAnalyzer()
        own = {word.lower(): float(valence) for word, valence in (lexicon or {}).items()}
        self.name = f"vader {version('vaderSentiment')}"
        self._words = _Words({**shipped.lexicon, **own})
        # The analyser looks at one character at a time, so only the emoji of one character ever count.
        self._emoji = {emoji: f" {words}" for emoji, words in shipped.emojis.items() if len(emoji) == 1}
        self._emoji_characters = frozenset(self._emoji)

    def reads(self, mention: Mention) -> bool:
        """English in Latin letters; where the source names no language, a text that is plausibly English."""
        if mention.script != "latin":
            return False
        if mention.lang is None:
            return plausibly_english(mention.full_text[:MAX_READ])
        return mention.lang == "en"

    def judge(self, text: str) -> Sentiment:
        """The sentiment of the first `MAX_READ` characters."""
        reading = self._read(text[:MAX_READ])
        compound = _scores(reading).compound
        return Sentiment(
            label=_label(compound),
            value=compound,
            p_negative=p_negative(compound),
            model=self.name,
            why=_why(reading, compound),
        )

    def scores(self, text: str) -> Scores:
        """The four figures of a whole text, identical to `polarity_scores` of the package where no words were laid over."""
        return _scores(self._read(text))

    def _read(self, text: str) -> "_Reading":
        if not text.isascii():
            text = self._spelled_out(text)
        words = list(map(self._words.__getitem__, text.split()))
        count = len(words)
        around = [_START, _START, _START, *words, _END, _END]
        hits = [place for place, word in enumerate(around) if word.valence is not None]
        if not hits:
            return _Reading(text, count, [], [])
        shouting = 0 < sum([word.upper for word in words]) < count
        values = [_valence(around, place, shouting) for place in hits]
        if "but" in text.lower():
            _lean(values, hits, next((at for at, word in enumerate(around) if word.lower == "but"), None))
        return _Reading(text, count, [around[place].lower for place in hits], values)

    def _spelled_out(self, text: str) -> str:
        """Each emoji as its name, apart from what stands before it but not from what follows, as in the original."""
        for emoji in self._emoji_characters.intersection(text):
            text = text.replace(emoji, self._emoji[emoji])
        return text


def p_negative(compound: float) -> float:
    """How sure we are that the author is unhappy, 0..1, from a compound score: a falling logistic curve.

    Between two logistic regressions: posts about brands, where even half of the posts without any word of sentiment are
    complaints (a slope of 1.1 and 0.55 at 0), and tweets at large (3.3 and 0.32 at 0). It ranks; it is no frequency,
    because streams differ in how many of their posts are complaints.
    """
    return round(1 / (1 + math.exp(_SLOPE * compound + _OFFSET)), 3)


_SLOPE, _OFFSET = 2.4, 0.4


def _label(compound: float) -> Label:
    if compound >= POSITIVE_FROM:
        return Label.POSITIVE
    return Label.NEGATIVE if compound <= NEGATIVE_FROM else Label.NEUTRAL


# --- words -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)  # not frozen, which would make a new word four times as dear; nobody changes one
class _Word:
    """All that VADER ever asks of a word. `valence` is `None` for words that carry no sentiment of their own."""

    lower: str
    upper: bool = False
    known: bool = False
    valence: float | None = None
    boost: float = 0.0
    negates: bool = False
    closes: bool = False


# They stand around a text, so that no rule has to ask whether there is a word. Rules about the words before pass over known
# ones; rules about the words after look for known ones.
_START = _Word(lower="", known=True)
_END = _Word(lower="", known=False)

_NEGATIONS = frozenset(NEGATE)
_PHRASES = {phrase: float(valence) for phrase, valence in SPECIAL_CASES.items()}
_BOOSTERS = {word: float(scalar) for word, scalar in BOOSTER_DICT.items()}
_CLOSING = frozenset(phrase.rpartition(" ")[2] for phrase in (*_PHRASES, *_BOOSTERS) if " " in phrase)
_SHOUT: float = C_INCR
_NEGATED: float = N_SCALAR

_MOST_WORDS = 30_000
_LONGEST_WORD = 64


class _Words(dict[str, _Word]):
    """Looks up each distinct token once. Bounded in number and length, because tokens come from the internet."""

    def __init__(self, lexicon: Mapping[str, float]) -> None:
        super().__init__()
        self._lexicon = lexicon

    def __missing__(self, token: str) -> _Word:
        word = self._look_up(token)
        if len(token) <= _LONGEST_WORD:
            if len(self) >= _MOST_WORDS:
                self.clear()
            self[token] = word
        return word

    def _look_up(self, token: str) -> _Word:
        bare = token.strip(string.punctuation)
        shown = bare if len(bare) > 2 else token  # what is left of ":)" would be nothing
        lower = shown.lower()
        known = lower in self._lexicon
        booster = lower in _BOOSTERS
        return _Word(
            lower=lower,
            upper=shown.isupper(),
            known=known,
            valence=self._lexicon[lower] if known and not booster else None,
            boost=_BOOSTERS.get(lower, 0.0),
            negates=lower in _NEGATIONS or "n't" in lower,
            closes=lower in _CLOSING,
        )


# --- the valence of one word in its place --------------------------------------------------------------------------------

_STRESS = ("so", "this")


def _valence(words: Sequence[_Word], place: int, shouting: bool) -> float:
    """The valence of the word at `place`, changed by what stands around it: first its own form, then the three words
    before it, nearest first, each as long as it carries no sentiment itself.
    """
    if words[place].lower == "kind" and words[place + 1].lower == "of":
        return 0.0
    one, two, three = words[place - 1], words[place - 2], words[place - 3]
    valence = _in_itself(words, place, shouting)
    if not one.known:
        valence += _boost(one, valence, shouting)
        valence *= _NEGATED if one.negates else 1.0
    if not two.known:
        valence += _boost(two, valence, shouting) * 0.95
        valence *= _turned_by_two(one, two) if two.negates else 1.0
    if not three.known:
        valence += _boost(three, valence, shouting) * 0.9
        valence *= _turned_by_three(one, two, three)
        valence = _in_phrase(words, place, valence)
    if one.lower == "least" and not one.known and two.lower not in ("at", "very"):
        valence *= _NEGATED
    return valence


def _in_itself(words: Sequence[_Word], place: int, shouting: bool) -> float:
    word, one, two = words[place], words[place - 1], words[place - 2]
    own = word.valence or 0.0
    valence = 0.0 if word.lower == "no" and words[place + 1].known else own
    if one.lower == "no" or two.lower == "no" or (one.lower in ("or", "nor") and words[place - 3].lower == "no"):
        valence = own * _NEGATED
    if shouting and word.upper:
        valence += _SHOUT if valence > 0 else -_SHOUT
    return valence


def _boost(word: _Word, valence: float, shouting: bool) -> float:
    if not word.boost:
        return 0.0
    scalar = -word.boost if valence < 0 else word.boost
    if shouting and word.upper:
        scalar += _SHOUT if valence > 0 else -_SHOUT
    return scalar


def _turned_by_two(one: _Word, two: _Word) -> float:
    if two.lower == "never" and one.lower in _STRESS:
        return 1.25
    if two.lower == "without" and one.lower == "doubt":
        return 1.0
    return _NEGATED


def _turned_by_three(one: _Word, two: _Word, three: _Word) -> float:
    if one.lower in _STRESS or (three.lower == "never" and two.lower in _STRESS):
        return 1.25
    if not three.negates or (three.lower == "without" and "doubt" in (one.lower, two.lower)):
        return 1.0
    return _NEGATED


def _in_phrase(words: Sequence[_Word], place: int, valence: float) -> float:
    """Idioms replace the valence; two-word boosters ("sort of") add to it."""
    if not any(word.closes for word in words[place - 2 : place + 3]):
        return valence
    three, two, one, zero, after, last = [word.lower for word in words[place - 3 : place + 3]]
    before = (f"{one} {zero}", f"{two} {one} {zero}", f"{two} {one}", f"{three} {two} {one}", f"{three} {two}")
    valence = next((_PHRASES[phrase] for phrase in before if phrase in _PHRASES), valence)
    for phrase in (f"{zero} {after}", f"{zero} {after} {last}"):
        valence = _PHRASES.get(phrase, valence)
    for phrase in (f"{three} {two} {one}", f"{three} {two}", f"{two} {one}"):
        valence += _BOOSTERS.get(phrase, 0.0)
    return valence


# --- the text ------------------------------------------------------------------------------------------------------------


class _Reading(NamedTuple):
    """A text with its emoji spelled out, its number of words, and the words that carry sentiment with their values."""

    text: str
    size: int
    words: list[str]
    values: list[float]


def _lean(values: list[float], places: Sequence[int], but: int | None) -> None:
    """Halve what stands before the first "but", and raise what stands after it by half, in place.

    The original's quirk is kept: going through the values, it changes not the one it is at, but the first that is equal
    to it, even one that it changed before. `firsts` finds that one without searching.
    """
    if but is None:
        return
    firsts: dict[float, list[int]] = {}
    for index, value in enumerate(values):
        firsts.setdefault(value, []).append(index)
    for at in range(len(values)):
        value = values[at]
        equal = firsts[value]
        while values[equal[0]] != value:
            heappop(equal)
        first = equal[0]
        if places[first] != but:
            values[first] = value * (0.5 if places[first] < but else 1.5)
            heappush(firsts.setdefault(values[first], []), first)


def _scores(reading: _Reading) -> Scores:
    if not reading.values:
        return Scores(0.0, 1.0 if reading.size else 0.0, 0.0, 0.0)
    emphasis = _emphasis(reading.text)
    total = float(sum(reading.values))
    if total:
        total += math.copysign(emphasis, total)
    positive = negative = 0.0
    neutral = reading.size
    for value in reading.values:
        if value > 0:
            positive += value + 1  # a neutral word counts one
            neutral -= 1
        elif value < 0:
            negative += value - 1
            neutral -= 1
    if positive > -negative:
        positive += emphasis
    elif positive < -negative:
        negative -= emphasis
    whole = positive - negative + neutral
    return Scores(
        round(-negative / whole, 3),
        round(neutral / whole, 3),
        round(positive / whole, 3),
        round(total / math.sqrt(total * total + 15), 4),
    )


def _emphasis(text: str) -> float:
    """What exclamation marks (up to four) and question marks (from two) add to the prevailing sentiment."""
    questions = text.count("?")
    asked = 0.0
    if questions > 1:
        asked = questions * 0.18 if questions <= 3 else 0.96
    return min(text.count("!"), 4) * 0.292 + asked


_SHOWN = 3


def _why(reading: _Reading, compound: float) -> str:
    """The words that weigh most on the side that prevailed; on both if none did."""
    if not any(reading.values):
        return "no sentiment word found"
    weighed = sorted(zip(reading.values, reading.words, strict=True), key=lambda pair: abs(pair[0]), reverse=True)
    if _label(compound) is Label.NEUTRAL:
        return f"no side prevails: {_strongest(word for value, word in weighed if value)}"
    return _strongest(word for value, word in weighed if value * compound > 0)


def _strongest(words: Iterable[str]) -> str:
    return ", ".join(list(dict.fromkeys(words))[:_SHOWN])
