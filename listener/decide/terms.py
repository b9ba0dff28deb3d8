"""Where the terms of all queries stand in a folded text: one pass over the text, however many terms there are.

Writings that put spaces between words (Latin, Cyrillic, Arabic, Devanagari, ...) and writings that do not, or not reliably
(Hangul, Kana, Han, Thai, ...) need different rules:

* A Latin term is a whole word. Its neighbours may be anything but a letter or digit of such a writing, so it is found in
  "하늘항공KE123편" as in "KE123.". A prefix term frees its end. Handles and hashtags take `_` for a letter.
* A Hangul term is found anywhere: particles and endings follow it, and people write without spaces (English-style word
  boundaries lose four of five Korean mentions). `^term` asks for the start of a word.
* Spaces do not count in a Hangul term, nor in the text: 고객센터 is 고객 센터, either way round. But text that is
  spaced otherwise than the term must start a word and have three characters at least; or else 환불 (refund) would be
  found in 전환 불가 (no exchange), and a word of two syllables between any two neighbours.

Both kinds run through an Aho-Corasick automaton, the second over the text without spaces; boundaries are looked at on hits.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick

from listener.domain.query import Term

__all__ = ["Spans", "TermIndex"]

Spans = dict[int, list[tuple[int, int]]]
"""Term number -> where it stands in the folded text, in the order of the ends."""

_LEAST_SPLIT = 3


@dataclass(frozen=True, slots=True)
class _Literal:
    """A term as the automaton sees it. `start` and `end` say whether a word must begin and end there."""

    number: int
    folded: str
    start: bool
    end: bool
    joined_by_underscore: bool
    tight: str = ""


class TermIndex:
    """All terms of all queries. Terms are known by their number: their place in `terms`."""

    def __init__(self, terms: Sequence[Term]) -> None:
        literals = [(_literal(number, term), term) for number, term in enumerate(terms) if term.folded]
        self._spaced = [literal for literal, _ in literals if not literal.tight]
        self._unspaced = [literal for literal, _ in literals if literal.tight]
        self._in_words = AhoCorasick([literal.folded for literal in self._spaced])
        self._in_dense = AhoCorasick([literal.folded.replace(" ", "") for literal in self._unspaced])

    def find(self, folded: str) -> Spans:
        """Every place of every term, as offsets into `folded`."""
        spans: Spans = {}
        for place, start, end in self._in_words.find_matches_as_indexes(folded, overlapping=True):
            literal = self._spaced[place]
            if _stands_free(literal, folded, start, end):
                spans.setdefault(literal.number, []).append((start, end))
        if self._unspaced and not folded.isascii():
            for literal, start, end in self._find_dense(folded):
                spans.setdefault(literal.number, []).append((start, end))
        return spans

    def _find_dense(self, folded: str) -> Iterator[tuple[_Literal, int, int]]:
        hits = self._in_dense.find_matches_as_indexes(folded.replace(" ", ""), overlapping=True)
        if not hits:
            return
        places = [place for place, char in enumerate(folded) if char != " "]
        for number, first, behind in hits:
            literal = self._unspaced[number]
            start, end = places[first], places[behind - 1] + 1
            if _stands_free(literal, folded, start, end) and _spacing_fits(literal, folded, start, end):
                yield literal, start, end


def _literal(number: int, term: Term) -> _Literal:
    folded = term.folded
    named = folded[0] in "@#"
    unspaced = _UNSPACED.search(folded) is not None
    return _Literal(
        number=number,
        folded=folded,
        start=named or joins(folded[0]) or (unspaced and term.word_start),
        end=joins(folded[-1]) and not term.prefix,
        joined_by_underscore=named,
        tight=_tight(folded) if unspaced else "",
    )


def _stands_free(literal: _Literal, folded: str, start: int, end: int) -> bool:
    """Whether a word begins and ends where the term wants it. Most neighbours are blanks, so they are asked first."""
    before = folded[start - 1] if literal.start and start else " "
    if before != " " and _continues(folded[start], before):
        return False
    after = folded[end] if literal.end and end < len(folded) else " "
    return after == " " or not (joins(after) or (literal.joined_by_underscore and after == "_"))


def _continues(first: str, before: str) -> bool:
    """Whether `first` goes on with the word that `before` is in. A change between Hangul and Latin begins a word."""
    if _UNSPACED.match(first):
        return _UNSPACED.match(before) is not None
    return joins(before)


def _spacing_fits(literal: _Literal, folded: str, start: int, end: int) -> bool:
    written = folded[start:end]
    if written == literal.folded:
        return True
    if _tight(written) != literal.tight:
        return False  # the spaces between Latin words do count
    if " " not in written:
        return True
    long_enough = len(literal.folded.replace(" ", "")) >= _LEAST_SPLIT
    return long_enough and (start == 0 or not _continues(written[0], folded[start - 1]))


def joins(char: str) -> bool:
    """Whether `char` is a letter, digit or mark of a writing that puts spaces between words."""
    if char.isalnum():
        return char < "\u0e00" or not _UNSPACED.match(char)
    return char > "\u02ff" and unicodedata.category(char)[0] == "M"


def _tight(folded: str) -> str:
    """Without the spaces beside a letter of an unspaced writing."""
    return _LOOSE_SPACE.sub("", folded)


# Thai, Lao, Myanmar, Hangul jamo, Khmer, Kana, compatibility jamo, ideographs, Hangul syllables, their later planes.
_UNSPACED_RANGES = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3041-\u30ff\u3131-\u318e\u3400-\u9fff\ua960-\ua97f"
)
_UNSPACED_RANGES += "\uac00-\ud7fb\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
_UNSPACED = re.compile(f"[{_UNSPACED_RANGES}]")
_LOOSE_SPACE = re.compile(f"(?<=[{_UNSPACED_RANGES}]) | (?=[{_UNSPACED_RANGES}])")
