"""One exchange under way: where it is, how far it came, and what it heard."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from io import BytesIO

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from listener.domain.errors import Fault, TransportError
from listener.http.body import Body, too_large
from listener.http.hops import (
    SAFE_METHODS,
    destination,
    headers_for,
    is_permanent,
    is_redirect,
    next_hop,
    redact,
    without_credentials,
)
from listener.ports import Request, Response

_MAX_HEADERS = 100


class Trip:
    """The state of one exchange, from its first URL over its redirects to the last byte of its answer.

    Every method that may raise raises `TransportError`.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.leave = request.allow_private
        self.url = URL()  # until the request's is known to be one
        self.headers: dict[str, str] = {}
        self.status: int | None = None
        self._head_sent = False
        self._sending: _Body | None = None
        self._heard: dict[str, str] = {}
        self._location: str | None = None
        self._body: Body | None = None
        self._seen: set[URL] = set()
        self._permanent = True

    def set_out(self) -> None:
        """Look at the request before anything is opened for it."""
        target = destination(self.request.url, allow_private=self.leave)
        self.url, self.headers = without_credentials(target, self.request.headers)
        if not all(name.isprintable() and value.isprintable() for name, value in self.headers.items()):
            raise TransportError(Fault.PROTOCOL, "a header of the request holds a line break or worse; remove it")
        self._seen.add(self.url)

    def payload(self) -> "_Body | None":
        """What to send with the head."""
        self._sending = None if self.request.body is None else _Body(self.request.body)
        return self._sending

    def headers_sent(self) -> None:
        """The head of the request has been written."""
        self._head_sent = True

    @property
    def sent(self) -> bool:
        """Whether the request has been written as a whole, so that the other side may act on it."""
        return self._head_sent and (self._sending is None or self._sending.written)

    def hang_up(self) -> None:
        """Drop what waits to be sent. Closing a connection would go on offering it to a peer that does not read."""
        if self._sending is not None and self._sending.transport is not None:
            self._sending.transport.abort()

    def hear(self, reply: aiohttp.ClientResponse) -> None:
        """Take the head of an answer."""
        self.status = reply.status
        self._location = reply.headers.get("Location")
        self._heard = readable_headers(reply.raw_headers)
        if len(reply.raw_headers) > _MAX_HEADERS:
            raise TransportError(Fault.PROTOCOL, f"the answer has more than {_MAX_HEADERS} headers; it was not read")

    def leads_on(self) -> bool:
        """Whether what was heard sends us elsewhere."""
        return self.request.follow > 0 and is_redirect(self.request.method, self.status or 0)

    def follow(self) -> None:
        """Go where the redirect leads."""
        target, self.leave = next_hop(self.url, self._location, allow_private=self.leave)
        if target in self._seen:
            raise TransportError(Fault.REDIRECTS, "the redirects lead in a circle")
        if len(self._seen) > self.request.follow:
            raise TransportError(Fault.REDIRECTS, f"more than {self.request.follow} redirects; use the final address")
        self.headers = headers_for(self.url, target, self.headers)
        self._permanent = self._permanent and is_permanent(self.status or 0)
        self._seen.add(target)
        self.url = target
        self._head_sent, self.status = False, None

    async def read(self, reply: aiohttp.ClientResponse) -> Response:
        """The answer with its whole body."""
        limit = self.request.max_bytes
        if (reply.content_length or 0) > limit and self.request.method != "HEAD":
            raise too_large(limit)
        self._body = Body(self._heard.get("content-encoding", ""), max_bytes=limit)
        async for chunk in reply.content.iter_any():
            self._body.feed(chunk)
        return self._response(self._body.finish())

    def delivered(self) -> Response | None:
        """The answer as far as it came, if it says that a request to change something was carried out."""
        if self.request.method in SAFE_METHODS or self.status is None or not 200 <= self.status < 300:
            return None
        return self._response(self._body.so_far() if self._body else b"")

    def broken_off(self, failure: TransportError | None) -> Response | None:
        """The answer as far as it came, for a request that takes it piecemeal."""
        if failure is None or failure.fault is not Fault.TRUNCATED or not self.request.piecemeal or self.status != 200:
            return None
        return replace(self._response(self._body.so_far() if self._body else b""), complete=False)

    def overdue(self) -> TransportError:
        """The error for a deadline that passed."""
        where = "the answer did not end" if self.status else "no answer" if self.sent else "the request was not sent"
        return self.failure(Fault.TIMEOUT, f"{where} within {self.request.deadline:g} s")

    def failure(self, fault: Fault, text: str) -> TransportError:
        """An error that names the place but not the path, and knows whether the other side may have acted."""
        place = redact(str(self.url) or self.request.url)
        return TransportError(fault, f"{place}: {text}", ambiguous=self.sent)

    def _response(self, body: bytes) -> Response:
        url = str(self.url)
        moved = len(self._seen) > 1 and self._permanent
        return Response(
            status=self.status or 0, headers=self._heard, body=body, url=url, permanent_url=url if moved else None
        )


class _Body(aiohttp.BytesIOPayload):
    """A request body that knows whether it has been handed to the connection as a whole.

    From then on the other side may get it even if we hang up: the system goes on sending what it was given.
    """

    def __init__(self, body: bytes) -> None:
        super().__init__(BytesIO(body))
        self.written = False
        self.transport: asyncio.WriteTransport | None = None

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        self.transport = writer.transport
        await super().write_with_length(writer, content_length)
        self.written = True


def readable_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields by lower-case name, repeated ones joined with a comma.

    Values are stored and sent back (`ETag`), so that what cannot be printed becomes U+FFFD instead of a log line's end
    or a string that no database takes.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "replace")
        if not value.isprintable():
            value = "".join(c if c.isprintable() else "\ufffd" for c in value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
