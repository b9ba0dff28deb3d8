"""A recording of a place: what was asked, what it answered, and the items that we expect of it. YAML, written by hand.

    now: 2026-03-02T09:00:00Z            # the clock while it is played
    config: {url: https://forum.example/latest.rss}
    queries: {acme: [Acme Mobile]}       # terms by brand, for connectors that search
    secrets: [aSecretToken]              # strings that may never show
    exchanges:
    - request: GET https://forum.example/latest.rss       # "*" stands for anything
      response:
        headers: {Content-Type: application/rss+xml, ETag: '"1"'}
        body: |                          # or json: for an answer in JSON; status: is 200 unless said
          <rss>...
    files: {posts.jsonl: "..."}          # for connectors that read a folder, which "{folder}" in config stands for
    items:                               # in order; only the fields that are named are compared
    - {native_id: t-1, title: Down again, author: {handle: kim}, published_at: 2026-03-02T08:55:00Z}
    again: []                            # items of a second poll, where the exchanges say that something is new

An exchange whose request comes again is answered by the next one with that request, the last one again and again. A
request with the ETag of the recorded answer gets "304 Not Modified", as from any honest server.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from listener.connector import Checkpoint, Connector, ConnectorQuery
from listener.domain.mention import RawItem
from listener.ports import HttpClient, Request, Response
from listener.testing.fakes import FakeClock

__all__ = ["Exchange", "Player", "Recording", "matches", "poll_all", "through_json"]

_NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request ("GET https://...", "*" stands for anything) and the answer to it."""

    request: str
    response: Response

    def asked_by(self, request: Request) -> bool:
        """Whether the request is the recorded one."""
        pattern = ".*".join(re.escape(part) for part in self.request.split("*"))
        return re.fullmatch(pattern, f"{request.method} {request.url}") is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What stands in a recording's file; see the module's docstring."""

    config: dict[str, Any]
    queries: tuple[ConnectorQuery, ...]
    secrets: tuple[str, ...]
    now: datetime
    exchanges: tuple[Exchange, ...]
    files: dict[str, str]
    items: tuple[dict[str, Any], ...]
    again: tuple[dict[str, Any], ...]

    @classmethod
    def read(cls, path: Path) -> "Recording":
        """The recording in a file."""
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        queries = (data.get("queries") or {}).items()
        return cls(
            config=data.get("config") or {},
            queries=tuple(ConnectorQuery(brand=brand, terms=tuple(terms)) for brand, terms in queries),
            secrets=tuple(data.get("secrets") or ()),
            now=data.get("now", _NOW),
            exchanges=tuple(_exchange(entry) for entry in data.get("exchanges") or ()),
            files=data.get("files") or {},
            items=tuple(data.get("items") or ()),
            again=tuple(data.get("again") or ()),
        )

    def settings(self, folder: Path) -> dict[str, Any]:
        """The configuration, with the recorded files written into `folder` where it names one."""
        for name, content in self.files.items():
            (folder / name).write_text(content, encoding="utf-8")
        return {
            key: value.replace("{folder}", str(folder)) if isinstance(value, str) else value
            for key, value in self.config.items()
        }

    def build(
        self, connector: type[Connector], http: HttpClient, folder: Path, clock: FakeClock | None = None
    ) -> Connector:
        """The connector with this recording's configuration."""
        config = connector.Config.model_validate(self.settings(folder))
        return connector(config, http=http, clock=clock or FakeClock(self.now), queries=self.queries)


def _exchange(entry: dict[str, Any]) -> Exchange:
    answer = entry["response"]
    body = json.dumps(answer["json"], ensure_ascii=False) if "json" in answer else answer.get("body", "")
    return Exchange(
        request=entry["request"],
        response=Response(
            status=answer.get("status", 200),
            headers={name.lower(): str(value) for name, value in (answer.get("headers") or {}).items()},
            body=body.encode() if isinstance(body, str) else body,
            url=entry["request"].partition(" ")[2],
        ),
    )


class Player:
    """A place that answers as it was recorded: an `HttpClient`. A request that is not recorded is an error of the test."""

    def __init__(self, exchanges: tuple[Exchange, ...]) -> None:
        self._exchanges = exchanges
        self._played: set[int] = set()
        self.requests: list[Request] = []

    def fetch(self, request: Request) -> Response:
        """The next answer recorded for this request."""
        self.requests.append(request)
        return self.answer(request)

    def answer(self, request: Request) -> Response:
        """As `fetch`, without keeping the request."""
        fitting = [number for number, exchange in enumerate(self._exchanges) if exchange.asked_by(request)]
        assert fitting, f"{request.method} {request.url} is not in the recording"
        number = next((number for number in fitting if number not in self._played), fitting[-1])
        self._played.add(number)
        answer = self._exchanges[number].response
        etag = answer.headers.get("etag")
        asked = {name.lower(): value for name, value in request.headers.items()}
        if etag and asked.get("if-none-match") == etag:
            return replace(answer, status=304, body=b"", url=request.url)
        return replace(answer, url=request.url)


def matches(item: Any, expected: Mapping[str, Any] | Any) -> bool:
    """Whether an item (or a part of it) has what was written down of it; what was not is not compared."""
    if isinstance(expected, Mapping):
        return all(matches(getattr(item, key), value) for key, value in expected.items())
    if isinstance(item, tuple):
        return bool(list(item) == expected)
    if isinstance(item, datetime):
        when = datetime.fromisoformat(expected) if isinstance(expected, str) else expected
        return bool(item == (when if when.tzinfo else when.replace(tzinfo=UTC)))
    return bool(item == expected)


def through_json(checkpoint: Checkpoint | None) -> Checkpoint | None:
    """The checkpoint as it comes back from the store."""
    return None if checkpoint is None else replace(checkpoint, data=json.loads(json.dumps(checkpoint.data)))


def poll_all(connector: Connector, checkpoint: Checkpoint | None) -> tuple[list[RawItem], list[Checkpoint | None]]:
    """All items of a poll, and the checkpoint behind each page."""
    items: list[RawItem] = []
    checkpoints: list[Checkpoint | None] = []
    for page in connector.poll(through_json(checkpoint)):
        items += page.items
        checkpoints.append(page.checkpoint)
    return items, checkpoints
