"""Redirects: where they lead, where they must not, and what they take along."""

import pytest

from listener.domain.errors import Fault, TransportError
from listener.http import AiohttpClient
from listener.ports import Request, Response
from tests.http.hostile_server import FEED, HostileServer
from tests.http.pretend_internet import PUBLIC, FakeResolver, PretendInternet


def _get(client: AiohttpClient, server: HostileServer, path: str, *, follow: int = 5, **headers: str) -> Response:
    return client.fetch(Request(url=server.url(path), allow_private=True, follow=follow, deadline=5, headers=headers))


def _fault(client: AiohttpClient, request: Request) -> Fault:
    with pytest.raises(TransportError) as caught:
        client.fetch(request)
    return caught.value.fault


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_chain_is_followed_to_its_end(client: AiohttpClient, server: HostileServer, code: int) -> None:
    answer = _get(client, server, f"/redirect_chain?n=5&code={code}")
    assert (answer.status, answer.body, answer.url) == (200, FEED, server.url("/ok"))
    assert answer.permanent_url == (server.url("/ok") if code in (301, 308) else None)
    assert server.connections == 1


def test_one_temporary_redirect_makes_the_chain_temporary(client: AiohttpClient, server: HostileServer) -> None:
    assert _get(client, server, "/redirect?code=301&to=/redirect_chain%3Fn=1").permanent_url is None
    assert _get(client, server, "/ok").permanent_url is None


def test_a_permanent_redirect_to_an_error_still_says_where_it_led(client: AiohttpClient, server: HostileServer) -> None:
    answer = _get(client, server, "/redirect?code=301&to=/status%3Fcode=410")
    assert (answer.status, answer.permanent_url) == (410, server.url("/status?code=410"))


@pytest.mark.parametrize("path", ["/redirect_chain?n=6", "/redirect_endless", "/redirect_loop", "/redirect_nowhere"])
def test_redirects_without_end_or_aim_are_named(client: AiohttpClient, server: HostileServer, path: str) -> None:
    assert _fault(client, Request(url=server.url(path), allow_private=True)) is Fault.REDIRECTS
    assert len(server.hits) <= 6


def test_a_circle_is_seen_at_once(client: AiohttpClient, server: HostileServer) -> None:
    assert (
        _fault(client, Request(url=server.url("/redirect_loop?n=0"), allow_private=True, follow=100)) is Fault.REDIRECTS
    )
    assert len(server.hits) == 2


def test_who_follows_nothing_gets_the_redirect_itself(client: AiohttpClient, server: HostileServer) -> None:
    answer = _get(client, server, "/redirect_chain?n=2", follow=0)
    assert (answer.status, answer.headers["location"]) == (302, "/redirect_chain?n=1&code=302")
    assert answer.url == server.url("/redirect_chain?n=2")


def test_not_every_3xx_is_a_redirect(client: AiohttpClient, server: HostileServer) -> None:
    assert _get(client, server, "/redirect?code=300&to=/canary").status == 300
    assert _get(client, server, "/redirect?code=305&to=/canary").status == 305
    assert server.canaries == []


INSIDE = [
        "http://127.0.0.1:{p}/canary", "http://localhost:{p}/canary", "http://[::1]:{p}/canary", "http://127.1:{p}/canary",
        "http://[::ffff:127.0.0.1]:{p}/canary", "http://2130706433:{p}/canary", "http://0x7f000001:{p}/canary",
        "http://0177.0.0.1:{p}/canary", "http://0x7f.1:{p}/canary", "http://0.0.0.0:{p}/canary", "http://0:{p}/canary",
        "http://127。0。0。1:{p}/canary", "http://①②⑦.0.0.1:{p}/canary", "http://ｌocalhost:{p}/canary",
        "http://user:pass@127.0.0.1:{p}/canary", "http://feed.example@127.0.0.1:{p}/canary", "//127.0.0.1:{p}/canary",
        "http://[64:ff9b::7f00:1]:{p}/canary", "http://[2002:7f00:1::]/canary", "http://[::7f00:1]:{p}/canary",
        "http://[2001:0:7f00:1::]/canary", "http://169.254.169.254/canary", "http://0xa9fea9fe/canary",
        "http://10.0.0.1/canary", "http://192.168.0.1/canary", "http://172.16.0.1/canary", "http://100.64.0.1/canary",
        "http://[fd00::1]/canary", "http://[fe80::1%25lo]/canary", "http://[fe80::1]/canary", "http://224.0.0.1/canary",
        "http://192.0.0.8/canary", "http://inside.example/canary", "http://mixed.example/canary", "HTTP://LOCALHOST/canary",
        "http://127.0.0.1.:{p}/canary", "http://localhost.:{p}/canary",
    ]  # fmt: skip


