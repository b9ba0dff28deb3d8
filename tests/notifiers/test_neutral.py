"""Hostile text is neutral in every sink: a corpus of known attacks, and thousands of generated ones.

Messages are made from raw text here, as if nothing before the notifier had cleaned it.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console as Terminal

from listener.domain.mention import Author
from listener.domain.message import Message
from listener.notifier import Surroundings
from listener.notifiers.console import Console, ConsoleConfig
from listener.notifiers.email.letter import compose
from listener.notifiers.slack import Slack, SlackConfig
from listener.notifiers.webhook import document
from listener.testing.fakes import FakeClock, FakeHttp, response
from listener.testing.notifier_sinks import mail_view
from listener.testing.notifier_suite import HOSTILE, problems, strings
from tests.alert_samples import MENTION, rendered

DATA = Path(__file__).parents[1] / "data" / "nasty_mentions.jsonl"
ROWS = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
WEBHOOK = "https://hooks.slack.example/x"
RECIPIENT = "oncall@haneul.example"


def _said(row: dict[str, Any]) -> Message:
    mention = replace(MENTION, title=row["title"], text=row["text"], url=row["url"], author=Author(name=row["author"]))
    return rendered(mention=mention)


# --- what each sink receives


def _chat(message: Message, flavour: str = "slack") -> dict[str, Any]:
    http = FakeHttp(lambda _: response(200, "ok"))
    config = SlackConfig.model_validate({"webhook": WEBHOOK, "flavour": flavour})
    Slack(config, Surroundings(http=http, clock=FakeClock())).send(message, "")
    body = http.requests[0].body
    assert body is not None
    payload: dict[str, Any] = json.loads(body)
    return payload


def _mail(message: Message) -> dict[str, Any]:
    raw = compose(message, sender="listener@haneul.example", target=RECIPIENT)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    return mail_view("listener@haneul.example", [RECIPIENT], raw)


def _terminal(message: Message, *, width: int = 10_000) -> str:
    printed = StringIO()
    terminal = Terminal(file=printed, width=width, force_terminal=False)
    clock = FakeClock()
    surroundings = Surroundings(http=FakeHttp(lambda _: response(500)), clock=clock)
    Console(ConsoleConfig(), surroundings, terminal=terminal).send(message, "")
    return printed.getvalue()


# --- the corpus


def _rows(sink: str) -> list[Any]:
    return [pytest.param(row, row["expectation"][sink], id=row["id"]) for row in ROWS if sink in row["expectation"]]


@pytest.mark.parametrize(("row", "expected"), _rows("slack"))
def test_slack_shows_and_never_obeys(row: dict[str, Any], expected: dict[str, Any]) -> None:
    payload = _chat(_said(row))
    texts = strings(payload)
    assert not [bad for bad in expected.get("not", ()) if any(bad in text for text in texts)]
    assert problems(payload, "chat") == []
    assert all(len(text) <= expected.get("max_len", 3_000) for text in texts)
    assert {text["type"] for text in _text_objects(payload)} == {"plain_text"}
    assert "link_names" not in payload
    assert (payload["unfurl_links"], payload["unfurl_media"]) == (False, False)


def _text_objects(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for part in node for found in _text_objects(part)]
    if not isinstance(node, dict):
        return []
    own = [node] if isinstance(node.get("text"), str) and "blocks" not in node else []
    return own + [found for part in node.values() for found in _text_objects(part)]


@pytest.mark.parametrize(("row", "expected"), _rows("email"))
def test_a_mail_keeps_its_headers_and_its_recipient(row: dict[str, Any], expected: dict[str, Any]) -> None:
    mail = _mail(_said(row))
    assert problems(mail, "html") == []
    assert mail["headers"]["To"] == RECIPIENT
    if expected.get("subject_roundtrip"):
        assert row["title"] in mail["headers"]["Subject"]


@pytest.mark.parametrize(("row", "expected"), _rows("email_html"))
def test_the_html_of_a_mail_holds_no_markup_but_ours(row: dict[str, Any], expected: dict[str, Any]) -> None:
    assert problems(_mail(_said(row)), "html") == []


@pytest.mark.parametrize(("row", "expected"), _rows("terminal"))
def test_a_terminal_shows_controls_and_markup_as_text(row: dict[str, Any], expected: dict[str, Any]) -> None:
    printed = _terminal(_said(row))
    assert problems({"text": printed}, "terminal") == []
    assert expected.get("literal", "") in printed


@pytest.mark.parametrize(("row", "expected"), _rows("url_dropped"))
def test_an_address_that_is_no_link_is_a_link_nowhere(row: dict[str, Any], expected: bool) -> None:
    message = _said(row)
    assert document(message)["post"]["url"] is None
    assert "actions" not in [block["type"] for block in _chat(message)["blocks"]]
    assert "title_link" not in _chat(message, "mattermost")["attachments"][0]
    assert "<a " not in _mail(message)["html"]
    assert row["url"] not in _terminal(message).replace(row["text"], "")


@pytest.mark.parametrize(("row", "expected"), _rows("url_shows_host"))
def test_a_deceptive_address_shows_its_true_host(row: dict[str, Any], expected: bool) -> None:
    message = _said(row)
    host = document(message)["post"]["host"]
    assert re.fullmatch(r"(x|evil|xn--[a-z0-9-]+|acme\.example\.evil)\.example", host)
    button = _chat(message)["blocks"][-1]["elements"][0]
    assert button["text"]["text"] == f"Open on {host}"
    assert f">Open on {host}" in _mail(message)["html"]
    assert f"//{host}/" in _terminal(message)


# --- and everything like it

FRAGMENTS = st.sampled_from(
    [
        *HOSTILE,
        *"<>&@＠!#[]()`*_~|\\$:'\"\r\n\t\x1b\x9b\x00가😡 ",
        *(
            "```",
            "//",
            "here",
            "channel",
            "everyone",
            "all",
            "http",
            "https://",
            "www.",
            "evil.example",
            "  ",
            "> ",
            "- ",
            "===",
        ),
        *(
            "=?",
            "utf-8",
            "?b?",
            "?=",
            "&#64;",
            "</div>",
            "<!--",
            "-->",
            "하늘항공",
            "👨‍👩‍👧",
            "🇰🇷",
            "e\u0301\u0323\u0302",
        ),
        *("\u202e", "\u2066", "\u200b", "\u2028", "\u0085", "\ud800", "\udc00", "\ufffe"),
    ]
)
TEXTS = st.lists(FRAGMENTS | st.text(st.characters(exclude_categories=()), max_size=8), max_size=24).map("".join)
SINKS: dict[str, Callable[[Message], list[str]]] = {
    "slack": lambda message: problems(_chat(message), "chat"),
    "mattermost": lambda message: _markdown_problems(_chat(message, "mattermost")),
    "rocketchat": lambda message: _markdown_problems(_chat(message, "rocketchat")),
    "mail": lambda message: problems(_mail(message), "html"),
    "terminal": lambda message: problems({"text": _terminal(message, width=80)}, "terminal"),
    "json": lambda message: problems(document(message), "json"),
}

_OUR_HEADINGS = re.compile(r"\*\*(Why|Do|Avoid|Next step):\*\*")
_ESCAPED = re.compile(r"\\[\\`*{}\[\]()#+\-.!_>~|]")
_LIVE = re.compile(r"[\[\]`~|#*_\\<]|://|@[\w.-]|&#?\w+;|^=+$", re.ASCII | re.MULTILINE)


def _markdown_problems(payload: dict[str, Any]) -> list[str]:
    """Whatever Mattermost and Rocket.Chat would read as markup, but for our own quotes, bullets and bold headings."""
    texts = [
        _ESCAPED.sub("·", _OUR_HEADINGS.sub("", text)) for text in (payload["text"], payload["attachments"][0]["text"])
    ]
    return problems(payload, "chat") + [f"markup in {text!r}" for text in texts if _LIVE.search(text)]


@settings(max_examples=600, deadline=None)
@given(text=TEXTS, title=TEXTS, author=TEXTS)
def test_generated_attacks_are_neutral(text: str, title: str, author: str) -> None:
    """In every field that a stranger writes, in every sink that exists."""
    message = rendered(mention=replace(MENTION, title=title, text=text, author=Author(name=author, handle=author)))
    assert {sink: found for sink, check in SINKS.items() if (found := check(message))} == {}


@pytest.mark.parametrize("flavour", ["mattermost", "rocketchat"])
def test_markdown_chats_show_known_attacks_and_never_obey(flavour: str) -> None:
    for row in ROWS:
        assert _markdown_problems(_chat(_said(row), flavour)) == []


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_the_subject_arrives_as_it_was_written(text: str) -> None:
    """Headline and subject are the same text, but for the start of an encoded word, which is broken."""
    message = rendered(mention=replace(MENTION, text=text))
    subject = _mail(message)["headers"]["Subject"]
    assert _letters(subject) == _letters(message.headline)


def _letters(text: str) -> str:
    return "".join(character for character in text if unicodedata.category(character)[0] in "LN")
