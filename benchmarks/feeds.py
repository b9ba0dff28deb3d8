"""What a poll of a feed costs when little or nothing is new, as a share of a full parse by feedparser."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape
from zlib import crc32

import feedparser

from benchmarks.posts import english
from benchmarks.row import Row, Wanted, at_most, lasting
from benchmarks.timing import ROUNDS, cpu, in_turns
from listener.connector import Checkpoint, Page
from listener.feeds.polling import feed_request, poll_feed
from listener.testing.fakes import FakeClock, FakeHttp, response

ENTRIES = 20
_URL = "https://forum.example/latest.rss"
_STAMP = datetime(2026, 3, 2, 8, tzinfo=UTC)


def rss(name: str, texts: Sequence[str], *, built: int = 0) -> bytes:
    """An ordinary RSS feed with an item for each text. `built` is the minute that its head says it was made in."""
    items = "".join(
        f"<item><guid isPermaLink='false'>{name}-{key}</guid><title>{escape(text[:60])}</title>"
        f"<link>https://forum.example/{name}/{key}</link><author>writer {key % 50}</author>"
        f"<pubDate>{format_datetime(_STAMP - timedelta(seconds=key % 86_400))}</pubDate>"
        f"<description>{escape(f'<p>{escape(text)}</p>')}</description></item>"
        for key, text in ((crc32(text.encode()), text) for text in texts)
    )
    stamp = format_datetime(_STAMP + timedelta(minutes=built))
    head = f"<title>Forum {name}</title><lastBuildDate>{stamp}</lastBuildDate>"
    return f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel>{head}{items}</channel></rss>".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """An answer that a server gives to somebody who knows its earlier one, and how many items in it are new."""

    what: str
    body: bytes
    known: Checkpoint | None
    new: int
    wanted: Wanted | None = None


def feeds(rounds: int = ROUNDS, repeats: int = 30) -> Iterator[Row]:
    """A second answer with the same items under a newer date, and one with a new item; then everything new, for show."""
    posts = english(ENTRIES + 1)
    first, dated = rss("f", posts[1:]), rss("f", posts[1:], built=5)
    newer = rss("f", posts[:-1], built=5)
    known = _poll(first, None).checkpoint
    for case in (
        _Case(what="feed: only the date in its head is new", body=dated, known=known, new=0, wanted=at_most(0.08)),
        _Case(what=f"feed: one entry of {ENTRIES} is new", body=newer, known=known, new=1, wanted=at_most(0.2)),
        _Case(what=f"feed: all {ENTRIES} entries are new", body=first, known=None, new=ENTRIES),
    ):
        yield _row(case, rounds, repeats)


def _row(case: _Case, rounds: int, repeats: int) -> Row:
    if len(_poll(case.body, case.known).items) != case.new:
        raise RuntimeError(f"{case.what}: not {case.new} items")
    ours, peer = in_turns(
        lambda: cpu(lambda: [_poll(case.body, case.known) for _ in range(repeats)]) / repeats,
        lambda: cpu(lambda: [feedparser.parse(case.body) for _ in range(repeats)]) / repeats,
        rounds=rounds,
    )
    return Row(what=case.what, ours=lasting(ours), peer=lasting(peer), ratio=ours / peer, wanted=case.wanted)


def _poll(body: bytes, known: Checkpoint | None) -> Page:
    http = FakeHttp(lambda _: response(200, body, headers={"content-type": "application/rss+xml"}, url=_URL))
    return poll_feed(feed_request(_URL, allow_private=False, max_bytes=1 << 20), known, http=http, clock=FakeClock())
