"""One item of a feed, made small and well-formed before a parser sees it.

Only the elements that we read are kept, each once flattened: markup inside a text is turned into escaped HTML, attributes
are dropped but for a handful, over-long values are cut, references to nothing are mended. What is left is XML that any
parser reads in linear time: feedparser is quadratic in the number of attributes and of categories, its e-mail pattern in
the length of a name, and it raises on some character references.
"""

import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from html.entities import html5

from listener.domain.errors import Fault, SourceRefused
from listener.feeds.outline import TAG, Terminators, skip_markup

__all__ = ["ID_MAX", "MAX_DEPTH", "Namespaces", "attributes", "check_depth", "repair"]

MAX_DEPTH = 256
"""Elements open at once. Honest feeds with inline XHTML stay below 60."""

ID_MAX = 512
"""Characters of an id; a longer one is replaced by its digest, which is as unique and as stable."""

_TEXT_MAX = 262_144  # characters of one piece of text; a mention keeps 65,536 readable ones
_SHORT_MAX = 4096
_NAME_MAX = 200
_TOKENS_MAX = 50_000  # of one item
_PREFIXES_MAX = 64  # of one document
_TAGS_MAX = 20_000  # tags inside one text; the rest of its markup is dropped, its words stay


class _Kind(Enum):
    """What becomes of a child of an item."""

    TEXT = auto()  # words, perhaps with markup
    SHORT = auto()  # one value
    ID = auto()
    PERSON = auto()  # a name, or name, uri and email as children
    GROUP = auto()  # children of it are read as if they were the item's
    SKIP = auto()


_KINDS = {
    **dict.fromkeys(("title", "description", "summary", "content", "encoded", "body", "fulltext"), _Kind.TEXT),
    **dict.fromkeys(("link", "origlink", "language", "in-reply-to"), _Kind.SHORT),
    **dict.fromkeys(("pubdate", "published", "issued", "created", "updated", "modified", "date"), _Kind.SHORT),
    **dict.fromkeys(("guid", "id"), _Kind.ID),
    **dict.fromkeys(("author", "creator"), _Kind.PERSON),
    "group": _Kind.GROUP,
}
_MEDIA = {"title", "content", "author"}  # with the prefix of Media RSS or iTunes these are something else
_ATTRIBUTES = frozenset({
    "href", "rel", "type", "mode", "ispermalink", "ref", "rdf:about", "xml:base", "xml:lang", "version", "url",
})  # fmt: skip
_VOID = frozenset({"br", "hr", "img", "input", "wbr", "area", "col", "embed", "param"})
_SELF_CLOSING = frozenset({"p", "li", "td", "tr", "dt", "dd", "option"})

_ATTRIBUTE = re.compile(
    r"""(?<![\w:.\-])([^\W\d][\w:.\-]{0,63})\s{0,9}=\s{0,9}(?:"([^"]{0,2048})"|'([^']{0,2048})'|([^\s"'>]{1,2048}))"""
)
_REFERENCE = re.compile(r"&(?:(?:#(?:[xX]([0-9a-fA-F]{1,6})|([0-9]{1,7}))|([A-Za-z][A-Za-z0-9]{1,31}));)?")
_START = re.compile(r"<(?=[/!?]|[^\W\d])")
_NAME = re.compile(r"<([\w:.\-]{1,64})")
_ASCII_PREFIX = re.compile(r"[a-z_][a-z0-9_.\-]*")
_XML_NAMES = {"amp", "lt", "gt", "quot", "apos"}


@dataclass(slots=True)
class Namespaces:
    """Prefixes in use and what they stand for: as the document says, else as everybody means them.

    `own` is the prefix of the items (`<r:item>`), which says nothing and is left out.
    """

    declared: Mapping[str, str]
    own: str = ""
    used: dict[str, str] = field(default_factory=dict)

    def use(self, name: str) -> str:
        """Note the prefix of `name`, and return `name`; without its prefix if no parser would take it."""
        prefix, colon, local = name.rpartition(":")
        if not colon or prefix == "xml" or prefix in self.used:
            return name
        if prefix == self.own:
            return local
        if len(self.used) >= _PREFIXES_MAX or not _ASCII_PREFIX.fullmatch(prefix) or prefix.startswith("xml"):
            return local
        if True:
            self.used[prefix] = (
                self.declared.get(prefix) or _WELL_KNOWN.get(prefix.lower()) or f"urn:undeclared:{prefix}"
            )
        return name


_WELL_KNOWN = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "atom": "http://www.w3.org/2005/Atom",
    "media": "http://search.yahoo.com/mrss/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "thr": "http://purl.org/syndication/thread/1.0",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
}


