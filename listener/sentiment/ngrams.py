"""Linear models over n-grams: a list of words, phrases and parts of words, each with a small weight for every class.

The n-grams are plain strings. One automaton (Aho-Corasick) finds all that stand in the prepared text in one pass, so the
cost of a text grows with its length alone and not with the size of the model. The score of a class is

    bias + unit * sum(weights of the distinct n-grams found) / sqrt(how many they are)

and its explanation is that sum, term by term (`contributions`). A weights file is text, gzipped: a line of JSON with the
classes, bias and unit, then one n-gram a line with a whole number for each class. `␣` stands for a space there. n-grams
with spaces at both ends are words or phrases, the others parts of them; Korean needs those for its particles and endings.
"""

import gzip
import json
import math
import re
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from threading import Lock
from typing import Any, NamedTuple, Self

from listener.decide.fold import Folded, fold, fold_mapped
from listener.sentiment.finding import Finder, Remembered

MAX_READ = 10_000
"""Characters of a text that are read: five pages, after which a score no longer moves."""

SPACE = "␣"
"""A space as weights files write it."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one n-gram added to the score of a class: `text` is the n-gram as prepared; `start` and `end` say where it
    first stands in the text that was judged.
    """

    text: str
    start: int
    end: int
    weight: float


_LOUD = 0.15
"""The share of the loudest n-gram's weight below which an n-gram explains nothing to anybody."""


class Reading(NamedTuple):
    """What one model finds in a prepared `text`: how many of its n-grams (`size`) and the sums of their weights by class.

    `hits` are the numbers of all n-grams that were found `together`, of which the model is the one at `at`.
    """

    text: str
    size: int
    sums: tuple[int, ...]
    hits: set[int]
    together: "Together"
    at: int


class NgramModel:
    """A model in memory. Threads may share it; it never changes.

    `classes` name the scores. `extras` are weights of further figures (VADER's scores), which the caller adds: their names
    with one weight for each class. `version` counts the published weights.
    """

    def __init__(self, header: Mapping[str, Any], ngrams: Sequence[str], weights: Sequence[Sequence[int]]) -> None:
        """`weights` has one row for each class, in the order of `ngrams`."""
        self.classes: tuple[str, ...] = tuple(header["classes"])
        self.extras: Mapping[str, tuple[float, ...]] = {
            name: tuple(values) for name, values in header["extras"].items()
        }
        self.settings: Mapping[str, Any] = header["settings"]
        self.version: str = header["version"]
        self._bias: tuple[float, ...] = tuple(header["bias"])
        self._unit: float = header["unit"]
        self.ngrams = ngrams
        self.weights = tuple([array("b", row) for row in weights])  # compact: a text looks at a hundred places of it

    @classmethod
    def load(cls, name: str) -> Self:
        """The model `listener/sentiment/weights/NAME.tsv.gz`."""
        return cls.parse(files(__package__).joinpath("weights", f"{name}.tsv.gz").read_bytes())

    @classmethod
    def parse(cls, packed: bytes) -> Self:
        """The model in the bytes of a weights file."""
        first, _, lines = gzip.decompress(packed).decode("utf-8").partition("\n")
        header = json.loads(first)
        width = len(header["classes"]) + 1
        fields = lines.replace(SPACE, " ").replace("\n", "\t").split("\t")
        fields.pop()  # what follows the last line's end
        return cls(header, fields[::width], [list(map(int, fields[at::width])) for at in range(1, width)])

    @cached_property
    def _alone(self) -> "Together":
        return Together((self,))

    def read(self, text: str) -> Reading:
        """Find the n-grams of a text. The one costly step; scores and explanations start from it."""
        return self._alone.read(text)[0]

    def scores(self, text: str) -> tuple[float, ...]:
        """The log-odds of each class, without the extras."""
        return self.scores_of(self.read(text))

    def scores_of(self, reading: Reading) -> tuple[float, ...]:
        """As `scores`, of a text that was read."""
        unit = self._unit_of(reading.size)
        return tuple([bias + unit * whole for bias, whole in zip(self._bias, reading.sums, strict=True)])

    def contributions(self, text: str, cls: str) -> tuple[Contribution, ...]:
        """What each n-gram added to the score of a class, the heaviest first. With `bias(cls)` they sum up to the score."""
        mapped = prepare_mapped(text)
        places: dict[int, tuple[int, int]] = {}
        for number, start, end in self._alone.find(mapped.text):
            places.setdefault(number, (start, end))
        row, unit = self.weights[self.classes.index(cls)], self._unit_of(len(places))
        added = [
            Contribution(mapped.text[start:end], *_origin(mapped, start, end), unit * row[number])
            for number, (start, end) in places.items()
        ]
        return tuple(sorted(added, key=lambda one: (-abs(one.weight), one.start, one.text)))

    def strongest(self, reading: Reading, mixture: tuple[float, ...], most: int) -> tuple[tuple[str, float], ...]:
        """The words that speak most for a mixture of classes (one figure for each class), in a few microseconds.

        Each n-gram stands for the words that it touches, and words already told are passed over. With each goes what its
        n-gram adds to the mixture. n-grams that speak against it are not told.
        """
        loud = reading.together.loud(reading.at, mixture)
        unit = self._unit_of(reading.size)
        told: dict[str, float] = {}
        for rank in sorted(map(loud.ranks.__getitem__, loud.numbers & reading.hits))[: 4 * most]:
            ngram, pull = loud.ngrams[rank]
            start = reading.text.find(ngram)
            words = _words_around(reading.text, start, start + len(ngram))
            if words.strip(_DUMB) and not any(words in other or other in words for other in told):
                told[words] = unit * pull
                if len(told) == most:
                    break
        return tuple(told.items())

    def bias(self, cls: str) -> float:
        """The score of a class for a text without any known n-gram."""
        return self._bias[self.classes.index(cls)]

    def _unit_of(self, count: int) -> float:
        return self._unit / math.sqrt(count) if count else 0.0


