"""Queries of a document: parsed, and what is wrong with them reported at its character."""

from collections.abc import Iterable

from listener.domain.query import And, Field, FieldName, Not, Or, Query, Term
from listener.rules.problems import Path, Report, one_of
from listener.rules.query import QueryError, entry, parse
from listener.rules.routes import Names

NOTHING = Or(())
"""Stands for a query that is wrong: it finds nothing."""


def checked(report: Report, path: Path, text: str, names: Names, *, one_entry: bool = False) -> Query:
    """The query of a text, or `NOTHING` if it is wrong, which is reported. `one_entry` reads it as an entry of a list."""
    try:
        query = entry(text) if one_entry else parse(text)
    except QueryError as error:
        report.error(path, f"{error.message} (character {error.column})", remedy=error.remedy, shift=error.column - 1)
        return NOTHING
    if not isinstance(query, Term):
        for field in _fields(query):
            _check_field(report, path, field, names)
    return query


def entries(report: Report, path: Path, texts: tuple[str, ...], names: Names) -> tuple[Query, ...]:
    """The queries of a list, each once."""
    found: dict[Query, int] = {}
    for index, text in enumerate(texts):
        query = checked(report, (*path, index), text, names, one_entry=True)
        if query in found:
            report.warn((*path, index), f"stands here twice, first as entry {found[query] + 1}", remedy="remove one")
            continue
        found[query] = index
        if isinstance(query, Term) and len(query.folded) == 1 and not query.folded.isascii() and query.folded.isalpha():
            report.warn((*path, index), f'"{query.text}" is inside very many words', remedy="write a longer term")
    return tuple(found)


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
