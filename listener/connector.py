"""The connector kit: what a connector declares and does.

A connector is one module in `connectors/` with one class. It knows one platform: how to ask it, how to continue from a
checkpoint, and how its answer becomes `RawItem`s. It decides nothing, stores nothing and reads no clock but its own.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from listener.domain.errors import (
    Fault,
    SourceChanged,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    TransportError,
)
from listener.domain.mention import RawItem
from listener.domain.source import Checkpoint
from listener.ports import Clock, HttpClient, Request, Response

__all__ = [
    "Checkpoint",
    "Connector",
    "ConnectorConfig",
    "ConnectorQuery",
    "Limits",
    "Page",
    "fetch",
    "parse_json",
    "retry_after",
]


class ConnectorConfig(BaseModel):
    """Base of a connector's typed configuration. Unknown keys are refused; secrets are `SecretStr`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the platform allows and what we allow ourselves: declared, shown in docs, held by the inherited suite."""

    min_interval: float = 60.0
    max_pages: int = 10
    max_seconds: float = 60.0
    max_bytes: int = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Items and the checkpoint that may be committed once they are safe. `warnings` are faults that lost nothing whole."""

    items: tuple[RawItem, ...]
    checkpoint: Checkpoint | None
    warnings: tuple[tuple[Fault, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorQuery:
    """A brand's query as plain alternatives for platforms that search: any of `terms`."""

    brand: str
    terms: tuple[str, ...]


class Connector(Protocol):
    """One kind of place. The class docstring is its page in docs/sources.md."""

    name: ClassVar[str]
    Config: ClassVar[type[ConnectorConfig]]
    limits: ClassVar[Limits]

    def __init__(
        self, config: Any, *, http: HttpClient, clock: Clock, queries: tuple[ConnectorQuery, ...] = ()
    ) -> None:
        """Keep the collaborators. Touches no network and no file."""

    def check(self) -> None:
        """Try the place for real. Raises `SourceError` with a remedy if it cannot be read."""
        ...

    def poll(self, checkpoint: Checkpoint | None) -> Iterator[Page]:
        """Yield what is new since `checkpoint`, page by page, each with the checkpoint that follows it."""
        ...


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds asked for by `Retry-After` (integer, decimal or HTTP date), clamped to 1 s..1 h; `None` if absent or absurd.

    Source: RFC 9110 section 10.2.3. Decimal seconds are not in the RFC but some platforms send them.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value, now)
    if math.isnan(seconds):
        return None
    return min(max(seconds, 1.0), 3600.0)


def _until(http_date: str, now: datetime) -> float:
    try:
        when = parsedate_to_datetime(http_date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return float("nan")
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return (when - now).total_seconds()


def fetch(http: HttpClient, request: Request, *, clock: Clock) -> Response:
    """Make the exchange and map every outcome but 2xx and 304 to the right `SourceError`."""
    try:
        response = http.fetch(request)
    except TransportError as error:
        raise _transport_error(error) from error
    if response.status == 304 or 200 <= response.status < 300:
        return response
    raise _status_error(response, now=clock.now())


_GUARDED = {Fault.BLOCKED_ADDRESS, Fault.BAD_SCHEME}


def _transport_error(error: TransportError) -> SourceError:
    if error.fault in _GUARDED:
        return SourceRefused(error.fault, str(error))
    return SourceUnavailable(error.fault, str(error))


def _status_error(response: Response, *, now: datetime) -> SourceError:
    status = response.status
    wait = retry_after(response.headers, now=now)
    if status in (401, 403, 407):
        return SourceRefused(
            Fault.REFUSED, f"the place refused us (HTTP {status}); check its key or its terms", retry_after=wait
        )
    if status == 404:
        return SourceRefused(Fault.NOT_FOUND, "nothing is there (HTTP 404); check the address", retry_after=wait)
    if status == 410:
        return SourceRefused(Fault.GONE, "it is gone for good (HTTP 410); remove the source", retry_after=wait)
    if status == 429:
        return SourceUnavailable(Fault.RATE_LIMITED, "the place asks us to slow down (HTTP 429)", retry_after=wait)
    if status >= 500 or status == 408:
        return SourceUnavailable(
            Fault.SERVER_ERROR, f"the place has a fault of its own (HTTP {status})", retry_after=wait
        )
    return SourceChanged(Fault.BAD_REQUEST, f"the place did not understand us (HTTP {status})", retry_after=wait)


def parse_json(body: bytes) -> Any:
    """The JSON document in `body` (UTF-8 with or without BOM). Raises `SourceError` for anything else.

    A document that nests too deep raises RecursionError in CPython's scanner; it is a fault of the document like others.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceChanged(Fault.DECODING, "the answer is not UTF-8") from error
    if not text.strip():
        raise SourceUnavailable(Fault.EMPTY, "the answer is empty")
    if text.lstrip()[:1] == "<":
        raise SourceChanged(Fault.NOT_A_FEED, "the answer is a web page where JSON was expected")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceChanged(Fault.BAD_JSON, "the answer is not JSON that can be read") from error
