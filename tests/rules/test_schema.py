"""The schema for editors agrees with the program."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from listener import registry
from listener.rules.schema import json_schema
from listener.rules.yaml_text import plain, read
from tests.rules.plugins import CONNECTORS, NOTIFIERS, errors, policy

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json_schema(CONNECTORS, NOTIFIERS)
VALIDATOR = Draft202012Validator(SCHEMA)


def complaints(text: str) -> list[str]:
    root = read(text).root
    assert root is not None
    return [error.message for error in VALIDATOR.iter_errors(plain(root))]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


GOOD = [
    "version: 1",
    "brands:\nsources: {}\n",
    "brands: {a: {query: x, rivals: y, accounts: ['@a', b.example]}}",
    "sources: {s: {connector: feed, url: x, every: 1h30m, mode: off}}",
    "sources: {s: {connector: feed, url_env: NAME, title_env: OTHER}}",
    "topics: {t: {any: [404, 1.10, true, x], none: y, near: brand/5, at_least: high, points: 1.5, advice: {do: x}}}",
    "receivers: {r: {notify: [{notifier: chat, webhook_env: HOOK, flavour: mattermost}, {notifier: mail, to: [a], from: b}]}}",
    "routes: {receiver: none, group_wait: 30s, routes: [{when: severity=urgent, continue: true}]}",
    "quiet_hours: {zone: Asia/Seoul, from: 22:00, to: '07:00', except: [urgent]}",
    "respond_within: {urgent: 5m}\nscoring: {lexicon: {meh: -1}, unknown: {review: false}}",
]


@pytest.mark.parametrize("text", GOOD)
def test_a_good_file_pleases_both(text: str) -> None:
    assert complaints(text) == []
    policy(text, {"NAME": "https://x", "OTHER": "x", "HOOK": "https://x"})


BAD = [
    "version: 2",
    "brandz: {}",
    "brands: {a: {name: x}}",
    "brands: {a: {query: x, exclud: y}}",
    "sources: {s: {connector: fed, url: x}}",
    "sources: {s: {connector: feed}}",
    "sources: {s: {connector: feed, url: x, tags: [y]}}",
    "sources: {s: {connector: feed, url: x, every: 5}}",
    "sources: {s: {connector: search, mode: shadw}}",
    "topics: {t: {any: x, points: lots}}",
    "topics: {t: {any: x, near: 12}}",
    "topics: {t: {any: {a: b}}}",
    "receivers: {r: {notify: []}}",
    "receivers: {r: {notify: [{notifier: chat}]}}",
    "receivers: {r: {notify: [{notifier: chat, webhook_env: 'a b'}]}}",
    "receivers: {r: {notify: [{notifier: console, webhook: x}]}}",
    "quiet_hours: {zone: UTC, from: 25:00, to: '07:00'}",
    "scoring: {severity: {urgent: 101}}",
]


@pytest.mark.parametrize("text", BAD)
def test_a_bad_file_displeases_both(text: str) -> None:
    assert complaints(text)
    assert errors(text)


def test_nested_models_of_a_plugin_keep_their_definitions_apart() -> None:
    from pydantic import BaseModel

    class Inner(BaseModel):
        size: int

    class Outer(BaseModel):
        title: str
        inner: Inner

    schema = json_schema({"one": Outer, "two": Outer}, NOTIFIERS)
    assert {"connector.one.Inner", "connector.two.Inner"} <= set(schema["$defs"])
    validator = Draft202012Validator(schema)
    good = {"sources": {"s": {"connector": "one", "title": "x", "inner": {"size": 1}}}}
    assert validator.is_valid(good)
    assert not validator.is_valid({"sources": {"s": {"connector": "one", "title": "x", "inner": {"size": "y"}}}})


def test_the_shipped_schema_is_not_stale() -> None:
    now = json_schema(
        {name: kind.Config for name, kind in registry.connectors().items()},
        {name: kind.Config for name, kind in registry.notifiers().items()},
    )
    assert json.loads((ROOT / "rules.schema.json").read_text()) == now, "write it anew with: make schema"
