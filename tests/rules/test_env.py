"""Secrets come from the environment; their names are checked, their values never shown."""

import pytest
from pydantic import SecretStr

from listener.rules.configs import env_fault
from tests.rules.plugins import Chat, Feed, errors, policy

HOOK = "receivers: {r: {notify: [{notifier: chat, webhook_env: HOOK}]}}"


def test_a_key_with_env_takes_its_value_from_the_environment() -> None:
    config = policy(HOOK, {"HOOK": " https://hooks.example/T0/secret \n"}).channels["r/0:chat"].config
    assert isinstance(config, Chat)
    assert config.webhook == SecretStr("https://hooks.example/T0/secret")


def test_any_field_of_a_source_can_come_from_there() -> None:
    (source,) = policy("sources: {s: {connector: feed, url_env: U, title: null}}", {"U": "https://x"}).sources
    assert source.config == Feed(url="https://x")


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, "the environment variable HOOK is not set; add HOOK=... to .env"),
        ({"HOOK": ""}, "the environment variable HOOK is empty; write its value after HOOK= in .env"),
        ({"HOOK": "  "}, "the environment variable HOOK is empty; write its value after HOOK= in .env"),
        *(
            (
                {"HOOK": value},
                "the environment variable HOOK still holds a placeholder; put the real value into .env after HOOK=",
            )
            for value in (
                "changeme",
                "CHANGE_ME",
                "xxx",
                "xxxxxx",
                "your-webhook-here",
                "<https://hooks...>",
                "...",
                "TODO",
                "replace-me",
            )
        ),
        (
            {"HOOK": "ftp://s3cr3t-token"},
            "the value of HOOK is not accepted: *** should begin with https; correct HOOK in .env",
        ),
    ],
)
def test_a_variable_without_a_usable_value_is_named(env: dict[str, str], said: str) -> None:
    assert errors(HOOK, env) == [f"1:56: receivers.r.notify[0].webhook_env: {said}"]


@pytest.mark.parametrize("value", ["exchange.example", "xx", "yours", "example", "a<b>"])
def test_what_only_resembles_a_placeholder_is_a_value(value: str) -> None:
    assert env_fault("NAME", {"NAME": value}) is None


def test_all_missing_names_are_told_at_once() -> None:
    text = """\
sources: {s: {connector: feed, url_env: ONE}}
receivers: {r: {notify: [{notifier: chat, webhook_env: TWO, key_env: THREE}, {notifier: mail, to: [a], password_env: FOUR}]}}
"""
    said = " ".join(errors(text))
    assert all(f"variable {name} is not set" in said for name in ("ONE", "TWO", "THREE", "FOUR"))


@pytest.mark.parametrize("name", ["'not a name'", "9x", "[a]", "5"])
def test_the_name_must_be_one(name: str) -> None:
    said = errors(f"receivers: {{r: {{notify: [{{notifier: chat, webhook_env: {name}}}]}}}}")
    assert len(said) == 1
    assert said[0].endswith("should be the name of an environment variable; write a name like SLACK_ONCALL")


def test_a_field_is_given_once() -> None:
    assert errors(
        "receivers: {r: {notify: [{notifier: chat, webhook: 'https://x', webhook_env: HOOK}]}}", {"HOOK": "https://y"}
    ) == ['1:65: receivers.r.notify[0].webhook_env: "webhook" and "webhook_env" say the same thing; keep one of them']


def test_env_of_a_field_that_is_not_there_is_an_unknown_key() -> None:
    assert errors(
        "receivers: {r: {notify: [{notifier: chat, webhok_env: HOOK, webhook_env: HOOK}]}}", {"HOOK": "https://y"}
    ) == ['1:43: receivers.r.notify[0].webhok_env: unknown key "webhok_env"; did you mean "webhook_env"?']


def test_no_part_of_a_value_is_shown() -> None:
    said = errors(HOOK, {"HOOK": "token=abcdefgh12345678&x=qwertyuiop"})
    assert "abcdefgh" not in said[0]
    assert "qwerty" not in said[0]
