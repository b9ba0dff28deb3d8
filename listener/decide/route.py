"""Step 6: who is told of a case, when, and by which line of rules.yaml; or, by name, why nobody is.

The routing tree has Alertmanager's meaning (prometheus.io/docs/alerting/latest/configuration, "route"): depth first, the
first child that matches wins unless it says `continue`, and a node answers itself if none of its children match.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import re2

from listener.domain.case import Case, CaseState
from listener.domain.mention import Mention
from listener.domain.notification import Alert, Notification, NotificationState, Suppression, Why
from listener.domain.policy import Matcher, MatchOp, Policy, Route, SourceMode
from listener.domain.verdict import Verdict

Labels = Mapping[str, tuple[str, ...]]
"""What matchers test: each label with all its values; a label without a value holds an empty tuple."""

LABELS = ("severity", "brand", "topic", "intent", "source", "language", "sentiment", "review")
"""Every label that a matcher may name."""

# Scripts that tell the language; Latin, Han and the rest are shared by many.
_LANGUAGE_OF_SCRIPT = {"hangul": "ko", "kana": "ja"}


def labels(verdict: Verdict, mention: Mention, *, case: Case | None = None) -> Labels:
    """The labels of a mention. Of a mention in a case, severity, brands and topics are the whole case's."""
    matter = case or verdict
    return {
        "severity": (str(matter.severity),),
        "brand": matter.brands,
        "topic": case.topics if case else verdict.judgement.topics,
        "intent": verdict.judgement.intents,
        "source": (mention.source_id,),
        "language": (mention.lang or _LANGUAGE_OF_SCRIPT.get(mention.script, "unknown"),),
        "sentiment": (str(verdict.judgement.sentiment.label),),
        "review": ("yes" if matter.review else "no",),
    }


# --- matching ----------------------------------------------------------------------------------------------------------


def matches(matcher: Matcher, labels: Labels) -> bool:
    """Does the matcher accept the labels? A missing label equals "", as in Alertmanager; regexes match whole values."""
    values = labels.get(matcher.label) or ("",)
    if matcher.op is MatchOp.EQUAL:
        return matcher.value in values
    if matcher.op is MatchOp.NOT_EQUAL:
        return matcher.value not in values
    hit = any(_whole(matcher.value)(value) for value in values)
    return hit is (matcher.op is MatchOp.REGEX)


@lru_cache(maxsize=1024)
def _whole(pattern: str) -> Callable[[str], object | None]:
    """RE2, not `re`: a pattern of rules.yaml can not be made to take long by a label's value."""
    match: Callable[[str], object | None] = re2.compile(pattern).fullmatch
    return match


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """A node of the tree that was looked at. `failed` is the first matcher that refused; `reached` says that it answers."""

    route: Route
    depth: int
    failed: Matcher | None
    reached: bool

    @property
    def matched(self) -> bool:
        """Did all of the node's own matchers accept?"""
        return self.failed is None


def trace(policy: Policy, labels: Labels) -> tuple[Visited, ...]:
    """Every node that was looked at, in order: what `listener rules route` explains."""
    return _visit(policy.route, labels, 0)


def walk(route: Route, labels: Labels) -> tuple[Route, ...]:
    """The nodes that answer for these labels, in the order of the file."""
    return tuple(visited.route for visited in _visit(route, labels, 0) if visited.reached)


def _visit(route: Route, labels: Labels, depth: int) -> tuple[Visited, ...]:
    failed = next((matcher for matcher in route.matchers if not matches(matcher, labels)), None)
    if failed is not None:
        return (Visited(route=route, depth=depth, failed=failed, reached=False),)
    below: list[Visited] = []
    for child in route.routes:
        seen = _visit(child, labels, depth + 1)
        below.extend(seen)
        if seen[0].matched and not child.continue_:
            break
    answers = not any(visited.reached for visited in below)
    return (Visited(route=route, depth=depth, failed=None, reached=answers), *below)