class _Loud(NamedTuple):
    """N-grams by how much they add to a mixture: their numbers, the rank of each, and by rank what they are and add."""

    numbers: frozenset[int]
    ranks: dict[int, int]
    ngrams: list[tuple[str, float]]


class Together:
    """Models whose n-grams are found together, because finding them costs as much as all else that is done to a text.

    Nearly all of them lie inside of words, and people use few words: those are looked for once in each word.
    The weights of an n-gram for every class of every model, and a 1 for every model that has it, stand side by side in one
    number, so that one sum adds them all.
    """

    def __init__(self, models: Sequence[NgramModel]) -> None:
        self._models = models
        self.ngrams = list(dict.fromkeys(ngram for model in models for ngram in model.ngrams))
        numbers = {ngram: number for number, ngram in enumerate(self.ngrams)}
        self._numbers = [array("i", map(numbers.__getitem__, model.ngrams)) for model in models]
        self._packed = [0] * len(self.ngrams)
        shift = 0
        for model, own in zip(models, self._numbers, strict=True):
            for number, fields in zip(own, _side_by_side(model.weights, shift), strict=True):
                self._packed[number] |= fields
            shift += _WIDE * (len(model.classes) + 1)
        self._across = Finder({number: ngram for number, ngram in enumerate(self.ngrams) if " " in ngram[1:-1]})
        self._inside = Finder({number: ngram for number, ngram in enumerate(self.ngrams) if " " not in ngram[1:-1]})
        self._within = Remembered(self._inside.within)
        self._loud: dict[tuple[int, tuple[float, ...]], _Loud] = {}
        self._last: tuple[str, tuple[Reading, ...]] = ("", ())

    def loud(self, at: int, mixture: tuple[float, ...]) -> _Loud:
        """The n-grams that speak for a mixture of the classes of a model loudly enough to be told.

        It is dear to make and the same for all texts.
        """
        known = self._loud.get((at, mixture))
        if known is None:
            known = self._loud[at, mixture] = self._loudest(at, mixture)
        return known

    def _loudest(self, at: int, mixture: Sequence[float]) -> _Loud:
        model = self._models[at]
        pulls = [0.0] * len(model.ngrams)
        for share, row in zip(mixture, model.weights, strict=True):
            pulls = [pull + share * weight for pull, weight in zip(pulls, row, strict=True)]
        least = _LOUD * max(pulls, default=0.0)
        loud = [(-pull, number) for number, pull in zip(self._numbers[at], pulls, strict=True) if pull > least]
        loud.sort()
        return _Loud(
            numbers=frozenset(number for _, number in loud),
            ranks={number: rank for rank, (_, number) in enumerate(loud)},
            ngrams=[(self.ngrams[number], -quiet) for quiet, number in loud],
        )

    def find(self, prepared: str) -> list[tuple[int, int, int]]:
        """Every n-gram in a prepared text as (number, start, end)."""
        return [*self._inside.find(prepared), *self._across.find(prepared)]

    def read(self, text: str) -> tuple[Reading, ...]:
        """What each model finds. The last text is remembered, for the models judge it in turn."""
        last, readings = self._last
        if last != text or not readings:
            readings = self._read(prepare(text))
            self._last = (text, readings)
        return readings

    def _read(self, prepared: str) -> tuple[Reading, ...]:
        across = {hit[0] for hit in self._across.find(prepared)}
        hits = across.union(*map(self._within.__getitem__, prepared.split()))
        whole = sum(map(self._packed.__getitem__, hits))
        readings = []
        for at, model in enumerate(self._models):
            count, width = whole & _MASK, len(model.classes)
            sums = tuple([(whole >> (_WIDE * field) & _MASK) - _LIFT * count for field in range(1, width + 1)])
            readings.append(Reading(prepared, count, sums, hits, self, at))
            whole >>= _WIDE * (width + 1)
        return tuple(readings)


