"""What `HostileServer` does to its visitors, one bad habit a path."""

import gzip
import socket
import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

FEED = (
    b'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title><item><guid>1</guid><title>Nook is down</title>'
    b"<link>https://forum.example/1</link></item></channel></rss>"
)
PACE = 0.02  # seconds between the bytes of a drip: far below any deadline a test sets, so that only the whole is late
STREAM_LIMIT = 256 * 1024 * 1024  # where an endless stream ends after all, if nobody hangs up


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A request as it arrived; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request and the means to answer it badly."""

    count: Callable[[int], None]
    ended: threading.Event
    sock: socket.socket
    hit: Hit
    query: dict[str, str] = field(default_factory=dict)

    def send(self, data: bytes) -> None:
        """Write, and count."""
        self.sock.sendall(data)
        self.count(len(data))

    def answer(self, status: int = 200, body: bytes = b"", **headers: str) -> bool:
        """A proper answer; `Content_Type="..."` names a header. Returns True: the connection stays open."""
        fields = {"Content-Length": str(len(body)), **{k.replace("_", "-"): v for k, v in headers.items()}}
        self.head(status, **fields)
        if self.hit.method != "HEAD":
            self.send(body)
        return True

    def head(self, status: int = 200, **headers: str) -> None:
        """The head of an answer alone."""
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.send(f"HTTP/1.1 {status} Words\r\n{fields}\r\n".encode())

    def drip(self, data: bytes) -> None:
        """One byte at a time."""
        for i in range(len(data)):
            self.send(data[i : i + 1])
            self.pause(PACE)

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the server's end."""
        if self.ended.wait(seconds):
            raise ConnectionAbortedError

    def reset(self) -> bool:
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


Habit = Callable[[Visit], bool]
"""Answers a visit; True if the connection may serve another request."""


