"""An item as the platform gave it becomes a mention: readable, bounded, comparable, and the same when it comes again.

A platform's claims are checked against what is possible: a time before the year 2000 or after we saw the item is unknown
(a clock may be five minutes fast), so is a count below zero. No item is lost for a bad field.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from listener.decide.identity import content_hash, mention_id, native_key, shared_keys
from listener.decide.readable import MAX_TEXT, readable, readable_line
from listener.decide.script import dominant_script
from listener.decide.urls import canonical_url
from listener.domain.mention import Author, Markup, Mention, RawItem, Reach

__all__ = ["MAX_TEXT", "canonical_url", "dominant_script", "normalise", "normalise_page", "readable"]

MAX_TITLE = 500
_MAX_NAME = 200
_MAX_THREAD = 200
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_CLOCK_TOLERANCE = timedelta(minutes=5)

# Writings that only one language uses.
_LANGUAGE_OF_SCRIPT = {"hangul": "ko", "kana": "ja"}
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_].*)?").fullmatch


def normalise_page(items: Sequence[RawItem], *, source_id: str, seen_at: datetime) -> tuple[Mention, ...]:
    """The mentions of one page, in its order, each once.

    A native id that stands in the page twice, with different links or texts, comes from a broken generator: those items are
    known by their other keys. Items that share a key become the first of them, with the keys of all.
    """
    ambiguous = _ambiguous_ids(items)
    mentions: list[Mention] = []
    place_of: dict[str, int] = {}
    for item in items:
        trusted = item.native_id not in ambiguous
        mention = normalise(item, source_id=source_id, seen_at=seen_at, native_trusted=trusted)
        found = (place_of[key] for key in mention.keys if key in place_of)
        place = next((place for place in found if _is_one(mentions[place], mention)), len(mentions))
        if place == len(mentions):
            mentions.append(mention)
        else:
            mentions[place] = _with_keys(mentions[place], (key for key in mention.keys if key not in place_of))
        for key in mention.keys:
            place_of.setdefault(key, place)
    return tuple(mentions)


def _ambiguous_ids(items: Iterable[RawItem]) -> frozenset[str]:
    seen: dict[str, tuple[str | None, str | None, str]] = {}
    ambiguous: set[str] = set()
    for item in items:
        if item.native_id:
            content = (item.url, item.title, item.text)
            if seen.setdefault(item.native_id, content) != content:
                ambiguous.add(item.native_id)
    return frozenset(ambiguous)


def _is_one(mention: Mention, other: Mention) -> bool:
    """Whether two items with a common key are one: not if each has an id and a text of its own, and no time tells them alike.

    In feeds of reviews every item may have the address and the headline of the product.
    """
    ids, texts = {mention.native_key, other.native_key}, {mention.content_hash, other.content_hash}
    return None in ids or len(ids) == 1 or len(texts) == 1 or mention.published_at is not None


def _with_keys(mention: Mention, keys: Iterable[str]) -> Mention:
    return replace(mention, keys=(*mention.keys, *keys))


def normalise(item: RawItem, *, source_id: str, seen_at: datetime, native_trusted: bool = True) -> Mention:
    """The mention that an item is. `native_trusted` is False if its native id is known not to be unique."""
    url = canonical_url(item.url) if item.url else None
    title = readable_line(item.title, item.markup, limit=MAX_TITLE) if item.title else ""
    text = readable(item.text, item.markup)
    author = _author(item.author)
    native = native_key(item.native_id, source_id=source_id) if item.native_id and native_trusted else None
    shared = shared_keys(
        url=url,
        title=title,
        text=text,
        claimed_at=_aware(item.published_at),
        author=author,
        has_native=native is not None,
    )
    keys = (native, *shared) if native else shared
    script = dominant_script(f"{title}\n{text}" if title else text)
    return Mention(
        id=mention_id(keys[0], source_id=source_id),
        source_id=source_id,
        native_key=native,
        keys=keys,
        content_hash=content_hash(title, text),
        url=url,
        title=title or None,
        text=text,
        author=author,
        lang=_language(item.lang) or _LANGUAGE_OF_SCRIPT.get(script),
        script=script,
        reach=_reach(item.reach),
        published_at=_possible(item.published_at, seen_at),
        found_at=_possible(item.found_at, seen_at),
        seen_at=seen_at,
        thread_id=_thread(item.thread or item.in_reply_to, source_id),
        brands=item.brands,
        truncated=len(item.text) > MAX_TEXT,
    )


def _aware(time: datetime | None) -> datetime | None:
    """In UTC. A time without a zone is not known well enough to be compared; one at the ends of the calendar has no UTC."""
    if time is None or time.tzinfo is None:
        return None
    try:
        return time.astimezone(UTC)
    except OverflowError:
        return None


def _possible(claimed: datetime | None, seen_at: datetime) -> datetime | None:
    """The claimed time in UTC, not later than `seen_at`; `None` if it can not be true."""
    time = _aware(claimed)
    if time is None or time < _EARLIEST or time > seen_at + _CLOCK_TOLERANCE:
        return None
    return min(time, seen_at)


def _language(claimed: str | None) -> str | None:
    found = _LANGUAGE(claimed.strip().lower()) if claimed else None
    return found.group(1) if found else None


def _thread(thread: str | None, source_id: str) -> str | None:
    """Links name a conversation for everyone; any other name means something at its source only."""
    if not thread:
        return None
    return canonical_url(thread) or f"{source_id}|{readable_line(thread, Markup.PLAIN, limit=_MAX_THREAD)}"


def _author(author: Author) -> Author:
    if author == _NOBODY:
        return author
    return Author(
        handle=_name(author.handle),
        name=_name(author.name),
        url=canonical_url(author.url) if author.url else None,
        followers=_count(author.followers),
        verified=author.verified,
    )


def _name(name: str | None) -> str | None:
    return readable_line(name, Markup.PLAIN, limit=_MAX_NAME) or None if name else None


def _reach(reach: Reach) -> Reach:
    if reach == _UNKNOWN_REACH:
        return reach
    return Reach(
        followers=_count(reach.followers),
        likes=_count(reach.likes),
        reposts=_count(reach.reposts),
        replies=_count(reach.replies),
        views=_count(reach.views),
    )


def _count(number: int | None) -> int | None:
    return number if number is not None and number >= 0 else None


_NOBODY = Author()
_UNKNOWN_REACH = Reach()
