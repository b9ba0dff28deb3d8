"""From the validated shape of the file to the `Policy`: queries are parsed, names are resolved, odd things are said."""

import itertools
import re
from collections.abc import Iterable, Mapping

from listener.domain.policy import (
    Advice,
    Brand,
    Digest,
    Escalation,
    EscalationStep,
    Examples,
    Policy,
    QuietHours,
    ReachScoring,
    RepeatComplaint,
    Retention,
    Route,
    Scoring,
    Silence,
    Topic,
)
from listener.domain.query import And, Field, FieldName, Not, Or, Query, Term
from listener.domain.verdict import Severity
from listener.rules import configs, routes
from listener.rules.problems import Path, Report, one_of
from listener.rules.query import QueryError, entry, parse
from listener.rules.routes import Names
from listener.rules.shape import BrandText, RulesText, TopicText

_NAME = re.compile(r"\w[\w.-]{0,63}")
_NAMED = ("brands", "sources", "topics", "intents", "receivers", "escalation", "digests")


def policy(report: Report, rules: RulesText, around: configs.Surroundings, *, digest: str) -> Policy:
    """The policy. If the report failed it is incomplete and must not be used."""
    _check_ids(report)
    receivers = configs.receivers(report, rules, around)
    names = Names.of(report, receivers)
    built = Policy(
        digest=digest,
        brands=tuple(_brand(report, name, text, names) for name, text in rules.brands.items()),
        sources=configs.sources(report, rules, around),
        topics=tuple(_topic(report, ("topics", name), text, text.points, names) for name, text in rules.topics.items()),
        intents=_intents(report, rules, names),
        scoring=_scoring(report, rules),
        respond_within=rules.respond_within,
        receivers=receivers,
        route=routes.tree(report, rules, names),
        escalations=_escalations(report, rules, names),
        quiet_hours=_quiet_hours(rules),
        digests=_digests(report, rules, names),
        silences=_silences(report, rules, names),
        retention=Retention(low=rules.retention.low, mentions=rules.retention.mentions),
    )
    _check_brands_of_sources(report, rules, names)
    _warn_unused(report, built)
    _warn_clock(report, rules)
    _warn_not_yet(report)
    return built


def _check_ids(report: Report) -> None:
    for section in _NAMED:
        for name in report.places.names(section):
            if not _NAME.fullmatch(name):
                remedy = "use letters, digits, - and _, at most 64, without blanks"
                report.error((section, name), f'"{name[:40]}" cannot be a name', remedy=remedy, key=True)
    if routes.NOBODY in report.places.names("receivers"):
        message = 'a receiver cannot be called "none", which means nobody'
        report.error(("receivers", routes.NOBODY), message, remedy="choose another name", key=True)


# --- brands and topics -----------------------------------------------------------------------------------------------


def _brand(report: Report, name: str, text: BrandText, names: Names) -> Brand:
    path = ("brands", name)
    for index, rival in enumerate(text.rivals):
        place = (*path, "rivals", index)
        query = _checked(report, place, rival, names, one_entry=True)
        if not isinstance(query, Term) and query is not _NOTHING:
            report.error(place, "a rival is a name, not a query", remedy="write one name for each entry")
    return Brand(
        id=name,
        name=text.name or name,
        query=_checked(report, (*path, "query"), text.query, names),
        exclude=_checked(report, (*path, "exclude"), text.exclude, names) if text.exclude is not None else None,
        accounts=tuple(" ".join(account.split()) for account in text.accounts),
        rivals=text.rivals,
    )


_NOTHING = Or(())


def _checked(report: Report, path: Path, text: str, names: Names, *, one_entry: bool = False) -> Query:
    """The query of a text. What is wrong with it is reported; then the result finds nothing."""
    try:
        query = entry(text) if one_entry else parse(text)
    except QueryError as error:
        report.error(path, f"{error.message} (character {error.column})", remedy=error.remedy, shift=error.column - 1)
        return _NOTHING
    if not isinstance(query, Term):
        for field in _fields(query):
            _check_field(report, path, field, names)
    return query


