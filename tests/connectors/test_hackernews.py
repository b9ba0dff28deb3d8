"""A search whose index is late, whose answers are short and whose posts change: nothing is lost, nothing is told twice."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.hackernews import HITS_PER_PAGE, HackerNews, HackerNewsConfig
from listener.connector import Checkpoint, ConnectorQuery, Limits, Page
from listener.domain.errors import Fault, SourceChanged, SourceRefused, SourceUnavailable
from listener.ports import Request, Response
from listener.testing.connector_recording import poll_all
from listener.testing.fakes import FakeClock, FakeHttp, response


class Algolia:
    """A search over posts, newest first, at most `page` hits an answer; it cannot page, as it cannot beyond a thousand."""

    def __init__(self, page: int = HITS_PER_PAGE) -> None:
        self.clock = FakeClock()
        self.posts: list[dict[str, Any]] = []
        self.http = FakeHttp(self._answer)
        self._page = page

    def post(self, number: int, ago: timedelta, text: str = "Acme is down", **fields: Any) -> None:
        created = int((self.clock.now() - ago).timestamp())
        self.posts.append({"objectID": str(number), "created_at_i": created, "comment_text": text, **fields})

    def poll(
        self, checkpoint: Checkpoint | None = None, *, terms: tuple[str, ...] = ("Acme",)
    ) -> tuple[list[str], Checkpoint]:
        connector = HackerNews(
            HackerNewsConfig(), http=self.http, clock=self.clock, queries=(ConnectorQuery(brand="acme", terms=terms),)
        )
        items, checkpoints = poll_all(connector, checkpoint)
        last = checkpoints[-1]
        assert last is not None
        return [item.native_id or "" for item in items], last

    def _answer(self, request: Request) -> Response:
        asked = parse_qs(urlsplit(request.url).query)
        term = asked["query"][0].strip('"').lower()
        floor, ceiling = 0, 2**40
        for part in asked["numericFilters"][0].split(","):
            if part.startswith("created_at_i<="):
                ceiling = int(part.removeprefix("created_at_i<="))
            else:
                floor = int(part.removeprefix("created_at_i>"))
        hits = [p for p in self.posts if floor < p["created_at_i"] <= ceiling and term in p["comment_text"].lower()]
        hits.sort(key=lambda p: -p["created_at_i"])
        return response(200, json.dumps({"hits": hits[: self._page], "nbHits": len(hits)}))


def test_a_post_that_was_indexed_late_is_heard() -> None:
    """Row 28 of any list of faults: a cursor at the newest id would miss it."""
    algolia = Algolia()
    algolia.post(1, timedelta(minutes=5))
    _, checkpoint = algolia.poll()
    algolia.clock.advance(timedelta(minutes=2))
    algolia.post(2, timedelta(minutes=40))
    assert algolia.poll(checkpoint)[0] == ["2"]


def test_a_naive_cursor_would_miss_it() -> None:
    """What the test above is worth: the late post is older than the newest one that was seen."""
    algolia = Algolia()
    algolia.post(1, timedelta(minutes=5))
    algolia.post(2, timedelta(minutes=40))
    assert algolia.posts[1]["created_at_i"] < algolia.posts[0]["created_at_i"]


def test_an_edit_is_heard_and_more_points_are_not() -> None:
    algolia = Algolia()
    algolia.post(1, timedelta(minutes=5), points=1)
    algolia.post(2, timedelta(minutes=6))
    _, checkpoint = algolia.poll()
    algolia.posts[0]["points"] = 50
    algolia.posts[1]["comment_text"] = "Acme is down. Edit: and burning"
    assert algolia.poll(checkpoint)[0] == ["2"]


def test_posts_of_one_second_are_all_heard() -> None:
    """The page ends within a second that many posts share."""
    algolia = Algolia(page=3)
    for number in range(7):
        algolia.post(number, timedelta(minutes=5 if number < 5 else 6))
    heard, _ = algolia.poll()
    assert set(heard) >= {"0", "1", "2", "5", "6"}
    wide = Algolia(page=6)
    wide.posts = algolia.posts
    assert len(wide.poll()[0]) == 7


def test_what_a_poll_leaves_out_comes_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HackerNews, "limits", Limits(max_pages=2))
    algolia = Algolia(page=5)
    for number in range(30):
        algolia.post(number, timedelta(minutes=10 * number))
    heard, checkpoint = algolia.poll()
    assert len(heard) == 9  # the second of the last hit is asked for again
    for _ in range(6):
        more, checkpoint = algolia.poll(checkpoint)
        assert not set(more) & set(heard)
        heard += more
    assert sorted(map(int, heard)) == list(range(30))


def test_no_term_starves(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one request a poll, three terms take their turns."""
    monkeypatch.setattr(HackerNews, "limits", Limits(max_pages=1))
    algolia = Algolia()
    for number, name in enumerate(("acme", "bada", "haneul")):
        algolia.post(number, timedelta(minutes=5), f"{name} is down")
    heard: list[str] = []
    checkpoint = None
    for _ in range(3):
        items, checkpoint = algolia.poll(checkpoint, terms=("Acme", "Bada", "Haneul"))
        heard += items
    assert sorted(heard) == ["0", "1", "2"]


