"""A corpus of hostile and broken documents, each with its declared outcome. The kinds count, not the files."""

import gzip
import time
import unicodedata
import zlib
from typing import Any

import pytest

from listener.decide.normalise import readable
from listener.domain.errors import SourceError
from listener.domain.mention import RawItem
from listener.feeds.document import Feed, parse_feed
from tests.feeds.corpus import ROWS, URL, body

# A matter of the exchange, before there is a document.
ELSEWHERE = {"801_gzip_bomb_300mb.rss.gz"}


def document(line: dict[str, Any]) -> bytes:
    sent = body(line)
    coding = line.get("headers", {}).get("Content-Encoding")
    if coding == "gzip":
        return gzip.decompress(sent)
    return zlib.decompress(sent) if coding == "deflate" else sent


def outcome(line: dict[str, Any]) -> tuple[dict[str, Any], Feed | None]:
    try:
        found = parse_feed(document(line), content_type=line["content_type"], url=URL)
    except SourceError as error:
        return {"error": str(error.fault)}, None
    warned = [str(fault) for fault, _ in found.warnings]
    wanted = line["expect"].get("warn")
    assert bool(warned) == bool(wanted), warned
    return {"items": len(found.items), **({"warn": wanted} if wanted in warned else {})}, found


@pytest.mark.parametrize(
    "line", [line for line in ROWS if line["file"] not in ELSEWHERE], ids=lambda line: line["file"]
)
def test_every_document_has_its_declared_outcome(line: dict[str, Any]) -> None:
    began = time.process_time()
    got, found = outcome(line)
    assert got == line["expect"]
    if found is not None and found.items:
        check(found.items, line.get("check", {}))
    assert time.process_time() - began < 5  # the corpus allows 2 to 5 s of one core; ours takes well below one


def check(items: tuple[RawItem, ...], wanted: dict[str, Any]) -> None:
    first = items[0]
    title = readable(first.title or "", first.markup)
    text = readable(first.text, first.markup)
    assert title == wanted.get("title", title)
    assert first.url == wanted.get("link", first.url)
    assert unicodedata.normalize("NFC", title) == wanted.get("title_nfc", unicodedata.normalize("NFC", title))
    assert unicodedata.normalize("NFKC", title) == wanted.get("title_nfkc", unicodedata.normalize("NFKC", title))
    assert all(part in text for part in wanted.get("text_contains", ()))
    assert not any(part in text + title for part in wanted.get("text_not_contains", ()))
    assert all(len(one.native_id or "") <= wanted.get("id_max_len", 512) for one in items)
    assert all((one.url or "https://").startswith("https://") for one in items)
    assert not any(unicodedata.category(char) == "Cc" for char in title)
    assert all(one.published_at is None or one.published_at.year >= 2000 for one in items)