@pytest.mark.parametrize("location", INSIDE)
def test_no_spelling_of_an_inside_address_is_reached_from_outside(
    outside: AiohttpClient, server: HostileServer, internet: PretendInternet, names: FakeResolver, location: str
) -> None:
    """In the pretended internet every socket leads to the server, so that only the wall can keep its canary alive."""
    for name in ("localhost", "localhost."):
        names.names[name] = [["127.0.0.1"]]
    names.names["inside.example"] = [["10.1.2.3"]]
    names.names["mixed.example"] = [["93.184.216.40", "169.254.169.254"]]
    target = location.format(p=server.port).encode().hex()
    fault = _fault(outside, Request(url=f"http://feed.example/redirect_raw?hex={target}"))
    assert fault is Fault.BLOCKED_ADDRESS
    assert server.canaries == []
    assert internet.dialled == [PUBLIC]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{p}/canary", "http://0x7f.1:{p}/canary", "http://inside.example/canary"]
)
def test_no_inside_address_is_reached_directly(
    outside: AiohttpClient, server: HostileServer, internet: PretendInternet, names: FakeResolver, url: str
) -> None:
    names.names["inside.example"] = [["127.0.0.1"]]
    assert _fault(outside, Request(url=url.format(p=server.port))) is Fault.BLOCKED_ADDRESS
    assert (server.canaries, internet.dialled) == ([], [])


@pytest.mark.parametrize("location", INSIDE)
def test_leave_for_one_private_url_is_no_leave_for_others(
    server: HostileServer, names: FakeResolver, location: str
) -> None:
    """The owner allowed the server itself; where it sends us is still a stranger's choice."""
    names.names |= {"localhost": [["127.0.0.1"]], "localhost.": [["127.0.0.1"]], "inside.example": [["127.0.0.1"]]}
    names.names["mixed.example"] = [["127.0.0.1", "169.254.169.254"]]
    target = location.format(p=server.port).encode().hex()
    with AiohttpClient(user_agent="t", resolver=names) as client:
        request = Request(url=server.url(f"/redirect_raw?hex={target}"), allow_private=True, deadline=5)
        assert _fault(client, request) is Fault.BLOCKED_ADDRESS
    assert server.canaries == []


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://x.example/", "javascript:alert(1)", "data:text/xml,<rss/>", "gopher://x:25/_A"],
)
def test_a_redirect_to_another_scheme_is_refused(client: AiohttpClient, server: HostileServer, location: str) -> None:
    assert _fault(client, Request(url=server.url(f"/redirect?to={location}"), allow_private=True)) is Fault.BAD_SCHEME


def test_a_name_that_changes_its_mind_gains_nothing(
    outside: AiohttpClient, server: HostileServer, internet: PretendInternet, names: FakeResolver
) -> None:
    """Rebinding: the address that was checked is the address that is dialled; a second answer is never asked for."""
    names.names["rebind.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert outside.fetch(Request(url="http://rebind.example/ok")).body == FEED
    assert (internet.dialled, names.asked) == ([PUBLIC], ["rebind.example"])


SECRETS = {"Authorization": "s", "Cookie": "s", "X-Api-Key": "s", "X-Auth-Token": "s"}


def _secrets_seen(server: HostileServer, hit: int) -> list[str]:
    return [name for name in SECRETS if name.lower() in server.hits[hit].headers]


def test_secrets_stay_with_the_host_they_are_for(outside: AiohttpClient, server: HostileServer) -> None:
    request = Request(
        url="http://feed.example/redirect?to=http://other.example/ok", headers={**SECRETS, "Accept": "a/b"}
    )
    assert outside.fetch(request).url == "http://other.example/ok"
    assert _secrets_seen(server, 0) == list(SECRETS)
    assert _secrets_seen(server, 1) == []
    assert server.hits[1].headers["accept"] == "a/b"


def test_secrets_follow_a_redirect_on_the_same_host(outside: AiohttpClient, server: HostileServer) -> None:
    outside.fetch(Request(url="http://feed.example/redirect?to=/ok", headers=SECRETS))
    assert _secrets_seen(server, 1) == list(SECRETS)


def test_secrets_do_not_come_back_by_a_detour(outside: AiohttpClient, server: HostileServer) -> None:
    detour = "http://other.example/redirect%3Fto=http://feed.example/ok"
    outside.fetch(Request(url=f"http://feed.example/redirect?to={detour}", headers=SECRETS))
    assert [hit.headers["host"] for hit in server.hits] == ["feed.example", "other.example", "feed.example"]
    assert _secrets_seen(server, 2) == []


def test_a_failure_behind_a_redirect_names_the_place_where_it_happened(outside: AiohttpClient) -> None:
    with pytest.raises(TransportError, match=r"^http://gone\.example/…: no such host"):
        outside.fetch(Request(url="http://feed.example/redirect?to=http://gone.example/secret"))