def attributes(text: str) -> dict[str, str]:
    """The first 64 attributes of a tag by lower-case name, references resolved. `text` is what follows the tag's name."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text[:16_384]):
        name, *values = match.groups()
        found.setdefault(name.lower(), html.unescape(next(value for value in values if value is not None)))
        if len(found) >= 64:
            break
    return found


def check_depth(text: str) -> None:
    """Raise DEPTH if elements nest deeper than any honest feed's."""
    for _ in _tokens(text):
        pass


def repair(item: str, names: Namespaces) -> tuple[str, int]:
    """The item as well-formed XML with no more than we read of it, and the work that it took, in tokens.

    Raises DEPTH or DTD for an attack. What stands behind the first 50,000 tokens of an item is left out.
    """
    work = _Repair(names)
    if TAG.match(item) is None:  # a start tag with a "<" in it: its attributes are lost, the item is not
        name = _NAME.match(item)
        item = f"<{name.group(1) if name else 'item'}>{item.partition('>')[2]}"
    count = 0
    for token in _tokens(item):
        work.take(token)
        count += 1
    return work.finish(), count


# --- tokens ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of text (`name` empty), the start of an element, or its end. `depth` counts the item itself as 1.

    `text` is raw for text, unescaped for CDATA (`literal`), and the attributes for a start.
    """

    name: str = ""
    text: str = ""
    depth: int = 0
    end: bool = False
    literal: bool = False
    empty: bool = False


def _tokens(text: str) -> Iterator[_Token]:
    """Text and tags in order, balanced: unclosed elements are closed with their parents, ends without a start dropped."""
    opened: list[str] = []
    ends = Terminators()
    at = 0
    for _ in range(_TOKENS_MAX):
        found = _START.search(text, at)
        start = found.start() if found else len(text)
        if start > at:
            yield _Token(text=text[at:start], depth=len(opened))
        if found is None:
            break
        tag = TAG.match(text, start)
        if tag is not None:
            yield from _tag(tag, opened)
            at = tag.end()
        else:
            at = skip_markup(text, start, ends)
            yield from _not_a_tag(text, start, at, len(opened))
    while opened:
        yield _Token(name=opened[-1], depth=len(opened), end=True)
        opened.pop()


def _not_a_tag(text: str, start: int, end: int, depth: int) -> Iterator[_Token]:
    if text.startswith("<![CDATA[", start):
        yield _Token(text=text[start + 9 : end].removesuffix("]]>"), depth=depth, literal=True)
    elif end == start + 1:
        yield _Token(text="<", depth=depth)


def _tag(tag: re.Match[str], opened: list[str]) -> Iterator[_Token]:
    closing, name, rest = tag.groups()
    lower = name.lower()
    if closing:
        yield from _close(lower, opened)
        return
    if lower in _SELF_CLOSING and lower in opened[-3:]:  # HTML ends a paragraph where the next begins
        yield from _close(lower, opened)
    opened.append(lower)
    if len(opened) > MAX_DEPTH:
        raise SourceRefused(Fault.DEPTH, f"elements nest deeper than {MAX_DEPTH}, as attacks do; it was not read")
    empty = rest.endswith("/") or lower in _VOID
    yield _Token(name=lower, text=rest, depth=len(opened), empty=empty)
    if empty:
        yield from _close(lower, opened)


def _close(name: str, opened: list[str]) -> Iterator[_Token]:
    if name not in opened:
        return
    while True:
        last = opened[-1]
        yield _Token(name=last, depth=len(opened), end=True)
        opened.pop()
        if last == name:
            return


# --- what is kept ------------------------------------------------------------------------------------------------------


class _Repair:
    """Writes the kept children of one item while its tokens go by."""

    def __init__(self, names: Namespaces) -> None:
        self._names = names
        self._out: list[str] = []
        self._item = ""
        self._kind = _Kind.SKIP
        self._name = ""
        self._child = 0  # depth of the child that is being written, or 0
        self._floor = 1  # depth of the element whose children we look at: the item, or a group in it
        self._pieces: list[str] = []
        self._length = 0
        self._tags = 0
        self._xhtml = False

    def finish(self) -> str:
        return "".join(self._out)

    def take(self, token: _Token) -> None:
        if self._child:
            self._inside(token)
        elif token.name and not token.end:
            self._start(token)
        elif token.end and token.depth == self._floor:
            self._leave(token)

    def _start(self, token: _Token) -> None:
        if token.depth == 1:
            self._item = self._names.use(token.name)
            self._out.append(f"<{self._item}{self._attributes(token)}>")
            return
        if token.depth != self._floor + 1:
            return
        kind = self._kind_of(token.name)
        if kind is _Kind.GROUP:
            self._floor = token.depth
        elif kind is not _Kind.SKIP:
            self._open(token, kind)

    def _leave(self, token: _Token) -> None:
        if token.depth == 1:
            self._out.append(f"</{self._item}>")
        else:
            self._floor = 1

    def _kind_of(self, name: str) -> _Kind:
        prefix, _, local = name.rpartition(":")
        if local in _MEDIA and prefix in ("media", "itunes"):
            return _Kind.SKIP
        if local == "group" and prefix != "media":
            return _Kind.SKIP
        return _KINDS.get(local, _Kind.SKIP)

    def _open(self, token: _Token, kind: _Kind) -> None:
        self._child, self._kind = token.depth, kind
        self._pieces, self._length, self._tags = [], 0, 0
        given = self._attributes(token)
        self._xhtml = kind is _Kind.TEXT and 'type="xhtml"' in given
        given = given.replace('type="xhtml"', 'type="html"')
        self._name = self._names.use(token.name)
        self._out.append(f"<{self._name}{given}>")

    def _inside(self, token: _Token) -> None:
        if token.end and token.depth == self._child:
            self._finish_child()
        elif token.name:
            self._markup(token)
        else:
            self._words(token)

    def _markup(self, token: _Token) -> None:
        """A tag inside a child: HTML in a text, a part of a person; anywhere else it is noise."""
        local = token.name.rpartition(":")[2]
        if self._forgot_to_close(token):
            self._finish_child()
            self._floor = token.depth - 1
            self._open(token, self._kind_of(token.name))
        elif self._kind is _Kind.TEXT:
            self._tags += 1
            if self._tags <= _TAGS_MAX:
                self._add(f"&lt;{'/' if token.end else ''}{local}&gt;" if not (token.end and local in _VOID) else "")
        elif self._kind is _Kind.PERSON and local in ("name", "uri", "url", "email") and token.depth == self._child + 1:
            self._out.append(self._value())
            self._pieces, self._length = [], 0
            self._out.append(f"<{'/' if token.end else ''}{local}>")

    def _forgot_to_close(self, token: _Token) -> bool:
        """`<title>Down again<link>...`: what opens here is the next child, for nothing of its name stands in a title."""
        flat = self._kind in (_Kind.SHORT, _Kind.ID) or self._name.endswith("title")
        return flat and not token.end and self._kind_of(token.name) not in (_Kind.SKIP, _Kind.GROUP)

    def _finish_child(self) -> None:
        value = self._value()
        if self._kind is _Kind.ID and "://" not in value:
            # feedparser would take it for a relative link, and its meaning would change with the feed's address.
            self._out[-1] = f'<{self._name} isPermaLink="false">'
        self._out.append(f"{value}</{self._name}>")
        self._child = 0

    def _words(self, token: _Token) -> None:
        room = _LIMITS[self._kind] - self._length
        if room <= 0:
            return
        raw = token.text if self._kind is _Kind.ID else token.text[:room]
        text = html.escape(raw, quote=False) if token.literal else _mended(raw)
        self._add(html.escape(text, quote=False) if self._xhtml else text)

    def _add(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)

    def _value(self) -> str:
        value = "".join(self._pieces)
        if self._kind is _Kind.ID and len(value) > ID_MAX:
            return "sha256:" + hashlib.sha256(value.encode()).hexdigest()
        return value

    def _attributes(self, token: _Token) -> str:
        if "=" not in token.text:
            return ""
        given = attributes(token.text)
        kept = ((self._names.use(name), value) for name, value in given.items() if name in _ATTRIBUTES)
        return "".join(f' {_spelling(name)}="{html.escape(_legal(value))}"' for name, value in kept)


_LIMITS = {
    _Kind.TEXT: _TEXT_MAX,
    _Kind.SHORT: _SHORT_MAX,
    _Kind.ID: 16 * 1024 * 1024,
    _Kind.PERSON: _NAME_MAX,
}


def _spelling(name: str) -> str:
    return "isPermaLink" if name == "ispermalink" else name


def _legal(value: str) -> str:
    """Without what XML forbids; `html.unescape` can make it from a reference."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "\ufffd", value)


def _mended(raw: str) -> str:
    """Text whose references all mean something in XML: `&nbsp;` becomes its character, `AT&T` becomes `AT&amp;T`."""
    if "&" in raw:
        raw = _REFERENCE.sub(_reference, raw)
    return raw.replace("<", "&lt;").replace(">", "&gt;")  # "battery <3 hours"; "]]>" may not stand in text either


def _reference(match: re.Match[str]) -> str:
    hexadecimal, decimal, name = match.groups()
    if name is not None:
        known = html5.get(f"{name};")
        return match.group() if name in _XML_NAMES else html.escape(known) if known else "&amp;" + match.group()[1:]
    if hexadecimal is None and decimal is None:
        return "&amp;"
    code = int(hexadecimal, 16) if hexadecimal is not None else int(decimal)
    return f"&#{code};" if _is_xml_char(code) else "\ufffd"


def _is_xml_char(code: int) -> bool:
    if code < 0x20:
        return code in (0x9, 0xA, 0xD)
    return code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF and code not in (0xFFFE, 0xFFFF)
