"""Posts alerts to a chat through an incoming webhook: Slack, Mattermost, Rocket.Chat."""

import json
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from listener.decide.defang import clean, cut, one_line, utf16
from listener.decide.layout import REPEAT, Block, Part, blocks, shown_link
from listener.domain.errors import DeliveryDelayed, DeliveryRefused
from listener.domain.verdict import Severity
from listener.notifier import Limits, Message, NotifierConfig, SecretUrl, Sent, Surroundings, post, reachable
from listener.ports import Request, Response

Json = dict[str, Any]

# Slack's limits. Source: Block Kit reference (header 150, section text 3,000, button text 75, context element 3,000).
# They are counted here in UTF-16 units after escaping, the most careful reading of "characters".
_HEADER, _SECTION, _BUTTON = 150, 3_000, 75
_POST = 2_600
_COLOURS = {Severity.URGENT: "#c0392b", Severity.HIGH: "#e67e22", Severity.NORMAL: "#2980b9", Severity.LOW: "#7f8c8d"}
_NOTICE_COLOUR = "#8e44ad"


class Flavour(StrEnum):
    """Which program reads the webhook."""

    SLACK = "slack"
    MATTERMOST = "mattermost"
    ROCKETCHAT = "rocketchat"


class SlackConfig(NotifierConfig):
    """The webhook and whose it is."""

    webhook: SecretUrl = Field(
        description="the incoming webhook's address; a password, so give it as `webhook_env: NAME`"
    )
    flavour: Flavour = Field(default=Flavour.SLACK, description="slack, mattermost or rocketchat")
    allow_private: bool = Field(
        default=False, description="may lead to loopback or a private network, and be plain http"
    )

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if urlsplit(self.webhook.get_secret_value()).scheme != "https" and not self.allow_private:
            raise ValueError("webhook must begin with https://; inside your own network set allow_private: true")
        return self


class Slack:
    """Posts each alert to one channel of Slack, Mattermost or Rocket.Chat through an incoming webhook.

    Text from a post pings nobody, links nowhere and looks like what it is. Webhooks know no threads, so an update is a
    message of its own that names the case. One message a second, as Slack asks. A layout that the chat does not accept
    (400, 413) is sent once more as plain text.
    """

    name: ClassVar[str] = "slack"
    Config: ClassVar[type[NotifierConfig]] = SlackConfig
    limits: ClassVar[Limits] = Limits(max_title=_HEADER, max_body=_SECTION, per_minute=60, markup="chat")

    def __init__(self, config: SlackConfig, surroundings: Surroundings) -> None:
        self._config = config
        self._surroundings = surroundings

    @property
    def targets(self) -> tuple[str, ...]:
        """One: the channel that the webhook belongs to."""
        return ("",)

    def check(self) -> str:
        """Knock at the host. A webhook cannot be tried without telling somebody, so its path is not."""
        url = self._config.webhook.get_secret_value()
        place = reachable(self._surroundings.http, url, allow_private=self._config.allow_private)
        return f"{place} answers; a webhook can only be tried by a message, so none was sent"

    def send(self, message: Message, target: str) -> Sent:
        """Post it, at most twice: in full, and as plain text if that was not accepted."""
        full, plain = _FORMS[self._config.flavour](message)
        try:
            return self._post(full)
        except DeliveryRefused as error:
            if error.channel_dead:
                raise
            return self._post(plain)

    def _post(self, payload: Json) -> Sent:
        request = Request(
            url=self._config.webhook.get_secret_value(),
            method="POST",
            headers={"Content-Type": "application/json; charset=utf-8"},
            body=json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(),
            deadline=10.0,
            connect_timeout=3.0,
            max_bytes=65_536,
            allow_private=self._config.allow_private,
            follow=0,
        )
        return _accepted(post(self._surroundings.http, request, clock=self._surroundings.clock))


# --- what the chat says ------------------------------------------------------------------------------------------------

# Source: Slack's changelog of 2016-05-17 on errors of incoming webhooks, and its incoming webhooks page.
_DEAD = {
    "action_prohibited",
    "channel_is_archived",
    "channel_not_found",
    "invalid_token",
    "no_active_hooks",
    "no_service",
    "no_team",
    "posting_to_general_channel_denied",
    "team_disabled",
    "user_not_found",
}
_LATER = {"fatal_error", "internal_error", "rate_limited", "ratelimited", "rollup_error", "service_unavailable"}
_ERROR_WORD = re.compile(r"[a-z]+(_[a-z]+)+|ratelimited")


def _accepted(response: Response) -> Sent:
    """Read the body of a 2xx: some chats and proxies say no with a status that says yes."""
    text = response.body[:4_096].decode("utf-8", "replace").strip()
    if text.startswith("<"):
        raise DeliveryRefused("the webhook's address answers with a web page; check the address", channel_dead=True)
    word = _error_word(text)
    if word in _LATER:
        raise DeliveryDelayed(f"the chat has a fault of its own ({word})")
    if word in _DEAD:
        raise DeliveryRefused(f"the chat refuses this webhook ({word}); make a new one", channel_dead=True)
    if word is not None:
        raise DeliveryRefused(f"the chat did not accept the message ({word})")
    return Sent(receipt=f"HTTP {response.status}")


def _error_word(text: str) -> str | None:
    """`no_service`, or what a JSON body gives as its error; `None` if the body reports none."""
    if _ERROR_WORD.fullmatch(text):
        return text
    try:
        said = json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and (said.get("ok") is False or said.get("success") is False):
        return cut(one_line(str(said.get("error") or "no reason given")), 80)
    return None


# --- Slack: Block Kit, plain_text only ---------------------------------------------------------------------------------


