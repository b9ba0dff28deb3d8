"""A small HTTP server on loopback that misbehaves on request, one bad habit a path.

    with HostileServer() as server:
        client.fetch(Request(url=server.url("/drip"), allow_private=True, deadline=0.3))
        assert server.hits[0].method == "GET"

`HABITS` lists what it can do; `server.answers["/mine"] = b"HTTP/1.1 ..."` adds a raw answer, `server.habits["/mine"] = f`
a habit. Anything below `/canary` is a place that must not be reached. Every wait ends when the server does.
"""

import contextlib
import gzip
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

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

    server: "HostileServer"
    sock: socket.socket
    hit: Hit
    query: dict[str, str] = field(default_factory=dict)

    def send(self, data: bytes) -> None:
        """Write, and count."""
        self.sock.sendall(data)
        self.server.count(len(data))

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
        if self.server.ended.wait(seconds):
            raise ConnectionAbortedError

    def reset(self) -> bool:
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


Habit = Callable[[Visit], bool]
"""Answers a visit; True if the connection may serve another request."""


class HostileServer:
    """The server, as a context manager, on a port of its own.

    `tls` makes it speak https; `slam` makes it close every connection after the first words.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, slam: bool = False) -> None:
        self.hits: list[Hit] = []
        self.answers: dict[str, bytes] = {}
        self.habits: dict[str, Habit] = {}
        self.connections = 0
        self.bytes_sent = 0
        self.most_at_once = 0
        self.ended = threading.Event()
        self._at_once = 0
        self._tls = tls
        self._slam = slam
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def url(self, path: str = "/ok", *, host: str = "127.0.0.1") -> str:
        """Where to find a habit; `host` is any spelling of loopback or a name that a test's resolver knows."""
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    @property
    def canaries(self) -> list[str]:
        """Paths asked for that must not be reached."""
        return [hit.path for hit in self.hits if hit.path.startswith("/canary")]

    def count(self, sent: int) -> None:
        """Add to `bytes_sent`."""
        with self._lock:
            self.bytes_sent += sent

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            sock = raw
            if self._tls:
                sock = self._tls.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
            self._open.add(sock)
        try:
            if self._slam:
                sock.recv(65536)  # with unread data the close would be a reset
                return
            _handshake(sock)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for hit in _requests(sock):
                if not self._visit(sock, hit):
                    break
        except (OSError, ValueError):
            pass  # the other side hung up or spoke nonsense: part of the game
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def _visit(self, sock: socket.socket, hit: Hit) -> bool:
        with self._lock:
            self.hits.append(hit)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return self._answer(sock, hit)
        finally:
            with self._lock:
                self._at_once -= 1

    def _answer(self, sock: socket.socket, hit: Hit) -> bool:
        parts = urlsplit(hit.path)
        visit = Visit(server=self, sock=sock, hit=hit, query={k: v[-1] for k, v in parse_qs(parts.query).items()})
        if parts.path in self.answers:
            visit.send(self.answers[parts.path])
            return False
        if parts.path.startswith("/canary"):
            return visit.answer(200, b"canary")
        habit = self.habits.get(parts.path) or HABITS.get(parts.path)
        return habit(visit) if habit else visit.answer(404)


def _handshake(sock: socket.socket) -> None:
    """Make the TLS handshake, if any. If it fails, let the other side read our alert before the connection ends."""
    if not isinstance(sock, ssl.SSLSocket):
        return
    try:
        sock.do_handshake()
    except ssl.SSLError:
        raw = socket.socket(fileno=sock.detach())
        with raw:
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(65536):
                pass
        raise


def _requests(sock: socket.socket) -> Iterator[Hit]:
    """Requests of one connection, until it ends. A body is read as far as its Content-Length, unless told not to."""
    buffer = b""
    while True:
        while b"\r\n\r\n" not in buffer:
            data = sock.recv(65536)
            if not data:
                return
            buffer += data
            if buffer[0] == 0x16:  # the first byte of TLS, at a door that does not speak it
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
        head, _, buffer = buffer.partition(b"\r\n\r\n")
        first, *rest = head.decode("utf-8", "replace").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in rest)}
        length = 0 if path.startswith("/deaf") else int(headers.get("content-length", 0))
        while len(buffer) < length:
            data = sock.recv(65536)
            if not data:
                return
            buffer += data
        yield Hit(method=method, path=path, headers=headers, body=buffer[:length])
        buffer = buffer[length:]


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


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port on loopback that lets connections wait for ever: its queue is full and nobody accepts (Linux)."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        yield listener.getsockname()[1]


def unused_port() -> int:
    """A port on loopback where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
