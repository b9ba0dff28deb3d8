"""`AiohttpClient`: a synchronous face, for any thread, on aiohttp running on one background event loop."""

import asyncio
from functools import partial
from ssl import SSLContext
from types import SimpleNamespace, TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver

from listener.domain.errors import Fault, TransportError
from listener.http.background import BackgroundLoop, LoopClosedError
from listener.http.dial import GuardedResolver, SystemResolver, guarded_socket
from listener.http.explain import EXPECTED, explain
from listener.http.hops import redact
from listener.http.trip import Trip
from listener.ports import Request, Response

_MAX_FIELD = 32 * 1024  # bytes of one header; a Content-Security-Policy beyond aiohttp's 8,190 is not rare
_CLOSED = "the HTTP client was closed"


class AiohttpClient:
    """The real `ports.HttpClient`. Nothing starts before the first `fetch`; `close` may be called any number of times.

    `per_host` bounds the connections to one host and port, `total` all connections. `resolver` replaces the system's
    name lookup. `ssl_context` replaces aiohttp's, which trusts what the system trusts; one context serves for ever,
    because making one costs 30 ms. Proxies of the environment are not used: they would connect where our wall is not.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        per_host: int = 4,
        total: int = 100,
        resolver: AbstractResolver | None = None,
        ssl_context: SSLContext | None = None,
    ) -> None:
        self._headers = {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
        self._per_host = per_host
        self._total = total
        self._resolver = resolver
        self._ssl: SSLContext | bool = ssl_context or True
        self._loop = BackgroundLoop("listener-http")
        # One pool for each answer of the wall: a connection that `allow_private` opened to an inside address must never
        # serve a request that may not go there.
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def fetch(self, request: Request) -> Response:
        """Make the exchange. Raises `TransportError`.

        The deadline covers everything from here on: waiting for a free connection, names, redirects, the last byte.
        The answer to a request that changes something (any method but GET and HEAD) is complete once a 2xx status line
        has come: the other side has acted, so a body that breaks off or drips is cut short and never an error, lest a
        delivered message be delivered again.
        """
        # The outcome travels as a value, so that the error that is raised here has neither aiohttp's error in its chain
        # nor the loop's frames in its traceback: both may hold the URL of a webhook.
        outcome = self._outcome(request)
        if isinstance(outcome, TransportError):
            raise outcome
        return outcome

    def close(self) -> None:
        """End all exchanges under way (their callers get a `TransportError`) and stop the thread."""
        self._loop.close(self._farewell)

    def _outcome(self, request: Request) -> Response | TransportError:
        try:
            return self._loop.run(partial(self._exchange, request))
        except LoopClosedError:
            return TransportError(Fault.CONNECT, f"{redact(request.url)}: {_CLOSED}")

    async def _farewell(self) -> None:
        for session in self._sessions.values():
            await session.close()

    async def _exchange(self, request: Request) -> Response | TransportError:
        trip = Trip(request)
        timer = asyncio.timeout(request.deadline)
        try:
            async with timer:
                return await self._travel(trip)
        except EXPECTED as error:
            failure: TransportError | None = None if timer.expired() else explain(error, trip)
        except asyncio.CancelledError:  # only `close` cancels us
            failure = trip.failure(Fault.CONNECT, _CLOSED)
        trip.hang_up()
        return trip.delivered() or trip.broken_off(failure) or failure or trip.overdue()

    async def _travel(self, trip: Trip) -> Response:
        """Ask, and ask again where a redirect leads, until an answer is an answer."""
        trip.set_out()
        while True:
            async with self._ask(trip) as reply:
                trip.hear(reply)
                if not trip.leads_on():
                    return await trip.read(reply)
            trip.follow()

    def _ask(self, trip: Trip) -> Any:
        request = trip.request
        return self._session(trip.leave).request(
            request.method,
            trip.url,
            headers=trip.headers,
            data=trip.payload(),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=request.connect_timeout),
            trace_request_ctx=trip,
        )

    def _session(self, allow_private: bool) -> aiohttp.ClientSession:
        if allow_private not in self._sessions:
            self._sessions[allow_private] = self._new_session(allow_private)
        return self._sessions[allow_private]

    def _new_session(self, allow_private: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._total,
            limit_per_host=self._per_host,
            ssl=self._ssl,
            resolver=GuardedResolver(self._resolver or SystemResolver(), allow_private=allow_private),
            socket_factory=partial(guarded_socket, allow_private=allow_private),
        )
        tracing = aiohttp.TraceConfig()
        tracing.on_request_headers_sent.append(_headers_sent)
        return aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            max_field_size=_MAX_FIELD,
            max_line_size=_MAX_FIELD,
            trace_configs=[tracing],
        )


async def _headers_sent(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
    context.trace_request_ctx.headers_sent()
