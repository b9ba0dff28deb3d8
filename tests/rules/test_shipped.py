"""The rules.yaml that we ship: usable as it is, readable, and precise."""

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from listener import registry
from listener.decide.match import Matcher
from listener.decide.normalise import normalise
from listener.domain.mention import RawItem
from listener.domain.verdict import Severity
from listener.rules.load import Loaded, load
from listener.rules.schema import json_schema
from listener.rules.selftest import run_examples
from listener.rules.yaml_text import plain, read
from listener.settings import load_settings
from listener.testing.fakes import FakeClock

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "rules.yaml").read_text()
CONNECTORS = {name: kind.Config for name, kind in registry.connectors().items()}
NOTIFIERS = {name: kind.Config for name, kind in registry.notifiers().items()}


@pytest.fixture(scope="module")
def shipped() -> Loaded:
    return load(TEXT, file="rules.yaml", connectors=CONNECTORS, notifiers=NOTIFIERS, env={})


@pytest.fixture(scope="module")
def matcher(shipped: Loaded) -> Matcher:
    return Matcher(shipped.policy.brands, shipped.policy.topics, shipped.policy.intents)


def test_it_needs_no_secret_and_has_nothing_odd(shipped: Loaded) -> None:
    assert shipped.warnings == ()


def test_its_examples_hold(shipped: Loaded, matcher: Matcher) -> None:
    assert [str(failure) for failure in run_examples(shipped.policy, matcher)] == []


def test_every_topic_that_sets_a_floor_has_examples_of_both_kinds_in_both_languages(shipped: Loaded) -> None:
    for topic in shipped.policy.topics:
        if topic.at_least is not None:
            assert topic.examples.ignore, topic.id
            assert any(re.search("[가-힣]", text) for text in topic.examples.match), topic.id
            assert any(text.isascii() for text in topic.examples.match), topic.id


def test_its_schema_agrees() -> None:
    root = read(TEXT).root
    assert root is not None
    assert list(Draft202012Validator(json_schema(CONNECTORS, NOTIFIERS)).iter_errors(plain(root))) == []


def test_it_can_be_read_in_one_sitting() -> None:
    assert len(TEXT.splitlines()) < 350


# Written for this test, not when the terms were chosen.
URGENT = [
    "the kettle base melted onto the socket overnight",
    "logged in and it's someone else's account, their address and all",
    "is the site down for everyone or is it just me",
    "my lawyer will write to you, and I filed a complaint with the regulator",
    "보조배터리에서 연기가 나고 탄내가 심해요",
    "로그인하니 다른 사람 주문 내역이 보입니다",
    "지금 결제 먹통인데 나만 이런가요",
    "소비자원에 신고 접수했습니다",
]
HARMLESS = [
    "that solo was pure fire, the crowd went mad",
    "killing it this season, absolute legends",
    "battery lasts two days, charges fast",
    "came down from the mountain and everything was closed",
    "the ad has a lawyer joke in it",
    "디자인 미쳤다 진짜 불났네 불났어",
    "고소한 맛이 좋아요",
    "유출 걱정 없이 잘 쓰고 있어요",
    "환불도 바로 해주고 친절했어요",
]


def floor(shipped: Loaded, matcher: Matcher, text: str) -> Severity:
    found = matcher.match(normalise(RawItem(text=text), source_id="s", seen_at=FakeClock().now()))
    matters = [*shipped.policy.topics, *shipped.policy.intents]
    floors = [topic.at_least for topic in matters if topic.id in (*found.topics, *found.intents) and topic.at_least]
    return max(floors, key=lambda severity: severity.rank, default=Severity.LOW)


@pytest.mark.parametrize("text", URGENT)
def test_what_cannot_wait_is_raised_whatever_the_model_says(shipped: Loaded, matcher: Matcher, text: str) -> None:
    assert floor(shipped, matcher, text) is Severity.URGENT


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_sounds_alarming_is_not(shipped: Loaded, matcher: Matcher, text: str) -> None:
    assert floor(shipped, matcher, text) is Severity.LOW


def test_the_example_of_env_can_be_read_and_sets_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())
    (tmp_path / ".env").chmod(0o600)
    settings = load_settings({}, folder=tmp_path)
    assert (dict(settings.env), settings.warnings) == ({}, ())


def test_every_setting_is_in_the_example_of_env() -> None:
    example = (ROOT / ".env.example").read_text()
    for name in ("LISTENER_RULES", "LISTENER_DB", "LISTENER_LOG", "LISTENER_LOG_LEVEL", "LISTENER_EMBEDDING"):
        assert f"# {name}=" in example
