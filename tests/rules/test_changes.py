"""What the log says of a reload."""

import pytest

from listener.rules.changes import MAX_LINES, changes, written
from listener.rules.query import parse
from tests.rules.plugins import policy

BEFORE = """
brands: {a: {query: foo OR bar, accounts: ["@a"]}}
sources: {s: {connector: feed, url: "https://x"}}
topics: {x: {any: [a, b], points: 3}, y: {any: z}}
receivers: {c: {notify: [{notifier: console}]}, d: {notify: [{notifier: chat, webhook_env: HOOK}]}}
routes: {receiver: c, routes: [{when: severity=urgent, receiver: d}]}
"""
ENV = {"HOOK": "https://old"}


def lines(*edits: tuple[str, str], env: dict[str, str] | None = None) -> tuple[str, ...]:
    after = BEFORE
    for old, new in edits:
        assert old in after
        after = after.replace(old, new)
    return changes(policy(BEFORE, ENV), policy(after, env or ENV))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("points: 3", "points: 30", "topics.x.points: 3 -> 30"),
        ("points: 3", "points: 3, at_least: high", "topics.x.at_least: nothing -> high"),
        ("any: [a, b]", 'any: [a, "c d"]', 'topics.x.any: added "c d"; removed b'),
        ("any: [a, b]", "any: [a, b, ^c*]", "topics.x.any: added ^c*"),
        ("any: [a, b]", "any: a", "topics.x.any: removed b"),
        ("any: [a, b]", "any: [b, a]", "topics.x.any: put in another order"),
        ("points: 3", "points: 3, none: q", "topics.x.none: nothing -> q"),
        ("points: 3", "points: 3, near: brand/5", "topics.x.near: nothing -> 5"),
        ("points: 3", "points: 3, advice: {do: call}", "topics.x.advice.do: [] -> [call]"),
        ("foo OR bar", "foo AND NOT bar", "brands.a.query: added foo AND NOT bar; removed foo, bar"),
        ('"https://x"', '"https://token"', "sources.s.url: changed"),
        ("url:", "every: 1h30m, url:", "sources.s.every: 5m -> 1h30m"),
        ("receiver: c, routes", "receiver: c, group_wait: 30s, routes", "routes.group_wait: 0s -> 30s"),
        ("receiver: d}", "receiver: none}", "routes.routes[0].receiver: d -> nothing"),
        ("severity=urgent", "severity=high", "routes.routes[0].matchers: [severity=urgent] -> [severity=high]"),
        (
            "{notifier: console}]",
            "{notifier: console}, {notifier: console}]",
            "receivers.c.channels.c/1:console: added",
        ),
    ],
)
def test_a_change_is_one_line_with_its_place(old: str, new: str, said: str) -> None:
    assert said in lines((old, new))


@pytest.mark.parametrize(
    ("added", "said"),
    [
        (
            "respond_within: {urgent: 10m}",
            ("respond_within.urgent: 5m -> 10m", "respond_within.high: removed", "respond_within.normal: removed"),
        ),
        ("scoring: {lexicon: {meh: -1.5}}", ("scoring.lexicon.meh: added -1.5",)),
        (
            "scoring: {author: {repeat_complaint: {points: 0}}}",
            ("scoring.repeat_complaint: within 30d, points 10 -> nothing",),
        ),
        ("retention: {low: 1d}", ("retention.low: nothing -> 1d",)),
        ("intents: {i: {any: x}}", ("intents.i: added",)),
        (
            "silences: [{matchers: severity=low, until: 2026-03-02T02:00Z, by: me, because: x}]",
            ("silences: [] -> [matchers [severity=low], until 2026-03-02 02:00:00+00:00, by me, because x]",),
        ),
    ],
)
def test_a_section_that_comes_is_said(added: str, said: tuple[str, ...]) -> None:
    assert changes(policy(BEFORE, ENV), policy(f"{BEFORE}{added}\n", ENV)) == said


def test_entries_come_and_go() -> None:
    assert lines(("y: {any: z}", "w: {any: z}")) == ("topics.y: removed", "topics.w: added")


def test_a_new_secret_is_said_and_not_shown() -> None:
    assert lines(env={"HOOK": "https://new"}) == ("receivers.d.channels.d/0:chat.webhook: changed",)


def test_another_kind_of_connector_shows_nothing_of_its_settings() -> None:
    said = lines(('connector: feed, url: "https://x"', "connector: search"))
    assert said == ("sources.s.connector: feed -> search", "sources.s: other settings")


def test_what_means_the_same_is_no_change() -> None:
    assert lines() == ()
    assert lines(("points: 3", "points: 3.0, examples: {}")) == ()


def test_a_long_list_is_cut() -> None:
    topics = ", ".join(f"t{n}: {{any: x}}" for n in range(80))
    said = changes(policy("version: 1"), policy(f"topics: {{{topics}}}"))
    assert len(said) == MAX_LINES
    assert said[-1] == "and 31 more changes"


def test_a_long_value_is_cut() -> None:
    terms = ", ".join(f"a long term number {n}" for n in range(40))
    assert all(len(line) < 240 for line in lines(("any: z", f"any: [{terms}]")))


@pytest.mark.parametrize(
    "query",
    ["a", '"a b"', "^a*", "/x+/", "lang:ko", "followers>=10", "NOT a AND b", "NOT (a AND b) AND c", "(a OR b) AND c",
     "(a OR b) NEAR/3 c", "(a AND b) OR c"],
)  # fmt: skip
def test_a_written_query_reads_back_as_itself(query: str) -> None:
    assert written(parse(query)) == query
