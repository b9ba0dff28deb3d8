"""One conversation with an SMTP relay, bounded as a whole, and what its answers mean for us."""

import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from ipaddress import ip_address
from types import TracebackType
from typing import Self

from listener.decide.defang import cut, one_line
from listener.domain.errors import DeliveryDelayed, DeliveryError, DeliveryRefused
from listener.notifiers.email.config import EmailConfig
from listener.ports import Clock

_CONNECT = 10.0
_MAX_ANSWERS = 65_536
"""Bytes of answers in one session; a relay that says more is not one."""


class Step(StrEnum):
    """Where in the conversation we are, as people would say it."""

    TRUST = "ca_file"
    CONNECT = "the connection"
    GREETING = "the greeting"
    ENCRYPTION = "the start of encryption"
    LOGIN = "the login"
    SENDER = "the sender"
    RECIPIENT = "the recipient"
    CONTENT = "the mail"


_REMEDIES = {
    Step.CONNECT: "; check host and port",
    Step.ENCRYPTION: "; check `security` and the port",
    Step.LOGIN: "; check username and password",
    Step.SENDER: "; check `from`, and whether the relay wants a login",
}


class Session(smtplib.SMTP):
    """A conversation that ends within `config.timeout` seconds, however slowly the relay speaks.

    smtplib's own timeout is for each read, which a relay that sends a byte a second never exceeds. Every failure leaves
    as a `DeliveryError`.
    """

    def __init__(self, config: EmailConfig, clock: Clock) -> None:
        # A name of our own, because smtplib would look one up in the DNS, for as long as that takes.
        super().__init__(local_hostname=_own_name(), timeout=config.timeout)
        self._config = config
        self._clock = clock
        self._deadline = clock.monotonic() + config.timeout
        self._step = Step.TRUST
        self._context: ssl.SSLContext | None = None
        self._all_sent = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The outcome is settled by now: say goodbye and do not wait for the answer.
        with suppress(smtplib.SMTPException, OSError):
            self.putcmd("quit")
        self.close()
        if isinstance(error, smtplib.SMTPException | OSError):
            raise self._meaning(error) from error

    def try_out(self) -> None:
        """Everything up to the point where a mail would begin."""
        self._open()
        self._expect(self.noop())

    def deliver(self, sender: str, target: str, letter: bytes) -> str:
        """Hand over one mail for one recipient. Returns what the relay said last."""
        self._open()
        self._step = Step.SENDER
        self._expect(self.mail(sender, [f"size={len(letter)}"] if self.has_extn("size") else []))
        self._step = Step.RECIPIENT
        self._expect(self.rcpt(target))
        self._step = Step.CONTENT
        return self._expect(self.data(letter))

    def _open(self) -> None:
        if self._config.security_used != "none":
            self._context = ssl.create_default_context(cafile=self._config.ca_file)
        self._step = Step.CONNECT
        self._dial()
        self._step = Step.GREETING
        self._expect(self.getreply())
        self.ehlo_or_helo_if_needed()
        if self._config.security_used == "starttls":
            self._step = Step.ENCRYPTION
            self._encrypt()
        if self._config.username is not None and self._config.password is not None:
            self._step = Step.LOGIN
            self.login(self._config.username, self._config.password.get_secret_value())

    def _dial(self) -> None:
        place = (self._config.host, self._config.port_used)
        self.sock = dialled = socket.create_connection(place, timeout=min(_CONNECT, self._left()))
        if self._config.security_used == "tls":
            self.sock = self._wrapped(dialled)
        if self._config.security_used == "none" and not _is_near(dialled, allow_private=self._config.allow_private):
            raise DeliveryRefused(
                f"{self._config.host} is not on this machine, so the mail would travel unencrypted;"
                " set security: starttls, or allow_private: true for a relay in your own network",
                channel_dead=True,
            )

    def _encrypt(self) -> None:
        if not self.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError("STARTTLS")
        self._expect(self.docmd("STARTTLS"))
        if self.sock is not None:
            self.sock = self._wrapped(self.sock)
        # What was said in the clear does not count: it may have been said by somebody in between (RFC 3207, 4.2).
        self.file = None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False
        self.ehlo_or_helo_if_needed()

    def _wrapped(self, plain: socket.socket) -> socket.socket:
        plain.settimeout(self._left())
        return self._context.wrap_socket(plain, server_hostname=self._config.host) if self._context else plain

    # --- the clock

    def getreply(self) -> tuple[int, bytes]:
        """The next answer, within what is left of the time."""
        if self.file is None and self.sock is not None:
            self.file = _Answers(self.sock, self._left)
        return super().getreply()

    def send(self, s: bytes | str) -> None:  # type: ignore[override]
        """Write, within what is left of the time."""
        if self.sock is not None:
            self.sock.settimeout(self._left())
        super().send(s)
        self._all_sent = isinstance(s, bytes) and s.endswith(b"\r\n.\r\n")

    def _left(self) -> float:
        left = self._deadline - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError(f"it took longer than {self._config.timeout:g} s")
        return left

    # --- what answers mean

    def _expect(self, answer: tuple[int, bytes]) -> str:
        code, said = answer
        if not 200 <= code < 300:
            raise smtplib.SMTPResponseException(code, said)
        return f"{code} {_shown(said)}"

    def _meaning(self, error: smtplib.SMTPException | OSError) -> DeliveryError:
        if isinstance(error, smtplib.SMTPResponseException):
            return self._refusal(error.smtp_code, _shown(error.smtp_error))
        if isinstance(error, ssl.SSLCertVerificationError):
            because = f"{self._config.host} shows a certificate that cannot be trusted ({error.verify_message})"
            return DeliveryRefused(f"{because}; renew it, or name its authority in ca_file", channel_dead=True)
        if self._step is Step.TRUST:
            because = f"ca_file {self._config.ca_file} holds no certificates that can be read"
            return DeliveryRefused(f"{because}; check its path and that it is PEM", channel_dead=True)
        if isinstance(error, smtplib.SMTPException) and not isinstance(error, smtplib.SMTPServerDisconnected):
            missing = "a login" if self._step is Step.LOGIN else "STARTTLS"
            return DeliveryRefused(
                f"{self._config.host} does not offer {missing} that we know; check `security`", channel_dead=True
            )
        # Lost or too slow. If all was sent, the relay may have taken it before it fell silent.
        place = f"{self._config.host}:{self._config.port_used}"
        because = f"{place}: {self._step} failed ({_shown(str(error)) or 'no cause given'})"
        return DeliveryDelayed(because, ambiguous=self._all_sent)

    def _refusal(self, code: int, said: str) -> DeliveryError:
        """4xx: not now. 5xx: never as it is; before the recipient is named, that goes for every mail."""
        because = f"the mail server answers {code} {said} to {self._step}"
        if code < 500:
            return DeliveryDelayed(because)
        too_large = self._step is Step.SENDER and code == 552
        dead = self._step not in (Step.RECIPIENT, Step.CONTENT) and not too_large
        return DeliveryRefused(because + _REMEDIES.get(self._step, ""), channel_dead=dead)


