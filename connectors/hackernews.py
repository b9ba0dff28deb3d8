"""Hacker News, searched through Algolia."""

import hashlib
import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from pydantic import Field

from listener.connector import (
    Checkpoint,
    ConnectorConfig,
    ConnectorQuery,
    Limits,
    Page,
    fetch,
    parse_json,
)
from listener.domain.errors import Fault, SourceChanged, SourceRefused
from listener.domain.mention import Author, Markup, RawItem, Reach
from listener.feeds.address import WebAddress
from listener.ports import Clock, HttpClient, Request

VERSION = 1
HITS_PER_PAGE = 200
OVERLAP = timedelta(hours=3)
"""How far each poll looks back: Algolia indexes late, and authors may edit for two hours."""
FIRST_LOOK = timedelta(hours=24)
SEEN_MAX = 5000


class HackerNewsConfig(ConnectorConfig):
    """What to search for beside the brands' own terms, and where."""

    terms: tuple[str, ...] = Field(default=(), description="Searches of your own, beside the brands' terms.")
    base_url: WebAddress = Field(default="https://hn.algolia.com", description="The search service, or a mirror of it.")
    allow_private: bool = Field(default=False, description="Whether it may be in your own network.")


class HackerNews:
    """Stories and comments on Hacker News that hold a brand's terms.

    Hears: stories and comments, one search for each plain term of the brands' queries; what comes back is matched again
    in full here. `terms` adds searches of your own.
    Needs: no key. `base_url` and `allow_private` are for a mirror in your own network.
    Hides: what moderators removed before it was indexed. Points of comments are not public.

    Limits: nobody publishes any; 10,000 requests an hour for one address is what people tell. Each poll makes one
    request a term, so a few minutes between polls is kind. At most 10 requests a poll; what is left is read with the next.

    Quirks: Algolia is late by seconds to minutes, so each poll reads the last three hours again and skips what it knows;
    that also hears edits, which authors may make for two hours. Typing errors are not forgiven (`typoTolerance=false`),
    because "similar" words are false hits. Text is HTML; the title of a comment's story is not the comment's. Only one
    thousand hits can be paged through, so older ones are asked for by time.
    """

    name: ClassVar[str] = "hackernews"
    Config: ClassVar[type[ConnectorConfig]] = HackerNewsConfig
    limits: ClassVar[Limits] = Limits(min_interval=1.0, max_pages=10, max_seconds=60.0, max_bytes=8 * 1024 * 1024)

    def __init__(
        self, config: HackerNewsConfig, *, http: HttpClient, clock: Clock, queries: tuple[ConnectorQuery, ...] = ()
    ) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._terms = _terms([*config.terms, *(term for query in queries for term in query.terms)])

    def check(self) -> None:
        """Search once for the first term."""
        self._search(self._first_term(), _Window(floor=_seconds(self._clock.now() - FIRST_LOOK)), hits=1)

    def poll(self, checkpoint: Checkpoint | None) -> Iterator[Page]:
        """New stories and comments, newest first, term by term; the term that waited longest comes first."""
        self._first_term()
        memory = _Memory.read(checkpoint, self._clock.now())
        budget = _Budget(self.limits, self._clock)
        for term in memory.in_turn(self._terms):
            yield from self._read(term, memory, budget)
            if budget.spent:
                return

    def _first_term(self) -> str:
        if not self._terms:
            raise SourceRefused(Fault.BAD_REQUEST, "there is nothing to search for; name brands or terms in rules.yaml")
        return self._terms[0]

    def _read(self, term: str, memory: "_Memory", budget: "_Budget") -> Iterator[Page]:
        """All pages of one term: what is new, then what an earlier poll left out."""
        for window in memory.windows(term):
            below: _Window | None = window
            while below is not None:
                hits, warnings, more = self._search(term, below, hits=HITS_PER_PAGE)
                spent = budget.spend()
                memory.reached(term, hits)
                below = below.rest(hits) if more else None
                if spent or below is None:
                    memory.close(term, window, below)
                items = (_item(hit) for hit in hits if memory.is_new(hit))
                said = tuple(item for item in items if item.title or item.text)
                yield Page(items=said, checkpoint=memory.write(), warnings=warnings)
                if spent:
                    return

    def _search(
        self, term: str, window: "_Window", *, hits: int
    ) -> tuple[list["_Hit"], tuple[tuple[Fault, str], ...], bool]:
        """One request: the newest hits in the window, warnings, and whether there are more."""
        parameters = {
            "query": f'"{term}"',
            "tags": "(story,comment)",
            "numericFilters": window.filters(),
            "hitsPerPage": str(hits),
            "advancedSyntax": "true",
            "typoTolerance": "false",
        }
        query = urlencode(parameters, quote_via=quote, safe="(),")
        request = Request(
            url=f"{self._config.base_url.rstrip('/')}/api/v1/search_by_date?{query}",
            headers={"Accept": "application/json"},
            max_bytes=self.limits.max_bytes,
            allow_private=self._config.allow_private,
        )
        response = fetch(self._http, request, clock=self._clock)
        if response.status == 304:
            raise SourceChanged(
                Fault.UNEXPECTED, "the search says that nothing changed (HTTP 304), but we had not asked that"
            )
        return _hits(parse_json(response.body))


