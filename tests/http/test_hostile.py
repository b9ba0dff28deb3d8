"""Every bad habit of a server ends in time, within its limits, with the right fault and without a secret."""

import time
import traceback
from collections.abc import Callable

import pytest

from listener.domain.errors import Fault, TransportError
from listener.http import AiohttpClient
from listener.ports import Request
from tests.http.hostile_server import FEED, HostileServer, Visit, black_hole, unused_port

Failure = Callable[[Request], TransportError]
MB = 1024 * 1024
DEADLINE = 0.3


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/drip", Fault.TIMEOUT),
        ("/drip_endless", Fault.TIMEOUT),
        ("/slow_headers", Fault.TIMEOUT),
        ("/hang", Fault.TIMEOUT),
        ("/hang_mid_body", Fault.TIMEOUT),
        ("/reset", Fault.CONNECT),
        ("/close", Fault.CONNECT),
        ("/reset_mid_body", Fault.TRUNCATED),
        ("/short_length", Fault.TRUNCATED),
        ("/chunk_no_end", Fault.TRUNCATED),
        ("/chunk_half", Fault.TRUNCATED),
        ("/gzip_cut", Fault.TRUNCATED),
        ("/bad_chunk", Fault.PROTOCOL),
        ("/garbage", Fault.PROTOCOL),
        ("/http09", Fault.PROTOCOL),
        ("/two_lengths", Fault.PROTOCOL),
        ("/header_flood", Fault.PROTOCOL),
        ("/header_many", Fault.PROTOCOL),
        ("/header_huge", Fault.PROTOCOL),
        ("/endless_headers", Fault.PROTOCOL),
        ("/brotli", Fault.DECODING),
        ("/big", Fault.TOO_LARGE),
        ("/infinite", Fault.TOO_LARGE),
        ("/gzip_bomb", Fault.BOMB),
        ("/gzip_stream_bomb", Fault.BOMB),
    ],
)
def test_a_bad_habit_gets_its_name(failure: Failure, server: HostileServer, path: str, fault: Fault) -> None:
    timed = fault is Fault.TIMEOUT
    started = time.monotonic()
    error = failure(
        Request(url=server.url(path + "?k=hunter2"), allow_private=True, deadline=DEADLINE if timed else 10)
    )
    assert error.fault is fault
    assert error.ambiguous
    assert time.monotonic() - started < 5
    _assert_no_secret(error)


def _assert_no_secret(error: BaseException) -> None:
    """Neither in the message nor anywhere a careless logger may look."""
    assert "hunter2" not in "".join(traceback.format_exception(error))
    linked: BaseException | None = error
    while linked is not None:
        assert "hunter2" not in f"{linked!r}{linked.args!r}"
        linked = linked.__cause__ or linked.__context__


def test_a_malformed_chunk_in_the_middle_ends_by_the_deadline_at_the_latest(
    failure: Failure, server: HostileServer
) -> None:
    """The parser of aiohttp 3.14 notices but does not tell the reader of the body; then the deadline has to."""
    error = failure(Request(url=server.url("/bad_chunk_later"), allow_private=True, deadline=DEADLINE))
    assert error.fault in {Fault.TIMEOUT, Fault.TRUNCATED}


@pytest.mark.parametrize("path", ["/ok", "/early_hints", "/gzip", "/conditional"])
def test_a_tolerable_habit_is_tolerated(client: AiohttpClient, server: HostileServer, path: str) -> None:
    assert client.fetch(Request(url=server.url(path), allow_private=True, deadline=5)).body == FEED


@pytest.mark.parametrize("path", ["/big", "/infinite"])
def test_an_endless_answer_is_left_soon_after_the_limit(failure: Failure, server: HostileServer, path: str) -> None:
    """The server may have filled the buffers between us, not more."""
    failure(Request(url=server.url(path), allow_private=True, max_bytes=MB, deadline=10))
    assert server.bytes_sent < MB + 12 * MB


def test_the_limit_on_the_body_can_be_set(failure: Failure, client: AiohttpClient, server: HostileServer) -> None:
    exact = Request(url=server.url("/ok"), allow_private=True, max_bytes=len(FEED))
    assert client.fetch(exact).body == FEED
    error = failure(Request(url=server.url("/ok"), allow_private=True, max_bytes=len(FEED) - 1))
    assert error.fault is Fault.TOO_LARGE


def test_after_a_bad_habit_the_next_exchange_is_clean(
    failure: Failure, client: AiohttpClient, server: HostileServer
) -> None:
    """No rest of a broken answer is taken for the next one."""
    for path in ("/hang_mid_body", "/short_length", "/bad_chunk", "/infinite"):
        failure(Request(url=server.url(path), allow_private=True, deadline=DEADLINE, max_bytes=MB))
        assert client.fetch(Request(url=server.url("/ok"), allow_private=True)).body == FEED


def test_a_body_longer_than_it_says_is_cut_and_does_not_leak_into_the_next(
    client: AiohttpClient, server: HostileServer
) -> None:
    server.answers["/long"] = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbodyHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    )
    assert client.fetch(Request(url=server.url("/long"), allow_private=True)).body == b"body"
    assert client.fetch(Request(url=server.url("/ok"), allow_private=True)).body == FEED


def test_nobody_listens(failure: Failure) -> None:
    error = failure(Request(url=f"http://127.0.0.1:{unused_port()}/hunter2", allow_private=True))
    assert (error.fault, error.ambiguous) == (Fault.CONNECT, False)
    assert "connection refused" in str(error)
    _assert_no_secret(error)


def test_a_connection_that_is_never_accepted_ends_by_the_connect_timeout(failure: Failure) -> None:
    with black_hole() as port:
        started = time.monotonic()
        error = failure(
            Request(url=f"http://127.0.0.1:{port}/hunter2", allow_private=True, connect_timeout=0.2, deadline=9)
        )
        assert time.monotonic() - started < 3
    assert (error.fault, error.ambiguous) == (Fault.TIMEOUT, False)
    assert "no connection in time" in str(error)
    _assert_no_secret(error)


def test_a_connection_that_is_never_accepted_ends_by_the_deadline(failure: Failure) -> None:
    with black_hole() as port:
        error = failure(Request(url=f"http://127.0.0.1:{port}/", allow_private=True, deadline=0.2))
    assert (error.fault, error.ambiguous) == (Fault.TIMEOUT, False)


def test_the_deadline_covers_all_redirects_together(failure: Failure, server: HostileServer) -> None:
    def slow(visit: Visit) -> bool:
        visit.pause(0.1)
        return visit.answer(302, Location=f"/slow?n={len(server.hits)}")

    server.habits["/slow"] = slow
    error = failure(Request(url=server.url("/slow"), allow_private=True, deadline=DEADLINE, follow=50))
    assert error.fault is Fault.TIMEOUT
    assert len(server.hits) < 10


@pytest.mark.parametrize("url", ["ftp://x.example/hunter2", "file:///hunter2", "javascript:hunter2()", "hunter2"])
def test_only_http_is_spoken(failure: Failure, url: str) -> None:
    error = failure(Request(url=url))
    assert (error.fault, error.ambiguous) == (Fault.BAD_SCHEME, False)
