"""A small internet on loopback: an RSS forum, a Google Alerts feed, Hacker News search, and a Slack-compatible chat.

All of it is real HTTP; the posts of the story appear as their time comes.
"""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from listener.demo.story import STORY, Place, Scene


class SmallInternet:
    """The server. `on_chat` is called with each chat message that arrives."""

    def __init__(self, on_chat: Callable[[dict[str, object]], None]) -> None:
        self.began = time.monotonic()
        self.opened = datetime.now(UTC)
        self._on_chat = on_chat
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, name="small-internet", daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Open the doors."""
        self._thread.start()

    def begin(self) -> None:
        """Let the story begin now."""
        self.began = time.monotonic()
        self.opened = datetime.now(UTC)

    def close(self) -> None:
        """Close the doors."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def elapsed(self) -> float:
        """Seconds since the story began."""
        return time.monotonic() - self.began

    def appeared(self, place: Place | None = None) -> list[Scene]:
        """What can be read by now, newest first."""
        now = self.elapsed
        return [s for s in reversed(STORY) if s.at <= now and place in (None, s.place)]

    def said_at(self, scene: Scene) -> datetime:
        """When a scene was posted."""
        return (self.opened + timedelta(seconds=scene.at)).replace(microsecond=0)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        internet = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                answer = internet._read(self.path)
                self._answer(404, "text/plain", b"nothing here") if answer is None else self._answer(200, *answer)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                internet._on_chat(json.loads(body))
                self._answer(200, "text/plain", b"ok")

            def _answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                """Say nothing: the screen belongs to the demo."""

        return Handler

    def _read(self, path: str) -> tuple[str, bytes] | None:
        parts = urlsplit(path)
        if parts.path == "/forum.rss":
            return "application/rss+xml; charset=utf-8", self._forum().encode()
        if parts.path == "/alerts":
            return "application/atom+xml; charset=utf-8", self._alerts().encode()
        if parts.path == "/api/v1/search_by_date":
            return "application/json", self._search(parse_qs(parts.query)).encode()
        return None

    def _forum(self) -> str:
        items = "".join(
            f"<item><guid isPermaLink='false'>{s.slug}</guid><title>{escape(s.title)}</title>"
            f"<link>{self.url}/t/{s.slug}</link><author>{escape(s.author)}</author>"
            f"<pubDate>{format_datetime(self.said_at(s))}</pubDate>"
            f"<description>{escape(escape(s.text))}</description></item>"
            for s in self.appeared(Place.FORUM)
        )
        return f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>Forum</title>{items}</channel></rss>"

    def _alerts(self) -> str:
        entries = "".join(
            f"<entry><id>tag:google.com,2013:googlealerts/feed:{int(s.at * 1000) + 1}</id>"
            f"<title type='html'>{escape(s.title)}</title>"
            f"<link href='https://www.google.com/url?rct=j&amp;sa=t&amp;url=https://news.example/{s.slug}&amp;ct=ga'/>"
            f"<published>{self.said_at(s).isoformat()}</published><updated>{self.said_at(s).isoformat()}</updated>"
            f"<content type='html'>{escape(s.text)}</content><author><name>{escape(s.author)}</name></author></entry>"
            for s in self.appeared(Place.ALERTS)
        )
        title = "<title>Google Alert - Podopay</title><id>tag:google.com,2005:demo</id>"
        head = f"<feed xmlns='http://www.w3.org/2005/Atom'>{title}"
        return f"<?xml version='1.0' encoding='utf-8'?>{head}{entries}</feed>"

    def _search(self, query: dict[str, list[str]]) -> str:
        wanted = query.get("query", [""])[0].strip('"').casefold()
        hits = [self._hit(s) for s in self.appeared(Place.HACKER_NEWS) if wanted in f"{s.title} {s.text}".casefold()]
        return json.dumps({"hits": hits, "nbHits": len(hits), "page": 0, "nbPages": 1, "hitsPerPage": 1000})

    def _hit(self, scene: Scene) -> dict[str, object]:
        number = str(40_000_000 + int(scene.at * 10))
        return {
            "objectID": number,
            "story_id": int(number),
            "title": scene.title,
            "url": None,
            "author": scene.author,
            "points": scene.reactions,
            "num_comments": scene.reactions // 4,
            "story_text": escape(scene.text),
            "created_at": self.said_at(scene).isoformat().replace("+00:00", "Z"),
            "created_at_i": int(self.said_at(scene).timestamp()),
            "_tags": ["story", f"author_{scene.author}", f"story_{number}"],
        }
