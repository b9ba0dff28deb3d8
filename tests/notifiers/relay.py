"""Mail relays on loopback: a real one with encryption and logins, and one that follows a script of bad habits."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Relay:
    """aiosmtpd on an ephemeral port. `replies` answers RCPT by address; `mails` holds (sender, recipients, raw mail)."""

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, implicit: bool = False, password: bytes | None = None
    ) -> None:
        self.mails: list[tuple[str, list[str], bytes]] = []
        self.replies: dict[str, str] = {}
        self.logins: list[bytes] = []
        self._password = password
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        listening = self._listen(tls, implicit)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _listen(self, tls: ssl.SSLContext | None, implicit: bool) -> asyncio.Server:
        def protocol() -> SMTP:
            return SMTP(
                self,
                hostname="relay.example",
                loop=self._loop,
                tls_context=None if implicit else tls,
                require_starttls=tls is not None and not implicit,
                authenticator=self._authenticate if self._password else None,
                auth_required=self._password is not None and not implicit,
                auth_require_tls=not implicit,
            )

        return await self._loop.create_server(protocol, "127.0.0.1", 0, ssl=tls if implicit else None)

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login)
        return AuthResult(success=data.password == self._password, handled=False)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        reply = self.replies.get(address, "250 2.1.5 OK")
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return f"250 2.0.0 queued as {len(self.mails)}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._settle(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _settle(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # transports close in the next round


Habit = Callable[["ScriptedRelay", socket.socket], bool]
"""Answers a step; False ends the conversation."""


def drop(relay: "ScriptedRelay", sock: socket.socket) -> bool:
    """Hang up without a word."""
    return False


def hang(relay: "ScriptedRelay", sock: socket.socket) -> bool:
    """Say nothing for ever."""
    relay.ended.wait(60)
    return False


def drip(relay: "ScriptedRelay", sock: socket.socket) -> bool:
    """A byte now and then, faster than any timeout for a single read."""
    for byte in b"250-" + b"x" * 1_000:
        sock.sendall(bytes([byte]))
        if relay.ended.wait(0.02):
            break
    return False


def flood(relay: "ScriptedRelay", sock: socket.socket) -> bool:
    """An answer that has no end."""
    while not relay.ended.is_set():
        sock.sendall(b"250-more\r\n" * 1_000)
    return False


class ScriptedRelay:
    """Says what it is told to at each step ("banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "dot", "noop").

    `mails` counts bodies that were taken in whole, whatever was answered then.
    """

    def __init__(self, **script: str | Habit) -> None:
        self.script: dict[str, str | Habit] = {"ehlo": "250-relay\r\n250 SIZE 1000000", "data": "354 go on", **script}
        self.script.setdefault("banner", "220 relay")
        self.mails: list[bytes] = []
        self.verbs: list[str] = []
        self.ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock, sock.makefile("rb") as lines:
            going = self._step(sock, "banner")
            while going:
                verb = lines.readline().split(b" ")[0].strip().decode("ascii", "replace").lower()
                self.verbs.append(verb)
                if verb in ("", "quit"):
                    return
                going = self._step(sock, verb)
                if verb == "data" and str(self.script["data"]).startswith("354"):
                    self.mails.append(b"".join(iter(lines.readline, b".\r\n")))
                    going = self._step(sock, "dot")

    def _step(self, sock: socket.socket, step: str) -> bool:
        answer = self.script.get(step, "250 OK")
        if not isinstance(answer, str):
            return answer(self, sock)
        sock.sendall(f"{answer}\r\n".encode())
        return True
