"""Posts alerts as signed JSON to any address: a ticket system, a pager, a program of your own."""

import hashlib
import hmac
import json
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from listener.decide.defang import clean, cut, link, one_line
from listener.domain.message import Post
from listener.notifier import Limits, Message, NotifierConfig, SecretUrl, Sent, Surroundings, post, reachable
from listener.ports import Request

VERSION = 1


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < 16:
        raise ValueError("is too short to keep others from guessing it; make one with: openssl rand -hex 32")
    return secret


class WebhookConfig(NotifierConfig):
    """Where to post, and the secret that proves that it was us."""

    url: SecretUrl = Field(description="where to post; https, unless `allow_private` is on")
    secret: Annotated[SecretStr, AfterValidator(_long_enough)] | None = Field(
        default=None, description="shared with the receiver, at least 16 characters; signs each request"
    )
    allow_private: bool = Field(
        default=False, description="may lead to loopback or a private network, and be plain http"
    )

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if urlsplit(self.url.get_secret_value()).scheme != "https" and not self.allow_private:
            raise ValueError("url must begin with https://; inside your own network set allow_private: true")
        return self


class Webhook:
    """Posts each alert and notice as one JSON document, signed with HMAC-SHA256.

    Any 2xx is delivery. 429, 408, 425 and 5xx are tried again, after `Retry-After` if given; 401, 403, 404 and 410 rest
    the channel and are announced elsewhere. `Idempotency-Key` is the same for every attempt of one notification.
    """

    name: ClassVar[str] = "webhook"
    Config: ClassVar[type[NotifierConfig]] = WebhookConfig
    limits: ClassVar[Limits] = Limits(max_title=200, max_body=20_000, per_minute=600, markup="json")

    def __init__(self, config: WebhookConfig, surroundings: Surroundings) -> None:
        self._config = config
        self._surroundings = surroundings

    @property
    def targets(self) -> tuple[str, ...]:
        """One: the address."""
        return ("",)

    def check(self) -> str:
        """Knock at the host; nothing is posted."""
        url = self._config.url.get_secret_value()
        place = reachable(self._surroundings.http, url, allow_private=self._config.allow_private)
        return f"{place} answers; nothing was posted"

    def send(self, message: Message, target: str) -> Sent:
        """Post it once."""
        body = json.dumps(document(message), ensure_ascii=False, separators=(",", ":")).encode()
        request = Request(
            url=self._config.url.get_secret_value(),
            method="POST",
            headers=self._headers(message, body),
            body=body,
            deadline=10.0,
            connect_timeout=3.0,
            max_bytes=65_536,
            allow_private=self._config.allow_private,
            follow=0,
        )
        response = post(self._surroundings.http, request, clock=self._surroundings.clock)
        return Sent(receipt=f"HTTP {response.status}")

    def _headers(self, message: Message, body: bytes) -> dict[str, str]:
        timestamp = str(int(self._surroundings.clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": quote(message.dedupe_key, safe=":/@.+-_"),
            "Listener-Timestamp": timestamp,
        }
        if self._config.secret is not None:
            headers["Listener-Signature"] = signature(self._config.secret.get_secret_value(), timestamp, body)
        return headers


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256 of timestamp, dot and body, in hexadecimal. The timestamp is signed against replays."""
    signed = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def document(message: Message) -> dict[str, Any]:
    """The JSON document, version 1. Keys are only ever added; a change of meaning is another version."""
    return {
        "version": VERSION,
        "why": str(message.why),
        "case": message.case_name and _neutral(message.case_name),
        "severity": message.severity and str(message.severity),
        "headline": _neutral(message.headline, limit=Webhook.limits.max_title),
        "body": _neutral_text(message.body),
        "brands": [_neutral(brand) for brand in message.brands],
        "topics": [_neutral(topic) for topic in message.topics],
        "reasons": [_neutral(reason) for reason in message.reasons],
        "clock": message.clock and _neutral(message.clock),
        "advice": {
            "do": [_neutral(line) for line in message.do],
            "avoid": [_neutral(line) for line in message.avoid],
            "handle_by": message.handle_by and _neutral(message.handle_by),
        },
        "next_step": message.how and _neutral(message.how),
        "post": _post(message.post) if message.post else None,
        "mention_count": message.mention_count,
        "possible_repeat": message.possible_repeat,
        "dedupe_key": message.dedupe_key,
        "thread_key": message.thread_key,
        "created_at": message.created_at.isoformat(),
    }


def _post(post: Post) -> dict[str, Any]:
    shown = link(post.url)
    return {
        "author": _neutral(post.author),
        "reach": _neutral(post.reach),
        "title": post.title and _neutral(post.title),
        "text": _neutral_text(post.text),
        "url": shown.url if shown else None,
        "host": shown.host if shown else None,
        "source": _neutral(post.source),
        "age": _neutral(post.age),
        "said_at": post.said_at.isoformat(),
    }


def _neutral(text: str, *, limit: int = 500) -> str:
    """One line without controls or reordering. JSON needs no escapes of ours; what a page makes of it, the page escapes."""
    return cut(one_line(text), limit)


def _neutral_text(text: str) -> str:
    return cut(clean(text), Webhook.limits.max_body)
