"""The corpus of hostile and broken documents in `tests/data/nasty_feeds`, each with its declared outcome.

A row is one line of the manifest; `body` is what a server sends for it, compressed if the row's headers say so.
"""

import json
import zlib
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[1] / "data" / "nasty_feeds"
URL = "https://news.example/feed.xml"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>Nasty</title>'
FOOT = "</channel></rss>"

Row = dict[str, Any]
ROWS: list[Row] = [json.loads(line) for line in (CORPUS / "manifest.jsonl").read_text().splitlines()]


def item(number: int, *, guid: str | None = None, description: str = "Acme is terrible") -> str:
    """One item of a feed."""
    return (
        f"<item><title>Acme mention {number}</title><link>https://news.example/a/{number}</link>"
        f"<guid isPermaLink='false'>{guid or f'urn:nasty:{number}'}</guid><description>{description}</description></item>"
    )


def feed(*items: str) -> bytes:
    """A feed of these items."""
    return (HEAD + "".join(items) + FOOT).encode()


def spaces_gzipped(megabytes: int, *, start: bytes = b"", wbits: int = 31) -> bytes:
    """A compressed body that grows to that size, made without ever being that large."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    packed = [packer.compress(start)]
    packed += [packer.compress(b" " * 1_048_576) for _ in range(megabytes)]
    return b"".join(packed) + packer.flush()


# Too large for a repository: made here, as their files are in the corpus.
LARGE = {
    "209_guid_1mb.rss": lambda: feed(item(1, guid="g" * 1_000_000), item(2)),
    "455_json_deep_nesting.json": lambda: b"[" * 100_000 + b"]" * 100_000,
    "710_deep_nesting_100k.rss": lambda: feed(item(1, description="<a>" * 100_000 + "</a>" * 100_000)),
    "716_unclosed_html_bomb.rss": lambda: feed(item(1, description="&lt;a " * 100_000), item(2)),
    "801_gzip_bomb_300mb.rss.gz": lambda: spaces_gzipped(300, start=feed(item(1))[: -len(FOOT)]),
}


def body(row: Row) -> bytes:
    """What a server sends."""
    name = row["file"]
    return LARGE[name]() if name in LARGE else (CORPUS / name).read_bytes()
