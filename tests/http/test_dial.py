"""Names: what becomes of those that are unknown, unspeakable or slow."""

import asyncio
import errno
import socket
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from listener.domain.errors import Fault, TransportError
from listener.http import AiohttpClient
from listener.http.dial import BlockedError, GuardedResolver, SystemResolver, guarded_socket
from listener.ports import Request
from tests.http.hostile_server import HostileServer
from tests.http.pretend_internet import PUBLIC, FakeResolver, PretendInternet


class _Broken(FakeResolver):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        raise self.error


class _Silent(FakeResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        await asyncio.sleep(60)
        return []


def _error(resolver: AbstractResolver | None, url: str = "http://feed.example/s3cret") -> TransportError:
    with AiohttpClient(user_agent="t", resolver=resolver) as client, pytest.raises(TransportError) as caught:
        client.fetch(Request(url=url, deadline=0.3))
    assert "s3cret" not in str(caught.value)
    assert not caught.value.ambiguous
    return caught.value


@pytest.mark.parametrize(
    ("resolver", "fault", "words"),
    [
        (FakeResolver(), Fault.DNS, "no such host"),
        (FakeResolver({"feed.example": [[]]}), Fault.DNS, "no such host"),
        (_Broken(socket.gaierror(socket.EAI_AGAIN, "Temporary failure")), Fault.DNS, "name server does not answer"),
        (_Silent(), Fault.TIMEOUT, "was not sent within 0.3 s"),
        (FakeResolver({"feed.example": [["not an address"]]}), Fault.BLOCKED_ADDRESS, "must not be reached"),
    ],
)
def test_a_name_that_leads_nowhere(resolver: AbstractResolver, fault: Fault, words: str) -> None:
    error = _error(resolver)
    assert error.fault is fault
    assert words in str(error)


@pytest.mark.parametrize("host", ["a..example", "x" * 64 + ".example"])
def test_what_is_no_host_name_at_all(host: str) -> None:
    """The system's resolver raises UnicodeError for these."""
    assert _error(None, f"http://{host}/s3cret").fault in {Fault.DNS, Fault.BAD_SCHEME}


def test_the_systems_names_are_looked_up(client: AiohttpClient, server: HostileServer) -> None:
    assert client.fetch(Request(url=server.url("/ok", host="localhost"), allow_private=True)).status == 200


def test_the_systems_names_are_behind_the_wall(client: AiohttpClient, server: HostileServer) -> None:
    with pytest.raises(TransportError) as caught:
        client.fetch(Request(url=server.url("/canary", host="localhost")))
    assert caught.value.fault is Fault.BLOCKED_ADDRESS
    assert server.canaries == []


def test_a_lookup_that_hangs_holds_up_neither_others_nor_the_end(
    client: AiohttpClient, server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, release = socket.getaddrinfo, threading.Event()

    def slow(host: str, *args: Any, **more: Any) -> Sequence[Any]:
        if host.startswith("dead"):
            release.wait(10)
            raise socket.gaierror(socket.EAI_AGAIN, "late")
        return real(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        for i in range(20):
            with pytest.raises(TransportError, match="was not sent"):
                client.fetch(Request(url=f"http://dead{i}.example/", deadline=0.01))
        assert (
            client.fetch(Request(url=server.url("/ok", host="localhost"), allow_private=True, deadline=2)).status == 200
        )
        client.close()
    finally:
        release.set()


def test_a_name_with_several_addresses_is_reached_by_any_that_works(
    outside: AiohttpClient, names: FakeResolver, internet: PretendInternet
) -> None:
    names.names["many.example"] = [[PUBLIC, "93.184.216.99", "93.184.216.77"]]
    internet.broken = {PUBLIC: errno.ECONNREFUSED, "93.184.216.99": errno.ENETUNREACH}
    assert outside.fetch(Request(url="http://many.example/ok")).status == 200


def test_a_name_none_of_whose_addresses_works(
    outside: AiohttpClient, names: FakeResolver, internet: PretendInternet
) -> None:
    names.names["many.example"] = [[PUBLIC, "93.184.216.99"]]
    internet.broken = {PUBLIC: errno.ECONNREFUSED, "93.184.216.99": errno.ENETUNREACH}
    with pytest.raises(TransportError, match=r"no connection \(.+\); check the host and the port") as caught:
        outside.fetch(Request(url="http://many.example/ok"))
    assert caught.value.fault is Fault.CONNECT


def test_the_last_wall_is_at_the_socket() -> None:
    """Even if a check before it were fooled, no socket is made for an inside address."""
    info = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 80))
    with pytest.raises(BlockedError):
        guarded_socket(info, allow_private=False)
    guarded_socket(info, allow_private=True).close()


def test_the_systems_resolver_gives_addresses() -> None:
    async def look_up() -> list[ResolveResult]:
        resolver = SystemResolver()
        try:
            return await resolver.resolve("127.0.0.1", 80)
        finally:
            await resolver.close()

    found = asyncio.run(look_up())
    assert [(result["host"], result["port"]) for result in found] == [("127.0.0.1", 80)]


def test_a_lookup_whose_asker_is_gone_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(5) and [])

    async def leave() -> None:
        task = asyncio.create_task(SystemResolver().resolve("dead.example"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release.set()
        for thread in threading.enumerate():
            if thread.name == "listener-dns":
                await asyncio.to_thread(thread.join)
        await asyncio.sleep(0)

    asyncio.run(leave())


def test_a_resolver_is_closed_by_who_made_it(names: FakeResolver) -> None:
    asyncio.run(GuardedResolver(names, allow_private=False).close())
    assert names.closed
