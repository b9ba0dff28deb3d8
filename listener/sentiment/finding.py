"""How the n-grams of a model are found in a text.

Nearly all of them lie inside of words, and people use few words: what lies inside of a word is looked for once and
remembered. Only those across words are looked for in each text.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from ahocorasick_rs import AhoCorasick, Implementation

__all__ = ["Finder", "Remembered"]

_MOST_REMEMBERED = 10_000
_LONGEST_REMEMBERED = 40

Value = TypeVar("Value")


class Remembered(dict[str, Value]):
    """What a function says of each word, worked out once. Bounded in number and length: words come from the internet."""

    def __init__(self, work_out: Callable[[str], Value]) -> None:
        super().__init__()
        self._work_out = work_out

    def __missing__(self, word: str) -> Value:
        value = self._work_out(word)
        if len(word) <= _LONGEST_REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[word] = value
        return value


class Finder:
    """Finds some of the n-grams of a model, which go by their numbers there."""

    def __init__(self, ngrams: Mapping[int, str]) -> None:
        self._numbers = list(ngrams)
        self._automaton = AhoCorasick(list(ngrams.values()), implementation=Implementation.ContiguousNFA)

    def find(self, prepared: str) -> list[tuple[int, int, int]]:
        """Every place of each of them: number, start, end."""
        numbers = self._numbers
        hits = self._automaton.find_matches_as_indexes(prepared, overlapping=True)
        return [(numbers[place], start, end) for place, start, end in hits]

    def within(self, word: str) -> tuple[int, ...]:
        """Those that lie inside of a word, the spaces around it included, each once."""
        return tuple(dict.fromkeys(hit[0] for hit in self.find(f" {word} ")))
