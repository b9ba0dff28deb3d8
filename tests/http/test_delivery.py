"""Requests that change something: what is delivered, what may have been, and what is never sent twice."""

import time

import pytest

from listener.domain.errors import Fault, TransportError
from listener.http import AiohttpClient
from listener.ports import Request, Response
from tests.http.hostile_server import HostileServer, Visit, black_hole, unused_port

SMALL = b'{"text": "hello"}'


def _post(url: str, *, body: bytes | None = SMALL, deadline: float = 0.3, method: str = "POST") -> Request:
    return Request(url=url, method=method, body=body, allow_private=True, deadline=deadline)


def _failure(client: AiohttpClient, request: Request) -> TransportError:
    with pytest.raises(TransportError) as caught:
        client.fetch(request)
    return caught.value


@pytest.mark.parametrize("path", ["/slow_reply", "/hang_mid_body", "/drip_endless", "/bad_chunk_later"])
def test_a_2xx_whose_body_never_ends_is_delivered(client: AiohttpClient, server: HostileServer, path: str) -> None:
    started = time.monotonic()
    answer = client.fetch(_post(server.url(path)))
    assert answer.status == 200
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("path", "start"),
    [
        ("/reset_mid_body", b""), ("/short_length", b"<?xml"), ("/chunk_no_end", b"<?xml"),
        ("/big", b""), ("/infinite", b"A"), ("/brotli", b""), ("/gzip_bomb", b""), ("/header_many", b""),
    ],
)  # fmt: skip
def test_a_2xx_whose_body_is_broken_is_delivered(
    client: AiohttpClient, server: HostileServer, path: str, start: bytes
) -> None:
    answer = client.fetch(_post(server.url(path), deadline=10))
    assert answer.status == 200
    assert answer.body.startswith(start)
    assert len(server.hits) == 1


def test_a_delivered_answer_keeps_what_arrived(client: AiohttpClient, server: HostileServer) -> None:
    answer = client.fetch(_post(server.url("/slow_reply")))
    assert answer.body.startswith(b"ok.")
    assert answer.headers["content-length"] == "5000"


def test_a_refusal_that_drips_is_not_delivered(client: AiohttpClient, server: HostileServer) -> None:
    error = _failure(client, _post(server.url("/refused_slowly")))
    assert (error.fault, error.ambiguous) == (Fault.TIMEOUT, True)


def test_a_get_whose_body_breaks_is_never_an_answer(client: AiohttpClient, server: HostileServer) -> None:
    assert _failure(client, _post(server.url("/slow_reply"), method="GET", body=None)).fault is Fault.TIMEOUT


@pytest.mark.parametrize("body", [SMALL, b"", None])
@pytest.mark.parametrize("path", ["/hang", "/close", "/reset", "/garbage"])
def test_a_request_written_in_full_may_have_been_heard(
    client: AiohttpClient, server: HostileServer, path: str, body: bytes | None
) -> None:
    assert _failure(client, _post(server.url(path), body=body)).ambiguous
    assert len(server.hits) == 1, "a request that changes something is never sent again behind the caller's back"


def test_a_request_that_found_no_connection_was_not_heard(client: AiohttpClient) -> None:
    with black_hole() as port:
        assert not _failure(client, _post(f"http://127.0.0.1:{port}/")).ambiguous
    assert not _failure(client, _post(f"http://127.0.0.1:{unused_port()}/")).ambiguous


def test_a_request_whose_body_was_not_taken_was_not_heard(client: AiohttpClient, server: HostileServer) -> None:
    """The server reads the head and stops: what it lacks, it cannot act on."""
    error = _failure(client, _post(server.url("/deaf"), body=bytes(900_000) * 20, deadline=0.5))
    assert (error.fault, error.ambiguous) == (Fault.TIMEOUT, False)
    assert "was not sent" in str(error)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_redirect_is_the_answer_and_nothing_is_posted_again(
    client: AiohttpClient, server: HostileServer, code: int, method: str
) -> None:
    answer: Response = client.fetch(_post(server.url(f"/redirect?to=/canary&code={code}"), method=method))
    assert (answer.status, answer.headers["location"]) == (code, "/canary")
    assert server.canaries == []


def test_a_kept_connection_that_died_does_not_double_a_post(client: AiohttpClient, server: HostileServer) -> None:
    """Whether the server acted before it hung up cannot be known, so that only the caller may ask again."""

    def answer_then_die(visit: Visit) -> bool:
        return visit.answer(200) if len(server.hits) == 1 else visit.reset()

    server.habits["/dies"] = answer_then_die
    client.fetch(_post(server.url("/dies")))
    assert _failure(client, _post(server.url("/dies"))).ambiguous
    assert len(server.hits) == 2
