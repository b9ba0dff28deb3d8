"""Clean text for people out of whatever the internet wrote.

Readable text is NFC, without control characters, noncharacters and lone surrogates (U+FFFD takes their place), with plain
newlines, and at most `MAX_TEXT` characters. Nothing is escaped here: that is the last step of each sink.

HTML is decoded once. A feed that escapes twice shows its markup as text (`&lt;b&gt;`), as a browser would: decoding again
would turn what a person wrote about markup into markup, and could hide words from the reader that the matcher saw.
"""

import re
from itertools import groupby

from selectolax.lexbor import LexborHTMLParser

from listener.decide.fold import compose
from listener.domain.mention import Markup

__all__ = ["MAX_TEXT", "readable", "readable_line"]

MAX_TEXT = 65_536
"""Characters of text that are kept, and characters of HTML that are read."""

# HTML trees deeper than this take quadratic time to build: 13,000 open divs 0.14 s, 8,000 lists in lists 0.2 s.
_MAX_DEPTH = 300


def readable(text: str, markup: Markup) -> str:
    """`text` as a person would read it, lines apart where blocks were. Cut to `MAX_TEXT` characters."""
    if markup is Markup.HTML:
        text = _html_text(text[:MAX_TEXT])
    return _tidy(text[:MAX_TEXT])[:MAX_TEXT].strip()


def readable_line(text: str, markup: Markup, *, limit: int) -> str:
    """As `readable`, on one line of at most `limit` characters: titles and names."""
    return " ".join(readable(text, markup).split())[:limit].strip()


def _tidy(text: str) -> str:
    """One kind of newline, no characters that show nothing or steer a terminal, NFC, no heaps of empty lines."""
    if text.isprintable():
        return compose(text)
    clean = compose(_NOT_TEXT.sub("\ufffd", _NEWLINE.sub("\n", text).replace("\t", " ")))
    if "\n" not in clean:
        return clean
    lines = (line.rstrip() for line in clean.split("\n"))
    return "\n".join("\n".join(group) if written else "" for written, group in groupby(lines, key=bool))


def _html_text(html: str) -> str:
    if "<" not in html and "&" not in html:
        return html
    marked = _BLOCK.sub("\n<", " ".join(html.split()))
    if marked.count("<") > _MAX_DEPTH and _too_deep(marked):
        marked = _NESTING.sub("\n", marked)
    tree = LexborHTMLParser(_SURROGATE.sub("\ufffd", marked), is_fragment=True)
    tree.strip_tags(["script", "style"])
    text = tree.root.text() if tree.root else ""
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _too_deep(html: str) -> bool:
    """Whether ever more than `_MAX_DEPTH` elements are open. Elements that close themselves do not count."""
    depth = 0
    for tag in _TAG.finditer(html):
        depth += -1 if tag.group(1) else 1
        if depth > _MAX_DEPTH:
            return True
    return False


_NEWLINE = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLANE_ENDS = "".join(chr(plane * 0x10000 + end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
_NOT_TEXT = re.compile(f"[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\ud800-\udfff\ufdd0-\ufdef{_PLANE_ENDS}]")

# Elements that begin on a new line. All others have no width, so that 주식<b>형</b> stays one word.
_BLOCK = re.compile(
    "<(?=/?(?:address|article|aside|blockquote|br|caption|center|dd|details|dialog|div|dl|dt|fieldset|figcaption|figure"
    "|footer|form|h[1-6]|header|hr|legend|li|main|nav|ol|option|p|pre|section|summary|table|td|th|tr|ul)\\b)",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"<(/?)(?!(?:area|base|br|col|dd|dt|embed|hr|img|input|li|link|meta|option|p|param|source|td|th|tr|wbr)\b)[a-z]",
    re.IGNORECASE,
)
_NESTING = re.compile(r"</?(?!script\b|style\b)[a-z][^<>]*>?", re.IGNORECASE)
