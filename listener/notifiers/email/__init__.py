"""Sends alerts by mail through any SMTP relay, one envelope for each recipient."""

from typing import ClassVar

from listener.domain.errors import DeliveryRefused
from listener.notifier import Limits, Message, NotifierConfig, Sent, Surroundings
from listener.notifiers.email.config import EmailConfig
from listener.notifiers.email.letter import MAX_BODY, MAX_SUBJECT, compose
from listener.notifiers.email.session import Session

__all__ = ["Email", "EmailConfig"]


class Email:
    """Sends each alert as a mail of its own to each address, in plain text and HTML, through an SMTP relay.

    All mails of one case form one thread. 4xx answers are tried again with the same Message-ID (greylisting), 5xx are
    final for that one recipient; a refused login, sender or certificate rests the whole channel. If the connection is
    lost after the last line was sent, nobody knows whether the mail went out: it is sent again, marked as a possible repeat.
    """

    name: ClassVar[str] = "email"
    Config: ClassVar[type[NotifierConfig]] = EmailConfig
    limits: ClassVar[Limits] = Limits(max_title=MAX_SUBJECT, max_body=MAX_BODY, per_minute=60, markup="html")

    def __init__(self, config: EmailConfig, surroundings: Surroundings) -> None:
        self._config = config
        self._surroundings = surroundings

    @property
    def targets(self) -> tuple[str, ...]:
        """The addresses, each once."""
        return tuple(dict.fromkeys(self._config.to))

    def check(self) -> str:
        """Connect, greet, encrypt, log in, and leave; nothing is sent."""
        with Session(self._config, self._surroundings.clock) as session:
            session.try_out()
        login = f", logged in as {self._config.username}" if self._config.username else ""
        return f"{self._config.host}:{self._config.port_used} answers ({self._config.security_used}{login}); no mail was sent"

    def send(self, message: Message, target: str) -> Sent:
        """Send it to one address."""
        if target not in self._config.to:
            # The row was written under an older rules.yaml. Mail to somebody who was removed can not be taken back.
            raise DeliveryRefused(f"{target} is no longer a recipient in rules.yaml; nothing was sent there")
        letter = compose(message, sender=self._config.sender_used, target=target)
        with Session(self._config, self._surroundings.clock) as session:
            return Sent(receipt=session.deliver(self._config.sender_used, target, letter))