# --- the answer --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hit:
    """A hit with what makes it one: an id and a time, in seconds since 1970. `fields` is the rest, untrusted."""

    id: str
    created: int
    fields: dict[str, Any]

    @property
    def digest(self) -> str:
        """Of the words, so that an edit is news and a point more is not."""
        words = "\0".join(str(self.fields.get(key)) for key in ("title", "story_text", "comment_text"))
        return hashlib.blake2b(words.encode("utf-8", "replace"), digest_size=6).hexdigest()


def _hits(answer: Any) -> tuple[list[_Hit], tuple[tuple[Fault, str], ...], bool]:
    listed = answer.get("hits") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        raise SourceChanged(
            Fault.UNEXPECTED, "the search answered without a list of hits; its interface may have changed"
        )
    hits = [hit for hit in map(_hit, listed) if hit is not None]
    broken = len(listed) - len(hits)
    warnings = ((Fault.MALFORMED, f"{broken} hit(s) without id or time were skipped"),) if broken else ()
    total = answer.get("nbHits")
    more = total > len(listed) if isinstance(total, int) else len(listed) >= HITS_PER_PAGE
    return hits, warnings, bool(more and hits)


def _hit(fields: Any) -> _Hit | None:
    if not isinstance(fields, dict):
        return None
    native, created = fields.get("objectID"), fields.get("created_at_i")
    if not isinstance(native, str | int) or isinstance(created, bool) or not isinstance(created, int):
        return None
    return _Hit(id=str(native), created=created, fields=fields) if 0 < created < 2**35 else None


def _item(hit: _Hit) -> RawItem:
    fields = hit.fields
    title, author = _text(fields, "title"), _text(fields, "author")
    return RawItem(
        native_id=hit.id,
        url=f"https://news.ycombinator.com/item?id={quote(hit.id, safe='')}",
        title=html.escape(title, quote=False) if title else None,
        text=_text(fields, "comment_text") or _text(fields, "story_text") or "",
        markup=Markup.HTML,
        author=Author(
            handle=author,
            name=author,
            url=f"https://news.ycombinator.com/user?id={quote(author, safe='')}" if author else None,
        ),
        published_at=datetime.fromtimestamp(hit.created, tz=UTC),
        reach=Reach(likes=_count(fields, "points"), replies=_count(fields, "num_comments")),
        in_reply_to=_id(fields, "parent_id"),
        thread=_id(fields, "story_id") or hit.id,
    )


def _text(fields: dict[str, Any], key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) and value.strip() else None


def _count(fields: dict[str, Any], key: str) -> int | None:
    value = fields.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _id(fields: dict[str, Any], key: str) -> str | None:
    value = fields.get(key)
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) and value != "" else None


def _terms(given: list[str]) -> tuple[str, ...]:
    """Searches: without quotes, which would end ours, and each once."""
    clean = (" ".join(term.replace('"', " ").split()) for term in given)
    return tuple({term.casefold(): term for term in clean if term}.values())


# --- where we are ------------------------------------------------------------------------------------------------------


def _seconds(when: datetime) -> int:
    return int(when.timestamp())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """A stretch of time to search: after `floor`, up to and with `ceiling` if there is one. Seconds since 1970."""

    floor: int
    ceiling: int | None = None

    def filters(self) -> str:
        after = f"created_at_i>{self.floor}"
        return after if self.ceiling is None else f"{after},created_at_i<={self.ceiling}"

    def rest(self, hits: list[_Hit]) -> "_Window | None":
        """What is left below these hits. The second of the last one is asked for again: others may share it."""
        oldest = min(hit.created for hit in hits)
        ceiling = oldest if self.ceiling is None or oldest < self.ceiling else oldest - 1
        return _Window(floor=self.floor, ceiling=ceiling) if ceiling > self.floor else None


