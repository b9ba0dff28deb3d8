"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/) to items."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from listener.domain.errors import Fault, SourceChanged
from listener.domain.mention import Author, Markup, RawItem
from listener.feeds.dates import iso_date
from listener.feeds.markup import as_html
from listener.feeds.outline import MAX_ITEMS, TOO_MANY, Warn

__all__ = ["looks_like_json", "parse_json_feed"]


def looks_like_json(text: str, content_type: str | None) -> bool:
    """Whether to read the document as JSON: it begins like an object or a list, or says that it is JSON and not XML."""
    start = text.lstrip()[:1]
    return start in ("{", "[") or ("json" in (content_type or "").lower() and start not in ("", "<"))


def parse_json_feed(text: str, url: str) -> tuple[str | None, list[RawItem], list[Warn]]:
    """Title, items and warnings. Raises BAD_JSON for what is not JSON, NOT_A_FEED for JSON that is no feed."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceChanged(Fault.BAD_JSON, "the answer is not JSON that can be read") from error
    if not isinstance(document, dict) or "jsonfeed.org" not in str(document.get("version"))[:200]:
        raise SourceChanged(Fault.NOT_A_FEED, "the answer is JSON, but not a JSON Feed; check the address")
    entries = document.get("items")
    if not isinstance(entries, list):
        raise SourceChanged(Fault.NOT_A_FEED, "the JSON Feed has no list of items")
    items = [_item(entry, url) for entry in entries[:MAX_ITEMS] if isinstance(entry, dict)]
    return _text(document.get("title")), items, _warnings(entries, len(items))


def _warnings(entries: list[Any], read: int) -> list[Warn]:
    if len(entries) > MAX_ITEMS:
        return [TOO_MANY]
    if read < len(entries):
        return [(Fault.MALFORMED, f"{len(entries) - read} item(s) of the JSON Feed are not objects; they were skipped")]
    return []


def _item(entry: dict[str, Any], url: str) -> RawItem:
    html, plain = _text(entry.get("content_html")), _text(entry.get("content_text")) or _text(entry.get("summary"))
    title = _text(entry.get("title"))
    return RawItem(
        native_id=_id(entry.get("id")),
        url=_link(entry, url),
        title=as_html(title, is_html=False) if title and html else title,
        text=html or plain or "",
        markup=Markup.HTML if html else Markup.PLAIN,
        author=_author(entry),
        published_at=_date(entry.get("date_published")) or _date(entry.get("date_modified")),
        lang=_text(entry.get("language")),
    )


def _text(value: Any) -> str | None:
    """A string that can be written as UTF-8: JSON may spell halves of characters (surrogates)."""
    if not isinstance(value, str) or not value.strip():
        return None
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _id(value: Any) -> str | None:
    """Generators turn ids from numbers to strings over night: 7, 7.0 and "7" are one id."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return str(value) if isinstance(value, int | float) else _text(value)


def _link(entry: dict[str, Any], base: str) -> str | None:
    link = _text(entry.get("url")) or _text(entry.get("external_url"))
    try:
        return urljoin(base, link.strip()) if link else None
    except ValueError:  # "http://[": an address that nobody can follow
        return None


def _author(entry: dict[str, Any]) -> Author:
    listed = entry.get("authors")
    first = listed[0] if isinstance(listed, list) and listed else entry.get("author")
    if not isinstance(first, dict):
        return Author()
    name = _text(first.get("name"))
    return Author(
        handle=name if name and not any(map(str.isspace, name)) else None, name=name, url=_text(first.get("url"))
    )


def _date(value: Any) -> datetime | None:
    return iso_date(value) if isinstance(value, str) else None
