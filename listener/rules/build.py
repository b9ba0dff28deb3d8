"""From the validated shape of the file and its packs to the `Policy`: names are resolved, odd things are said."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence

from listener.domain.policy import (
    Brand,
    Digest,
    Escalation,
    EscalationStep,
    Policy,
    QuietHours,
    ReachScoring,
    RepeatComplaint,
    Retention,
    Route,
    Scoring,
    Silence,
)
from listener.domain.query import Term
from listener.domain.verdict import Severity
from listener.rules import configs, routes, topics
from listener.rules.document import Document
from listener.rules.packs import Pack
from listener.rules.problems import Report, one_of
from listener.rules.queries import NOTHING, checked
from listener.rules.routes import Names
from listener.rules.shape import BrandText, RulesText

_NAME = re.compile(r"\w[\w.-]{0,63}")
_NAMED = ("brands", "sources", "topics", "intents", "receivers", "escalation", "digests")


def policy(file: Document[RulesText], packs: Sequence[Pack], around: configs.Surroundings, *, digest: str) -> Policy:
    """The policy. If the report of the file or of a pack failed, it is incomplete and must not be used."""
    report, rules = file.report, file.text
    for one in (report, *(pack.report for pack in packs)):
        _check_ids(one)
    receivers = configs.receivers(report, rules, around)
    names = Names.of(report.places, [pack.report.places for pack in packs], receivers)
    built = Policy(
        digest=digest,
        brands=tuple(_brand(report, name, text, names) for name, text in rules.brands.items()),
        sources=configs.sources(report, rules, around),
        topics=topics.topics(file, packs, names),
        intents=topics.intents(file, packs, names),
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


# --- brands -----------------------------------------------------------------------------------------------------------


def _brand(report: Report, name: str, text: BrandText, names: Names) -> Brand:
    path = ("brands", name)
    for index, rival in enumerate(text.rivals):
        place = (*path, "rivals", index)
        query = checked(report, place, rival, names, one_entry=True)
        if not isinstance(query, Term) and query is not NOTHING:
            report.error(place, "a rival is a name, not a query", remedy="write one name for each entry")
    return Brand(
        id=name,
        name=text.name or name,
        query=checked(report, (*path, "query"), text.query, names),
        exclude=checked(report, (*path, "exclude"), text.exclude, names) if text.exclude is not None else None,
        accounts=tuple(" ".join(account.split()) for account in text.accounts),
        rivals=text.rivals,
    )


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
