"""Sinks for the inherited notifier tests: each catches what a notifier sends, and answers as it is told.

An HTTP sink is `FakeHttp`; an SMTP sink is a real server on 127.0.0.1 (needs aiosmtpd); a stdout sink reads what was printed.
"""

import asyncio
import json
import threading
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Protocol

from listener.domain.errors import Fault, TransportError
from listener.notifier import Surroundings
from listener.ports import Request, Response
from listener.testing.fakes import FakeClock, FakeHttp, response

View = dict[str, Any]
"""What arrived, decoded: JSON-like, so that it can stand in a recording."""


class Sink(Protocol):
    """Where notifications arrive in a test."""

    clock: FakeClock
    surroundings: Surroundings

    def arrived(self) -> list[View]:
        """Everything accepted so far, oldest first."""
        ...

    def answer(self, code: int, *, headers: Mapping[str, str] | None = None, body: str = "ok") -> None:
        """Give this answer from now on: an HTTP status, or an SMTP reply to the recipient."""
        ...

    def settings(self) -> dict[str, Any]:
        """What the notifier's configuration needs to reach this sink."""
        ...

    def close(self) -> None: ...


class HttpSink:
    """Catches requests. `fail` makes the exchange itself fail."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.http = FakeHttp(self._reply)
        self.surroundings = Surroundings(http=self.http, clock=self.clock)
        self._answer: Response | TransportError = response(200, "ok")

    def _reply(self, request: Request) -> Response:
        if isinstance(self._answer, TransportError):
            raise self._answer
        return self._answer

    def answer(self, code: int, *, headers: Mapping[str, str] | None = None, body: str = "ok") -> None:
        self._answer = response(code, body, headers=headers)

    def fail(self, fault: Fault, *, ambiguous: bool) -> None:
        """From now on the exchange ends with this fault."""
        self._answer = TransportError(fault, f"the exchange failed ({fault})", ambiguous=ambiguous)

    def settings(self) -> dict[str, Any]:
        return {}

    def arrived(self) -> list[View]:
        return [_request_view(request) for request in self.http.requests if request.body is not None]

    def close(self) -> None:
        """Nothing is open."""


def _request_view(request: Request) -> View:
    assert request.body is not None
    return {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "json": json.loads(request.body),
    }


class SmtpSink:
    """A mail server on an ephemeral port of 127.0.0.1, in a thread of its own."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.surroundings = Surroundings(http=FakeHttp(lambda _: response(500)), clock=self.clock)
        self._mails: list[View] = []
        self._reply = "250 2.1.5 OK"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _listen(self) -> asyncio.Server:
        from aiosmtpd.smtp import SMTP  # noqa: PLC0415 - only tests of mail need it

        return await self._loop.create_server(
            lambda: SMTP(self, hostname="sink.example", loop=self._loop), "127.0.0.1", 0
        )

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self._reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self._reply

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self._mails.append(mail_view(envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 2.0.0 queued as 42"

    def answer(self, code: int, *, headers: Mapping[str, str] | None = None, body: str = "ok") -> None:
        self._reply = f"{code} {body}"

    def settings(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "security": "none"}

    def arrived(self) -> list[View]:
        return list(self._mails)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        asyncio.run_coroutine_threadsafe(self._settle(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _settle(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def mail_view(sender: str, recipients: list[str], raw: bytes) -> View:
    """A mail as its reader sees it; its line breaks as Python's."""
    mail = message_from_bytes(raw, policy=policy.default)
    parts = {
        part.get_content_type(): part.get_content()
        for part in mail.walk()
        if isinstance(part, EmailMessage) and not part.is_multipart()
    }
    headers = {name: str(value) for name, value in mail.items() if name.lower() not in ("content-type", "mime-version")}
    return {
        "from": sender,
        "to": recipients,
        "headers": headers,
        "plain": parts.get("text/plain", "").replace("\r\n", "\n"),
        "html": parts.get("text/html", "").replace("\r\n", "\n"),
    }


class StdoutSink:
    """What was printed. `read` returns the text printed since it was called last."""

    def __init__(self, read: Any) -> None:
        self.clock = FakeClock()
        self.surroundings = Surroundings(http=FakeHttp(lambda _: response(500)), clock=self.clock)
        self._read = read
        self._printed: list[View] = []

    def answer(self, code: int, *, headers: Mapping[str, str] | None = None, body: str = "ok") -> None:
        """A terminal does not answer."""

    def settings(self) -> dict[str, Any]:
        return {}

    def arrived(self) -> list[View]:
        text = self._read()
        if text:
            self._printed.append({"text": text})
        return list(self._printed)

    def close(self) -> None:
        """Nothing is open."""
