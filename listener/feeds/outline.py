"""The outline of an XML feed: its root, where its items begin and end, and what is wrong with it as a whole.

Nothing is parsed here. The cut is made with regular expressions and plain searches whose time grows with the length of
the text only, whatever the text: items that were seen before need never be looked into.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from listener.domain.errors import Fault, SourceChanged, SourceError, SourceRefused, SourceUnavailable

__all__ = ["MAX_ITEMS", "TAG", "TOO_MANY", "Outline", "Warn", "outline", "skip_markup"]

MAX_ITEMS = 20_000
"""More items than this in one document are left out, with a warning. The largest honest feeds have some thousands."""

Warn = tuple[Fault, str]

TOO_MANY: Warn = (Fault.TOO_LARGE, f"only the first {MAX_ITEMS} items were read")

# A tag as XML has it: quotes balanced, no "<" inside. Possessive, so that no input makes it try twice.
TAG = re.compile(r"""<(/?)([^\W\d][\w.\-]*+(?::[^\W\d][\w.\-]*+)?)((?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)>""")

_ROOTS = {"rss", "rdf", "feed", "channel"}
_ROOT_START = re.compile(r"<(?:[\w.\-]{1,40}:)?(?:rss|rdf|feed)(?=[\s>/])", re.IGNORECASE)
_NOT_FEEDS = {
    "html": "a web page",
    "body": "a web page",
    "opml": "a list of feeds (OPML); take the addresses out of it",
    "urlset": "a sitemap",
    "sitemapindex": "a sitemap",
    "svg": "a picture (SVG)",
    "envelope": "a SOAP answer",
}
_BINARY = (  # as `decode` leaves their first bytes: control characters are U+FFFD by then
    (re.compile(".PNG\r"), "a picture (PNG)"),
    (re.compile("GIF8"), "a picture (GIF)"),
    (re.compile("PK\ufffd\ufffd"), "a zip archive"),
    (re.compile("%PDF"), "a PDF"),
    (re.compile("\ufffd.\ufffd"), "compressed data (gzip) without a word about it in its headers"),
)
_DECLARATION = re.compile(r"<!\s*(?:ENTITY|ELEMENT|ATTLIST|NOTATION)\b", re.IGNORECASE)
_DOCTYPE = re.compile(r"""<!\s*DOCTYPE(?:[^<>"'\[]++|"[^"]*+"|'[^']*+')*+(.?)""", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """Where things are in `text`. `items` are half-open ranges, each from an item's start tag to its end tag.

    `head` is what stands before the first item, from the root's start tag on; `gaps` is all else that is not an item.
    """

    root: str
    head: str
    gaps: tuple[str, ...]
    items: tuple[str, ...]
    warnings: tuple[Warn, ...]


def outline(text: str) -> Outline:
    """Cut `text` into items. Raises `SourceError` (EMPTY, NOT_A_FEED, TRUNCATED, DTD) if it is no feed to be read."""
    if not text.strip(" \t\r\n\f\v\u00a0\ufeff"):
        raise SourceUnavailable(Fault.EMPTY, "the answer is empty; if it stays so, check the address")
    root, warnings = _root(text)
    cuts, more = _cuts(text, root)
    ends = [root.start(), *(end for _, end in cuts.ranges)]
    starts = [*(start for start, _ in cuts.ranges), cuts.end]
    gaps = tuple(text[end:start] for end, start in zip(ends, starts, strict=True))
    return Outline(
        root=root.group(2),
        head=gaps[0],
        gaps=gaps,
        items=tuple(text[start:end] for start, end in cuts.ranges),
        warnings=tuple(dict.fromkeys((*warnings, *more))),
    )


# --- the root ----------------------------------------------------------------------------------------------------------


def _root(text: str) -> tuple[re.Match[str], list[Warn]]:
    first = _first_tag(text, 0)
    if first is not None and _local(first.group(2)) in _ROOTS:
        return first, []
    second = _behind_junk(text)
    if second is not None:
        return second, [(Fault.MALFORMED, "something stands before the feed; it was skipped")]
    raise _not_a_feed(text, first)


def _first_tag(text: str, start: int) -> re.Match[str] | None:
    """The first start tag outside comments and declarations. Raises DTD for a document that declares things."""
    ends = Terminators()
    at = text.find("<", start)
    while at >= 0:
        match = TAG.match(text, at)
        if match is not None:
            return match
        at = text.find("<", skip_markup(text, at, ends))
    return None


def _behind_junk(text: str) -> re.Match[str] | None:
    """A feed behind the warnings that a broken server wrote first; not one that a web page quotes."""
    declared = text.find("<?xml", 1, 10_000)
    if declared < 0 or re.search(r"<html|<!doctype\s+html", text[:declared], re.IGNORECASE):
        return None
    first = _first_tag(text, declared)
    return first if first is not None and _local(first.group(2)) in _ROOTS else None


def _not_a_feed(text: str, first: re.Match[str] | None) -> SourceError:
    start = text.lstrip()[:200]
    if first is None and (start.startswith("<?xml") or _ROOT_START.match(start)):
        return SourceUnavailable(Fault.TRUNCATED, "the answer ends before the feed begins")
    if first is not None:
        what = _NOT_FEEDS.get(_local(first.group(2)), "XML of another kind")
    else:
        what = next((name for magic, name in _BINARY if magic.match(start)), "something else")
    return SourceChanged(Fault.NOT_A_FEED, f"the answer is not a feed but {what}; check the address in a browser")


# --- the items ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Cuts:
    """Ranges of the items found so far, and where the root ends."""

    ranges: list[tuple[int, int]]
    end: int


class Terminators:
    """Finds ends of comments and the like; remembers what is not there, so that a thousand starts cost one search."""

    def __init__(self) -> None:
        self._absent: set[str] = set()

    def find(self, text: str, what: str, start: int) -> int:
        """The place behind the next `what`, or the end of the text."""
        at = -1 if what in self._absent else text.find(what, start)
        if at < 0:
            self._absent.add(what)
            return len(text)
        return at + len(what)


def skip_markup(text: str, at: int, ends: Terminators) -> int:
    """The place behind the comment, CDATA section, instruction or declaration that begins at `at`, or `at` + 1.

    Raises DTD for a declaration that defines entities and for a DOCTYPE with an internal subset; a DOCTYPE that only
    names an external one is harmless as long as nobody fetches it, and nobody does.
    """
    if text.startswith("<!--", at):
        return ends.find(text, "-->", at + 4)
    if text.startswith("<![CDATA[", at):
        return ends.find(text, "]]>", at + 9)
    if text.startswith("<?", at):
        return ends.find(text, "?>", at + 2)
    if not text.startswith("<!", at):
        return at + 1
    doctype = _DOCTYPE.match(text, at)
    if _DECLARATION.match(text, at) or (doctype and doctype.group(1) == "["):
        raise SourceRefused(Fault.DTD, "the document declares entities of its own, as attacks do; it was not read")
    return doctype.end() if doctype else at + 2


@lru_cache(maxsize=64)
def _markers(root: str, item: str) -> re.Pattern[str]:
    names = f"(?P<root>{re.escape(root)})|(?P<item>{item})"
    return re.compile(rf"<(?:(?=[!?])|(?P<close>/?)(?:{names})(?=[\s/>]))", re.IGNORECASE)


_ANY_ITEM = r"(?:[\w.\-]{1,40}:)?(?:item|entry)"


def _cuts(text: str, root: re.Match[str]) -> tuple[_Cuts, list[Warn]]:
    cuts = _Cuts(ranges=[], end=len(text))
    warnings: list[Warn] = []
    if root.group(3).endswith("/"):
        return _Cuts(ranges=[], end=root.end()), warnings
    opened: int | None = None  # where the item begins that is not closed yet
    item = ""
    for match in _marks(text, root):
        at = match.start()
        if match["root"]:
            if opened is not None:
                cuts.ranges.append((opened, at))
                warnings.append(_UNCLOSED)
            cuts.end, opened = at, None
            return cuts, warnings + _after_root(text, match, root.group(2))
        item = item or match["item"].lower()
        if match["item"].lower() != item:
            continue
        opened = _item_mark(text, match, cuts, opened, warnings)
        if len(cuts.ranges) >= MAX_ITEMS:
            cuts.end = cuts.ranges[-1][1]
            return cuts, [*warnings, TOO_MANY]
    cuts.end = len(text) if opened is None else opened
    return cuts, [*warnings, (Fault.TRUNCATED, "the feed ends in the middle; its complete items were read")]


_UNCLOSED: Warn = (Fault.MALFORMED, "an item is not closed; it was read up to the next")


def _marks(text: str, root: re.Match[str]) -> Iterator[re.Match[str]]:
    """Tags of items and of the root, outside comments and CDATA."""
    pattern = _markers(root.group(2), _ANY_ITEM)
    ends = Terminators()
    at = root.end()
    while (match := pattern.search(text, at)) is not None:
        if match["root"] or match["item"]:
            yield match
            at = match.end()
        else:
            at = skip_markup(text, match.start(), ends)


def _item_mark(text: str, match: re.Match[str], cuts: _Cuts, opened: int | None, warnings: list[Warn]) -> int | None:
    """Take one tag of an item into account; returns where the item begins that is open after it."""
    at = match.start()
    tag = TAG.match(text, at)
    if match["close"]:
        if opened is not None and tag is not None:
            cuts.ranges.append((opened, tag.end()))
            return None
        return opened
    if opened is not None:
        cuts.ranges.append((opened, at))
        warnings.append(_UNCLOSED)
    if tag is not None and tag.group(3).endswith("/"):
        cuts.ranges.append((at, tag.end()))
        return None
    return at


def _after_root(text: str, match: re.Match[str], root: str) -> list[Warn]:
    """What follows the end of the feed is not read; a second feed is worth a word."""
    opens_again = not match["close"]
    behind = match.end()
    if opens_again or _ROOT_START.search(text, behind):
        return [(Fault.MALFORMED, f"a second <{root[:40]}> follows the feed; only the first was read")]
    return []


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()
