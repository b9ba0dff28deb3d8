"""The client among well-behaved servers: answers, connections, threads, its end."""

import gc
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from listener.domain.errors import Fault, TransportError
from listener.http import AiohttpClient
from listener.http.trip import readable_headers
from listener.ports import HttpClient, Request, Response
from tests.http.hostile_server import FEED, HABITS, HostileServer, Visit, unused_port

Failure = Callable[[Request], TransportError]


def _ask(server: HostileServer, path: str = "/ok", *, deadline: float = 2.0, **more: object) -> Request:
    return Request(url=server.url(path), allow_private=True, deadline=deadline, **more)  # type: ignore[arg-type]


def test_an_answer_is_whole_and_its_header_names_are_lower_case(client: AiohttpClient, server: HostileServer) -> None:
    adapter: HttpClient = client
    answer = adapter.fetch(_ask(server))
    assert answer == Response(
        status=200,
        headers={"content-length": str(len(FEED)), "content-type": "application/rss+xml", "etag": '"1"'},
        body=FEED,
        url=server.url("/ok"),
    )


def test_a_conditional_request_gets_its_304(client: AiohttpClient, server: HostileServer) -> None:
    answer = client.fetch(_ask(server, "/conditional", headers={"If-None-Match": '"1"'}))
    assert (answer.status, answer.body, answer.headers) == (304, b"", {"etag": '"1"'})


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
def test_any_status_is_an_answer(client: AiohttpClient, server: HostileServer, status: int) -> None:
    answer = client.fetch(_ask(server, f"/status?code={status}"))
    assert (answer.status, answer.body) == (status, b"fault")


def test_a_head_request_has_no_body_whatever_its_length_says(client: AiohttpClient, server: HostileServer) -> None:
    answer = client.fetch(_ask(server, method="HEAD", max_bytes=10))
    assert (answer.status, answer.body) == (200, b"")


def test_a_post_carries_its_body_and_headers(client: AiohttpClient, server: HostileServer) -> None:
    answer = client.fetch(
        _ask(server, "/echo", method="POST", body=b'{"a":1}', headers={"Content-Type": "application/json"})
    )
    assert answer.body == b'{"a":1}'
    assert server.hits[0].headers["content-type"] == "application/json"
    assert server.hits[0].headers["content-length"] == "7"


def test_it_says_who_it_is_and_what_it_can_read(client: AiohttpClient, server: HostileServer) -> None:
    client.fetch(_ask(server))
    sent = server.hits[0].headers
    assert sent["user-agent"] == "listener-test/1"
    assert sent["accept-encoding"] == "gzip, deflate"
    client.fetch(_ask(server, headers={"User-Agent": "other/2"}))
    assert server.hits[1].headers["user-agent"] == "other/2"


def test_credentials_in_the_url_become_a_header(client: AiohttpClient, server: HostileServer) -> None:
    answer = client.fetch(Request(url=server.url().replace("//", "//me:pw@"), allow_private=True))
    assert server.hits[0].headers["authorization"] == "Basic bWU6cHc="
    assert "pw@" not in answer.url


def test_no_cookie_is_kept(client: AiohttpClient, server: HostileServer) -> None:
    server.habits["/cookie"] = lambda v: v.answer(200, b"", Set_Cookie="a=b; Path=/")
    client.fetch(_ask(server, "/cookie"))
    client.fetch(_ask(server, "/cookie"))
    assert "cookie" not in server.hits[1].headers


def test_proxies_of_the_environment_are_not_used(
    client: AiohttpClient, server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    assert client.fetch(_ask(server)).status == 200


def test_connections_are_kept_and_used_again(client: AiohttpClient, server: HostileServer) -> None:
    for _ in range(5):
        client.fetch(_ask(server))
    assert (server.connections, len(server.hits)) == (1, 5)


def test_any_number_of_threads_may_call_and_a_host_sees_few_of_them(server: HostileServer) -> None:
    def slow(visit: Visit) -> bool:
        visit.pause(0.02)
        return visit.answer(200, b"x")

    server.habits["/slow"] = slow
    with AiohttpClient(user_agent="t", per_host=2) as client, ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(client.fetch, [_ask(server, "/slow")] * 24))
    assert [answer.body for answer in answers] == [b"x"] * 24
    assert server.most_at_once <= 2
    assert server.connections <= 2


def test_a_hanging_host_does_not_delay_others(client: AiohttpClient, server: HostileServer) -> None:
    with HostileServer() as other, ThreadPoolExecutor(4) as pool:
        hanging = [pool.submit(client.fetch, _ask(server, "/hang", deadline=0.5)) for _ in range(4)]
        assert client.fetch(_ask(other)).status == 200
        assert not any(future.done() for future in hanging)
        for future in hanging:
            assert isinstance(future.exception(), TransportError)