def _slack_forms(message: Message) -> tuple[Json, Json]:
    shown = shown_link(message)
    headline = _slack(message.headline, limit=_HEADER, line=True)
    layout: list[Json] = [{"type": "header", "text": _plain(message.headline, limit=_HEADER, line=True)}]
    layout += [_slack_block(block) for block in blocks(message)]
    if shown is not None:
        button = {"type": "button", "text": _plain(f"Open on {shown.name}", limit=_BUTTON, line=True), "url": shown.url}
        layout.append({"type": "actions", "elements": [button]})
    # `text` is what a phone's notification shows. `link_names` is never set; unfurling would fetch the post's links.
    quiet = {"mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
    plain = [_slack(line, limit=_SECTION // 3) for line in _short(message)]
    address = [shown.url.replace("&", "&amp;")] if shown else []
    return {"text": headline, "blocks": layout, **quiet}, {"text": "\n".join(plain + address), **quiet}


def _short(message: Message) -> list[str]:
    """The message in a few lines, for a chat that does not take its layout."""
    repeat = REPEAT if message.possible_repeat else None
    return [line for line in (message.headline, message.clock, message.body, message.how, repeat) if line]


def _slack_block(block: Block) -> Json:
    if block.part in (Part.STATUS, Part.ORIGIN, Part.REPEAT):
        return {"type": "context", "elements": [_plain(block.shown(), limit=_SECTION // 2, line=True)]}
    return {"type": "section", "text": _plain(block.shown("• "), limit=_POST if block.part is Part.POST else _SECTION)}


def _plain(text: str, *, limit: int, line: bool = False) -> Json:
    # Slack refuses an element whose text is empty; `emoji` off leaves :codes: as the author wrote them.
    return {"type": "plain_text", "text": _slack(text, limit=limit, line=line) or "-", "emoji": False}


_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL_MENTION = re.compile("([@\uff20])(?=(?:here|channel|everyone|all|group)\\b)", re.IGNORECASE)
_BREAK = "\u200b"


def _slack(text: str, *, limit: int, line: bool = False) -> str:
    """What Slack shows and never obeys: the three characters of its markup escaped, the words that call everybody broken."""
    shown = _SPECIAL_MENTION.sub(rf"\1{_BREAK}", one_line(text) if line else clean(text))
    short = cut(shown, limit, cost=_slack_cost)
    return "".join(_ESCAPES.get(character, character) for character in short)


def _slack_cost(character: str) -> int:
    return utf16(_ESCAPES.get(character, character))


# --- Mattermost and Rocket.Chat: Markdown ------------------------------------------------------------------------------


def _markdown_forms(message: Message, neutral: Callable[[str], str], extra: Json) -> tuple[Json, Json]:
    shown = shown_link(message)
    headline = neutral(cut(one_line(message.headline), _HEADER))
    attachment: Json = {
        "fallback": headline,
        "color": _COLOURS[message.severity] if message.severity else _NOTICE_COLOUR,
        "text": "\n\n".join(_markdown_block(block, neutral) for block in blocks(message)),
    }
    if shown is not None:
        attachment |= {"title": f"Open on {shown.name}", "title_link": shown.url}
    plain = [neutral(cut(line, _SECTION // 3)) for line in _short(message)]
    short = "\n".join(plain + ([shown.url] if shown else []))
    return {"text": headline, "attachments": [attachment], **extra}, {"text": short, **extra}


def _markdown_block(block: Block, neutral: Callable[[str], str]) -> str:
    if block.part is Part.POST:
        return "\n".join(f"> {line}" for line in neutral(cut(block.shown(), _POST)).split("\n"))
    if block.heading is None:
        return neutral(cut(block.shown(), _SECTION))
    # The heading and the bullets are ours, and the only markup in the message.
    lines = [neutral(cut(one_line(line), _SECTION // 5)) for line in block.lines]
    start = f"**{block.heading}:**"
    return f"{start} {lines[0]}" if len(lines) == 1 else "\n- ".join((start, *lines))


# A zero-width space after these ends a mention, a link, an entity or an emoji code before it begins. Mattermost decodes
# entities before it looks for mentions, so "&#64;all" calls everybody unless the ampersand is broken too.
_SIGNS = re.compile(r"(@|\uff20|&(?=[#a-zA-Z])|:(?=//|[a-zA-Z0-9_+-]+:)|www(?=\.)|(?<![^\n])[ ]*=|\$)")
_MATTERMOST_MARKUP = re.compile(r"([\\`*{}\[\]()#+\-.!_>~|])")
# Rocket.Chat's older parser knows no escapes: its markup characters give way to look-alikes that mean nothing to it.
_ROCKETCHAT_MARKUP = str.maketrans("*_~`[]|\\#><", "∗＿∼ˋ［］∣∖＃›‹")


def _mattermost(text: str) -> str:
    """What Mattermost shows and never obeys."""
    broken = _SIGNS.sub(rf"\1{_BREAK}", clean(text))
    return _MATTERMOST_MARKUP.sub(r"\\\1", broken.replace("$", "＄").replace("<", "‹"))


def _rocketchat(text: str) -> str:
    """What Rocket.Chat shows and never obeys."""
    return _SIGNS.sub(rf"\1{_BREAK}", clean(text)).replace("$", "＄").translate(_ROCKETCHAT_MARKUP)


_FORMS: dict[Flavour, Callable[[Message], tuple[Json, Json]]] = {
    Flavour.SLACK: _slack_forms,
    Flavour.MATTERMOST: lambda message: _markdown_forms(message, _mattermost, {}),
    Flavour.ROCKETCHAT: lambda message: _markdown_forms(message, _rocketchat, {"parseUrls": False}),
}