class _Answers:
    """Reads lines, each read within the time that is left for all."""

    def __init__(self, sock: socket.socket, left: Callable[[], float]) -> None:
        self._sock = sock
        self._left = left
        self._buffer = b""
        self._total = 0

    def readline(self, limit: int) -> bytes:
        """Up to and with the next line feed, at most `limit` bytes; empty at the end."""
        while b"\n" not in self._buffer and len(self._buffer) < limit:
            self._sock.settimeout(self._left())
            some = self._sock.recv(4_096)
            self._total += len(some)
            if self._total > _MAX_ANSWERS:
                raise OSError("its answers do not end")
            if not some:
                break
            self._buffer += some
        end = min(self._buffer.find(b"\n") + 1 or len(self._buffer), limit)
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    def close(self) -> None:
        """The socket is closed by the session."""


def peer_of(sock: socket.socket) -> str:
    """The address at the other end. Tests that need other machines on one machine replace this."""
    return str(sock.getpeername()[0]).partition("%")[0]


def _is_near(sock: socket.socket, *, allow_private: bool) -> bool:
    address = ip_address(peer_of(sock))
    return address.is_loopback or (allow_private and address.is_private)


def _own_name() -> str:
    """What we call ourselves in the greeting; relays want a name with a dot or an address (RFC 5321, 4.1.3)."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _shown(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return cut(one_line(text), 200)
