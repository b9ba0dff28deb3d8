"""What the owner of rules.yaml says about mail."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from listener.notifier import NotifierConfig

Security = Literal["starttls", "tls", "none"]

_PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}
_ATOM = r"[A-Za-z0-9!#$%&'*+/?^_`{|}~=-]+"
_ADDRESS = re.compile(
    rf"{_ATOM}(\.{_ATOM})*@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)


def _mail_address(text: str) -> str:
    if len(text) > 254 or "=?" in text or not _ADDRESS.fullmatch(text):
        raise ValueError("is not a mail address; write it as name@host, a domain in other scripts as xn--...")
    return text


Address = Annotated[str, AfterValidator(_mail_address)]


class EmailConfig(NotifierConfig):
    """The relay, who sends, who is told."""

    to: tuple[Address, ...] = Field(min_length=1, description="who is told; each address gets a mail of its own")
    sender: Address | None = Field(
        default=None, alias="from", description="who sends; without it listener@ the domain of the first recipient"
    )
    host: str = Field(default="localhost", pattern=r"^[A-Za-z0-9.:_-]{1,253}$", description="the SMTP relay's name")
    port: int | None = Field(default=None, ge=1, le=65_535, description="without it 587, 465 (tls) or 25 (none)")
    security: Security | None = Field(
        default=None, description="starttls, tls or none; without it none on this machine and starttls elsewhere"
    )
    username: str | None = Field(default=None, min_length=1, description="for relays that want a login")
    password: SecretStr | None = Field(default=None, min_length=1, description="give it as `password_env: NAME`")
    ca_file: Path | None = Field(default=None, description="certificates to trust instead of the system's")
    timeout: float = Field(
        default=30.0, ge=0.1, le=60.0, description="seconds for one whole mail, however slow the relay"
    )
    allow_private: bool = Field(default=False, description="with security none: the relay may be in a private network")

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together; give both or neither")
        secret = self.password.get_secret_value() if self.password else ""
        if not (secret.isascii() and (self.username or "").isascii()):
            raise ValueError("username and password must be ASCII, as SMTP logins are")
        return self

    @property
    def security_used(self) -> Security:
        """What applies if nothing is said: no relay on the own machine has a certificate for "localhost"."""
        if self.security is not None:
            return self.security
        return "none" if self.host in ("localhost", "127.0.0.1", "::1") else "starttls"

    @property
    def port_used(self) -> int:
        """The port, or the usual one."""
        return self.port or _PORTS[self.security_used]

    @property
    def sender_used(self) -> str:
        """The sender, or listener@ the first recipient's domain, which that domain's own relay will accept."""
        return self.sender or f"listener@{self.to[0].rpartition('@')[2]}"
