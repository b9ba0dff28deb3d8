"""Names to addresses and addresses to sockets, both behind the wall of `address.guard`."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from listener.domain.errors import TransportError
from listener.http.address import guard

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, Any]
"""What `getaddrinfo` yields; the last part is the socket address, whose first part is the IP address."""

_MAX_LOOKUPS = 64


class BlockedError(OSError):
    """An address that the wall refuses, in the one shape that passes through aiohttp's connector unharmed."""

    def __init__(self, refusal: TransportError) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class NoSuchHostError(OSError):
    """The name does not stand for any address."""


class SystemResolver(AbstractResolver):
    """`getaddrinfo` on short-lived daemon threads.

    The event loop's own executor has few threads, so that a handful of names whose servers do not answer would hold up
    all others, and it is joined at exit, so that they would hold up the end of the process too.
    """

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_MAX_LOOKUPS)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All stream addresses of `host`. Raises OSError (`gaierror`) if there are none."""
        async with self._slots:
            found = await _on_thread(lambda: _look_up(host, port, family))
        return [_result(host, info) for info in found]

    async def close(self) -> None:
        """Nothing is held between lookups."""


def _look_up(host: str, port: int, family: int) -> list[AddressInfo]:
    try:
        return list(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG))
    except ValueError as error:  # an empty or over-long label, a NUL
        raise NoSuchHostError("not a host name") from error


def _result(host: str, info: AddressInfo) -> ResolveResult:
    family, _, proto, _, address = info
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address[0], port=address[1], family=int(family), proto=proto, flags=flags)


async def _on_thread(work: Callable[[], list[AddressInfo]]) -> list[AddressInfo]:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[list[AddressInfo]] = loop.create_future()

    def settle(found: list[AddressInfo] | None, error: OSError | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(found or [])

    def run() -> None:
        found, error = None, None
        try:
            found = work()
        except OSError as caught:
            error = caught
        with suppress(RuntimeError):  # the loop was closed while we looked: nobody waits any more
            loop.call_soon_threadsafe(settle, found, error)

    Thread(target=run, name="listener-dns", daemon=True).start()
    return await done


class GuardedResolver(AbstractResolver):
    """Resolves a name once and refuses it as a whole if any of its addresses is one that must not be reached.

    aiohttp connects to the very addresses returned here, so that a name whose answer changes between a check and the
    connection (DNS rebinding) gains nothing.
    """

    def __init__(self, inner: AbstractResolver, *, allow_private: bool) -> None:
        self._inner = inner
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of `host`. Raises `BlockedError` or what the inner resolver raises."""
        found = await self._inner.resolve(host, port, family)
        if not found:
            raise NoSuchHostError("the name has no address")
        for result in found:
            _check(result["host"], allow_private=self._allow_private)
        return found

    async def close(self) -> None:
        """Close the inner resolver."""
        await self._inner.close()


def guarded_socket(info: AddressInfo, *, allow_private: bool) -> socket.socket:
    """The socket for a connection to `info`: the last wall, past which no way leads, literal hosts included."""
    family, kind, proto, _, address = info
    _check(address[0], allow_private=allow_private)
    return open_socket(family, kind, proto)


def open_socket(family: int, kind: int, proto: int) -> socket.socket:
    """A plain socket. Tests that need public addresses on one machine replace this."""
    return socket.socket(family, kind, proto)


def _check(address: str, *, allow_private: bool) -> None:
    try:
        guard(address, allow_private=allow_private)
    except TransportError as refusal:
        raise BlockedError(refusal) from None
