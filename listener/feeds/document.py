"""The guard around feedparser: a document of any kind to items, in bounded time, or one named fault."""

import hashlib
import html
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from listener.domain.errors import Fault
from listener.domain.mention import RawItem
from listener.feeds.decode import decode
from listener.feeds.entries import parse_entries
from listener.feeds.jsonfeed import looks_like_json, parse_json_feed
from listener.feeds.outline import TAG, Outline, Warn, outline
from listener.feeds.repair import ID_MAX, Namespaces, attributes, check_depth, repair

__all__ = ["Feed", "fingerprint", "parse_feed", "parse_new"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What a document says. `items` are raw: markup is still in them, times are aware UTC or `None`, links are absolute.

    `slices` are the hashes of all items in the document, new or not, for the next `parse_new`.
    """

    items: tuple[RawItem, ...]
    warnings: tuple[Warn, ...] = ()
    title: str | None = None
    slices: tuple[str, ...] = ()


def parse_feed(body: bytes, *, content_type: str | None, url: str) -> Feed:
    """All items of an RSS, RDF, Atom or JSON feed.

    `content_type` is the header as received; `url` is where the document came from and resolves relative links.
    Raises `SourceUnavailable` (EMPTY, TRUNCATED before the first item), `SourceRefused` (DTD, DEPTH) or `SourceChanged`
    (NOT_A_FEED, BAD_JSON). Damage that leaves whole items is a warning: TRUNCATED, MALFORMED, TOO_LARGE.
    """
    return parse_new(body, content_type=content_type, url=url, seen=())


def parse_new(body: bytes, *, content_type: str | None, url: str, seen: Collection[str]) -> Feed:
    """As `parse_feed`, but items whose hash is in `seen` are neither parsed nor returned.

    An item is known by the hash of its source text, so an edited one is new. Parsing is most of the work of a poll, and
    most of a feed is what it was a minute ago.
    """
    text = decode(body, content_type)
    if looks_like_json(text, content_type):
        return _json(text, url, frozenset(seen))
    return _xml(outline(text), url, frozenset(seen))


_FIRST_ITEM = re.compile(rb"<(?:[\w.\-]{1,40}:)?(?:item|entry)[\s>/]|\"items\"", re.IGNORECASE)


def fingerprint(body: bytes) -> str:
    """A hash of the document from its first item on.

    More than half of all feeds put the time of the request before it (`lastBuildDate`, `updated`), so that a hash of the
    whole says that everything changed when nothing did.
    """
    first = _FIRST_ITEM.search(body)
    return hashlib.blake2b(body[first.start() if first else 0 :], digest_size=16).hexdigest()


def _slice_hash(item: str) -> str:
    return hashlib.blake2b(item.encode("utf-8", "replace"), digest_size=8).hexdigest()


# --- JSON --------------------------------------------------------------------------------------------------------------


def _json(text: str, url: str, seen: frozenset[str]) -> Feed:
    title, items, warnings = parse_json_feed(text, url)
    hashes = [_slice_hash(repr(item)) for item in items]
    shared = _shared_ids([(item.native_id, item.url or hashed) for item, hashed in zip(items, hashes, strict=True)])
    new = [_identified(item, shared) for item, hashed in zip(items, hashes, strict=True) if hashed not in seen]
    return Feed(
        items=tuple(dict.fromkeys(new)), warnings=tuple(warnings), title=title, slices=tuple(dict.fromkeys(hashes))
    )


# --- XML ---------------------------------------------------------------------------------------------------------------


def _xml(found: Outline, url: str, seen: frozenset[str]) -> Feed:
    for gap in found.gaps:
        check_depth(gap)
    slices = {_slice_hash(item): item for item in found.items}
    new = {hashed: item for hashed, item in slices.items() if hashed not in seen}
    raw, warnings = _parse(found, list(new.values()), url)
    identities = {hashed: _identity(item) for hashed, item in slices.items()}
    shared = _shared_ids(list(identities.values()))
    items = [
        _identified(item, shared, raw_id=identities[hashed][0])
        for hashed, item in zip(new, raw, strict=False)
        if item is not None and (item.title or item.text or item.url)
    ]
    unread = set(list(new)[len(raw) :])
    return Feed(
        items=tuple(dict.fromkeys(items)),
        warnings=(*found.warnings, *warnings),
        title=_feed_title(found.head),
        slices=tuple(hashed for hashed in slices if hashed not in unread),
    )


_WORK_MAX = 1_000_000
"""Tokens of one document that are looked into at once: some seconds. An honest item has about forty."""


def _parse(found: Outline, new: Sequence[str], url: str) -> tuple[list[RawItem | None], list[Warn]]:
    """The raw items of `new`, in order; fewer, with a warning, if the document would take too long."""
    if not new:
        return [], []
    names = Namespaces(declared=_declared(found.head, new), own=_own_prefix(new[0]))
    mended: list[str] = []
    work = 0
    for item in new:
        xml, tokens = repair(item, names)
        mended.append(xml)
        work += tokens
        if work > _WORK_MAX:
            break
    opening, closing = _frame(found, names)
    items, poison = parse_entries(opening, mended, closing, url)
    if len(items) < len(new):
        poison.append(
            (Fault.TOO_LARGE, f"{len(items)} of {len(new)} items were read; the others follow with the next poll")
        )
    return items, poison


_URI = re.compile(r"[!#-%(-;=?-~]{1,300}")  # ASCII without spaces, quotes, "&", "<", ">"
_PREFIX = re.compile(rf"""\sxmlns:([\w.\-]{{1,40}})\s{{0,9}}=\s{{0,9}}["']({_URI.pattern})["']""")
_OWN_PREFIX = re.compile(r"<([\w.\-]{1,40}):")


def _own_prefix(item: str) -> str:
    prefix = _OWN_PREFIX.match(item)
    return prefix.group(1).lower() if prefix else ""


def _declared(head: str, new: Sequence[str]) -> dict[str, str]:
    """Namespace prefixes that the document declares, wherever it does; the first meaning counts."""
    found: dict[str, str] = {}
    for part in (head[:65_536], *(item[:4096] for item in new)):
        for prefix, uri in _PREFIX.findall(part):
            found.setdefault(prefix.lower(), uri)
    return found


def _frame(found: Outline, names: Namespaces) -> tuple[str, str]:
    """What stands around the items: the root with what matters of its attributes, and the channel of RSS."""
    kind = found.root.lower().rpartition(":")[2]
    root = names.use("rdf:rdf") if kind == "rdf" else kind
    own = {"xmlns": names.declared[names.own]} if names.own in names.declared else {}
    kept = "".join(f' {key}="{html.escape(value)}"' for key, value in (own | _frame_attributes(found.head)).items())
    prefixes = "".join(f' xmlns:{prefix}="{html.escape(uri)}"' for prefix, uri in names.used.items())
    channel = "<channel>" if root == "rss" else ""
    return f"<{root}{prefixes}{kept}>{channel}", f"{channel.replace('<', '</')}</{root}>"


def _frame_attributes(head: str) -> dict[str, str]:
    """Version, default namespace and base of the root; the base of a channel counts more."""
    kept: dict[str, str] = {}
    for tag in list(TAG.finditer(head, 0, 65_536))[:2]:
        given = attributes(tag.group(3))
        kept |= {key: given[key] for key in ("version", "xmlns", "xml:base") if key in given and key not in kept}
        if "xml:base" in given:
            kept["xml:base"] = given["xml:base"]
    return {
        key: value for key, value in kept.items() if value.isprintable() and (key != "xmlns" or _URI.fullmatch(value))
    }


_TITLE = re.compile(r"<title\b[^<>]{0,200}>(?:<!\[CDATA\[)?([^<\]]{1,300})", re.IGNORECASE)


def _feed_title(head: str) -> str | None:
    title = _TITLE.search(head[:65_536])
    return html.unescape(title.group(1)).strip() or None if title else None


# --- identity ----------------------------------------------------------------------------------------------------------

_ID = re.compile(r"<(?:guid|id|atom:id)(?:\s[^<>]{0,300})?>\s*+(?:<!\[CDATA\[)?([^<\]]{1,2000})", re.IGNORECASE)
_ABOUT = re.compile(r"""<[\w:.\-]{1,64}\s[^<>]{0,300}rdf:about\s{0,9}=\s{0,9}["']([^"'<>]{1,2000})""")
_LINK = re.compile(r"<link\b([^<>]{0,2000})>(?:<!\[CDATA\[)?([^<\]]{0,2000})", re.IGNORECASE)


def _identity(item: str) -> tuple[str | None, str]:
    """The id of an item's source text and what it is an id of: its link, or else the whole item."""
    native = _ID.search(item) or _ABOUT.match(item)
    link = _LINK.search(item)
    return (native.group(1).strip() or None if native else None), ("".join(link.groups()) if link else item)


def _shared_ids(identities: list[tuple[str | None, str]]) -> frozenset[str]:
    """Ids that one document gives to different things: its generator does not know what an id is."""
    things: defaultdict[str, set[str]] = defaultdict(set)
    for native, thing in identities:
        if native is not None:
            things[native].add(thing)
    return frozenset(native for native, named in things.items() if len(named) > 1)


def _identified(item: RawItem, shared: frozenset[str], *, raw_id: str | None = None) -> RawItem:
    """The item with an id that can be trusted and stored, or with none: other keys identify it then."""
    native = item.native_id
    if native is not None and (native in shared or raw_id in shared):
        return replace(item, native_id=None)
    if native is not None and len(native) > ID_MAX:
        return replace(item, native_id="sha256:" + hashlib.sha256(native.encode("utf-8", "replace")).hexdigest())
    return item