def zeros_gzipped(megabytes: int) -> bytes:
    """A gzip bomb: about a thousandth of what it becomes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1024 * 1024)
    return b"".join([packer.compress(block) for _ in range(megabytes)] + [packer.flush()])


def _ok(v: Visit) -> bool:
    return v.answer(200, FEED, Content_Type="application/rss+xml", ETag='"1"')


def _conditional(v: Visit) -> bool:
    if v.hit.headers.get("if-none-match") != '"1"':
        return _ok(v)
    v.head(304, ETag='"1"')
    return True


def _status(v: Visit) -> bool:
    return v.answer(int(v.query["code"]), b"fault")


def _echo(v: Visit) -> bool:
    return v.answer(200, v.hit.body)


def _drip(v: Visit) -> bool:
    v.head(200, **{"Content-Length": "5000"})
    v.drip(b"x" * 5000)
    return False


def _drip_endless(v: Visit) -> bool:
    v.head(200)
    while True:
        v.drip(b"x" * 100)


def _slow_headers(v: Visit) -> bool:
    v.drip(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000)
    return False


def _endless_headers(v: Visit) -> bool:
    v.send(b"HTTP/1.1 200 OK\r\n")
    sent = 0
    while sent < STREAM_LIMIT:
        v.send(b"X-A: b\r\n" * 100)
        sent += 800
    return False


def _hang(v: Visit) -> bool:
    v.pause(60)
    return False


def _hang_mid_body(v: Visit) -> bool:
    v.head(200, **{"Content-Length": "5000"})
    v.send(FEED[:80])
    return _hang(v)


def _reset_mid_body(v: Visit) -> bool:
    v.head(200, **{"Content-Length": "5000"})
    v.send(FEED[:80])
    v.pause(PACE)  # or the reset would overtake the head
    return v.reset()


def _short_length(v: Visit) -> bool:
    v.head(200, **{"Content-Length": str(len(FEED) + 500), "Connection": "close"})
    v.send(FEED)
    return False


def _chunk_no_end(v: Visit) -> bool:
    v.head(200, **{"Transfer-Encoding": "chunked"})
    v.send(b"%x\r\n%b\r\n" % (len(FEED), FEED))
    return False


def _chunk_half(v: Visit) -> bool:
    v.head(200, **{"Transfer-Encoding": "chunked"})
    v.send(b"1000\r\n" + FEED)
    return False


def _bad_chunk(v: Visit) -> bool:
    v.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n")
    return False


def _bad_chunk_later(v: Visit) -> bool:
    v.head(200, **{"Transfer-Encoding": "chunked"})
    v.send(b"2\r\nok\r\n")
    v.pause(PACE)  # so that it is read by itself
    v.send(b"zz\r\nhello\r\n")
    return False


def _garbage(v: Visit) -> bool:
    v.send(b"\x16\x03\x01\x00\xffnot http at all\r\n\r\n")
    return False


def _http09(v: Visit) -> bool:
    v.send(FEED)
    return False


def _two_lengths(v: Visit) -> bool:
    v.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 20\r\n\r\n" + FEED)
    return False


def _header_flood(v: Visit) -> bool:
    v.send(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %b\r\n" % (i, b"a" * 100) for i in range(20_000)) + b"\r\n")
    return False


def _header_many(v: Visit) -> bool:
    return v.answer(200, FEED, **{f"X-{i}": "a" for i in range(110)})


def _header_huge(v: Visit) -> bool:
    v.send(b"HTTP/1.1 200 OK\r\nX: " + b"a" * (4 << 20) + b"\r\n\r\n")
    return False


def _header_odd(v: Visit) -> bool:
    v.send(
        b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: "a\xff\xed\x95\x9c"\r\nX-Tab: a\tb\r\nVary: a\r\nvary: b\r\n\r\nok'
    )
    return True


def _early_hints(v: Visit) -> bool:
    v.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 20)
    return _ok(v)


def _big(v: Visit) -> bool:
    v.head(200, **{"Content-Length": str(STREAM_LIMIT)})
    return _pour(v, b"A" * 65536)


def _infinite(v: Visit) -> bool:
    v.head(200, **{"Transfer-Encoding": "chunked"})
    return _pour(v, b"10000\r\n" + b"A" * 65536 + b"\r\n")


def _pour(v: Visit, block: bytes) -> bool:
    for _ in range(STREAM_LIMIT // len(block)):
        v.send(block)
    return False


def _gzip(v: Visit) -> bool:
    return v.answer(200, gzip.compress(FEED), Content_Encoding="gzip")


def _gzip_cut(v: Visit) -> bool:
    return v.answer(200, gzip.compress(FEED * 20)[:-12], Content_Encoding="gzip")


def _gzip_bomb(v: Visit) -> bool:
    return v.answer(200, zeros_gzipped(64), Content_Encoding="gzip")


def _gzip_stream_bomb(v: Visit) -> bool:
    v.head(200, **{"Content-Encoding": "gzip", "Connection": "close"})
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    for _ in range(256):
        v.send(packer.compress(bytes(4 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH))
    return False


def _brotli(v: Visit) -> bool:
    return v.answer(200, b"\x0b\x02\x80hello\x03", Content_Encoding="br")


def _redirect(v: Visit) -> bool:
    """`/redirect?to=URL&code=302`: anywhere."""
    return v.answer(int(v.query.get("code", 302)), b"elsewhere", Location=unquote(v.query["to"]))


def _redirect_raw(v: Visit) -> bool:
    """`/redirect_raw?hex=...`: a Location of any bytes."""
    v.send(b"HTTP/1.1 302 X\r\nContent-Length: 0\r\nLocation: " + bytes.fromhex(v.query["hex"]) + b"\r\n\r\n")
    return True


def _redirect_loop(v: Visit) -> bool:
    return v.answer(302, Location=f"/redirect_loop?n={int(v.query.get('n', 0)) ^ 1}")


def _redirect_endless(v: Visit) -> bool:
    return v.answer(302, Location=f"/redirect_endless?n={int(v.query.get('n', 0)) + 1}")


def _redirect_chain(v: Visit) -> bool:
    left, code = int(v.query["n"]), v.query.get("code", "302")
    return v.answer(int(code), Location="/ok" if left <= 1 else f"/redirect_chain?n={left - 1}&code={code}")


def _redirect_nowhere(v: Visit) -> bool:
    return v.answer(302)


def _slow_reply(v: Visit) -> bool:
    v.head(200, **{"Content-Length": "5000"})
    v.send(b"ok")
    v.drip(b"." * 4998)
    return False


def _refused_slowly(v: Visit) -> bool:
    v.head(500, **{"Content-Length": "5000"})
    v.drip(b"." * 5000)
    return False


def _deaf(v: Visit) -> bool:
    """Reads the head of a request and then no more of it."""
    return _hang(v)


HABITS: dict[str, Habit] = {
    "/ok": _ok,
    "/conditional": _conditional,
    "/status": _status,
    "/echo": _echo,
    "/drip": _drip,
    "/drip_endless": _drip_endless,
    "/slow_headers": _slow_headers,
    "/endless_headers": _endless_headers,
    "/hang": _hang,
    "/hang_mid_body": _hang_mid_body,
    "/close": lambda _: False,
    "/reset": Visit.reset,
    "/reset_mid_body": _reset_mid_body,
    "/short_length": _short_length,
    "/chunk_no_end": _chunk_no_end,
    "/chunk_half": _chunk_half,
    "/bad_chunk": _bad_chunk,
    "/bad_chunk_later": _bad_chunk_later,
    "/garbage": _garbage,
    "/http09": _http09,
    "/two_lengths": _two_lengths,
    "/header_flood": _header_flood,
    "/header_many": _header_many,
    "/header_huge": _header_huge,
    "/header_odd": _header_odd,
    "/early_hints": _early_hints,
    "/big": _big,
    "/infinite": _infinite,
    "/gzip": _gzip,
    "/gzip_cut": _gzip_cut,
    "/gzip_bomb": _gzip_bomb,
    "/gzip_stream_bomb": _gzip_stream_bomb,
    "/brotli": _brotli,
    "/redirect": _redirect,
    "/redirect_raw": _redirect_raw,
    "/redirect_loop": _redirect_loop,
    "/redirect_endless": _redirect_endless,
    "/redirect_chain": _redirect_chain,
    "/redirect_nowhere": _redirect_nowhere,
    "/slow_reply": _slow_reply,
    "/refused_slowly": _refused_slowly,
    "/deaf": _deaf,
}
