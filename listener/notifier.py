"""The notifier kit: what a notifier declares and does.

A notifier is one module in `listener/notifiers/` with one class. It gives a `Message` the form of its sink, cuts it to the
sink's limits, neutralises hostile text as its last step, sends it once, and says truthfully what became of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Protocol
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

from listener.connector import retry_after
from listener.domain.errors import DeliveryDelayed, DeliveryError, DeliveryRefused, Fault, TransportError
from listener.domain.message import Message
from listener.ports import Clock, HttpClient, Request, Response

__all__ = [
    "Limits",
    "Message",
    "Notifier",
    "NotifierConfig",
    "SecretUrl",
    "Sent",
    "Surroundings",
    "post",
    "reachable",
]


class NotifierConfig(BaseModel):
    """Base of a notifier's typed configuration. Unknown keys are refused; secrets are `SecretStr`, and never in errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _web_address(secret: SecretStr) -> SecretStr:
    url = secret.get_secret_value().strip()
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or len(url) > 4_096 or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("is not a web address; paste it whole, from https:// to its end")
    return SecretStr(url)


SecretUrl = Annotated[SecretStr, AfterValidator(_web_address)]
"""The address of a webhook. Its path is a password, so it is never shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the sink takes: characters of title and body, messages a minute (paced per channel), and its markup's name."""

    max_title: int
    max_body: int
    per_minute: float
    markup: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The sink accepted it. `receipt` is what it said (an id, a status), for the timeline."""

    receipt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a notifier may use. `http` reaches private networks only if the notifier's configuration allows it."""

    http: HttpClient
    clock: Clock


class Notifier(Protocol):
    """One means of telling people. The class docstring is its page in docs/notify.md."""

    name: ClassVar[str]
    Config: ClassVar[type[NotifierConfig]]
    limits: ClassVar[Limits]

    def __init__(self, config: Any, surroundings: Surroundings) -> None:
        """Keep the collaborators. Touches no network."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The parts that fail alone, each with an outbox row of its own (e-mail addresses); ("",) if there are none."""
        ...

    def check(self) -> str:
        """Try the sink without telling anybody, where it allows that. Returns what was tried; raises `DeliveryError`."""
        ...

    def send(self, message: Message, target: str) -> Sent:
        """Send once. Raises `DeliveryDelayed` (try again) or `DeliveryRefused` (never as it is)."""
        ...


def post(http: HttpClient, request: Request, *, clock: Clock) -> Response:
    """Make the exchange and map every outcome but 2xx to the right `DeliveryError`. A 2xx status line is delivery."""
    try:
        response = http.fetch(request)
    except TransportError as error:
        raise _transport_error(error) from error
    if 200 <= response.status < 300:
        return response
    raise _status_error(response.status, response.headers, clock)


def _transport_error(error: TransportError) -> DeliveryError:
    if error.fault in (Fault.BLOCKED_ADDRESS, Fault.BAD_SCHEME):
        return DeliveryRefused(str(error), channel_dead=True)
    return DeliveryDelayed(str(error), ambiguous=error.ambiguous)


def _status_error(status: int, headers: Mapping[str, str], clock: Clock) -> DeliveryError:
    wait = retry_after(headers, now=clock.now())
    if status in (401, 403, 404, 407, 410):
        return DeliveryRefused(
            f"the sink refuses us (HTTP {status}); check the webhook's address and key", channel_dead=True
        )
    if status == 429:
        return DeliveryDelayed("the sink asks us to slow down (HTTP 429)", retry_after=wait)
    if status >= 500 or status in (408, 425):
        return DeliveryDelayed(f"the sink has a fault of its own (HTTP {status})", retry_after=wait)
    if 300 <= status < 400:
        return DeliveryRefused(f"the sink redirects us (HTTP {status}); give its final address", channel_dead=True)
    return DeliveryRefused(f"the sink did not accept the message (HTTP {status})")


def reachable(http: HttpClient, url: str, *, allow_private: bool) -> str:
    """Knock at the front door of the host of `url`, without the secret path and without telling anybody anything.

    Any answer will do. Raises `DeliveryError` if there is none.
    """
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    door = Request(
        url=f"{parts.scheme}://{place}/",
        method="HEAD",
        deadline=10.0,
        connect_timeout=3.0,
        max_bytes=65_536,
        allow_private=allow_private,
        follow=0,
    )
    try:
        http.fetch(door)
    except TransportError as error:
        raise _transport_error(error) from error
    return place
