"""Topics and intents: what the packs say about an id is united, and what the file says is laid over it.

Packs are equals, so that their order does not matter but for advice: lists are joined, the highest floor and the most
points win, and the widest `near`. The file knows better than any pack: its lists are added, its single values win.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from listener.domain.policy import Advice, Examples, Topic
from listener.domain.query import Or, Query
from listener.rules.document import Document
from listener.rules.packs import Pack
from listener.rules.problems import Report, one_of, suggest
from listener.rules.queries import entries
from listener.rules.routes import Names
from listener.rules.shape import OFF, AdviceText, ExamplesText, RulesText, TopicText

SectionName = Literal["topics", "intents"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What one document says about one id; `any` and `none` of `text` stand beside it as queries."""

    any: tuple[Query, ...]
    none: tuple[Query, ...]
    text: TopicText


def topics(file: Document[RulesText], packs: Sequence[Pack], names: Names) -> tuple[Topic, ...]:
    """Every topic, those of packs first. What is wrong is in the report of the document that says it."""
    return tuple(
        _topic("topics", name, part, part.text.points) for name, part in _settled(file, packs, "topics", names).items()
    )


def intents(file: Document[RulesText], packs: Sequence[Pack], names: Names) -> tuple[Topic, ...]:
    """Every intent. Its points stand in its entry or under scoring; those win over a pack's."""
    points = file.text.scoring.intents
    _check_points(file, names)
    built = []
    for name, part in _settled(file, packs, "intents", names).items():
        given = points.get(name, part.text.points)
        if given is None and part.text.at_least is None:
            remedy = f"add {name}: 10 to scoring.intents"
            file.report.warn(("intents", name), "changes nothing in the score", remedy=remedy, key=True)
        built.append(_topic("intents", name, part, given))
    return tuple(built)


def _check_points(file: Document[RulesText], names: Names) -> None:
    for name in file.text.scoring.intents:
        if name not in names.values["intent"]:
            remedy = one_of(name, names.values["intent"])
            file.report.error(("scoring", "intents", name), f'there is no intent "{name}"', remedy=remedy, key=True)
        own = file.text.intents.get(name)
        if isinstance(own, TopicText) and own.points is not None:
            message = f"the points of this intent stand in scoring.intents.{name} as well"
            file.report.error(("intents", name, "points"), message, remedy="keep one of them", key=True)


def _topic(section: SectionName, name: str, part: _Part, points: float | None) -> Topic:
    text = part.text
    return Topic(
        id=name,
        place=f"{section}.{name}",
        any=_or(part.any),
        none=_or(part.none) if part.none else None,
        near_brand=text.near,
        at_least=text.at_least,
        points=points or 0.0,
        advice=Advice(do=text.advice.do, avoid=text.advice.avoid, handle_by=text.handle_by),
        examples=Examples(match=text.examples.match, ignore=text.examples.ignore),
    )


def _or(queries: tuple[Query, ...]) -> Query:
    return queries[0] if len(queries) == 1 else Or(queries)


# --- what several documents say ----------------------------------------------------------------------------------------


def _settled(
    file: Document[RulesText], packs: Sequence[Pack], section: SectionName, names: Names
) -> Mapping[str, _Part]:
    said: dict[str, list[_Part]] = {}
    for pack in packs:
        for name, part in _parts(pack.report, getattr(pack.text, section), section, names):
            said.setdefault(name, []).append(part)
    settled = {name: _united(parts) for name, parts in said.items()}
    own = getattr(file.text, section)
    for name in _switched_off(file.report, own, section, settled):
        settled.pop(name, None)
    for name, part in _parts(file.report, own, section, names):
        settled[name] = _laid_over(settled[name], part) if name in settled else part
        if not part.text.any and name not in said:
            file.report.missing((section, name, "any"), remedy=suggest(name, said))
    return {name: part for name, part in settled.items() if part.any}


def _parts(
    report: Report, written: Mapping[str, TopicText | str], section: SectionName, names: Names
) -> Iterator[tuple[str, _Part]]:
    for name, text in written.items():
        if isinstance(text, TopicText):
            yield name, _part(report, (section, name), text, names)


def _part(report: Report, path: tuple[str, str], text: TopicText, names: Names) -> _Part:
    wanted = entries(report, (*path, "any"), text.any, names)
    hidden = entries(report, (*path, "none"), text.none, names)
    for index, query in enumerate(hidden):
        if query in wanted:
            report.warn((*path, "none", index), "stands in any as well, so that term never counts", remedy="remove one")
    if text.near is not None and not names.values["brand"]:
        report.warn((*path, "near"), "there is no brand to be near to, so this never applies", remedy="add a brand")
    return _Part(any=wanted, none=hidden, text=text)


def _switched_off(
    report: Report, written: Mapping[str, TopicText | str], section: SectionName, known: Mapping[str, object]
) -> Iterable[str]:
    for name, text in written.items():
        if text == OFF:
            if name not in known:
                message = f'no pack of this file has "{name}", so there is nothing to switch off'
                report.warn((section, name), message, remedy=one_of(name, known), key=True)
            yield name


def _united(parts: Sequence[_Part]) -> _Part:
    texts = [part.text for part in parts]
    nears = [text.near for text in texts]
    values = {
        "near": None if None in nears else max(near for near in nears if near is not None),
        "at_least": max((text.at_least for text in texts if text.at_least), key=lambda least: least.rank, default=None),
        "points": max((text.points for text in texts if text.points is not None), default=None),
        "handle_by": next((text.handle_by for text in texts if text.handle_by), None),
        "advice": next((text.advice for text in texts if text.advice.do or text.advice.avoid), AdviceText()),
    }
    return _joined(parts, texts[0].model_copy(update=values))


def _laid_over(pack: _Part, own: _Part) -> _Part:
    said = {"near", "at_least", "points", "handle_by", "advice"} & own.text.model_fields_set
    values = {name: getattr(own.text, name) for name in said}
    return _joined((pack, own), pack.text.model_copy(update=values))


def _joined(parts: Sequence[_Part], text: TopicText) -> _Part:
    """The lists of all parts, each query once, with the single values of `text`. Examples stay as many as written."""
    examples = ExamplesText(
        match=tuple(example for part in parts for example in part.text.examples.match),
        ignore=tuple(example for part in parts for example in part.text.examples.ignore),
    )
    return _Part(
        any=tuple(dict.fromkeys(itertools.chain.from_iterable(part.any for part in parts))),
        none=tuple(dict.fromkeys(itertools.chain.from_iterable(part.none for part in parts))),
        text=text.model_copy(update={"examples": examples}),
    )