def _side_by_side(rows: "Sequence[array[int]]", shift: int) -> list[int]:
    """For each n-gram a 1 and its weights, lifted, side by side from bit `shift` on."""
    fields = [1 << shift] * len(rows[0])
    for at, row in enumerate(rows, start=1):
        place = shift + _WIDE * at
        fields = [below + (weight + _LIFT << place) for below, weight in zip(fields, row, strict=True)]
    return fields


_LIFT = 128  # makes every weight positive
_WIDE = 24  # bits of one sum: room for 65,000 n-grams
_MASK = (1 << _WIDE) - 1

MODELS = {"en": ("sentiment-en", "stakes_en"), "ko": ("sentiment-ko", "stakes_ko")}
"""The shipped models of a language: its sentiment, and what is at stake."""


def language(lang: str) -> tuple[Together, NgramModel, NgramModel]:
    """The models of a language, together and each; read once in a process: every version of rules.yaml takes the same."""
    with _LOADING:  # at the first poll sixteen threads ask at once, and a model on its way takes 20 MB
        return _load(lang)


_LOADING = Lock()


@cache
def _load(lang: str) -> tuple[Together, NgramModel, NgramModel]:
    sentiment, stakes = (NgramModel.load(name) for name in MODELS[lang])
    return Together((sentiment, stakes)), sentiment, stakes


# --- preparing a text --------------------------------------------------------------------------------------------------

# Each is a pattern and what stands instead.
_MASKS = (
    (re.compile(r"(?:https?://|www\.)\S+"), " 🔗 "),
    (re.compile(r"@[\w.]+"), " @ "),
    (re.compile(r"\d"), "0"),
    (re.compile(r"([^ ])\1\1+"), r"\1\1"),
)
_TOKEN = re.compile(r"[\w']+|[^\w\s']+")


@lru_cache(maxsize=4)  # several models judge a text in turn
def prepare(text: str) -> str:
    """The form in which n-grams are looked for: folded, a space before and after every word and run of punctuation.

    Links become 🔗, handles @, digits 0; a character repeated stands twice. What is prepared stays about as long.
    """
    return f" {' '.join(map(_PREPARED.__getitem__, fold(text[:MAX_READ]).split()))} "


def _prepare_word(folded: str) -> str:
    """No mask reaches over white space, so that each word can be prepared by itself, and remembered."""
    for pattern, instead in _MASKS:
        folded = pattern.sub(instead, folded)
    return " ".join(_TOKEN.findall(folded))


_PREPARED = Remembered(_prepare_word)


def prepare_mapped(text: str) -> Folded:
    """As `prepare`, with the place in `text` of every prepared character. Much dearer: for explanations."""
    masked = fold_mapped(text[:MAX_READ])
    for pattern, instead in _MASKS:
        masked = _replace(masked, pattern, instead)
    parts, offsets = [" "], [masked.offsets[0]]
    for token in _TOKEN.finditer(masked.text):
        parts += (token.group(), " ")
        offsets += masked.offsets[token.start() : token.end() + 1]
    if len(parts) == 1:
        parts, offsets = ["  "], [*offsets, offsets[0]]
    return Folded("".join(parts), [*offsets, masked.offsets[-1]])


def _replace(mapped: Folded, pattern: re.Pattern[str], instead: str) -> Folded:
    """`pattern.sub(instead, mapped.text)`; what was put in comes from where the match began."""
    parts: list[str] = []
    offsets: list[int] = []
    done = 0
    for match in pattern.finditer(mapped.text):
        start, end = match.span()
        put_in = match.expand(instead)
        parts += (mapped.text[done:start], put_in)
        offsets += mapped.offsets[done:start]
        offsets += [mapped.offsets[start]] * (len(put_in) - 1)
        offsets.append(mapped.offsets[end if put_in[-1] == " " else start])
        done = end
    return Folded("".join([*parts, mapped.text[done:]]), [*offsets, *mapped.offsets[done:]])


def _origin(mapped: Folded, start: int, end: int) -> tuple[int, int]:
    """Where in the original the n-gram stands, without the spaces at its ends."""
    ngram = mapped.text[start:end]
    bare = ngram.strip()
    start += ngram.index(bare) if bare else 0
    return mapped.offsets[start], mapped.offsets[start + len(bare)]


def _words_around(prepared: str, start: int, end: int) -> str:
    """The whole words that an n-gram touches."""
    while end > start and prepared[end - 1] == " ":
        end -= 1
    while start < end and prepared[start] == " ":
        start += 1
    if start == end:
        return ""
    first = prepared.rfind(" ", max(0, start - _LONGEST_WORD), start) + 1 or start
    last = prepared.find(" ", end, end + _LONGEST_WORD)
    return prepared[first : last if last >= 0 else end]


_LONGEST_WORD = 30
_DUMB = "@🔗0 .,:;!?\"'()-_"
"""What explains nothing to people, though it may count."""
