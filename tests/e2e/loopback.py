"""A forum and a chat on loopback, and the installed program as a process between them."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

LISTENER = Path(sys.executable).with_name("listener")


class Loopback:
    """`items` are served as an RSS feed at /feed; what is posted to /hook is kept in `deliveries` and answered by `reply`."""

    def __init__(self) -> None:
        self.items: list[tuple[str, str]] = []
        self.feed_status = 200
        self.deliveries: list[dict[str, Any]] = []
        self.reply: Callable[[int], int] = lambda _nth: 200
        self.changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def wait(self, count: int, seconds: float = 20.0) -> bool:
        """Until so many deliveries have come in."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.deliveries) >= count, timeout=seconds)

    def _feed(self) -> bytes:
        items = "".join(
            f"<item><guid>{escape(native)}</guid><title>{escape(text)}</title><link>{self.url}/t/{native}</link></item>"
            for native, text in self.items
        )
        return f"<rss version='2.0'><channel><title>Forum</title>{items}</channel></rss>".encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(loopback.feed_status, loopback._feed())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with loopback.changed:
                    loopback.deliveries.append(body)
                    status = loopback.reply(len(loopback.deliveries))
                    loopback.changed.notify_all()
                self._answer(status, b"ok")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def loopback() -> Iterator[Loopback]:
    """A loopback that is closed at the end."""
    server = Loopback()
    try:
        yield server
    finally:
        server.close()


RULES = """version: 1
brands:
  podopay: {{name: Podopay, query: 'podopay OR 포도페이'}}
sources:
  forum: {{connector: rss, url: "{url}/feed", every: 1s, allow_private: true}}
topics:
  outage: {{any: [completely down, 먹통], at_least: urgent, points: 40}}
receivers:
  oncall: {{notify: [{{notifier: webhook, url_env: HOOK, allow_private: true}}]}}
routes: {{receiver: oncall, group_wait: 0s, group_interval: 1s}}
"""


class Program:
    """The installed `listener` with its own folder."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.rules = folder / "rules.yaml"
        self.rules.write_text(RULES.format(url=url), encoding="utf-8")
        dotenv = folder / ".env"
        dotenv.touch(mode=0o600)
        dotenv.write_text(f"HOOK={url}/hook/s3cr3t-path\n", encoding="utf-8")
        self.database = folder / "listener.db"
        self.log = folder / "listener.log"

    def env(self, **more: str) -> dict[str, str]:
        """Its environment."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("LISTENER_", "NOTIFY_", "WATCHDOG_", "COV_"))}
        ours = {
            "LISTENER_RULES": str(self.rules),
            "LISTENER_DB": f"sqlite:///{self.database}",
            "LISTENER_LOG": "json",
            "LISTENER_LOG_LEVEL": "debug",
        }
        return {**kept, **ours, **more}

    def start(self, *arguments: str, **env: str) -> "subprocess.Popen[bytes]":
        """Start it in the background; its log is appended to `log`."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [LISTENER, *(arguments or ("run",))], cwd=self.folder, env=self.env(**env), stdout=log, stderr=log
            )

    def call(self, *arguments: str, stdin: str = "", **env: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            [LISTENER, *arguments],
            cwd=self.folder,
            env=self.env(**env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @contextmanager
    def running(self, **env: str) -> Iterator["subprocess.Popen[bytes]"]:
        """The daemon, stopped in good order at the end."""
        process = self.start(**env)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)

    def events(self) -> list[dict[str, Any]]:
        """The log so far."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def until(self, event: str, *, count: int = 1, seconds: float = 20.0) -> dict[str, Any]:
        """Wait until the log holds an event, and return it."""
        if eventually(lambda: len(self._logged(event)) >= count, seconds):
            return self._logged(event)[-1]
        raise AssertionError(f"no {event} in the log:\n{self.log.read_text(encoding='utf-8')[-3000:]}")

    def _logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.events() if line.get("event") == event]


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Look until it holds; waits on the descriptor of nobody, a twentieth of a second at a time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        threading.Event().wait(0.05)
    return condition()


class NotifySocket:
    """A systemd stand-in: a datagram socket that keeps what it is told."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.settimeout(0.05)
        self.messages: list[str] = []

    def told(self, what: str) -> bool:
        """Has it been told this by now?"""
        while True:
            try:
                self.messages.append(self._socket.recv(4096).decode())
            except TimeoutError:
                return any(what in message for message in self.messages)

    def close(self) -> None:
        """Close."""
        self._socket.close()
