"""The conversation with a server that has a feed: ask politely, parse only what is new, remember only what was good."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from listener.connector import Page, fetch
from listener.domain.errors import Fault, SourceChanged, SourceError, SourceUnavailable
from listener.domain.source import Checkpoint
from listener.feeds.document import Feed, fingerprint, parse_new
from listener.feeds.outline import Warn
from listener.ports import Clock, HttpClient, Request, Response

__all__ = ["check_feed", "feed_request", "poll_feed"]

VERSION = 1
FULL_EVERY = timedelta(hours=24)
"""Once a day we ask without validators: some servers answer "not modified" for ever."""

SEEN_MAX = 5000
"""Hashes of items that a checkpoint remembers (16 bytes each): those of the document and no older ones, for an item whose
author takes an edit back reads as it did before, and that is news."""

_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
)
_INCOMPLETE = {Fault.TRUNCATED, Fault.TOO_LARGE}


def feed_request(url: str, *, allow_private: bool, max_bytes: int) -> Request:
    """The request for a feed, unconditional."""
    return Request(
        url=url, headers={"Accept": _ACCEPT}, allow_private=allow_private, max_bytes=max_bytes, piecemeal=True
    )


def check_feed(request: Request, *, http: HttpClient, clock: Clock) -> None:
    """Fetch and parse it once. Raises `SourceError` if it cannot be read."""
    _parse(fetch(http, request, clock=clock), seen=frozenset())


def poll_feed(request: Request, checkpoint: Checkpoint | None, *, http: HttpClient, clock: Clock) -> Page:
    """One page with the items that are new since `checkpoint`; none if the server or the document says "unchanged".

    The checkpoint holds the server's validators and a hash of the document only if the document was whole.
    """
    now = clock.now()
    memory = _Memory.read(checkpoint)
    validators = memory.validators(now)
    response = fetch(http, replace(request, headers={**request.headers, **validators}), clock=clock)
    if response.status == 304:
        if not validators:
            raise SourceChanged(
                Fault.UNEXPECTED, "the place says that nothing changed (HTTP 304), but we had not asked that"
            )
        return Page(items=(), checkpoint=checkpoint)
    moved = _moved(response, memory)
    body = fingerprint(response.body)
    if body == memory.body:
        return Page(items=(), checkpoint=memory.after(response, None, body, now).write(), warnings=moved)
    feed = _parse(response, seen=frozenset(memory.seen))
    after = memory.after(response, feed, body, now)
    return Page(items=feed.items, checkpoint=after.write(), warnings=(*moved, *feed.warnings))


_BROKEN_OFF: Warn = (Fault.TRUNCATED, "the answer ended before it was complete; its complete items were read")


def _parse(response: Response, *, seen: frozenset[str]) -> Feed:
    """The feed in the answer. One that broke off gives the items that are whole; without any it is TRUNCATED."""
    try:
        feed = parse_new(response.body, content_type=response.headers.get("content-type"), url=response.url, seen=seen)
    except SourceError as error:
        if response.complete:
            raise
        raise SourceUnavailable(Fault.TRUNCATED, "the answer ended before it was complete") from error
    if response.complete:
        return feed
    if not feed.slices:
        raise SourceUnavailable(Fault.TRUNCATED, "the answer ended before it was complete")
    others = tuple(warning for warning in feed.warnings if warning[0] is not Fault.TRUNCATED)
    return replace(feed, warnings=(_BROKEN_OFF, *others))


def _moved(response: Response, memory: "_Memory") -> tuple[Warn, ...]:
    """A word, once, about a feed that moved for good. We follow, but the address in rules.yaml is the owner's to change."""
    if response.permanent_url is None or _digest(response.permanent_url) == memory.moved:
        return ()
    host = urlsplit(response.permanent_url).hostname or "another host"
    return (
        (Fault.REDIRECTS, f"the feed has moved for good to an address at {host[:100]}; change its url in rules.yaml"),
    )


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    """What a checkpoint of a feed holds."""

    etag: str | None = None
    last_modified: str | None = None
    body: str | None = None
    seen: tuple[str, ...] = ()
    full_at: datetime | None = None
    moved: str | None = None

    @classmethod
    def read(cls, checkpoint: Checkpoint | None) -> "_Memory":
        """A checkpoint of another version is as good as none: items come again and are known by their keys."""
        if checkpoint is None or checkpoint.version != VERSION:
            return cls()
        data = checkpoint.data
        return cls(
            etag=_string(data, "etag"),
            last_modified=_string(data, "last_modified"),
            body=_string(data, "body"),
            seen=tuple(hashed for hashed in data.get("seen") or () if isinstance(hashed, str)),
            full_at=_time(_string(data, "full_at")),
            moved=_string(data, "moved"),
        )

    def write(self) -> Checkpoint:
        data = {
            "etag": self.etag,
            "last_modified": self.last_modified,
            "body": self.body,
            "seen": list(self.seen),
            "full_at": self.full_at.isoformat() if self.full_at else None,
            "moved": self.moved,
        }
        return Checkpoint(version=VERSION, data={key: value for key, value in data.items() if value})

    def validators(self, now: datetime) -> dict[str, str]:
        """Headers of a conditional request; none once a day, and none after a clock that was wrong."""
        if self.full_at is None or not timedelta(0) <= now - self.full_at < FULL_EVERY:
            return {}
        given = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in given.items() if value}

    def after(self, response: Response, feed: Feed | None, body: str, now: datetime) -> "_Memory":
        """What to remember of a complete answer; `feed` is `None` if the document had not changed."""
        moved = _digest(response.permanent_url) if response.permanent_url else None
        if feed is not None and any(fault in _INCOMPLETE for fault, _ in feed.warnings):
            return _Memory(seen=tuple(dict.fromkeys((*feed.slices, *self.seen)))[:SEEN_MAX], moved=moved)
        seen = self.seen if feed is None else feed.slices[:SEEN_MAX]
        return _Memory(
            etag=_header(response, "etag"),
            last_modified=_header(response, "last-modified"),
            body=body,
            seen=seen,
            full_at=now,
            moved=moved,
        )


def _header(response: Response, name: str) -> str | None:
    """A validator that can be sent back: printable ASCII of a sane length."""
    value = response.headers.get(name, "").strip()
    return value if 0 < len(value) <= 1024 and value.isascii() and value.isprintable() else None


def _string(data: Mapping[str, Any], key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) else None


def _time(text: str | None) -> datetime | None:
    try:
        when = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return when.replace(tzinfo=UTC) if when is not None and when.tzinfo is None else when
