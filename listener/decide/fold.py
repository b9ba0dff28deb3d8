"""The form in which texts and terms are compared: one spelling for everything that a reader would call the same.

Folded text is NFKC and caseless, without accents (Latin, Greek and Cyrillic), without invisible characters, with one kind
of apostrophe, quote, hyphen and space, and with letters that look Latin turned into Latin (Cyrillic and Greek twins, small
capitals, boxed letters). Hangul is composed, however it was typed. Both sides of every comparison go through `fold`, so it
does no harm that a Russian word comes out half Latin: the term does too. Spaced-out letters ("a c m e") are not joined.

Folding works on one code point at a time (`_fold_char`, remembered in a bounded table), then composes. So it is linear, and
the place that every folded character came from is known. Ordinary English and Korean never go that way: one regular
expression sees that they need nothing but lower case.

Left alone on purpose: Hangul compatibility jamo (NFKC would turn ㅋㅠ into the syllable 큐), voicing marks of Kana (か and が
are different letters), and the vowel signs of scripts that cannot be read without them.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Folded", "compose", "fold", "fold_mapped"]


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text and where it came from.

    `offsets` has one entry more than `text`: the folded characters `i..j` came from the original's
    `offsets[i]..offsets[j]`.
    """

    text: str
    offsets: Sequence[int]


def fold(text: str) -> str:
    """The comparison form of `text`. Folding what is folded changes nothing."""
    folded = text.lower() if _is_plain(text) else compose(text.translate(_TABLE))
    if "  " in folded or "\n" in folded or "\t" in folded or "\r" in folded:
        return " ".join(folded.split())
    return folded.strip()


def fold_mapped(text: str) -> Folded:
    """As `fold`, with the place in `text` of every folded character. It costs ten times as much: for texts with a hit."""
    if _is_plain(text):
        return _squeeze(text.lower(), range(len(text) + 1))
    pieces = [_TABLE[ord(char)] for char in text]
    origins = [index for index, piece in enumerate(pieces) for _ in piece]
    return _squeeze(*_compose_mapped("".join(pieces), [*origins, len(text)]))


def compose(text: str) -> str:
    """NFC in linear time: beyond the 30th combining mark in a row, marks are dropped.

    Canonical ordering is quadratic in a run of marks (32,000 of them take half a second). No language uses more than a
    handful; 30 is the limit of the Stream-Safe Text Format (Unicode Standard Annex 15, section 13).
    """
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _LONG_RUN.sub(_thin, text))


def _thin(run: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for char in run.group():
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)


