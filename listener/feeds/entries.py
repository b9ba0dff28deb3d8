"""feedparser's entries to items. feedparser gets bytes that `repair` made, never an address, a path or a raw document."""

import io
import re
from typing import Any

import feedparser

from listener.domain.errors import Fault
from listener.domain.mention import Author, Markup, RawItem
from listener.feeds.dates import feed_date
from listener.feeds.markup import as_html
from listener.feeds.outline import Warn

__all__ = ["parse_entries"]

_POISON: Warn = (Fault.MALFORMED, "an item could not be parsed; it was skipped")


def parse_entries(opening: str, items: list[str], closing: str, url: str) -> tuple[list[RawItem | None], list[Warn]]:
    """Each of `items` (well-formed XML) between `opening` and `closing` as a raw item; `None` where it could not be parsed.

    All are parsed together; if that does not give one entry for each, each is parsed alone, so that one poisonous item
    never costs its neighbours.
    """
    atom = opening.startswith("<feed")
    together = _entries(f"{opening}{''.join(items)}{closing}", url)
    if together is not None and len(together) == len(items):
        return [_raw_item(entry, atom=atom) for entry in together], []
    alone = [_entries(f"{opening}{item}{closing}", url) for item in items]
    found = [_raw_item(entries[0], atom=atom) if entries else None for entries in alone]
    return found, [_POISON] if None in found else []


def _entries(document: str, url: str) -> list[dict[str, Any]] | None:
    """Entries as plain dicts (feedparser's own warn about missing keys), or `None` if feedparser stumbled."""
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url}
    data = io.BytesIO(document.encode("utf-8", "replace"))
    try:
        result = feedparser.parse(data, response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    except Exception:  # noqa: BLE001 - feedparser raises anything on hostile text; the caller isolates the item and says so
        return None
    return None if result.bozo else [dict(entry) for entry in result.entries]


def _raw_item(entry: dict[str, Any], *, atom: bool) -> RawItem:
    return RawItem(
        native_id=_text(entry.get("id")),
        url=_text(entry.get("feedburner_origlink")) or _text(entry.get("link")) or _any_link(entry),
        title=_title(entry, atom=atom),
        text=_body(entry, atom=atom),
        markup=Markup.HTML,
        author=_author(entry, atom=atom),
        published_at=_published(entry),
        lang=_text(entry.get("language")),
        in_reply_to=_reply(entry),
    )


def _text(value: Any) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _any_link(entry: dict[str, Any]) -> str | None:
    """The first link that leads to the item itself, where none is marked as the alternate."""
    links = [link for link in entry.get("links") or [] if link.get("rel") in ("alternate", "via", "related", "self")]
    return next((href for link in links if (href := _text(link.get("href")))), None)


def _declared_html(detail: Any, *, atom: bool) -> bool | None:
    """What an Atom document declares a text to be; `None` for RSS, which declares nothing (feedparser fills in a guess)."""
    kind = detail.get("type") if atom and isinstance(detail, dict) else None
    return {"text/html": True, "application/xhtml+xml": True, "text/plain": False}.get(str(kind))


def _title(entry: dict[str, Any], *, atom: bool) -> str | None:
    title = _text(entry.get("title"))
    if title is None:
        return None
    return as_html(title, is_html=_declared_html(entry.get("title_detail"), atom=atom), title=True)


def _body(entry: dict[str, Any], *, atom: bool) -> str:
    """The longest of what an entry says of itself: a summary often is the beginning of the content, never the reverse."""
    texts = [(entry.get("summary"), entry.get("summary_detail"))]
    texts += [(part.get("value"), part) for part in entry.get("content") or []]
    known = [(text, detail) for value, detail in texts if (text := _text(value))]
    if not known:
        return ""
    text, detail = max(known, key=lambda pair: len(pair[0]))
    return as_html(text, is_html=_declared_html(detail, atom=atom))


_MAIL = re.compile(r"([^\s@]{1,100})@[^\s@]{1,200}(?:\s+\((.{1,200})\))?")


def _author(entry: dict[str, Any], *, atom: bool) -> Author:
    """A feed's author is one string. It also serves as the handle if it is one word, as nicknames are.

    RSS has "kim@mail.example (Kim Lee)"; of an address alone, its owner's part is enough.
    """
    detail = entry.get("author_detail") or {}
    name = _text(detail.get("name")) if atom else None
    name = name or _text(entry.get("author"))
    mail = _MAIL.fullmatch(name) if name else None
    if mail is not None:
        name = mail.group(2) or mail.group(1)
    handle = name if name and not any(map(str.isspace, name)) else None
    return Author(handle=handle, name=name, url=_text(detail.get("href")))


def _published(entry: dict[str, Any]) -> Any:
    dates = (feed_date(entry.get(key), entry.get(f"{key}_parsed")) for key in ("published", "created", "updated"))
    return next((when for when in dates if when is not None), None)


def _reply(entry: dict[str, Any]) -> str | None:
    """RFC 4685: the id of the entry that this one answers."""
    reply = entry.get("thr_in-reply-to")
    return _text(reply.get("ref")) if isinstance(reply, dict) else None