def test_a_connection_opened_with_leave_never_serves_a_request_without(
    client: AiohttpClient, server: HostileServer
) -> None:
    """The pool remembers hosts, not why they were allowed; so there are two pools."""
    assert client.fetch(_ask(server)).status == 200
    with pytest.raises(TransportError) as caught:
        client.fetch(Request(url=server.url("/canary/kept")))
    assert caught.value.fault is Fault.BLOCKED_ADDRESS
    assert server.canaries == []


def test_nothing_starts_before_the_first_fetch() -> None:
    before = threading.active_count()
    client = AiohttpClient(user_agent="t")
    assert threading.active_count() == before
    client.close()


def test_close_may_be_called_again_and_leaves_nothing_behind(server: HostileServer) -> None:
    """ResourceWarnings are errors here, so that a forgotten socket would fail this."""
    client = AiohttpClient(user_agent="t")
    client.fetch(_ask(server))
    client.close()
    client.close()
    gc.collect()
    assert not [thread for thread in threading.enumerate() if thread.name == "listener-http"]


def test_a_closed_client_refuses_in_its_own_words(server: HostileServer) -> None:
    client = AiohttpClient(user_agent="t")
    client.close()
    with pytest.raises(TransportError, match="was closed") as caught:
        client.fetch(_ask(server))
    assert (caught.value.fault, caught.value.ambiguous) == (Fault.CONNECT, False)


def _announced(server: HostileServer, path: str) -> threading.Event:
    """Set once a request for `path` has arrived."""
    arrived, habit = threading.Event(), HABITS[path]

    def announce(visit: Visit) -> bool:
        arrived.set()
        return habit(visit)

    server.habits[path] = announce
    return arrived


@pytest.mark.parametrize(("method", "path"), [("GET", "/hang"), ("GET", "/hang_mid_body"), ("POST", "/hang")])
def test_close_ends_exchanges_under_way(server: HostileServer, method: str, path: str) -> None:
    client = AiohttpClient(user_agent="t")
    arrived = _announced(server, path)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(client.fetch, _ask(server, path, method=method, body=b"x", deadline=30))
        assert arrived.wait(5)
        client.close()
        error = future.exception(5)
    assert isinstance(error, TransportError)
    assert (error.fault, error.ambiguous) == (Fault.CONNECT, True)


def test_a_bug_is_loud(client: AiohttpClient) -> None:
    with pytest.raises(TypeError):
        client.fetch(Request(url=None))  # type: ignore[arg-type]


def test_the_deadline_covers_the_wait_for_a_free_connection(server: HostileServer) -> None:
    arrived = _announced(server, "/hang")
    with AiohttpClient(user_agent="t", per_host=1) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.fetch, _ask(server, "/hang", deadline=0.5))
        assert arrived.wait(5)
        with pytest.raises(TransportError, match=r"was not sent within 0\.2 s") as caught:
            client.fetch(_ask(server, deadline=0.2))
        assert first.exception() is not None
    assert (caught.value.fault, caught.value.ambiguous) == (Fault.TIMEOUT, False)


def test_odd_header_values_become_printable_and_can_be_sent_back(client: AiohttpClient, server: HostileServer) -> None:
    answer = client.fetch(_ask(server, "/header_odd"))
    assert answer.headers == {"content-length": "2", "etag": '"a\ufffd한"', "x-tab": "a\ufffdb", "vary": "a, b"}
    assert client.fetch(_ask(server, headers={"If-None-Match": answer.headers["etag"]})).status == 200


def test_header_values_lose_what_a_log_or_a_database_would_choke_on() -> None:
    raw = [(b"ETag", b'"\x1b[31m\x00\xc2\x85\xe2\x80\xa8"'), (b"X-A", b"1"), (b"x-a", b"2")]
    assert readable_headers(raw) == {"etag": '"\ufffd[31m\ufffd\ufffd\ufffd"', "x-a": "1, 2"}


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nX-B: b"}, {"X-A\n": "a"}, {"X-A": "a\x00"}, {"X-A": "\ud800"}])
def test_a_header_that_would_break_the_request_is_not_sent(
    failure: Failure, server: HostileServer, headers: dict[str, str]
) -> None:
    error = failure(_ask(server, headers=headers))
    assert (error.fault, error.ambiguous) == (Fault.PROTOCOL, False)
    assert server.hits == []
