"""Who is told, when, and why others are not."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.route import LABELS, Occasion, decide_alerts, labels, matches, trace, walk
from listener.domain.case import CaseState
from listener.domain.notification import Alert, Notification, NotificationState, Suppression, Why
from listener.domain.policy import Policy, Route, SourceMode
from listener.domain.verdict import Label, Severity
from tests.decide.examples import NOW, case, judgement, matcher, mention, policy, route, verdict

URGENT_BILLING = {"severity": ("urgent",), "topic": ("billing", "safety")}


def tree(*children: Route, **root: Any) -> Policy:
    return policy(route=route(children=children, **root))


def row(
    receiver: str = "social", *, due_at: datetime = NOW, sent_at: datetime | None = None, **changes: Any
) -> Notification:
    usual: dict[str, Any] = {
        "id": 1,
        "channel": f"{receiver}/0:slack",
        "receiver": receiver,
        "target": "",
        "case_id": 42,
        "mention_id": "m1",
        "notice_key": None,
        "why": Why.FIRST,
        "route": "routes",
        "state": NotificationState.SENT if sent_at else NotificationState.PENDING,
        "attempts": 1 if sent_at else 0,
        "ambiguous": False,
        "due_at": due_at,
        "lease_until": None,
        "dedupe_key": "C42:first",
        "created_at": sent_at or NOW - timedelta(seconds=10),
        "sent_at": sent_at,
    }
    return Notification(**{**usual, **changes})


# --- labels ------------------------------------------------------------------------------------------------------------


def test_the_labels_of_a_mention() -> None:
    assert labels(verdict(), mention()) == {
        "severity": ("high",),
        "brand": ("haneul",),
        "topic": ("billing",),
        "intent": ("leave",),
        "source": ("forum",),
        "language": ("en",),
        "sentiment": ("negative",),
        "review": ("no",),
    }
    assert tuple(labels(verdict(), mention())) == LABELS


def test_in_a_case_severity_brand_and_topic_are_the_cases() -> None:
    told = labels(verdict(Severity.LOW), mention(), case=case(Severity.URGENT, brands=("a", "b"), review=True))
    assert told["severity"] == ("urgent",)
    assert (told["brand"], told["topic"], told["review"]) == (("a", "b"), ("delivery",), ("yes",))


@pytest.mark.parametrize(("script", "language"), [("hangul", "ko"), ("kana", "ja"), ("latin", "unknown")])
def test_the_script_tells_the_language_if_the_source_does_not(script: str, language: str) -> None:
    assert labels(verdict(), mention(lang=None, script=script))["language"] == (language,)


def test_what_nobody_could_judge_is_labelled_unknown() -> None:
    told = labels(verdict(judgement=judgement(Label.UNKNOWN), review=True), mention())
    assert (told["sentiment"], told["review"]) == (("unknown",), ("yes",))


# --- matchers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "matched"),
    [
        ("severity=urgent", True),
        ("severity=urg", False),
        ("topic=safety", True),
        ("topic!=safety", False),
        ("topic!=churn", True),
        ("topic=~bill.*|churn", True),
        ("topic=~bill", False),
        ("topic!~bill", True),
        ("topic!~safe.*", False),
        ("brand=", True),
        ("brand!=", False),
        ("brand=~.+", False),
        ("brand=~.*", True),
        ("intent!~leave", True),
    ],
)
def test_a_matcher_tests_all_values_of_a_label_as_a_whole(text: str, *, matched: bool) -> None:
    """A label without a value equals ""."""
    assert matches(matcher(text), URGENT_BILLING) is matched


def test_a_hostile_regex_takes_no_time() -> None:
    assert not matches(matcher("topic=~(a+)+b"), {"topic": ("a" * 5000,)})


# --- the tree ----------------------------------------------------------------------------------------------------------


def test_the_first_child_that_matches_wins() -> None:
    rules = tree(
        route("r0", "severity=high"),
        route("r1", "severity=urgent"),
        route("r2", "topic=billing"),
    )
    assert [node.place for node in walk(rules.route, URGENT_BILLING)] == ["r1"]


def test_continue_asks_the_next_sibling_too() -> None:
    rules = tree(route("r1", "severity=urgent", continue_=True), route("r2", "topic=billing"), route("r3"))
    assert [node.place for node in walk(rules.route, URGENT_BILLING)] == ["r1", "r2"]


def test_a_node_answers_itself_if_no_child_matches() -> None:
    inner = route("r0", "severity=urgent", children=[route("r0.0", "topic=churn")])
    assert [node.place for node in walk(tree(inner).route, URGENT_BILLING)] == ["r0"]
    assert [node.place for node in walk(tree(inner).route, {"severity": ("low",)})] == ["routes"]


def test_the_deepest_match_answers() -> None:
    inner = route("r0", "severity=urgent", children=[route("r0.0", "topic=billing")])
    assert [node.place for node in walk(tree(inner).route, URGENT_BILLING)] == ["r0.0"]


def test_the_trace_names_the_matcher_that_refused() -> None:
    rules = tree(route("r0", "severity=urgent", "topic=churn"), route("r1", "topic=billing"), route("r2"))
    seen = [
        (visit.route.place, visit.depth, str(visit.failed), visit.reached) for visit in trace(rules, URGENT_BILLING)
    ]
    assert seen == [
        ("routes", 0, "None", False),
        ("r0", 1, "topic=churn", False),
        ("r1", 1, "None", True),
    ]
    assert [visit.matched for visit in trace(rules, URGENT_BILLING)] == [True, False, True]


# --- alerts ------------------------------------------------------------------------------------------------------------


def decide(rules: Policy, occasion: Occasion) -> tuple[Alert | Suppression, ...]:
    return decide_alerts(rules, URGENT_BILLING, occasion, now=NOW)


def only(decided: tuple[Alert | Suppression, ...]) -> Alert | Suppression:
    assert len(decided) == 1
    return decided[0]


def test_a_first_alert_waits_for_what_follows_at_once() -> None:
    assert decide(tree(), Occasion(why=Why.FIRST)) == (
        Alert(receiver="social", why=Why.FIRST, route="routes", not_before=NOW + timedelta(seconds=30)),
    )


def test_each_receiver_is_told_once() -> None:
    rules = tree(
        route("r0", receiver="oncall", continue_=True),
        route("r1", receiver="finance", continue_=True),
        route("r2", receiver="oncall"),
    )
    first, second, third = decide(rules, Occasion(why=Why.FIRST))
    assert isinstance(first, Alert)
    assert isinstance(second, Alert)
    assert third == Suppression(name="already_told", reason="oncall is told already, by r0", route="r2")


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"receiver": None}, "route_none"), ({"digest": "workdays-9"}, "digest")],
)
def test_a_route_may_tell_nobody_by_name(changes: dict[str, Any], name: str) -> None:
    suppressed = only(decide(tree(**changes), Occasion(why=Why.FIRST)))
    assert isinstance(suppressed, Suppression)
    assert (suppressed.name, suppressed.route) == (name, "routes")


def test_a_tree_that_matches_nothing_says_so() -> None:
    rules = policy(route=route("routes", "severity=low"))
    assert only(decide(rules, Occasion(why=Why.FIRST))) == Suppression(name="no_route", reason="no route matches")


@pytest.mark.parametrize(
    ("occasion", "name"),
    [
        (Occasion(why=Why.FIRST, mode=SourceMode.SHADOW), "shadow"),
        (Occasion(why=None), "not_raised"),
        (Occasion(why=Why.MORE, case_state=CaseState.ACKNOWLEDGED), "acknowledged"),
        (Occasion(why=Why.MORE, case_state=CaseState.SNOOZED), "snoozed"),
        (Occasion(why=Why.MORE, case_state=CaseState.RESOLVED), "resolved"),
    ],
)
def test_an_alert_is_held_back_by_name(occasion: Occasion, name: str) -> None:
    suppressed = only(decide(tree(), occasion))
    assert isinstance(suppressed, Suppression)
    assert (suppressed.name, suppressed.route) == (name, None)
    assert suppressed.reason


def test_a_raise_is_told_at_once_even_if_somebody_has_the_case() -> None:
    told = row(sent_at=NOW - timedelta(minutes=1))
    occasion = Occasion(why=Why.RAISED, case_state=CaseState.ACKNOWLEDGED, earlier=(told,))
    assert only(decide(tree(), occasion)) == Alert(receiver="social", why=Why.RAISED, route="routes", not_before=NOW)


def test_a_raise_reaches_a_new_receiver_without_waiting() -> None:
    occasion = Occasion(why=Why.RAISED, earlier=(row("social", sent_at=NOW),))
    alert = only(decide(tree(receiver="oncall"), occasion))
    assert alert == Alert(receiver="oncall", why=Why.RAISED, route="routes", not_before=NOW)


def test_a_raise_of_a_case_that_nobody_heard_of_waits_like_a_first_alert() -> None:
    alert = only(decide(tree(), Occasion(why=Why.RAISED)))
    assert isinstance(alert, Alert)
    assert alert.not_before == NOW + timedelta(seconds=30)


def test_a_raise_rides_along_with_a_first_alert_that_is_about_to_be_sent() -> None:
    """The message is composed when it is sent, so it shows the raised severity."""
    occasion = Occasion(why=Why.RAISED, earlier=(row(due_at=NOW + timedelta(seconds=20)),))
    suppressed = only(decide(tree(), occasion))
    assert isinstance(suppressed, Suppression)
    assert suppressed.name == "waiting"


def test_a_raise_does_not_wait_for_an_update_that_is_minutes_away() -> None:
    waiting = row(why=Why.MORE, due_at=NOW + timedelta(minutes=4))
    assert isinstance(only(decide(tree(), Occasion(why=Why.RAISED, earlier=(waiting,)))), Alert)


@pytest.mark.parametrize(("minutes", "wait"), [(1, 4), (5, 0), (60, 0)])
def test_more_mentions_are_told_an_interval_apart(minutes: int, wait: int) -> None:
    occasion = Occasion(why=Why.MORE, earlier=(row(sent_at=NOW - timedelta(minutes=minutes)),))
    alert = only(decide(tree(), occasion))
    assert isinstance(alert, Alert)
    assert alert.not_before == NOW + timedelta(minutes=wait)


def test_more_mentions_ride_along_with_an_update_that_waits() -> None:
    told = row(sent_at=NOW - timedelta(minutes=2))
    waiting = row(why=Why.MORE, due_at=NOW + timedelta(minutes=3))
    suppressed = only(decide(tree(), Occasion(why=Why.MORE, earlier=(told, waiting))))
    assert isinstance(suppressed, Suppression)
    assert suppressed.name == "waiting"


def test_a_channel_in_trouble_does_not_hold_back_updates_of_the_others() -> None:
    """The mail server is down and its row is tried again; the chat got its own and can be told more."""
    chat = row(sent_at=NOW - timedelta(minutes=10))
    mail = row(channel="social/1:email", attempts=3, created_at=chat.created_at, due_at=NOW + timedelta(minutes=4))
    assert isinstance(only(decide(tree(), Occasion(why=Why.MORE, earlier=(chat, mail)))), Alert)


def test_more_mentions_reach_a_receiver_that_was_not_told_before() -> None:
    alert = only(decide(tree(), Occasion(why=Why.MORE, earlier=(row("oncall", sent_at=NOW),))))
    assert isinstance(alert, Alert)
    assert alert.not_before == NOW + timedelta(seconds=30)


def test_a_case_that_opens_again_is_told_like_a_new_one() -> None:
    occasion = Occasion(why=Why.FIRST, earlier=(row(sent_at=NOW - timedelta(days=3)),))
    alert = only(decide(tree(), occasion))
    assert isinstance(alert, Alert)
    assert (alert.why, alert.not_before) == (Why.FIRST, NOW + timedelta(seconds=30))


# --- what holds for every tree -----------------------------------------------------------------------------------------

MATCHERS = st.sampled_from(["severity=urgent", "severity!=urgent", "topic=~b.*", "topic=churn", "brand="])
LEAVES = st.builds(
    lambda when, receiver, go_on: route("leaf", *when, receiver=receiver, continue_=go_on),
    st.lists(MATCHERS, max_size=2),
    st.sampled_from(["social", "oncall", None]),
    st.booleans(),
)
TREES = st.recursive(
    LEAVES,
    lambda below: st.builds(
        lambda when, children, go_on: route("node", *when, children=children, continue_=go_on),
        st.lists(MATCHERS, max_size=1),
        st.lists(below, max_size=4),
        st.booleans(),
    ),
    max_leaves=12,
)


@given(st.lists(TREES, max_size=4), st.sampled_from([Why.FIRST, Why.MORE, Why.RAISED]))
def test_nobody_is_told_twice_and_silence_has_a_name(children: list[Route], why: Why) -> None:
    decided = decide(tree(*children), Occasion(why=why))
    receivers = [one.receiver for one in decided if isinstance(one, Alert)]
    assert decided
    assert len(receivers) == len(set(receivers))
    assert all(one.name and one.reason for one in decided if isinstance(one, Suppression))


@given(st.lists(TREES, max_size=4))
def test_every_node_that_answers_matched_with_all_above_it(children: list[Route]) -> None:
    visits = trace(tree(*children), URGENT_BILLING)
    assert any(visit.reached for visit in visits)
    assert all(visit.matched for visit in visits if visit.reached)
    assert tuple(visit.route for visit in visits if visit.reached) == walk(tree(*children).route, URGENT_BILLING)
