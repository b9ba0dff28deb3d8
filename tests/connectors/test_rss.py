"""How a feed is polled: politely, only what is new, and never trusting a bad document."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from connectors.rss import Rss, RssConfig
from listener.connector import Checkpoint, Page
from listener.domain.errors import Fault, SourceChanged, SourceError
from listener.ports import Request, Response
from listener.testing.fakes import FakeClock, FakeHttp, response
from tests.feeds.corpus import feed, item

VALIDATORS = {"ETag": 'W/"1"', "Last-Modified": "Mon, 02 Mar 2026 08:00:00 GMT"}


class Forum:
    """A server with one feed, which remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Callable[[Request], Response] = lambda _: response(200, feed(item(1)), headers=VALIDATORS)
        self.http = FakeHttp(self._answer)
        self.clock = FakeClock()

    def _answer(self, request: Request) -> Response:
        return self.answer(request)

    def poll(self, checkpoint: Checkpoint | None = None) -> Page:
        config = RssConfig(url="https://forum.example/latest.rss")
        return next(iter(Rss(config, http=self.http, clock=self.clock).poll(checkpoint)))

    def says(self, body: bytes, **headers: str) -> None:
        self.answer = lambda _: response(200, body, headers=headers or VALIDATORS)

    @property
    def asked(self) -> dict[str, str]:
        return {name: value for name, value in self.http.requests[-1].headers.items() if name.startswith("If-")}


@pytest.fixture
def forum() -> Forum:
    return Forum()


def ids(page: Page) -> list[str | None]:
    return [item.native_id for item in page.items]


def test_validators_go_back_to_the_server(forum: Forum) -> None:
    first = forum.poll()
    assert forum.asked == {}
    forum.poll(first.checkpoint)
    assert forum.asked == {"If-None-Match": 'W/"1"', "If-Modified-Since": "Mon, 02 Mar 2026 08:00:00 GMT"}


def test_once_a_day_the_whole_document_is_asked_for(forum: Forum) -> None:
    """A server that answers "not modified" for ever is found out within a day."""
    first = forum.poll()
    forum.answer = lambda request: (
        response(304) if "If-None-Match" in request.headers else response(200, feed(item(2), item(1)))
    )
    forum.clock.advance(timedelta(hours=23, minutes=59))
    unchanged = forum.poll(first.checkpoint)
    assert (unchanged.items, unchanged.checkpoint) == ((), first.checkpoint)
    forum.clock.advance(timedelta(minutes=1))
    assert ids(forum.poll(unchanged.checkpoint)) == ["urn:nasty:2"]


def test_a_clock_that_jumped_back_asks_for_the_whole_document(forum: Forum) -> None:
    first = forum.poll()
    forum.clock.jump(timedelta(days=-1))
    forum.poll(first.checkpoint)
    assert forum.asked == {}


def test_not_modified_that_nobody_asked_for_is_an_error(forum: Forum) -> None:
    forum.answer = lambda _: response(304)
    with pytest.raises(SourceChanged):
        forum.poll()


def test_a_new_header_of_the_feed_is_no_news(forum: Forum) -> None:
    first = forum.poll()
    forum.says(feed(item(1)).replace(b"Nasty", b"<lastBuildDate>now</lastBuildDate>"), ETag='"2"')
    second = forum.poll(first.checkpoint)
    assert second.items == ()
    forum.poll(second.checkpoint)
    assert forum.asked == {"If-None-Match": '"2"'}


def test_only_new_and_changed_items_are_given(forum: Forum) -> None:
    first = forum.poll()
    forum.says(feed(item(2), item(1)))
    second = forum.poll(first.checkpoint)
    assert ids(second) == ["urn:nasty:2"]
    forum.says(feed(item(2), item(1, description="edited")))
    assert ids(forum.poll(second.checkpoint)) == ["urn:nasty:1"]


def test_an_edit_that_is_taken_back_is_heard(forum: Forum) -> None:
    """It reads as it did before, and what is stored of it does not."""
    first = forum.poll()
    forum.says(feed(item(1, description="edited")))
    second = forum.poll(first.checkpoint)
    forum.says(feed(item(1)))
    assert ids(forum.poll(second.checkpoint)) == ["urn:nasty:1"]


def test_a_bad_document_changes_nothing(forum: Forum) -> None:
    """The next good one is asked for with the validators of the last good one, and nothing is lost."""
    first = forum.poll()
    forum.says(b"<html>captcha</html>", ETag='"captcha"')
    with pytest.raises(SourceError):
        forum.poll(first.checkpoint)
    forum.says(feed(item(2), item(1)))
    assert ids(forum.poll(first.checkpoint)) == ["urn:nasty:2"]
    assert forum.asked["If-None-Match"] == 'W/"1"'


def test_the_validators_of_a_truncated_document_are_not_kept(forum: Forum) -> None:
    """Else the server would say "not modified", and the missing items would never come."""
    whole = feed(item(1), item(2), item(3))
    forum.says(whole[:-60])
    first = forum.poll()
    assert ids(first) == ["urn:nasty:1", "urn:nasty:2"]
    assert [fault for fault, _ in first.warnings] == [Fault.TRUNCATED]
    forum.says(whole)
    second = forum.poll(first.checkpoint)
    assert forum.asked == {}
    assert ids(second) == ["urn:nasty:3"]


@pytest.mark.parametrize("etag", ["", "x" * 2000, "ä", "a\x01b"])
def test_a_validator_that_cannot_be_sent_back_is_not_kept(forum: Forum, etag: str) -> None:
    forum.says(feed(item(1)), ETag=etag)
    forum.poll(forum.poll().checkpoint)
    assert forum.asked == {}


def test_a_feed_that_moved_for_good_is_told_once_and_without_its_address(forum: Forum) -> None:
    """The new address may hold a token, and it is the owner who decides on it."""
    answer = replace(response(200, feed(item(1))), permanent_url="https://new.example/feed?token=aSecret")
    forum.answer = lambda _: answer
    first = forum.poll()
    assert [fault for fault, _ in first.warnings] == [Fault.REDIRECTS]
    assert "new.example" in first.warnings[0][1]
    assert "aSecret" not in f"{first}"
    assert forum.poll(first.checkpoint).warnings == ()


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint(version=99, data={"body": "x"}),
        Checkpoint(version=1, data={}),
        Checkpoint(version=1, data={"etag": 7, "seen": [1], "full_at": "never", "body": None}),
    ],
)
def test_a_strange_checkpoint_is_a_fresh_start(forum: Forum, checkpoint: Checkpoint) -> None:
    assert ids(forum.poll(checkpoint)) == ["urn:nasty:1"]
    assert forum.asked == {}


@pytest.mark.parametrize(
    "url", ["forum.example/feed", "", "https://", "https:///x", "https://x y", "https://x/" + "a" * 2048]
)
def test_an_address_must_be_whole(url: str) -> None:
    with pytest.raises(ValidationError, match="whole address"):
        RssConfig(url=url)


def test_a_scheme_that_is_not_ours_is_left_to_the_client_to_refuse() -> None:
    """So that `listener fetch` names the class of the fault."""
    assert RssConfig(url="file:///etc/passwd").url
