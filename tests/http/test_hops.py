"""Where an exchange may go, and what it may tell there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from listener.domain.errors import Fault, TransportError
from listener.http import redact
from listener.http.hops import destination, headers_for, next_hop, without_credentials


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.slack.com/services/T0/B0/secret", "https://hooks.slack.com/…"),
        ("https://hooks.slack.com/services/T0?token=secret#secret", "https://hooks.slack.com/…"),
        ("https://user:secret@x.example:8443/a", "https://x.example:8443/…"),
        ("http://[::1]:80/secret", "http://[::1]:80/…"),
        ("https://x.example", "https://x.example/…"),
        ("javascript:alert('secret')", "javascript:…"),
        ("/services/secret", "(URL without a host)"),
        ("http://[secret", "(unreadable URL)"),
        ("http://x.example:secret/", "(unreadable URL)"),
        ("", "(URL without a host)"),
    ],
)
def test_redact_shows_where_but_not_what(url: str, shown: str) -> None:
    assert redact(url) == shown


@given(st.text(max_size=60))
def test_redact_takes_any_text_and_shows_one_line(text: str) -> None:
    assert redact("http://" + text).isprintable()
    assert redact(text).isprintable()


@given(st.text(alphabet="abcXYZ019-_~", min_size=12, max_size=30))
def test_redact_never_shows_a_path_a_query_or_a_password(secret: str) -> None:
    for url in (f"https://h.example/{secret}", f"https://h.example?k={secret}", f"https://u:{secret}@h.example/"):
        assert secret not in redact(url)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example/", "file:///etc/passwd", "javascript:alert(1)", "data:text/xml,<rss/>", "gopher://x/", "//x/y",
        "x.example/feed", "", "http:///x", "http://x:99999/", "http://[::1", "http://a b/", "HTTPs:x", "http://a\\@b/",
    ],
)  # fmt: skip
def test_what_is_not_an_http_url_is_refused(url: str) -> None:
    with pytest.raises(TransportError) as caught:
        destination(url, allow_private=True)
    assert caught.value.fault is Fault.BAD_SCHEME


def test_a_destination_is_canonical_and_has_no_fragment() -> None:
    assert str(destination("HTTP://X.Example/a?b=1#c", allow_private=False)) == "http://x.example/a?b=1"
    assert str(destination("http://0x7f.1:8080/a", allow_private=True)) == "http://127.0.0.1:8080/a"
    assert str(destination("http://[::FFFF:7f00:1]/", allow_private=True)) == "http://[::ffff:7f00:1]/"
    assert destination("https://하늘.example/", allow_private=False).raw_host == "xn--wh1bz27d.example"


def test_credentials_move_from_the_url_into_a_header() -> None:
    url, headers = without_credentials(URL("https://me:p%40ss@x.example/a"), {"X-A": "1"})
    assert str(url) == "https://x.example/a"
    assert headers == {"x-a": "1", "authorization": "Basic bWU6cEBzcw=="}


def test_a_header_of_ones_own_beats_credentials_in_the_url() -> None:
    _, headers = without_credentials(URL("https://me@x.example/"), {"Authorization": "Bearer t"})
    assert headers == {"authorization": "Bearer t"}


SECRETS = {"authorization": "s", "cookie": "s", "x-api-key": "s", "x-naver-client-secret": "s", "private-token": "s"}
PLAIN = {"accept": "a", "user-agent": "u", "if-none-match": '"1"'}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("https://a.example/", "https://b.example/"),
        ("https://a.example/", "https://sub.a.example/"),
        ("https://a.example/", "http://a.example/"),
        ("https://a.example/", "https://a.example:8443/"),
        ("http://a.example:8080/", "https://a.example/"),
    ],
)
def test_no_secret_follows_a_redirect_to_another_place(old: str, new: str) -> None:
    assert headers_for(URL(old), URL(new), SECRETS | PLAIN) == PLAIN


@pytest.mark.parametrize(
    ("old", "new"),
    [("https://a.example/", "https://a.example/b"), ("http://a.example/", "https://a.example/")],
)
def test_headers_follow_a_redirect_to_the_same_place(old: str, new: str) -> None:
    assert headers_for(URL(old), URL(new), SECRETS | PLAIN) == SECRETS | PLAIN


def test_a_redirect_is_relative_to_where_it_came_from_and_brings_no_credentials() -> None:
    here = URL("https://a.example/x/y")
    for location, target in {
        "../z": "https://a.example/z",
        "?q=1#f": "https://a.example/x/y?q=1",
        "//b.example/": "https://b.example/",
        "https://u:p@b.example/": "https://b.example/",
    }.items():
        assert next_hop(here, location, allow_private=False) == (URL(target), False)


@pytest.mark.parametrize("location", ["http://[::1", "http://x:y/", "https://a\udc80.example/"])
def test_a_redirect_to_what_is_no_url_is_refused(location: str) -> None:
    with pytest.raises(TransportError) as caught:
        next_hop(URL("https://a.example/"), location, allow_private=True)
    assert caught.value.fault is Fault.BAD_SCHEME


@pytest.mark.parametrize(
    ("here", "location", "leave"),
    [
        ("http://10.0.0.1/feed", "/feed/", True),
        ("http://10.0.0.1/feed", "feed.xml", True),
        ("http://localhost:8080/feed", "/feed/", True),
        ("http://wiki.corp/feed", "http://wiki.corp/feed/", True),
        ("http://wiki.corp/feed", "https://wiki.corp/feed", True),
        ("http://wiki.corp/feed", "http://wiki.corp:8080/feed", False),
        ("http://wiki.corp/feed", "http://other.corp/feed", False),
    ],
)
def test_leave_for_private_networks_extends_over_a_redirect_to_the_same_host_only(
    here: str, location: str, leave: bool
) -> None:
    assert next_hop(URL(here), location, allow_private=True)[1] is leave


@pytest.mark.parametrize(
    ("here", "location"),
    [
        ("http://10.0.0.1/feed", "http://10.0.0.1/feed/"),
        ("http://10.0.0.1/feed", "//10.0.0.1/feed/"),
        ("http://10.0.0.1/feed", "http://10.0.0.2/"),
        ("http://wiki.corp/feed", "http://127.0.0.1/"),
    ],
)
def test_no_redirect_may_spell_out_an_inside_address(here: str, location: str) -> None:
    with pytest.raises(TransportError, match="inside a private network") as caught:
        next_hop(URL(here), location, allow_private=True)
    assert caught.value.fault is Fault.BLOCKED_ADDRESS
