"""Every connector that speaks HTTP, through the real client and a real socket, against a server that plays its recording."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from listener.http import AiohttpClient
from listener.ports import Request, Response
from listener.registry import connectors
from listener.testing.connector_recording import Player, Recording, matches, poll_all

RECORDINGS = Path(__file__).parents[1] / "recordings" / "connectors"
SPEAKING = [name for name in sorted(connectors()) if Recording.read(RECORDINGS / f"{name}.yaml").exchanges]


class Platform:
    """A server on loopback that answers as recorded; the host that was meant comes in a header."""

    def __init__(self, player: Player) -> None:
        self.statuses: list[int] = []
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                wanted = Request(url=f"{self.headers['X-Meant']}{self.path}", headers=dict(self.headers))
                answer = player.fetch(wanted)
                platform.statuses.append(answer.status)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                """Be silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Detour:
    """Leads every request to the platform on loopback, through the real client."""

    def __init__(self, client: AiohttpClient, platform: Platform) -> None:
        self._client = client
        self._address = f"http://127.0.0.1:{platform.server.server_address[1]}"

    def fetch(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        meant = f"{parts.scheme}://{parts.netloc}"
        response = self._client.fetch(
            replace(
                request,
                url=request.url.replace(meant, self._address, 1),
                headers={**request.headers, "X-Meant": meant},
                allow_private=True,
            )
        )
        return replace(response, url=request.url)


@pytest.fixture
def client() -> Iterator[AiohttpClient]:
    with AiohttpClient(user_agent="listener-test") as client:
        yield client


@pytest.mark.parametrize("name", SPEAKING)
def test_the_recorded_items_come_over_a_real_socket(name: str, client: AiohttpClient, tmp_path: Path) -> None:
    recording = Recording.read(RECORDINGS / f"{name}.yaml")
    platform = Platform(Player(recording.exchanges))
    try:
        http = Detour(client, platform)
        items, checkpoints = poll_all(recording.build(connectors()[name], http, tmp_path), None)
        assert len(items) == len(recording.items)
        assert all(map(matches, items, recording.items))
        again, _ = poll_all(recording.build(connectors()[name], http, tmp_path), checkpoints[-1])
        assert len(again) == len(recording.again)
    finally:
        platform.close()


def test_a_feed_with_validators_is_not_sent_twice(client: AiohttpClient, tmp_path: Path) -> None:
    recording = Recording.read(RECORDINGS / "rss.yaml")
    platform = Platform(Player(recording.exchanges))
    try:
        connector = recording.build(connectors()["rss"], Detour(client, platform), tmp_path)
        _, checkpoints = poll_all(connector, None)
        assert poll_all(connector, checkpoints[-1])[0] == []
        assert platform.statuses == [200, 304]
    finally:
        platform.close()
