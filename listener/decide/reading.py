"""One mention while it is matched: its folded text, what stands where in it, its words and sentences."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple

from listener.decide.fold import Folded, fold, fold_mapped
from listener.decide.terms import Spans
from listener.domain.mention import Mention

__all__ = ["Hit", "Hits", "Keep", "Reading", "within"]


class Hit(NamedTuple):
    """A term as its rule writes it, and where it stands in the folded text. `start` is -1 for a test without a place."""

    term: str
    start: int
    end: int


Hits = list[Hit]
Keep = Callable[[int, int], bool]
"""Whether a place in the folded text counts."""


class Reading:
    """One mention while it is matched. What only few mentions need is worked out when it is asked for."""

    def __init__(self, mention: Mention, text: str, folded: str, spans: Spans) -> None:
        self.mention = mention
        self.text = text
        self.folded = folded
        self.spans = spans
        self.brands: tuple[str, ...] = mention.brands

    @cached_property
    def mapped(self) -> Folded:
        """The folded text with its offsets in `text`."""
        return fold_mapped(self.text)

    @cached_property
    def title_end(self) -> int:
        """Where the title ends in the folded text; 0 without a title."""
        return len(fold(self.mention.title or ""))

    @cached_property
    def _spaces(self) -> list[int]:
        return [place for place, char in enumerate(self.folded) if char == " "]

    @cached_property
    def _sentence_ends(self) -> list[int]:
        return [end.end() for end in _SENTENCE_END.finditer(self.text)]

    def words(self, hit: tuple[str, int, int]) -> range:
        """The numbers of the words that a hit touches, counted by spaces."""
        first = bisect_left(self._spaces, hit[1])
        return range(first, bisect_left(self._spaces, hit[2] - 1) + 1)

    def sentences(self, start: int, end: int) -> range:
        """The numbers of the sentences that a place in the folded text touches."""
        offsets = self.mapped.offsets
        first = bisect_right(self._sentence_ends, offsets[start])
        return range(first, bisect_right(self._sentence_ends, offsets[end - 1]) + 1)


# A full stop ends a sentence if a blank follows ("3.5" and "x.example" go on); so does laughing or crying in Korean.
_SENTENCE_END = re.compile(r"""[.!?]+["')\]”’]*(?=\s|$)|[。！？…]+|\n+|[ㅋㅎㅠㅜ]{2,}""")


def within(reading: Reading, hits: Iterable[Hit], others: Iterable[Hit], distance: int) -> Hits:
    """The hits that stand at most `distance` words from one of the others. Neighbouring words are one apart."""
    words = sorted({word for other in others for word in reading.words(other)})
    near: Hits = []
    for hit in hits:
        own = reading.words(hit)
        place = bisect_left(words, own.start - distance)
        if place < len(words) and words[place] < own.stop + distance:
            near.append(hit)
    return near
