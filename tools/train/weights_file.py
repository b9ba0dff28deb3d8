"""Writes weights files that `listener.sentiment.ngrams` reads: the same model gives the same bytes, everywhere."""

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from listener.sentiment.ngrams import SPACE

LARGEST = 127
"""The largest weight: they are stored as whole numbers of `unit`."""


def pack(header: Mapping[str, Any], ngrams: Sequence[str], weights: Sequence[Sequence[float]]) -> bytes:
    """The bytes of a weights file. `weights` has one row for each class; they are rounded here.

    `header` holds `classes`, `bias`, `version`, and, where wanted, `extras` and `settings`; the unit is put in here.
    n-grams all of whose weights round to nothing are left out.
    """
    unit = max(abs(weight) for row in weights for weight in row) / LARGEST
    rounded = [(ngram, [round(row[at] / unit) for row in weights]) for at, ngram in enumerate(ngrams)]
    lines = ["\t".join([ngram.replace(" ", SPACE), *map(str, row)]) for ngram, row in sorted(rounded) if any(row)]
    first = json.dumps({"extras": {}, "settings": {}, **header, "unit": unit}, ensure_ascii=False, sort_keys=True)
    plain = "\n".join([first, *lines, ""]).encode()
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0, compresslevel=9) as stream:
        stream.write(plain)
    return packed.getvalue()