def _compose_mapped(text: str, origins: Sequence[int]) -> tuple[str, Sequence[int]]:
    """As `compose`; a character made of several comes from where the first of them did."""
    if text.isascii():
        return text, origins
    parts: list[str] = []
    composed: list[int] = []
    for start, end in _clusters(text):
        part = compose(text[start:end])
        parts.append(part)
        composed.extend(origins[start:end] if len(part) == end - start else [origins[start]] * len(part))
    return "".join(parts), [*composed, origins[-1]]


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Ranges that compose with nothing outside them: a character with the marks and jamo that may join it."""
    start = 0
    for index, char in enumerate(text):
        if index > start and not _may_join(char):
            yield start, index
            start = index
    yield start, len(text)


def _may_join(char: str) -> bool:
    return char > "\u02ff" and ("\u1160" <= char <= "\u11ff" or unicodedata.category(char)[0] == "M")


def _squeeze(text: str, origins: Sequence[int]) -> Folded:
    """One space for each run of white space and none at the ends. `origins` has one entry more than `text`."""
    if not _RAGGED(text):
        return Folded(_WHITE.sub(" ", text), origins)
    squeezed: list[str] = []
    offsets: list[int] = []
    end = origins[0]
    for word in _WORD.finditer(text):
        if squeezed:
            squeezed.append(" ")
            offsets.append(end)
        squeezed.append(word.group())
        offsets.extend(origins[word.start() : word.end()])
        end = origins[word.end()]
    return Folded("".join(squeezed), [*offsets, end])


def _fold_char(char: str) -> str:
    """What one code point folds to: characters that fold to themselves, or nothing."""
    if char in _TWINS:
        return _TWINS[char]
    category = unicodedata.category(char)
    if char.isspace():
        return " "
    if category in ("Cc", "Cf") or _DROPPED(char):
        return ""
    if _STANDS(char) or (category == "Lo" and not unicodedata.decomposition(char)):
        return char
    return _fold_parts(char, category)


def _fold_parts(char: str, category: str) -> str:
    parts = _simpler(char, category)
    if parts == char:
        return char
    return unicodedata.normalize("NFC", "".join(_fold_char(part) for part in parts))


def _simpler(char: str, category: str) -> str:
    """One step towards the folded form; `char` itself if there is none."""
    narrow = _NARROW_JAMO(unicodedata.decomposition(char))
    if narrow:
        return chr(int(narrow.group(1), 16))
    parts = unicodedata.normalize("NFKD", char).casefold()
    if parts == char and category != "Lo":
        drawn = _DRAWN_LATIN(unicodedata.name(char, ""))
        return drawn.group(1).lower() if drawn else char
    return parts


class _Table(dict[int, str]):
    """`_fold_char` for `str.translate`, remembered. The bound keeps hostile text from filling the memory."""

    def __missing__(self, code: int) -> str:
        folded = _fold_char(chr(code))
        if len(self) < _MAX_REMEMBERED:
            self[code] = folded
        return folded


_MAX_REMEMBERED = 65_536
_MAX_MARKS = 30
_TABLE = _Table()

# What lower() alone folds: printable ASCII and its white space, Hangul syllables, compatibility jamo without the filler,
# ideographs, Kana letters, and the CJK punctuation and emoji that stand between them.
_is_plain = re.compile("[\t\n\r -~가-힣ㄱ-ㅣㅥ-ㆎ一-鿿ぁ-ゖァ-ヺー、。「」『』·\U0001f300-\U0001faff]*").fullmatch

# Decomposing these would lose letters or end where it began.
_STANDS = re.compile("[가-힣ㄱ-ㅣㅥ-ㆎ]").match

# Accents on Latin, Greek and Cyrillic; variation selectors; fillers that look like nothing.
_DROPPED = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180f\u115f\u1160\u3164\uffa0\u17b4\u17b5]"
).match

# Letters drawn in another way that Unicode does not decompose: ø, ł, small capitals, white letters on black.
_DRAWN_LATIN = re.compile(
    r"(?:LATIN (?:SMALL|CAPITAL) LETTER|LATIN LETTER SMALL CAPITAL|NEGATIVE (?:CIRCLED|SQUARED) LATIN CAPITAL LETTER)"
    r" ([A-Z])(?: WITH .+)?$"
).match

# Half-width jamo: NFKD would go past the compatibility jamo, to the conjoining ones.
_NARROW_JAMO = re.compile("<narrow> (31[3-8].)$").match

# A run without letters, digits and spaces is the only place where many marks can stand.
_LONG_RUN = re.compile(rf"[^\w\s]{{{_MAX_MARKS + 1},}}")
_WORD = re.compile(r"\S+")
_WHITE = re.compile(r"\s")
_RAGGED = re.compile(r"^\s|\s\s|\s\Z").search


def _twins() -> dict[str, str]:
    """Look-alikes by sight, both cases, after Unicode's confusables.txt where the capital is the exact twin."""
    cyrillic = "а=a в=b е=e к=k м=m н=h о=o р=p с=c т=t у=y х=x і=i ј=j ѕ=s ԁ=d ԛ=q ԝ=w һ=h ӏ=l"
    greek = "α=a β=b ε=e ζ=z η=h ι=i κ=k μ=m ν=n ο=o ρ=p τ=t υ=y χ=x ϲ=c"
    latin = "ɑ=a ɡ=g ı=i æ=ae œ=oe ŀ=l ℮=e"
    twins = {
        letter: plain for letter, _, plain in (pair.partition("=") for pair in f"{cyrillic} {greek} {latin}".split())
    }
    twins |= {
        capital: plain for letter, plain in twins.items() if len(capital := letter.upper()) == 1 and capital > "~"
    }
    twins |= dict.fromkeys("’‘‛′´ʼʹ＇", "'") | dict.fromkeys("“”„‟″«»＂", '"') | dict.fromkeys("‐‑‒–—―−－", "-")
    return twins | dict.fromkeys("™℠\u2800", " ") | {chr(code): "\ufffd" for code in range(0xD800, 0xE000)}


_TWINS = _twins()