def test_a_pause_asked_for_in_the_middle_loses_nothing() -> None:
    algolia = Algolia(page=2)
    for number in range(5):
        algolia.post(number, timedelta(minutes=number))
    calls = iter(range(100))
    busy = FakeHttp(
        lambda request: algolia._answer(request) if next(calls) < 1 else response(429, headers={"Retry-After": "9"})
    )
    connector = HackerNews(HackerNewsConfig(terms=("Acme",)), http=busy, clock=algolia.clock)
    pages: list[Page] = []
    with pytest.raises(SourceUnavailable) as error:
        pages.extend(connector.poll(None))
    assert error.value.retry_after == 9
    heard = [item.native_id or "" for page in pages for item in page.items]
    assert sorted(heard + algolia.poll(pages[-1].checkpoint)[0]) == list("01234")


def test_one_request_a_term_and_each_term_once() -> None:
    algolia = Algolia()
    algolia.post(1, timedelta(minutes=1), "acme pay and bada are down")
    heard, _ = algolia.poll(terms=("Acme Pay", "acme pay", ' "Bada" ', '""', ""))
    assert [parse_qs(urlsplit(r.url).query)["query"][0] for r in algolia.http.requests] == ['"acme pay"', '"Bada"']
    assert heard == ["1"]


def test_a_post_from_the_future_does_not_hide_the_present() -> None:
    algolia = Algolia()
    algolia.post(1, timedelta(days=-30))
    _, checkpoint = algolia.poll()
    algolia.post(2, timedelta(minutes=1))
    assert algolia.poll(checkpoint)[0] == ["2"]


def test_nothing_to_search_for_is_told() -> None:
    connector = HackerNews(HackerNewsConfig(), http=Algolia().http, clock=FakeClock())
    for call in (connector.check, lambda: list(connector.poll(None))):
        with pytest.raises(SourceRefused):
            call()


@pytest.mark.parametrize("answer", [{"message": "invalid numericFilters", "status": 400}, [], None, {"hits": {}}])
def test_json_without_hits_is_told_to_a_developer(answer: Any) -> None:
    http = FakeHttp(lambda _: response(200, json.dumps(answer)))
    with pytest.raises(SourceChanged) as error:
        list(HackerNews(HackerNewsConfig(terms=("a",)), http=http, clock=FakeClock()).poll(None))
    assert error.value.fault is Fault.UNEXPECTED


def test_broken_hits_are_skipped_with_a_warning() -> None:
    hits = [
        {"objectID": None, "created_at_i": 1},
        {"objectID": "1", "created_at_i": "now"},
        {"objectID": "1", "created_at_i": True},
        {"objectID": "1", "created_at_i": 2**60},
        "hit",
        {
            "objectID": 5,
            "created_at_i": 1772441700,
            "title": 7,
            "comment_text": "a",
            "author": [],
            "points": -1,
            "parent_id": True,
        },
        {"objectID": "6", "created_at_i": 1772441700, "comment_text": None, "title": " "},
    ]
    http = FakeHttp(lambda _: response(200, json.dumps({"hits": hits})))
    (page,) = HackerNews(HackerNewsConfig(terms=("a",)), http=http, clock=FakeClock()).poll(None)
    assert [item.native_id for item in page.items] == ["5"]
    assert [fault for fault, _ in page.warnings] == [Fault.MALFORMED]


def test_a_checkpoint_of_another_version_is_a_fresh_start() -> None:
    algolia = Algolia()
    algolia.post(1, timedelta(minutes=5))
    assert algolia.poll(Checkpoint(version=99, data={"newest": 3}))[0] == ["1"]
