"""Is it HTML, or words that merely hold a "<"? A raw item has one markup for title and text, so plain words are escaped."""

import html
import re
from html.entities import html5

__all__ = ["as_html"]

_ELEMENTS = frozenset({
    "a", "abbr", "acronym", "address", "article", "aside", "audio", "b", "bdi", "bdo", "big", "blockquote", "br",
    "button", "caption", "center", "cite", "code", "col", "dd", "del", "details", "dfn", "div", "dl", "dt", "em",
    "embed", "fieldset", "figcaption", "figure", "font", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "i", "iframe", "img", "input", "ins", "kbd", "label", "legend", "li", "main", "map", "mark",
    "nav", "noscript", "object", "ol", "p", "picture", "pre", "q", "rp", "rt", "ruby", "s", "samp", "script",
    "section", "select", "small", "source", "span", "strike", "strong", "style", "sub", "summary", "sup", "svg",
    "table", "tbody", "td", "textarea", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "video",
    "wbr",
})  # fmt: skip
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,15})((?:[\s/][^<>]{0,4096})?)>")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|([A-Za-z][A-Za-z0-9]{1,31}));")
_STANDING_ALONE = frozenset({"br", "hr", "img", "wbr"})


def as_html(text: str, *, is_html: bool | None, title: bool = False) -> str:
    """`text` as HTML that reads as its author meant it.

    `is_html` is what the document declares; `None` is what RSS leaves open. Then text with a known tag or a known
    character reference is HTML and anything else is words. A title is held to more, because "How to use <script> tags"
    is a title: it needs a pair of tags, or one that stands alone.
    """
    if is_html is None:
        is_html = _has_reference(text) or (_has_pair(text) if title else _has_tag(text))
    return text if is_html else html.escape(text, quote=False)


def _has_reference(text: str) -> bool:
    return any(match.group(1) is None or f"{match.group(1)};" in html5 for match in _REFERENCE.finditer(text))


def _has_tag(text: str) -> bool:
    """`if a<b then c>d` has none: what follows the name is neither nothing nor an attribute."""
    return any(
        name.lower() in _ELEMENTS and ("=" in rest or not rest.strip(" /")) for _, name, rest in _TAG.findall(text)
    )


def _has_pair(text: str) -> bool:
    opened: set[str] = set()
    for match in _TAG.finditer(text):
        name = match.group(2).lower()
        if name in _STANDING_ALONE or (match.group(1) and name in opened):
            return True
        if name in _ELEMENTS and not match.group(1):
            opened.add(name)
    return False