def _fields(query: Query) -> Iterable[Field]:
    if isinstance(query, Field):
        yield query
    elif isinstance(query, Not):
        yield from _fields(query.part)
    elif isinstance(query, And | Or):
        for part in query.parts:
            yield from _fields(part)


def _check_field(report: Report, path: Path, field: Field, names: Names) -> None:
    label = field.name.value
    if field.name in (FieldName.SOURCE, FieldName.BRAND) and field.value not in names.values[label]:
        report.error(path, f'there is no {label} "{field.value}"', remedy=one_of(field.value, names.values[label]))


def _topic(report: Report, path: Path, text: TopicText, points: float | None, names: Names) -> Topic:
    section, name = path
    wanted = _entries(report, (*path, "any"), text.any, names)
    hidden = _entries(report, (*path, "none"), text.none, names)
    for query in hidden:
        if query in wanted:
            index = hidden.index(query)
            report.warn((*path, "none", index), "stands in any as well, so that term never counts", remedy="remove one")
    if text.near is not None and not names.values["brand"]:
        report.warn((*path, "near"), "there is no brand to be near to, so this never applies", remedy="add a brand")
    return Topic(
        id=str(name),
        place=f"{section}.{name}",
        any=_or(wanted),
        none=_or(hidden) if hidden else None,
        near_brand=text.near,
        at_least=text.at_least,
        points=points or 0.0,
        advice=Advice(do=text.advice.do, avoid=text.advice.avoid, handle_by=text.handle_by),
        examples=Examples(match=text.examples.match, ignore=text.examples.ignore),
    )


def _entries(report: Report, path: Path, texts: tuple[str, ...], names: Names) -> list[Query]:
    found: dict[Query, int] = {}
    for index, text in enumerate(texts):
        query = _checked(report, (*path, index), text, names, one_entry=True)
        if query in found:
            report.warn((*path, index), f"stands here twice, first as entry {found[query] + 1}", remedy="remove one")
            continue
        found[query] = index
        if isinstance(query, Term) and len(query.folded) == 1 and not query.folded.isascii() and query.folded.isalpha():
            report.warn((*path, index), f'"{query.text}" is inside very many words', remedy="write a longer term")
    return list(found)


def _or(queries: list[Query]) -> Query:
    return queries[0] if len(queries) == 1 else Or(tuple(queries))


def _intents(report: Report, rules: RulesText, names: Names) -> tuple[Topic, ...]:
    points = rules.scoring.intents
    for name in points:
        if name not in names.values["intent"]:
            remedy = one_of(name, names.values["intent"])
            report.error(("scoring", "intents", name), f'there is no intent "{name}"', remedy=remedy, key=True)
    built = []
    for name, text in rules.intents.items():
        path = ("intents", name)
        if text.points is not None and name in points:
            message = f"the points of this intent stand in scoring.intents.{name} as well"
            report.error((*path, "points"), message, remedy="keep one of them", key=True)
        given = text.points if text.points is not None else points.get(name)
        if given is None and text.at_least is None:
            report.warn(path, "changes nothing in the score", remedy=f"add {name}: 10 to scoring.intents", key=True)
        built.append(_topic(report, path, text, given, names))
    return tuple(built)


# --- the rest ----------------------------------------------------------------------------------------------------------


def _scoring(report: Report, rules: RulesText) -> Scoring:
    scoring, bands, path = rules.scoring, rules.scoring.severity, ("scoring", "severity")
    if not bands.urgent > bands.high > bands.normal:
        report.error(path, "the bands overlap", remedy="write them so that urgent > high > normal", key=True)
    for word in scoring.lexicon:
        if len(word.split()) != 1:
            message = f'"{word}" has no effect: the sentiment model reads single words'
            report.warn(("scoring", "lexicon", word), message, remedy="write a topic instead", key=True)
    repeat = scoring.author.repeat_complaint
    return Scoring(
        negative_points=scoring.negative.points,
        unknown_points=scoring.unknown.points,
        unknown_review=scoring.unknown.review,
        reach=ReachScoring(**scoring.reach.model_dump()),
        repeat_complaint=RepeatComplaint(within=repeat.within, points=repeat.points) if repeat.points else None,
        severity={Severity.URGENT: bands.urgent, Severity.HIGH: bands.high, Severity.NORMAL: bands.normal},
        lexicon={word.lower(): value for word, value in scoring.lexicon.items()},
        stakes_points=scoring.stakes.points,
    )


