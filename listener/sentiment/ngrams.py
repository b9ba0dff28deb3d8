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
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple, Self

from ahocorasick_rs import AhoCorasick, Implementation

from listener.decide.fold import Folded, fold, fold_mapped

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


class Reading(NamedTuple):
    """A prepared text, every n-gram in it as (number in the model, start, end), and which ones they are."""

    text: str
    hits: list[tuple[int, int, int]]
    found: set[int]


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
        self._weights = tuple([array("b", row) for row in weights])  # compact: a text looks at a hundred places of it
        self._sums = [
            sum((weight + _LIFT) << (_WIDE * at) for at, weight in enumerate(column))
            for column in zip(*self._weights, strict=True)
        ]  # the weights of all classes side by side in one number, so that one sum adds them all
        self._pulls: dict[tuple[float, ...], array[float]] = {}  # each is dear to make and the same for all texts
        self._find = AhoCorasick(ngrams, implementation=Implementation.ContiguousNFA).find_matches_as_indexes

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

    def read(self, text: str) -> Reading:
        """Find the n-grams of a text. The one costly step; scores and explanations start from it."""
        prepared = prepare(text)
        hits = self._find(prepared, overlapping=True)
        return Reading(prepared, hits, {hit[0] for hit in hits})

    def scores(self, text: str) -> tuple[float, ...]:
        """The log-odds of each class, without the extras."""
        return self.scores_of(self.read(text))

    def scores_of(self, reading: Reading) -> tuple[float, ...]:
        """As `scores`, of a text that was read."""
        found = reading.found
        unit = self._unit_of(len(found))
        whole, lifted = sum(map(self._sums.__getitem__, found)), _LIFT * len(found)
        sums = [(whole >> (_WIDE * at) & _MASK) - lifted for at in range(len(self._weights))]
        return tuple([bias + unit * whole for bias, whole in zip(self._bias, sums, strict=True)])

    def contributions(self, text: str, cls: str) -> tuple[Contribution, ...]:
        """What each n-gram added to the score of a class, the heaviest first. With `bias(cls)` they sum up to the score."""
        mapped = prepare_mapped(text)
        places: dict[int, tuple[int, int]] = {}
        for number, start, end in self._find(mapped.text, overlapping=True):
            places.setdefault(number, (start, end))
        row, unit = self._weights[self.classes.index(cls)], self._unit_of(len(places))
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
        pull = self._pulls.get(mixture) or self._pulls.setdefault(mixture, self._pull(mixture))
        unit = self._unit_of(len(reading.found))
        told: dict[str, float] = {}
        speaking = [(weight, start, end) for number, start, end in reading.hits if (weight := pull[number]) > 0]
        speaking.sort(reverse=True)
        for weight, start, end in speaking[: 4 * most]:
            words = _words_around(reading.text, start, end)
            if words.strip(_DUMB) and not any(words in other or other in words for other in told):
                told[words] = unit * weight
                if len(told) == most:
                    break
        return tuple(told.items())

    def _pull(self, mixture: Sequence[float]) -> "array[float]":
        rows = [[share * weight for weight in row] for share, row in zip(mixture, self._weights, strict=True)]
        return array("f", map(sum, zip(*rows, strict=True)))

    def bias(self, cls: str) -> float:
        """The score of a class for a text without any known n-gram."""
        return self._bias[self.classes.index(cls)]

    def _unit_of(self, count: int) -> float:
        return self._unit / math.sqrt(count) if count else 0.0


_LIFT = 128  # makes every weight positive
_WIDE = 32  # bits of one sum: room for 16 million n-grams
_MASK = (1 << _WIDE) - 1


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
    masked = fold(text[:MAX_READ])
    for pattern, instead in _MASKS:
        masked = pattern.sub(instead, masked)
    return f" {' '.join(_TOKEN.findall(masked))} "


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
