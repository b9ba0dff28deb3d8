"""Character work that makes text from the internet harmless. What a sink reads as markup, its notifier breaks itself.

Nothing here is for comparing texts (that is `fold`): the result is for people, so letters stay as their author wrote them.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import SplitResult, quote, urlsplit

MAX_URL = 2_048
MAX_MARKS = 5
"""Combining marks kept on one letter: more than any living script stacks, fewer than it takes to hide the line above."""

_LINE_BREAKS = re.compile("\r\n|[\r\x85\u2028\u2029]")
# What would be reordered, or is invisible and can carry hidden text: bidirectional controls, deprecated format characters,
# interlinear annotation, tag characters.
_DROPPED = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef]")
# Characters that look like nothing: a line of them is an empty line.
_BLANK = " \u00a0\u00ad\u115f\u1160\u1680\u180e\u2000-\u200d\u202f\u205f\u2800\u3000\u3164\uffa0"
_BLANK_LINES = re.compile(f"\n[{_BLANK}]*(?:\n[{_BLANK}]*)+")
_SPACES = re.compile(r"\s+")


def clean(text: str) -> str:
    """The text without anything that a sink could obey instead of show. Idempotent.

    Controls, lone surrogates and noncharacters become U+FFFD, line breaks of every kind a line feed, tabs a space;
    bidirectional controls and tag characters go; at most `MAX_MARKS` combining marks stay on a letter, and one empty
    line between two lines.
    """
    text = _LINE_BREAKS.sub("\n", text).replace("\t", " ")
    text = _CONTROLS.sub("\ufffd", _DROPPED.sub("", text))
    if not text.isascii():
        text = _fewer_marks(_without_noncharacters(text))
    return _BLANK_LINES.sub("\n\n", text).strip()


def one_line(text: str) -> str:
    """`clean`, on one line, with single spaces."""
    return _SPACES.sub(" ", clean(text)).strip()


def _without_noncharacters(text: str) -> str:
    """The last two code points of each of the seventeen planes are not characters."""
    return "".join("\ufffd" if ord(character) & 0xFFFE == 0xFFFE else character for character in text)


def _fewer_marks(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def utf16(text: str) -> int:
    """The length in UTF-16 units, in which Slack and most chats count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int, *, cost: Callable[[str], int] = len) -> str:
    """The text if it costs at most `limit`, else its start and "… (cut, 12,345 characters)" with its full length.

    `cost` prices each character in the sink's own measure (escapes, UTF-16 units). A letter is never parted from its
    marks, nor an emoji or a Hangul syllable from its parts.
    """
    if _room(text, limit, cost) == len(text):
        return text
    tails = (f"… (cut, {len(text):,} characters)", "…", "")
    tail = next(tail for tail in tails if not tail or _room(tail, limit, cost) == len(tail))
    room = _room(text, limit - sum(map(cost, tail)), cost)
    return text[: boundary(text, room)].rstrip() + tail


def _room(text: str, limit: int, cost: Callable[[str], int]) -> int:
    """How many characters of the text cost at most `limit`."""
    if cost is len:
        return max(0, min(limit, len(text)))
    spent = 0
    for index, character in enumerate(text):
        spent += cost(character)
        if spent > limit:
            return index
    return len(text)


_LONGEST_CLUSTER = 32
_ZWJ = "\u200d"


def boundary(text: str, at: int) -> int:
    """The last place at or before `at` where no visible character is cut in two; `at` itself if there is none near."""
    for place in range(at, max(at - _LONGEST_CLUSTER, 0), -1):
        if place >= len(text) or not _sticks(text, place):
            return place
    return at


def _sticks(text: str, at: int) -> bool:
    """Whether the character at `at` belongs to the one before it. The common rules of UAX 29, not all of them."""
    before, after = text[at - 1], text[at]
    return (
        _ZWJ in (before, after)
        or unicodedata.category(after) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
        or "\udc00" <= after <= "\udfff"  # the second half of a surrogate pair
        or "\u1160" <= after <= "\u11ff"  # vowels and final consonants of a Hangul syllable in parts
        or (_is_flag_letter(after) and _flag_letters_before(text, at) % 2 == 1)
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters_before(text: str, at: int) -> int:
    count = 0
    while count < at and count < _LONGEST_CLUSTER and _is_flag_letter(text[at - count - 1]):
        count += 1
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link that may be shown: `url` in printable ASCII without user name, `host` in punycode.

    `name` is the host as people see it: of a long one its end, which says whose it is. `label` is name and path.
    """

    url: str
    host: str

    @property
    def name(self) -> str:
        """At most 60 characters."""
        return self.host if len(self.host) <= 60 else f"…{self.host[-59:]}"

    @property
    def label(self) -> str:
        """At most 90 characters."""
        return cut(self.name + urlsplit(self.url).path.rstrip("/"), 90)


_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
# Everything else is percent-encoded: brackets, quotes and bars would end a link in one markup or another.
_MAX_ENCODED = 3_000  # what Slack takes as a button's address; a Korean path triples in length when it is encoded
_SAFE = "/?#@:!$&*+,;=%-._~"


def link(url: str | None) -> Link | None:
    """The link behind `url`, or `None` if it is not http(s), has no host, or browsers and we could read it differently."""
    if not url or len(url) > MAX_URL or "\\" in url or _CONTROLS.search(url) or _SPACES.search(url):
        return None
    try:
        parts = urlsplit(url)
        host, port = _ascii_host(parts), parts.port
    except (ValueError, UnicodeError):
        return None
    if parts.scheme not in ("http", "https") or host is None:
        return None
    place = f"{host}:{port}" if port not in (None, 80 if parts.scheme == "http" else 443) else host
    rest = parts.path + (f"?{parts.query}" if parts.query else "") + (f"#{parts.fragment}" if parts.fragment else "")
    safe = f"{parts.scheme}://{place}{quote(rest, safe=_SAFE, errors='replace')}"
    return Link(url=safe, host=host) if len(safe) <= _MAX_ENCODED else None


def _ascii_host(parts: SplitResult) -> str | None:
    """The host as it is looked up: lower case, punycode; an IPv6 address in brackets."""
    name = parts.hostname or ""
    if "[" in parts.netloc:
        try:
            return f"[{IPv6Address(name)}]"
        except AddressValueError:
            return None
    host = name.encode("idna").decode("ascii").lower().rstrip(".")
    return host if _HOST.fullmatch(host) else None