class _Budget:
    """Requests and seconds of one poll."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._clock = clock
        self._requests = limits.max_pages
        self.spent = False
        self._until = clock.monotonic() + limits.max_seconds

    def spend(self) -> bool:
        """Count one request; True if there shall be no further one."""
        self._requests -= 1
        self.spent = self._requests <= 0 or self._clock.monotonic() >= self._until
        return self.spent


@dataclass(slots=True)
class _Memory:
    """What the checkpoint holds: for each term the newest time read and a stretch left out; the hits in the overlap."""

    now: int
    newest: dict[str, int] = field(default_factory=dict)
    gaps: dict[str, tuple[int, int]] = field(default_factory=dict)
    seen: dict[str, tuple[int, str]] = field(default_factory=dict)
    turn: str | None = None
    _since: int = 0
    _top: int = 0
    _gap: _Window | None = None

    @classmethod
    def read(cls, checkpoint: Checkpoint | None, now: datetime) -> "_Memory":
        memory = cls(now=_seconds(now))
        if checkpoint is None or checkpoint.version != VERSION:
            return memory
        data = checkpoint.data
        memory.newest = dict(data.get("newest") or {})
        memory.gaps = {term: (floor, ceiling) for term, (floor, ceiling) in (data.get("gaps") or {}).items()}
        memory.seen = {hit: (created, digest) for hit, (created, digest) in (data.get("seen") or {}).items()}
        memory.turn = data.get("turn")
        return memory

    def write(self) -> Checkpoint:
        """Hits are remembered for as long as a poll may meet them again."""
        oldest = min([self.now, *self.newest.values()]) - 2 * int(OVERLAP.total_seconds())
        recent = sorted(self.seen.items(), key=lambda pair: -pair[1][0])[:SEEN_MAX]
        data = {
            "newest": dict(self.newest),
            "gaps": {term: list(gap) for term, gap in self.gaps.items()},
            "seen": {hit: list(known) for hit, known in recent if known[0] >= oldest},
            "turn": self.turn,
        }
        return Checkpoint(version=VERSION, data=data)

    def in_turn(self, terms: tuple[str, ...]) -> tuple[str, ...]:
        """The terms, from the one behind the last that was read: a poll that ran out of requests starves none."""
        after = terms.index(self.turn) + 1 if self.turn in terms else 0
        return terms[after:] + terms[:after]

    def windows(self, term: str) -> list[_Window]:
        """What is new, with the overlap; while a stretch is left out, that comes before the overlap, lest it wait for ever."""
        self._since = self._top = self.newest.get(term, 0)
        self._gap = None
        if term not in self.newest:
            return [_Window(floor=self.now - int(FIRST_LOOK.total_seconds()))]
        overlap = self._since - int(OVERLAP.total_seconds())
        if term not in self.gaps:
            return [_Window(floor=overlap)]
        floor, ceiling = self.gaps[term]
        self._gap = _Window(floor=floor, ceiling=ceiling)
        return [_Window(floor=self._since - 1), self._gap, _Window(floor=overlap, ceiling=self._since)]

    def reached(self, term: str, hits: list[_Hit]) -> None:
        """Note how far up the term was read; never past our own clock, so that a post from the future hides none."""
        self._top = max([self._top, *(min(hit.created, self.now) for hit in hits)])

    def close(self, term: str, window: _Window, rest: _Window | None) -> None:
        """Done with a window: the term's newest time counts from now on, and what was never read of it waits."""
        self.turn = term
        self.newest[term] = max(self._top, self.now - int(FIRST_LOOK.total_seconds()))
        if window == self._gap:
            self.gaps.pop(term)
        floor = self.gaps[term][0] if term in self.gaps else window.floor
        if rest is not None and rest.ceiling is not None and (window == self._gap or rest.ceiling >= self._since):
            self.gaps[term] = (floor, rest.ceiling)

    def is_new(self, hit: _Hit) -> bool:
        """True once for each hit and each of its versions."""
        known = self.seen.get(hit.id)
        self.seen[hit.id] = (hit.created, hit.digest)
        return known is None or known[1] != hit.digest
