"""Labelled posts as the training reads them: named files of one folder, in their own order."""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

LABELS = ("negative", "neutral", "positive")

STAND_IN = "ꯁ"
"""Stands for the brand's name in training texts, so that nothing is learned from names. No n-gram holds it."""


@dataclass(frozen=True, slots=True)
class Post:
    """`part` is train or dev; `label` counts in `LABELS`."""

    source: str
    part: str
    text: str
    label: int


def rows(path: Path) -> Iterator[dict[str, object]]:
    """The objects of a gzipped JSON Lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def public(folder: Path, names: Sequence[str]) -> Iterator[Post]:
    """The train and dev parts of public data sets."""
    for name in names:
        for part in ("train", "dev"):
            for row in rows(folder / "train" / f"{name}.{part}.jsonl.gz"):
                yield Post(name, part, str(row["text"]), LABELS.index(str(row["label"])))


def written(folder: Path, names: Sequence[str], lang: str) -> Iterator[Post]:
    """The posts written for this project, in one language. All posts about one brand, so all minimal pairs, share a part."""
    for name in names:
        for row in rows(folder / "written" / f"{name}.jsonl.gz"):
            if row["lang"] == lang:
                brand = str(row["brand"])
                yield Post(name, _part(brand), without_brand(_whole(row), brand), LABELS.index(str(row["label"])))


def _whole(row: dict[str, object]) -> str:
    return f"{row['title']}\n{row['text']}" if row.get("title") else str(row["text"])


def _part(brand: str) -> str:
    return "dev" if int(hashlib.sha1(brand.encode(), usedforsecurity=False).hexdigest(), 16) % 5 == 0 else "train"


def without_brand(text: str, brand: str) -> str:
    """Put the stand-in for the brand's name and for its first word; a handle that begins with it stays a handle."""
    first = brand.split(maxsplit=1)[0]
    for name in dict.fromkeys((brand, first) if len(first) > 3 else (brand,)):
        text = re.sub(re.escape(name), STAND_IN, text, flags=re.IGNORECASE)
    return text
