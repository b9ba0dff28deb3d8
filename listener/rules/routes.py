"""The routing tree: matchers are parsed, inheritance is resolved, and what can never happen is said."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from listener.decide.route import LABELS
from listener.domain.policy import Matcher, MatchOp, Route
from listener.domain.verdict import Label, Severity
from listener.rules.problems import Path, Places, Report, dotted, one_of
from listener.rules.query import check_regex
from listener.rules.shape import RouteText, RulesText

NOBODY = "none"

_MATCHER = re.compile(r"\s*(\w+)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What routes, digests and silences may refer to. `values` has the possible values of the labels that have such."""

    receivers: frozenset[str]
    digests: frozenset[str]
    escalations: frozenset[str]
    values: Mapping[str, frozenset[str]]

    @staticmethod
    def of(places: Places, packs: Iterable[Places], receivers: Mapping[str, object]) -> "Names":
        """All names that the file and its packs give, those of broken entries too: one mistake should not make two
        problems.
        """
        written, everywhere = places.names, (places, *packs)
        return Names(
            receivers=written("receivers") | frozenset(receivers),
            digests=written("digests"),
            escalations=written("escalation"),
            values={
                "severity": frozenset(Severity),
                "sentiment": frozenset(Label),
                "review": frozenset({"yes", "no"}),
                "brand": written("brands"),
                "topic": frozenset().union(*(one.names("topics") for one in everywhere)),
                "intent": frozenset().union(*(one.names("intents") for one in everywhere)),
                "source": written("sources"),
            },
        )


def tree(report: Report, rules: RulesText, names: Names) -> Route:
    """The whole tree, every node complete."""
    text = rules.routes
    if text.when:
        report.error(
            ("routes", "when"), "the first route takes everything", remedy="move it into routes: below", key=True
        )
    receiver = text.receiver or _only(names.receivers)
    if receiver is None and text.digest is None:
        message = f"nobody is told: there are {len(names.receivers)} receivers and no route to any"
        report.error(("routes",), message, remedy="write routes: {receiver: ...}")
    root = Route(
        place="routes",
        matchers=(),
        receiver=None if receiver == NOBODY else receiver,
        continue_=False,
        group_by=(),
        group_wait=timedelta(0),
        group_interval=timedelta(minutes=5),
        repeat_interval=timedelta(hours=4),
        digest=None,
        escalation=None,
        routes=(),
    )
    return _node(report, text, ("routes",), root, names)


_NOT_YET = {
    "group_by": "alerts are grouped by case",
    "repeat_interval": "a case is told again only when something happens to it",
}


def _only(receivers: frozenset[str]) -> str | None:
    return next(iter(receivers)) if len(receivers) == 1 else None


def _node(report: Report, text: RouteText, path: Path, above: Route, names: Names) -> Route:
    _check_names(report, text, path, names)
    _warn_not_yet(report, text, path)
    receiver, digest = _target(text, above)
    node = Route(
        place=dotted(path),
        matchers=matchers(report, text.when, (*path, "when"), names),
        receiver=receiver,
        continue_=text.continue_,
        group_by=above.group_by if text.group_by is None else text.group_by,
        group_wait=_or(text.group_wait, above.group_wait),
        group_interval=_or(text.group_interval, above.group_interval),
        repeat_interval=_or(text.repeat_interval, above.repeat_interval),
        digest=digest,
        escalation=text.escalation or above.escalation,
        routes=(),
    )
    return _with_children(report, text, path, node, names)


def _with_children(report: Report, text: RouteText, path: Path, node: Route, names: Names) -> Route:
    children: list[Route] = []
    for index, child in enumerate(text.routes):
        place = (*path, "routes", index)
        children.append(_node(report, child, place, node, names))
        _check_reachable(report, children, place)
    fields = {name: getattr(node, name) for name in Route.__dataclass_fields__}
    return Route(**{**fields, "routes": tuple(children)})


def _or(value: timedelta | None, inherited: timedelta) -> timedelta:
    return inherited if value is None else value


def _target(text: RouteText, above: Route) -> tuple[str | None, str | None]:
    """Receiver and digest: what is written here replaces both of what is inherited."""
    if text.digest is not None:
        return above.receiver, text.digest
    if text.receiver is not None:
        return (None if text.receiver == NOBODY else text.receiver), None
    return above.receiver, above.digest


def _check_names(report: Report, text: RouteText, path: Path, names: Names) -> None:
    if text.receiver is not None and text.receiver != NOBODY:
        check_name(report, (*path, "receiver"), text.receiver, names.receivers)
    if text.escalation is not None:
        check_name(report, (*path, "escalation"), text.escalation, names.escalations)
    if text.digest is not None:
        check_name(report, (*path, "digest"), text.digest, names.digests)
        if text.receiver is not None:
            message = "a route either tells a receiver or collects for a digest"
            report.error(
                (*path, "digest"), message, remedy="keep one of them; the digest has a receiver of its own", key=True
            )
        report.warn(
            (*path, "digest"),
            "digests are not sent by this version: these cases wait in the queue and nobody is told of them",
            remedy="look at the queue, or write receiver: instead",
        )
    for index, label in enumerate(text.group_by or ()):
        if label not in LABELS:
            report.error((*path, "group_by", index), f'there is no label "{label}"', remedy=one_of(label, LABELS))


def _warn_not_yet(report: Report, text: RouteText, path: Path) -> None:
    for key, consequence in _NOT_YET.items():
        if getattr(text, key) is not None:
            message = f"{key} is read and checked, but this version does not act on it yet: {consequence}"
            report.warn((*path, key), message, key=True)


def check_name(report: Report, path: Path, name: str, known: frozenset[str]) -> None:
    """Report a name that nothing in the file bears."""
    if name not in known:
        report.error(path, f'there is no {path[-1]} "{name}"', remedy=one_of(name, known))


def _check_reachable(report: Report, routes: list[Route], path: Path) -> None:
    """A route behind one that takes the same things, or everything, and does not go on is never reached."""
    last = routes[-1]
    for earlier in routes[:-1]:
        if not earlier.continue_ and set(earlier.matchers) <= set(last.matchers):
            report.warn(
                path,
                f"this route is never reached: {earlier.place} takes the same mentions and does not go on",
                remedy=f"write continue: true in {earlier.place}, or change the order",
            )
            return


def matchers(report: Report, written: tuple[str, ...], path: Path, names: Names) -> tuple[Matcher, ...]:
    """Parse `label=value` texts; those that are wrong are reported and left out."""
    parsed = (_matcher(report, text, (*path, index), names) for index, text in enumerate(written))
    return tuple(matcher for matcher in parsed if matcher is not None)


def _matcher(report: Report, text: str, path: Path, names: Names) -> Matcher | None:
    found = _MATCHER.fullmatch(text)
    if found is None:
        report.error(
            path, f'"{text[:40]}" is not a test on a label', remedy="write it like severity=urgent or topic!=billing"
        )
        return None
    label, op, value = found[1], MatchOp(found[2]), _unquoted(found[3])
    if label not in LABELS:
        report.error(path, f'there is no label "{label}"', remedy=one_of(label, LABELS))
        return None
    if op in (MatchOp.REGEX, MatchOp.NOT_REGEX):
        reason = check_regex(value)
        if reason is not None:
            report.error(path, f"this regular expression is not accepted ({reason})", remedy="use RE2's syntax")
            return None
    elif label in names.values and value and value not in names.values[label]:
        report.error(path, f'there is no {label} "{value}"', remedy=one_of(value, names.values[label]))
        return None
    return Matcher(label=label, op=op, value=value)


def _unquoted(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