# --- alerts ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What happened that somebody may have to know.

    `why` is `None` if a mention joined that calls for nobody by itself. `earlier` are the case's outbox rows so far.
    """

    why: Why | None
    mode: SourceMode = SourceMode.LIVE
    case_state: CaseState = CaseState.OPEN
    earlier: tuple[Notification, ...] = ()


def decide_alerts(
    policy: Policy, labels: Labels, occasion: Occasion, *, now: datetime
) -> tuple[Alert | Suppression, ...]:
    """Who is told, each receiver at most once, and a named suppression wherever nobody is. Never empty.

    A first alert waits `group_wait`, so that what follows at once is told with it. A raised severity is told at once if
    the case was told before. More mentions are told `group_interval` apart, and only while nobody has taken the case.
    """
    held = _held(occasion)
    if held is not None:
        return (held,)
    decided: list[Alert | Suppression] = []
    for route in walk(policy.route, labels):
        taken = {alert.receiver: alert for alert in decided if isinstance(alert, Alert)}
        decided.append(_answer(route, occasion, taken, now))
    return tuple(decided) or (Suppression(name="no_route", reason="no route matches", route=None),)


_NOT_MORE = {
    CaseState.ACKNOWLEDGED: ("acknowledged", "somebody has the case; further mentions are on its page"),
    CaseState.SNOOZED: ("snoozed", "the case is snoozed; further mentions are on its page"),
    CaseState.RESOLVED: ("resolved", "the case is resolved and this mention does not open it again"),
}


def _held(occasion: Occasion) -> Suppression | None:
    """What holds an alert back before any route is asked."""
    if occasion.mode is not SourceMode.LIVE:
        return Suppression(name="shadow", reason="the source is in shadow mode: judged and kept, never told")
    if occasion.why is None:
        return Suppression(
            name="not_raised", reason="the mention neither raises the case nor calls for anybody by itself"
        )
    if occasion.why is Why.MORE and occasion.case_state in _NOT_MORE:
        name, reason = _NOT_MORE[occasion.case_state]
        return Suppression(name=name, reason=reason)
    return None


def _answer(route: Route, occasion: Occasion, taken: Mapping[str, Alert], now: datetime) -> Alert | Suppression:
    if route.digest is not None:
        reason = f'it is for the digest "{route.digest}"; until then it waits in the queue'
        return Suppression(name="digest", reason=reason, route=route.place)
    if route.receiver is None:
        return Suppression(name="route_none", reason="the route's receiver is none", route=route.place)
    if route.receiver in taken:
        reason = f"{route.receiver} is told already, by {taken[route.receiver].route}"
        return Suppression(name="already_told", reason=reason, route=route.place)
    told = tuple(row for row in occasion.earlier if row.receiver == route.receiver)
    if _rides_along(route, occasion, told, now):
        reason = f"a notification for {route.receiver} is about to be sent and will show it"
        return Suppression(name="waiting", reason=reason, route=route.place)
    assert occasion.why is not None  # noqa: S101  `_held` took care of it; the type can not say so
    not_before = _not_before(route, occasion, told, now)
    return Alert(receiver=route.receiver, why=occasion.why, route=route.place, not_before=not_before)


def _rides_along(route: Route, occasion: Occasion, told: tuple[Notification, ...], now: datetime) -> bool:
    """A notification is composed when it is sent, so one that no channel has tried yet will show what is new."""
    if not told or occasion.why not in (Why.MORE, Why.RAISED):
        return False
    newest = max(row.created_at for row in told)
    latest = [row for row in told if row.created_at == newest]
    untried = all(row.state is NotificationState.PENDING and row.attempts == 0 for row in latest)
    soon = min(row.due_at for row in latest) <= now + route.group_wait
    return untried and (occasion.why is Why.MORE or soon)


def _not_before(route: Route, occasion: Occasion, told: tuple[Notification, ...], now: datetime) -> datetime:
    if occasion.why is Why.RAISED and occasion.earlier:
        return now
    if occasion.why is Why.MORE and told:
        last = max(row.sent_at or row.created_at for row in told)
        return max(now, last + route.group_interval)
    return now + route.group_wait
