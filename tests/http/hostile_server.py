"""A small HTTP server on loopback that misbehaves on request, one bad habit a path.

    with HostileServer() as server:
        client.fetch(Request(url=server.url("/drip"), allow_private=True, deadline=0.3))
        assert server.hits[0].method == "GET"

`HABITS` lists what it can do; `server.answers["/mine"] = b"HTTP/1.1 ..."` adds a raw answer, `server.habits["/mine"] = f`
a habit. Anything below `/canary` is a place that must not be reached. Every wait ends when the server does.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.http.hostile_habits import FEED, HABITS, Habit, Hit, Visit, zeros_gzipped

__all__ = ["FEED", "HABITS", "Hit", "HostileServer", "Visit", "black_hole", "unused_port", "zeros_gzipped"]


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
        query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
        visit = Visit(count=self.count, ended=self.ended, sock=sock, hit=hit, query=query)
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
