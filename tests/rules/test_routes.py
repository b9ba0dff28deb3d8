"""The routing tree: what a child takes over, what matchers mean, and what can never happen."""

from datetime import timedelta

import pytest

from listener.domain.policy import Matcher, MatchOp, Route
from tests.rules.plugins import errors, policy, warnings

RECEIVERS = "receivers: {a: {notify: [{notifier: console}]}, b: {notify: [{notifier: console}]}}\n"


def route(text: str) -> Route:
    return policy(RECEIVERS + REST + text).route


REST = """\
topics: {billing: {any: x}}
escalation: {e: {acknowledge_within: 5m, steps: [{after: 5m, receiver: b}]}}
digests: {d: {cron: 0 9 * * *, receiver: b}}
"""


def test_a_child_takes_over_what_it_does_not_say() -> None:
    root = route(
        "routes: {receiver: a, group_wait: 30s, escalation: e, group_by: [topic], routes: "
        "[{when: topic=billing, group_interval: 1m, routes: [{receiver: b}]}]}"
    )
    child = root.routes[0]
    assert (child.receiver, child.group_wait, child.group_interval) == (
        "a",
        timedelta(seconds=30),
        timedelta(minutes=1),
    )
    assert (child.escalation, child.group_by, child.repeat_interval) == ("e", ("topic",), timedelta(hours=4))
    assert (child.routes[0].receiver, child.routes[0].group_interval) == ("b", timedelta(minutes=1))


def test_every_node_knows_its_place() -> None:
    root = route("routes: {receiver: a, routes: [{when: topic=billing}, {routes: [{receiver: b}]}]}")
    assert [root.place, root.routes[1].place, root.routes[1].routes[0].place] == [
        "routes",
        "routes.routes[1]",
        "routes.routes[1].routes[0]",
    ]


def test_continue_is_not_taken_over() -> None:
    root = route("routes: {receiver: a, routes: [{continue: true, routes: [{receiver: b}]}]}")
    assert (root.routes[0].continue_, root.routes[0].routes[0].continue_) == (True, False)


def test_none_is_nobody() -> None:
    assert route("routes: {receiver: none}").receiver is None
    assert route("routes: {receiver: a, routes: [{when: severity=low, receiver: none}]}").routes[0].receiver is None


def test_a_receiver_replaces_a_digest_from_above_and_the_other_way_round() -> None:
    root = route("routes: {receiver: a, routes: [{digest: d, routes: [{receiver: b}, {when: topic=billing}]}]}")
    collecting = root.routes[0]
    assert collecting.digest == "d"
    assert [(child.receiver, child.digest) for child in collecting.routes] == [("b", None), ("a", "d")]


def test_a_root_may_collect() -> None:
    assert route("routes: {digest: d}").digest == "d"


def test_the_only_receiver_needs_no_route() -> None:
    assert policy("receivers: {r: {notify: [{notifier: console}]}}").route.receiver == "r"


