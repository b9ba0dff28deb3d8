"""What `listener triage` takes for a post, line by line, and what it says of all else."""

from datetime import UTC, datetime

import pytest

from listener.cli.triage import Post, item_of, parse
from listener.domain.errors import UsageError
from listener.domain.mention import Author, Reach


def read(line: str | bytes) -> Post:
    return parse(line, 3, Post)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b'{"id": 1, "text": "a"}', "a"),
        (b'\xef\xbb\xbf{"id": 1, "text": "a"}', "a"),
        (b'{"id": 1, "text": "caf\xff"}', "caf\ufffd"),
        (b'{"id": 1, "text": "half \\ud83d"}', "half \ud83d"),
        (b'{"id": 1, "text": "a", "text": "b", "label": ["of", "no", "interest"]}', "b"),
        ('{"id": 1, "text": "환불"}', "환불"),
    ],
)
def test_a_line_is_read_even_if_its_text_is_damaged(line: str | bytes, text: str) -> None:
    post = read(line)
    assert (post.id, post.text) == ("1", text)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"nonsense", "line 3: not a JSON object"),
        (b"[]", "line 3: not a JSON object"),
        (b"[" * 100_000, "line 3: not a JSON object"),
        (b'{"text": "a"}', "line 3: id: Field required"),
        (b'{"id": "1", "likes": "many"}', "line 3: likes: Input should be a valid number"),
    ],
)
def test_a_line_that_is_no_post_is_told_with_its_number(line: bytes, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read(line)


@pytest.mark.parametrize("number", ["-3", "NaN", "Infinity", "-Infinity", "1e300", "null"])
def test_a_count_that_cannot_be_one_is_not_known(number: str) -> None:
    item = item_of(read(f'{{"id": "1", "followers": {number}, "likes": {number}}}'))
    assert item.reach == Reach()
    assert item.author == Author()


def test_what_is_known_of_the_author_and_the_reach_is_kept() -> None:
    item = item_of(read('{"id": "1", "author": "mara", "followers": 12.0, "replies": 0, "brand": "Podopay"}'))
    assert item.author == Author(handle="mara", followers=12)
    assert item.reach == Reach(followers=12, replies=0)
    assert item.brands == ("Podopay",)


def test_a_time_without_a_zone_is_taken_for_utc() -> None:
    item = item_of(read('{"id": "1", "published_at": "2026-03-01T09:00:00"}'))
    assert item.published_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
