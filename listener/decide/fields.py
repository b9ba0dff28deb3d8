"""The fields of a query: tests on what a mention is, beside what it says."""

from collections.abc import Callable

from listener.decide.fold import fold
from listener.decide.reading import Reading
from listener.decide.urls import host_of
from listener.domain.query import Field, FieldName

__all__ = ["field_test"]

Holds = Callable[[Reading], bool]


def _author(query: Field) -> Holds:
    wanted = fold(query.value).lstrip("@")

    def holds(reading: Reading) -> bool:
        author = reading.mention.author
        return wanted in (fold(author.handle or "").lstrip("@"), fold(author.name or ""))

    return holds


def _site(query: Field) -> Holds:
    """A host and all below it; what follows a slash is the beginning of the path."""
    host, _, path = query.value.lower().removeprefix("www.").partition("/")

    def holds(reading: Reading) -> bool:
        found = host_of(reading.mention.url)
        if found != host and not found.endswith(f".{host}"):
            return False
        return not path or (reading.mention.url or "").partition("://")[2].partition("/")[2].lower().startswith(path)

    return holds


def _source(query: Field) -> Holds:
    return lambda reading: reading.mention.source_id == query.value


def _lang(query: Field) -> Holds:
    return lambda reading: reading.mention.lang == query.value


def _brand(query: Field) -> Holds:
    return lambda reading: query.value in reading.brands


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": lambda known, wanted: known > wanted,
    ">=": lambda known, wanted: known >= wanted,
    "<": lambda known, wanted: known < wanted,
    "<=": lambda known, wanted: known <= wanted,
    "=": lambda known, wanted: known == wanted,
}


def _followers(query: Field) -> Holds:
    """An unknown number is neither more nor less than any other."""
    compare, wanted = _COMPARE[query.op], query.number or 0.0

    def holds(reading: Reading) -> bool:
        author, reach = reading.mention.author, reading.mention.reach
        known = author.followers if author.followers is not None else reach.followers
        return known is not None and compare(known, wanted)

    return holds


_TESTS: dict[FieldName, Callable[[Field], Holds]] = {
    FieldName.AUTHOR: _author,
    FieldName.SITE: _site,
    FieldName.SOURCE: _source,
    FieldName.LANG: _lang,
    FieldName.BRAND: _brand,
    FieldName.FOLLOWERS: _followers,
}


def field_test(query: Field) -> Holds:
    """The test that a field makes. `title:` is none of these: it is a term with a place."""
    return _TESTS[query.name](query)