def test_of_several_receivers_one_must_be_said() -> None:
    assert errors(RECEIVERS) == [
        "1:1: routes: nobody is told: there are 2 receivers and no route to any; write routes: {receiver: ...}"
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("severity=urgent", Matcher(label="severity", op=MatchOp.EQUAL, value="urgent")),
        ("topic != billing", Matcher(label="topic", op=MatchOp.NOT_EQUAL, value="billing")),
        ('source=~"te.*|x"', Matcher(label="source", op=MatchOp.REGEX, value="te.*|x")),
        ("language!~k.", Matcher(label="language", op=MatchOp.NOT_REGEX, value="k.")),
        ("language=xx", Matcher(label="language", op=MatchOp.EQUAL, value="xx")),
        ("topic=''", Matcher(label="topic", op=MatchOp.EQUAL, value="")),
        ("review=yes", Matcher(label="review", op=MatchOp.EQUAL, value="yes")),
    ],
)
def test_a_matcher_is_a_test_on_a_label(written: str, meant: Matcher) -> None:
    quoted = written.replace("'", "''")
    assert route(f"routes: {{receiver: a, routes: [{{when: ['{quoted}']}}]}}").routes[0].matchers == (meant,)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("urgent", '"urgent" is not a test on a label; write it like severity=urgent or topic!=billing'),
        ("severty=urgent", 'there is no label "severty"; did you mean "severity"?'),
        ("severity=urgnt", 'there is no severity "urgnt"; did you mean "urgent"?'),
        ("topic!=biling", 'there is no topic "biling"; none is defined'),
        ("review=maybe", 'there is no review "maybe"; there is no, yes'),
        ('brand=~"a(b"', "this regular expression is not accepted (missing ): a(b); use RE2's syntax"),
    ],
)
def test_a_matcher_that_can_never_hold_is_refused(written: str, said: str) -> None:
    assert errors(f"{RECEIVERS}routes: {{receiver: a, routes: [{{receiver: b, when: ['{written}']}}]}}") == [
        f"2:53: routes.routes[0].when[0]: {said}"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("routes: {receiver: a, when: severity=low}", "2:23: routes.when: the first route takes everything; "
         "move it into routes: below"),
        ("routes: {receiver: c}", '2:20: routes.receiver: there is no receiver "c"; there is a, b'),
        ("routes: {receiver: a, escalation: e}", '2:35: routes.escalation: there is no escalation "e"; none is defined'),
        ("routes: {receiver: a, group_by: [x]}", '2:34: routes.group_by[0]: there is no label "x"; there is brand, intent, '
                                                 "language, review, sentiment, severity, source, topic"),
        ("routes: {receiver: a, digest: d}\ndigests: {d: {cron: 0 9 * * *, receiver: b}}",
         "2:23: routes.digest: a route either tells a receiver or collects for a digest; keep one of them; "
         "the digest has a receiver of its own"),
    ],
)  # fmt: skip
def test_a_tree_that_contradicts_itself_is_refused(text: str, said: str) -> None:
    assert errors(RECEIVERS + text) == [said]


@pytest.mark.parametrize(
    "routes",
    [
        "[{receiver: b}, {when: severity=low, receiver: a}]",
        "[{when: severity=low, receiver: b}, {when: [review=yes, severity=low]}]",
    ],
)
def test_a_route_that_is_never_reached_is_a_warning(routes: str) -> None:
    said = warnings(f"{RECEIVERS}routes: {{receiver: a, routes: {routes}}}")
    assert len(said) == 1
    assert "routes.routes[1]: this route is never reached: routes.routes[0] takes the same mentions" in said[0]


def test_a_route_behind_one_that_goes_on_is_reached() -> None:
    assert (
        warnings(
            f"{RECEIVERS}routes: {{receiver: a, routes: [{{receiver: b, continue: true}}, {{when: severity=low}}]}}"
        )
        == []
    )
    assert (
        warnings(
            f"{RECEIVERS}routes: {{receiver: a, routes: [{{when: severity=low, receiver: b}}, {{when: review=no}}]}}"
        )
        == []
    )


def test_a_receiver_that_nobody_tells_is_a_warning() -> None:
    assert warnings(RECEIVERS + "routes: {receiver: a}") == [
        '1:49: receivers.b: no route tells "b" anything; add a route to it'
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("routes: {receiver: a, repeat_interval: 4h, routes: [{receiver: b}]}",
         ["2:23: routes.repeat_interval: repeat_interval is read and checked, but this version does not act on it yet: "
          "a case is told again only when something happens to it"]),
        ("routes: {receiver: a, routes: [{when: severity=low, digest: d}]}\ndigests: {d: {cron: 0 9 * * *, receiver: b}}",
         ["2:61: routes.routes[0].digest: digests are not sent by this version: these cases wait in the queue and nobody "
          "is told of them; look at the queue, or write receiver: instead",
          "3:1: digests: digests is read and checked, but this version does not act on it yet: no digest is sent"]),
        ("routes: {receiver: a}\nescalation: {e: {acknowledge_within: 5m, steps: [{after: 5m, receiver: b}]}}",
         ["3:1: escalation: escalation is read and checked, but this version does not act on it yet: "
          "nobody further is told if an alert is not acknowledged"]),
    ],
)  # fmt: skip
def test_what_is_not_acted_on_yet_is_said(text: str, said: list[str]) -> None:
    assert warnings(RECEIVERS + text) == said
