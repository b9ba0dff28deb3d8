"""A mailbox on loopback: a real SMTP server that keeps what it receives."""

import socket
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """`on_mail` is called with each message that was accepted."""

    def __init__(self, on_mail: Callable[[EmailMessage], None]) -> None:
        self._on_mail = on_mail
        self.port = _free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=10.0)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep the message."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        mail = message_from_bytes(raw, policy=policy.default)
        assert isinstance(mail, EmailMessage)  # noqa: S101 - what policy.default makes
        self._on_mail(mail)
        return "250 kept"

    def start(self) -> None:
        """Open."""
        self._controller.start()

    def close(self) -> None:
        """Close."""
        self._controller.stop(no_assert=True)


def _free_port() -> int:
    """A port that is free now: the controller knocks at its own port by number, so it cannot be 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