def _escalations(report: Report, rules: RulesText, names: Names) -> Mapping[str, Escalation]:
    built = {}
    for name, text in rules.escalation.items():
        for index, step in enumerate(text.steps):
            routes.check_name(report, ("escalation", name, "steps", index, "receiver"), step.receiver, names.receivers)
        steps = tuple(EscalationStep(after=step.after, receiver=step.receiver) for step in text.steps)
        built[name] = Escalation(id=name, acknowledge_within=text.acknowledge_within, steps=steps, repeat=text.repeat)
    return built


def _quiet_hours(rules: RulesText) -> QuietHours | None:
    quiet = rules.quiet_hours
    if quiet is None:
        return None
    return QuietHours(zone=quiet.zone, start=quiet.start, end=quiet.end, exempt=quiet.exempt)


def _digests(report: Report, rules: RulesText, names: Names) -> Mapping[str, Digest]:
    for name, text in rules.digests.items():
        routes.check_name(report, ("digests", name, "receiver"), text.receiver, names.receivers)
    return {
        name: Digest(id=name, cron=text.cron, zone=text.zone, receiver=text.receiver)
        for name, text in rules.digests.items()
    }


def _silences(report: Report, rules: RulesText, names: Names) -> tuple[Silence, ...]:
    return tuple(
        Silence(
            matchers=routes.matchers(report, text.matchers, ("silences", index, "matchers"), names),
            until=text.until,
            by=text.by,
            because=text.because,
        )
        for index, text in enumerate(rules.silences)
    )


def _check_brands_of_sources(report: Report, rules: RulesText, names: Names) -> None:
    for name, source in rules.sources.items():
        for index, brand in enumerate(source.brands):
            if brand not in names.values["brand"]:
                remedy = one_of(brand, names.values["brand"])
                report.error(("sources", name, "brands", index), f'there is no brand "{brand}"', remedy=remedy)


# --- warnings ------------------------------------------------------------------------------------------------------------


def _warn_unused(report: Report, built: Policy) -> None:
    told = set(_told(built.route))
    told |= {step.receiver for escalation in built.escalations.values() for step in escalation.steps}
    told |= {digest.receiver for digest in built.digests.values()}
    for name in report.places.names("receivers") - told:
        report.warn(("receivers", name), f'no route tells "{name}" anything', remedy="add a route to it", key=True)
    if built.sources and all(source.brands for source in built.sources):
        heard = {brand for source in built.sources for brand in source.brands}
        for brand in built.brands:
            if brand.id not in heard:
                message = f'no source listens for "{brand.id}"'
                report.warn(("brands", brand.id), message, remedy="add it to the brands of a source", key=True)


def _told(route: Route) -> Iterable[str]:
    if route.receiver is not None and route.digest is None:
        yield route.receiver
    for child in route.routes:
        yield from _told(child)


def _warn_clock(report: Report, rules: RulesText) -> None:
    clock = rules.respond_within
    order = [
        severity for severity in (Severity.URGENT, Severity.HIGH, Severity.NORMAL, Severity.LOW) if severity in clock
    ]
    for sooner, later in itertools.pairwise(order):
        if clock[sooner] > clock[later]:
            message = f"{sooner} may wait longer than {later}"
            report.warn(("respond_within", sooner.value), message, remedy="give the more severe one less time")


_NOT_YET = {
    "escalation": "nobody further is told if an alert is not acknowledged",
    "quiet_hours": "alerts are sent at once, at night too",
    "digests": "no digest is sent",
    "silences": "alerts that match are sent all the same",
    "retention": "nothing is deleted",
}


def _warn_not_yet(report: Report) -> None:
    """Sections that are read and checked, so that the file's shape need not change when they come to life."""
    for section, consequence in _NOT_YET.items():
        if report.places.has(section):
            message = f"{section} is read and checked, but this version does not act on it yet: {consequence}"
            report.warn((section,), message, key=True)
