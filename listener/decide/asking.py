"""Queries made ready to be asked of many texts.

A query becomes a function of a `Reading` that answers with its hits, or `None` if the query is not true. Beside it goes
what it `needs`: term numbers of which at least one must stand in a text for the query to have a chance. So a text costs
what its own words cost, not what the rules do: a query none of whose needs is there is never asked.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import re2

from listener.decide.fields import field_test
from listener.decide.fold import fold
from listener.decide.reading import Hit, Hits, Keep, Reading, within
from listener.domain.query import And, Field, FieldName, Near, Not, Or, Query, Regex, Term

__all__ = ["Ask", "Chooser", "TermNumbers", "compile_query"]

Asked = Callable[[Reading, Keep | None], Hits | None]


@dataclass(frozen=True, slots=True)
class Ask:
    """A query that can be asked. `needs` is `None` for a query that can be true without any term."""

    ask: Asked
    needs: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class TermNumbers:
    """Gives each distinct term its number while queries are compiled."""

    numbers: dict[tuple[str, bool, bool], int] = field(default_factory=dict)
    terms: list[Term] = field(default_factory=list)

    def number(self, term: Term) -> int:
        """The number of a term; terms that differ in spelling only share one."""
        known = self.numbers.setdefault((term.folded, term.prefix, term.word_start), len(self.terms))
        if known == len(self.terms):
            self.terms.append(term)
        return known


def compile_query(query: Query, numbers: TermNumbers) -> Ask:
    """Make a query ready. Depth is bounded by the parser."""
    if isinstance(query, Term):
        return _term(query, numbers)
    if isinstance(query, Or):
        return _any_of(query.parts, numbers)
    if isinstance(query, And):
        return _all_of([compile_query(part, numbers) for part in query.parts])
    if isinstance(query, Not):
        return _not(compile_query(query.part, numbers))
    if isinstance(query, Near):
        return _near(compile_query(query.left, numbers), compile_query(query.right, numbers), query.distance)
    if isinstance(query, Regex):
        return _regex(query.pattern)
    return _field(query, numbers)


def _term(term: Term, numbers: TermNumbers) -> Ask:
    number, text = numbers.number(term), term.text

    def ask(reading: Reading, keep: Keep | None) -> Hits | None:
        return _hits(text, reading.spans.get(number, ()), keep) or None

    return Ask(ask, frozenset((number,)))


def _hits(text: str, spans: Iterable[tuple[int, int]], keep: Keep | None) -> Hits:
    return [Hit(text, start, end) for start, end in spans if keep is None or keep(start, end)]


def _any_of(queries: Iterable[Query], numbers: TermNumbers) -> Ask:
    """Plain terms are looked up from the side of the text, so that ten thousand alternatives cost nothing."""
    texts: dict[int, str] = {}
    others: list[Ask] = []
    for query in queries:
        if isinstance(query, Term):
            texts.setdefault(numbers.number(query), query.text)
        else:
            others.append(compile_query(query, numbers))
    choose = Chooser(others)

    def ask(reading: Reading, keep: Keep | None) -> Hits | None:
        hits: Hits = []
        found = False
        for number, spans in reading.spans.items():
            if number in texts:
                hits += _hits(texts[number], spans, keep)
        for place in choose.candidates(reading.spans):
            more = others[place].ask(reading, keep)
            if more is not None:
                hits += more
                found = True
        return hits if hits or found else None

    return Ask(ask, _union([frozenset(texts), *(other.needs for other in others)]))


def _union(needs: Iterable[frozenset[int] | None]) -> frozenset[int] | None:
    known: set[int] = set()
    for need in needs:
        if need is None:
            return None
        known |= need
    return frozenset(known)


class Chooser:
    """Which of many asks have a chance with a text."""

    def __init__(self, asks: Iterable[Ask]) -> None:
        self._always: list[int] = []
        self._by_term: dict[int, list[int]] = {}
        for place, ask in enumerate(asks):
            if ask.needs is None:
                self._always.append(place)
            for number in ask.needs or ():
                self._by_term.setdefault(number, []).append(place)

    def candidates(self, spans: Mapping[int, Any]) -> list[int]:
        """The places of the asks that may be true, in their order."""
        if self._by_term.keys().isdisjoint(spans):
            return self._always
        places = set(self._always)
        for number in spans:
            if number in self._by_term:
                places.update(self._by_term[number])
        return sorted(places)


def _all_of(parts: list[Ask]) -> Ask:
    def ask(reading: Reading, keep: Keep | None) -> Hits | None:
        hits: Hits = []
        for part in parts:
            more = part.ask(reading, keep)
            if more is None:
                return None
            hits += more
        return hits

    return Ask(ask, _fewest(parts))


def _fewest(parts: Iterable[Ask]) -> frozenset[int] | None:
    return min((part.needs for part in parts if part.needs is not None), key=len, default=None)


def _not(part: Ask) -> Ask:
    """What is hidden from a topic still stands in the text, so a negation sees all of it."""

    def ask(reading: Reading, _keep: Keep | None) -> Hits | None:
        return [] if part.ask(reading, None) is None else None

    return Ask(ask, None)


def _near(left: Ask, right: Ask, distance: int) -> Ask:
    def ask(reading: Reading, keep: Keep | None) -> Hits | None:
        lefts = left.ask(reading, keep)
        rights = right.ask(reading, keep) if lefts else None
        if not lefts or not rights:
            return None
        near_left = within(reading, lefts, rights, distance)
        return near_left + within(reading, rights, lefts, distance) if near_left else None

    return Ask(ask, _fewest([left, right]))


_MOST_REGEX_HITS = 100


def _regex(pattern: str) -> Ask:
    """RE2, since users' patterns meet hostile texts. Not a set of all patterns: a set that runs out of memory finds nothing."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    regex = re2.compile(pattern, options)

    def ask(reading: Reading, keep: Keep | None) -> Hits | None:
        hits: Hits = []
        for found in regex.finditer(reading.folded):
            start, end = found.span()
            if start < end and (keep is None or keep(start, end)):
                hits.append(Hit(f"/{pattern}/", start, end))
                if len(hits) == _MOST_REGEX_HITS:
                    break
        return hits or None

    return Ask(ask, None)


def _field(query: Field, numbers: TermNumbers) -> Ask:
    if query.name is FieldName.TITLE:
        return _title(query, numbers)
    holds = field_test(query)
    shown = f"{query.name}{query.op}{query.value}"

    def ask(reading: Reading, _keep: Keep | None) -> Hits | None:
        return [Hit(shown, -1, -1)] if holds(reading) else None

    return Ask(ask, None)


def _title(query: Field, numbers: TermNumbers) -> Ask:
    """A term that must stand in the title."""
    value = query.value.removesuffix("*")
    term = _term(Term(f"title:{query.value}", fold(value), prefix=value != query.value), numbers)

    def ask(reading: Reading, keep: Keep | None) -> Hits | None:
        hits = term.ask(reading, keep) or []
        return [hit for hit in hits if hit.end <= reading.title_end] or None

    return Ask(ask, term.needs)
