"""Only what is new is parsed."""

import re

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.feeds.document import fingerprint, parse_feed, parse_new
from tests.feeds.corpus import CORPUS, ROWS, URL, feed, item


def new(body: bytes, seen: tuple[str, ...] = ()) -> tuple[list[str | None], tuple[str, ...]]:
    found = parse_new(body, content_type=None, url=URL, seen=seen)
    return [one.native_id for one in found.items], found.slices


def test_seen_items_are_not_given_again() -> None:
    _, seen = new(feed(item(1), item(2)))
    assert new(feed(item(3), item(1), item(2)), seen)[0] == ["urn:nasty:3"]
    assert new(feed(item(2), item(1)), seen)[0] == []


def test_an_edited_item_is_new() -> None:
    _, seen = new(feed(item(1), item(2)))
    assert new(feed(item(1), item(2, description="worse")), seen)[0] == ["urn:nasty:2"]


def test_an_id_that_a_seen_item_has_already_is_not_trusted() -> None:
    """Else a new post would be taken for an edit of an old one."""
    _, seen = new(feed(item(1, guid="0")))
    assert new(feed(item(2, guid="0"), item(1, guid="0")), seen)[0] == [None]


def test_nothing_new_costs_no_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    _, seen = new(feed(item(1), item(2)))
    monkeypatch.setattr(feedparser, "parse", None)
    assert new(feed(item(1), item(2)).replace(b"Nasty", b"New title"), seen)[0] == []


def test_json_items_are_sliced_too() -> None:
    items = b'[{"id": 1, "content_text": "a"}, {"id": 2, "content_text": "b"}]'
    body = b'{"version": "https://jsonfeed.org/version/1", "items": ' + items + b"}"
    ids, seen = new(body)
    assert ids == ["1", "2"]
    assert new(body.replace(b'"a"', b'"c"'), seen)[0] == ["1"]


def test_the_fingerprint_begins_with_the_first_item() -> None:
    body = feed(item(1))
    assert fingerprint(body) == fingerprint(body.replace(b"Nasty", b"<lastBuildDate>now</lastBuildDate>"))
    assert fingerprint(body) != fingerprint(feed(item(2)))
    assert fingerprint(b'{"title": "a", "items": []}') == fingerprint(b'{"title": "b", "items": []}')
    assert fingerprint(b"nothing") != fingerprint(b"nothing else")


WHOLE = [
    line
    for line in ROWS
    if "items" in line["expect"]
    and "headers" not in line
    and (CORPUS / line["file"]).exists()
    and line["expect"]["items"] > 1
]


@pytest.mark.parametrize("line", WHOLE, ids=lambda line: line["file"])
def test_an_item_parsed_alone_is_what_it_is_among_others(line: dict[str, str]) -> None:
    """For every document of the corpus and each of its items: not having parsed the others changes nothing."""
    body = (CORPUS / line["file"]).read_bytes()
    everything = parse_feed(body, content_type=line["content_type"], url=URL)
    if len(everything.items) != len(everything.slices):
        return
    for number, hashed in enumerate(everything.slices):
        seen = [other for other in everything.slices if other != hashed]
        found = parse_new(body, content_type=line["content_type"], url=URL, seen=seen)
        assert found.items == (everything.items[number],)


def _unmixed(word: str) -> str:
    """UTF-8 that somebody took for Latin-1 and encoded once more ("CafÃ©") is read as what it was meant to be."""
    try:
        return word.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return word


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(str.strip)


@settings(max_examples=60, deadline=None)
@given(st.lists(texts, min_size=1, max_size=6))
def test_text_in_cdata_survives_to_the_letter(words: list[str]) -> None:
    """What an author writes and a generator wraps in CDATA comes out as HTML that says the same."""
    escaped = [re.sub(r"[<>&\]]", "x", word) for word in words]
    body = feed(
        *(
            f"<item><guid>{n}</guid><description><![CDATA[{word}]]></description></item>"
            for n, word in enumerate(escaped)
        )
    )
    found = parse_feed(body, content_type=None, url=URL)
    given = [" ".join(_unmixed(word).split()) for word in escaped]
    assert [" ".join(one.text.split()) for one in found.items] == given
