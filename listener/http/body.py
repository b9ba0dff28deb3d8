"""The body of an answer, decoded while it arrives and never larger than it may be."""

import zlib

from listener.domain.errors import Fault, TransportError

RATIO_LIMIT = 200
INFLATED_LIMIT = 32 * 1024 * 1024
"""A compressed body that grows more than 200:1, or beyond 32 MB, is a bomb. Real feeds stay below 30:1."""

_RATIO_FLOOR = 1024 * 1024  # below this a high ratio harms nobody (a page of spaces)
_STEP = 256 * 1024  # bytes inflated at a time, which bounds the memory beyond the body itself
_WIRE_SLACK = 64 * 1024  # compressing what cannot be compressed makes it a little larger
_MAX_MEMBERS = 1000  # a gzip stream of empty members is work without end
_MAX_LAYERS = 2  # a proxy that compresses what the server had compressed; more is how bombs hide
_GZIP, _ZLIB, _RAW = 31, 15, -15
_GZIP_MAGIC = b"\x1f\x8b"


class Body:
    """Collects a body chunk by chunk. `coding` is the Content-Encoding header, `max_bytes` bounds the decoded size.

    `feed` and `finish` raise `TransportError`: TOO_LARGE, BOMB, DECODING (unknown coding, not what the coding says) and
    TRUNCATED (the compressed stream has no end).
    """

    def __init__(self, coding: str, *, max_bytes: int) -> None:
        *self._below, self._coding = _known(coding)  # the last coding was put on last
        self._max_bytes = max_bytes
        self._chunks: list[bytes] = []
        self._size = 0
        self._wire = 0
        self._head = b""
        self._members = 0
        self._stream: zlib._Decompress | None = None
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._wire += len(data)
        if self._coding == "identity":
            self._keep(data)
            return
        if self._wire > self._max_bytes + _WIRE_SLACK:
            raise too_large(self._max_bytes)
        rest: bytes | None = None if self._ended else data
        while rest is not None:
            rest = self._begin(rest) if self._stream is None else self._step(self._stream, rest)

    def finish(self) -> bytes:
        """The whole body. Raises TRUNCATED if it ended too early."""
        if self._coding != "identity" and self._wire and not self._ended and not self._between_members():
            raise TransportError(Fault.TRUNCATED, "the compressed answer ended too early")
        whole = b"".join(self._chunks)
        if not self._below:
            return whole
        below = Body(", ".join(self._below), max_bytes=self._max_bytes)
        below.feed(whole)
        return below.finish()

    def so_far(self) -> bytes:
        """What has been decoded until now; nothing while another coding lies below."""
        return b"" if self._below else b"".join(self._chunks)

    def _between_members(self) -> bool:
        return self._stream is None and self._members > 0

    def _begin(self, data: bytes) -> bytes | None:
        """Open a stream once two bytes tell which one it is. Returns what is to be inflated now, `None` for nothing."""
        self._head += data
        if len(self._head) < 2:
            return None
        data, self._head = self._head, b""
        if self._members and data[:2] != _GZIP_MAGIC:
            self._ended = True  # padding after the last member; every reader of gzip ignores it
            return None
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise TransportError(Fault.DECODING, "the compressed answer has too many parts")
        self._stream = zlib.decompressobj(_window(self._coding, data))
        return data

    def _step(self, stream: "zlib._Decompress", data: bytes) -> bytes | None:
        """Inflate one step. Returns what is left to do, `None` if the stream waits for more."""
        room = min(_STEP, self._max_bytes - self._size + 1)
        try:
            out = stream.decompress(data, room)
        except zlib.error:
            raise TransportError(Fault.DECODING, f"the answer is not the {self._coding} that it says it is") from None
        rest = stream.unused_data if stream.eof else stream.unconsumed_tail
        self._refuse_bomb(len(out), len(rest))
        self._keep(out)
        if not stream.eof:
            return rest if rest or len(out) == room else None
        self._stream = None
        self._ended = self._coding != "gzip"
        return None if self._ended else rest

    def _refuse_bomb(self, grown: int, unread: int) -> None:
        size = self._size + grown
        over = size > self._max_bytes or size > _RATIO_FLOOR
        if size > INFLATED_LIMIT or (over and size > RATIO_LIMIT * (self._wire - unread)):
            raise TransportError(Fault.BOMB, "the compressed answer grows out of all proportion; it was not read")

    def _keep(self, out: bytes) -> None:
        self._size += len(out)
        if self._size > self._max_bytes:
            raise too_large(self._max_bytes)
        if out:
            self._chunks.append(out)


def too_large(max_bytes: int) -> TransportError:
    """The refusal of a body beyond `max_bytes`."""
    return TransportError(Fault.TOO_LARGE, f"the answer is larger than {max_bytes / 1_048_576:.3g} MB; it was not read")


def _known(header: str) -> list[str]:
    """The codings of a Content-Encoding header in the order in which they were put on; `identity` beside one says nothing."""
    listed = (part.strip().lower().removeprefix("x-") for part in header.split(","))
    codings = [coding for coding in listed if coding not in ("", "identity")]
    if len(codings) > _MAX_LAYERS or not {"gzip", "deflate"}.issuperset(codings):
        raise TransportError(Fault.DECODING, f"the answer is compressed in a way we did not ask for ({header[:40]!r})")
    return codings or ["identity"]


def _window(coding: str, head: bytes) -> int:
    """Zlib's `wbits`. Servers mean either of two formats by `deflate`; the header of RFC 1950 tells them apart."""
    if coding == "gzip":
        return _GZIP
    is_zlib = head[0] & 0x0F == 8 and int.from_bytes(head[:2]) % 31 == 0
    return _ZLIB if is_zlib else _RAW
