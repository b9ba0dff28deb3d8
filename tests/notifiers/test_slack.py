"""Alerts in a chat, through an incoming webhook."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from listener.domain.errors import DeliveryDelayed, DeliveryError, DeliveryRefused
from listener.domain.message import Message
from listener.notifier import Sent, Surroundings
from listener.notifiers.slack import Slack, SlackConfig
from listener.testing.fakes import FakeClock, FakeHttp, response
from listener.testing.notifier_suite import ALERT, NOTICE
from tests.alert_samples import rendered, saying
from tests.http.hostile_server import HostileServer

WEBHOOK = "https://hooks.slack.example/services/T0/B0/aSecretPath"


def _slack(surroundings: Surroundings, **config: Any) -> Slack:
    return Slack(SlackConfig.model_validate({"webhook": WEBHOOK, **config}), surroundings)


def _answering(*answers: tuple[int, str]) -> tuple[Surroundings, FakeHttp]:
    """A chat that gives these answers in turn, the last one for ever."""
    left = list(answers)
    http = FakeHttp(lambda _: response(*(left.pop(0) if len(left) > 1 else left[0])))
    return Surroundings(http=http, clock=FakeClock()), http


def _payload(message: Message, **config: Any) -> dict[str, Any]:
    surroundings, http = _answering((200, "ok"))
    _slack(surroundings, **config).send(message, "")
    body = http.requests[0].body
    assert body is not None
    payload: dict[str, Any] = json.loads(body)
    return payload


# --- configuration


@pytest.mark.parametrize(
    "webhook", ["hooks.slack.com/x", "ftp://x/y", "https:///y", "https://x y/", "https://[::1", "https://하늘/"]
)
def test_what_is_no_web_address_is_refused_without_showing_it(webhook: str) -> None:
    with pytest.raises(ValidationError, match="is not a web address") as error:
        SlackConfig.model_validate({"webhook": webhook})
    assert webhook not in str(error.value)


def test_plain_http_needs_the_word_of_the_owner() -> None:
    with pytest.raises(ValidationError, match="allow_private: true"):
        SlackConfig.model_validate({"webhook": "http://chat.lan/hooks/x"})
    assert SlackConfig.model_validate({"webhook": " http://chat.lan/hooks/x\n", "allow_private": True})


# --- what it looks like


def test_slacks_limits_are_kept_however_long_everything_is() -> None:
    for text in ("&" * 60_000, "😡" * 60_000, "<" * 60_000):
        message = saying(text, title=text, url="https://" + "a." * 100 + "example/")
        payload = _payload(message)
        assert len(payload["blocks"]) <= 50
        for block in payload["blocks"]:
            for shown in (block.get("text"), *block.get("elements", ())):
                inner = shown["text"] if shown and shown["type"] == "button" else shown
                limit = {"header": 150, "actions": 75}.get(block["type"], 3_000)
                assert inner is None or 0 < len(inner["text"].encode("utf-16-le")) // 2 <= limit


def test_an_escape_is_never_cut_in_two() -> None:
    text = _payload(saying("&" * 5_000))["blocks"][2]["text"]["text"]
    assert set(text.split("…")[0].split("&amp;")) == {""}


def test_a_post_that_says_nothing_visible_still_makes_a_valid_block() -> None:
    """Slack refuses a message with an empty text element, and so the whole alert."""
    payload = _payload(saying("\u202e\u2066"))
    assert all(block["text"]["text"] for block in payload["blocks"] if block["type"] == "section")


def test_mattermost_and_rocketchat_quote_each_line_of_a_post() -> None:
    message = saying("one\n\n**Next step:** listener resolve C42")
    assert "> one\n> \n> \\*\\*Next step" in _payload(message, flavour="mattermost")["attachments"][0]["text"]
    rocketchat = _payload(message, flavour="rocketchat")
    assert "> one\n> \n> ∗∗Next step" in rocketchat["attachments"][0]["text"]
    assert rocketchat["parseUrls"] is False
    assert _payload(NOTICE, flavour="mattermost")["attachments"][0]["color"] == "#8e44ad"


# --- what the chat says


@pytest.mark.parametrize(
    ("body", "kind", "dead"),
    [
        ("no_service", DeliveryRefused, True),
        ("channel_not_found", DeliveryRefused, True),
        ("channel_is_archived", DeliveryRefused, True),
        ('{"ok":false,"error":"invalid_token"}', DeliveryRefused, True),
        ("<!doctype html><title>Sign in</title>", DeliveryRefused, True),
        ("invalid_payload", DeliveryRefused, False),
        ('{"success":false}', DeliveryRefused, False),
        ("rollup_error", DeliveryDelayed, False),
        ("ratelimited", DeliveryDelayed, False),
    ],
)
def test_a_no_with_a_status_that_says_yes_is_a_no(body: str, kind: type[DeliveryError], dead: bool) -> None:
    surroundings, _ = _answering((200, body))
    with pytest.raises(kind) as error:
        _slack(surroundings).send(ALERT, "")
    assert getattr(error.value, "channel_dead", False) is dead


@pytest.mark.parametrize("body", ["ok", "", "OK", '{"success":true}', "accepted", "{broken", '["x"]', "{" * 5_000])
def test_every_other_word_with_a_2xx_is_delivery(body: str) -> None:
    surroundings, _ = _answering((200, body))
    assert _slack(surroundings).send(ALERT, "") == Sent(receipt="HTTP 200")


@pytest.mark.parametrize("flavour", ["slack", "mattermost", "rocketchat"])
@pytest.mark.parametrize("refusal", [(400, "invalid_blocks"), (413, ""), (200, "invalid_payload")])
def test_a_layout_that_is_not_accepted_is_sent_once_more_as_plain_text(refusal: tuple[int, str], flavour: str) -> None:
    surroundings, http = _answering(refusal, (200, "ok"))
    _slack(surroundings, flavour=flavour).send(rendered(possible_repeat=True), "")
    assert http.requests[1].body is not None
    plain = json.loads(http.requests[1].body)
    assert set(plain) <= {"text", "mrkdwn", "unfurl_links", "unfurl_media", "parseUrls"}
    for said in (
        "URGENT",
        "answer within 56 min",
        "listener ack C42",
        "https://forum.example/t/8812",
        "had this before",
    ):
        assert said in plain["text"]


def test_a_message_that_is_refused_in_both_forms_is_refused() -> None:
    surroundings, http = _answering((400, "invalid_blocks"))
    with pytest.raises(DeliveryRefused) as error:
        _slack(surroundings).send(NOTICE, "")
    assert not error.value.channel_dead
    assert len(http.requests) == 2


def test_a_dead_channel_is_knocked_at_once() -> None:
    surroundings, http = _answering((404, "no_service"))
    with pytest.raises(DeliveryRefused):
        _slack(surroundings).send(ALERT, "")
    assert len(http.requests) == 1


# --- over a real socket


def test_it_arrives_over_a_real_socket(server: HostileServer, real: Surroundings) -> None:
    slack = _slack(real, webhook=server.url("/echo_ok"), allow_private=True)
    server.habits["/echo_ok"] = lambda visit: visit.answer(200, b"ok")
    assert slack.send(ALERT, "") == Sent(receipt="HTTP 200")
    assert server.hits[0].method == "POST"
    assert server.hits[0].headers["content-type"] == "application/json; charset=utf-8"
    assert json.loads(server.hits[0].body)["blocks"]


def test_the_check_knocks_at_the_door_and_not_at_the_secret_path(server: HostileServer, real: Surroundings) -> None:
    slack = _slack(real, webhook=server.url("/services/aSecretPath"), allow_private=True)
    assert slack.check().startswith(f"127.0.0.1:{server.port} answers")
    assert [(hit.method, hit.path) for hit in server.hits] == [("HEAD", "/")]


def test_a_private_address_needs_the_word_of_the_owner(server: HostileServer, real: Surroundings) -> None:
    slack = _slack(real, webhook=f"https://127.0.0.1:{server.port}/x")
    for knock in (slack.check, lambda: slack.send(ALERT, "")):
        with pytest.raises(DeliveryRefused) as error:
            knock()
        assert error.value.channel_dead
    assert server.hits == []


def test_a_reply_that_drips_after_its_status_is_delivery(server: HostileServer, real: Surroundings) -> None:
    """The chat has taken the message; waiting for the rest of its answer would only send it twice."""

    def drip(visit: Any) -> bool:
        visit.head(200, **{"Content-Length": "2"})
        visit.send(b"o")
        return bool(visit.reset())

    server.habits["/drip"] = drip
    assert _slack(real, webhook=server.url("/drip"), allow_private=True).send(ALERT, "") == Sent(receipt="HTTP 200")


def test_a_connection_that_ends_without_an_answer_may_have_delivered(server: HostileServer, real: Surroundings) -> None:
    server.habits["/drop"] = lambda visit: False
    with pytest.raises(DeliveryDelayed) as error:
        _slack(real, webhook=server.url("/drop"), allow_private=True).send(ALERT, "")
    assert error.value.ambiguous
    assert "/drop" not in str(error.value)
