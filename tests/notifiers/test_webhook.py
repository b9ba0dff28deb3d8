"""Alerts as signed JSON."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from listener.notifier import Sent, Surroundings
from listener.notifiers.webhook import VERSION, Webhook, WebhookConfig
from listener.testing.fakes import FakeClock, FakeHttp, response
from listener.testing.notifier_suite import ALERT, NOTICE
from tests.http.hostile_server import HostileServer

SECRET = "a-shared-secret-of-ours"
DOCS = Path(__file__).parents[2] / "docs" / "notify.md"


def _verify_of_the_docs() -> Any:
    """The receiver's code, as docs/notify.md prints it."""
    code = re.search(r"```python\n(.*?def verify.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    found: dict[str, Any] = {}
    exec(code.group(1), found)  # our own documentation
    return found["verify"]


def _webhook(surroundings: Surroundings, **config: Any) -> Webhook:
    whole = {"url": "https://pager.example/in/aSecretPath", "secret": SECRET, **config}
    return Webhook(WebhookConfig.model_validate(whole), surroundings)


def test_a_receiver_verifies_it_with_the_code_in_the_docs(server: HostileServer, real: Surroundings) -> None:
    """Over a real socket, as the receiver's framework hands it over."""
    server.habits["/in"] = lambda visit: visit.answer(202)
    assert _webhook(real, url=server.url("/in"), allow_private=True).send(ALERT, "") == Sent(receipt="HTTP 202")
    hit, verify = server.hits[0], _verify_of_the_docs()
    timestamp, signature = hit.headers["listener-timestamp"], hit.headers["listener-signature"]
    now = float(timestamp) + 1
    assert verify(SECRET, timestamp, hit.body, signature, now=now)
    assert not verify(SECRET, timestamp, hit.body + b" ", signature, now=now)
    assert not verify("another-secret-of-ours", timestamp, hit.body, signature, now=now)
    assert not verify(SECRET, str(int(timestamp) + 1), hit.body, signature, now=now)
    assert not verify(SECRET, timestamp, hit.body, signature, now=now + timedelta(hours=1).total_seconds())
    assert hit.headers["idempotency-key"] == ALERT.dedupe_key


def test_without_a_secret_nothing_is_signed() -> None:
    http = FakeHttp(lambda _: response(200))
    _webhook(Surroundings(http=http, clock=FakeClock()), secret=None).send(NOTICE, "")
    assert "Listener-Signature" not in http.requests[0].headers
    assert http.requests[0].body is not None
    assert json.loads(http.requests[0].body)["version"] == VERSION


def test_a_receiver_in_korean_makes_a_valid_header() -> None:
    """Receivers are named by people, and header values are ASCII."""
    http = FakeHttp(lambda _: response(200))
    message = replace(ALERT, dedupe_key="C1:당직/0\n")
    _webhook(Surroundings(http=http, clock=FakeClock())).send(message, "")
    assert http.requests[0].headers["Idempotency-Key"] == "C1:%EB%8B%B9%EC%A7%81/0%0A"


def test_the_check_posts_nothing(server: HostileServer, real: Surroundings) -> None:
    assert "nothing was posted" in _webhook(real, url=server.url("/in"), allow_private=True).check()
    assert [hit.method for hit in server.hits] == ["HEAD"]


@pytest.mark.parametrize("config", [{"url": "http://pager.example/x"}, {"secret": "tiny1"}, {"url": "pager"}])
def test_an_unsafe_configuration_is_refused_without_showing_it(config: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as error:
        WebhookConfig.model_validate({"url": "https://pager.example/x", **config})
    assert not any(value in str(error.value) for value in config.values())


def test_every_key_of_the_document_is_in_the_docs() -> None:
    """The document is a contract with programs that we do not know."""
    http = FakeHttp(lambda _: response(200))
    _webhook(Surroundings(http=http, clock=FakeClock())).send(ALERT, "")
    assert http.requests[0].body is not None
    told = json.loads(http.requests[0].body)
    page = DOCS.read_text(encoding="utf-8")
    for key in (*told, *told["post"], *told["advice"]):
        assert f'"{key}":' in page
