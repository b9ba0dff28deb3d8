"""Bodies: decoded while they arrive, never larger than allowed."""

import gzip
import os
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.domain.errors import Fault, TransportError
from listener.http.body import INFLATED_LIMIT, Body
from tests.http.hostile_server import zeros_gzipped

MB = 1024 * 1024


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def _read(coding: str, wire: bytes, *, max_bytes: int = 16 * MB, step: int = 65536) -> bytes:
    body = Body(coding, max_bytes=max_bytes)
    for start in range(0, len(wire), step):
        body.feed(wire[start : start + step])
    return body.finish()


def _fault(coding: str, wire: bytes, *, max_bytes: int = 16 * MB) -> Fault:
    with pytest.raises(TransportError) as caught:
        _read(coding, wire, max_bytes=max_bytes)
    return caught.value.fault


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    "identity": bytes,
    "": bytes,
    "identity, gzip": gzip.compress,
}


@pytest.mark.parametrize("coding", PACKERS)
@pytest.mark.parametrize("step", [1, 7, 65536])
def test_every_coding_we_ask_for_is_read_however_it_is_cut(coding: str, step: int) -> None:
    text = "하늘항공 결항 ".encode() * 300
    assert _read(coding, PACKERS[coding](text), step=step) == text


@pytest.mark.parametrize("step", [1, 2, 65536])
def test_deflate_without_its_header_is_read_too(step: int) -> None:
    assert _read("deflate", _raw_deflate(b"raw" * 100), step=step) == b"raw" * 100


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=5), st.integers(1, 5000))
def test_a_gzip_of_several_members_is_their_sum(parts: list[bytes], step: int) -> None:
    assert _read("gzip", b"".join(gzip.compress(part) for part in parts), step=step) == b"".join(parts)


@given(st.binary(max_size=5000), st.sampled_from(["gzip", "deflate"]), st.data())
def test_a_compressed_body_cut_anywhere_is_truncated(text: bytes, coding: str, data: st.DataObject) -> None:
    wire = PACKERS[coding](text)
    cut = data.draw(st.integers(1, len(wire) - 1))
    assert _fault(coding, wire[:cut]) is Fault.TRUNCATED


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "deflate"]))
def test_no_bytes_make_it_stumble(wire: bytes, coding: str) -> None:
    body = Body(coding, max_bytes=MB)
    with suppress(TransportError):
        body.feed(wire)
        body.finish()
    assert len(body.so_far()) <= MB


def test_padding_after_the_last_member_is_ignored() -> None:
    assert _read("gzip", gzip.compress(b"a") + bytes(512)) == b"a"
    assert _read("gzip", gzip.compress(b"a") + b"\0") == b"a"
    assert _read("gzip", gzip.compress(b"a") + b"trailing words", step=1) == b"a"
    assert _read("deflate", zlib.compress(b"a") + b"more" * 100, step=3) == b"a"


def test_an_empty_body_is_empty_in_any_coding() -> None:
    assert _read("gzip", b"") == b""
    assert _read("deflate", b"") == b""


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip, gzip", "gzip,br", "compress", "\x1b[31m"])
def test_a_coding_we_did_not_ask_for_is_refused(coding: str) -> None:
    assert _fault(coding, b"x") is Fault.DECODING


def test_a_proxy_may_have_compressed_it_once_more() -> None:
    assert _read("gzip, gzip", gzip.compress(gzip.compress(b"twice")), step=3) == b"twice"
    assert _read("deflate, gzip", gzip.compress(zlib.compress(b"twice"))) == b"twice"
    assert _fault("gzip, gzip", gzip.compress(b"once")) is Fault.DECODING


def test_a_bomb_in_a_bomb_is_a_bomb() -> None:
    assert _fault("gzip, gzip", gzip.compress(zeros_gzipped(300))) is Fault.BOMB


def test_a_body_that_is_not_what_its_header_says_is_refused() -> None:
    assert _fault("gzip", b"<?xml version='1.0'?><rss/>") is Fault.DECODING
    assert _fault("deflate", b"<?xml version='1.0'?><rss/>") is Fault.DECODING


def test_a_damaged_gzip_is_refused() -> None:
    wire = bytearray(gzip.compress(os.urandom(5000)))
    wire[-6] ^= 1  # its checksum
    assert _fault("gzip", bytes(wire)) is Fault.DECODING


@pytest.mark.parametrize("coding", ["identity", "gzip", "deflate"])
def test_the_limit_is_exact(coding: str) -> None:
    text = os.urandom(1000)
    assert len(_read(coding, PACKERS[coding](text), max_bytes=1000)) == 1000
    assert _fault(coding, PACKERS[coding](text), max_bytes=999) is Fault.TOO_LARGE


def test_a_compressed_stream_that_never_becomes_anything_is_too_large() -> None:
    """Empty blocks cost five bytes each and decode to nothing."""
    packer = zlib.compressobj(wbits=31)
    wire = packer.compress(b"") + b"\0\0\0\xff\xff" * 20_000
    assert _fault("gzip", wire, max_bytes=1000) is Fault.TOO_LARGE


def test_a_gzip_of_countless_members_is_refused() -> None:
    assert _fault("gzip", gzip.compress(b"") * 2000) is Fault.DECODING


def test_a_bomb_is_a_bomb_by_its_ratio() -> None:
    bomb = zeros_gzipped(8)
    assert _fault("gzip", bomb) is Fault.BOMB
    assert _fault("gzip", bomb, max_bytes=10_000) is Fault.BOMB
    assert _fault("deflate", zlib.compress(bytes(8 * MB), 9)) is Fault.BOMB


def test_a_bomb_is_a_bomb_by_its_size_even_where_much_is_allowed() -> None:
    honest = b"".join(os.urandom(2000) * 8 for _ in range(INFLATED_LIMIT // 16_000 + 2))  # 8:1, like a feed
    wire = gzip.compress(honest, 1)
    assert len(wire) * 20 > INFLATED_LIMIT
    assert _fault("gzip", wire, max_bytes=10 * INFLATED_LIMIT) is Fault.BOMB


def test_a_small_page_of_spaces_is_no_bomb() -> None:
    assert len(_read("gzip", gzip.compress(b" " * 500_000, 9))) == 500_000


def test_a_bomb_costs_little_memory() -> None:
    """It is refused while it grows: the peak is the limit and a step, not the 300 MB that it would become."""
    bomb = zeros_gzipped(300)
    tracemalloc.start()
    try:
        assert _fault("gzip", bomb) is Fault.BOMB
        assert tracemalloc.get_traced_memory()[1] < 8 * MB
    finally:
        tracemalloc.stop()


def test_what_was_decoded_before_a_fault_can_be_had() -> None:
    body = Body("gzip", max_bytes=1000)
    body.feed(gzip.compress(b"half of it", mtime=0)[:-8])
    assert body.so_far() == b"half of it"
