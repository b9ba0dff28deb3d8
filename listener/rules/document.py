"""One YAML document with its problems: the team's file, or a pack that it includes."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from listener.domain.errors import ConfigError
from listener.rules.problems import Report
from listener.rules.shape import Section
from listener.rules.yaml_text import Group, plain, read

T = TypeVar("T", bound=Section)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Generic[T]):
    """What was written, as far as it is right, and the report that holds what is wrong with it."""

    report: Report
    text: T


def open_document(text: str, shape: type[T], *, file: str, named: bool = False) -> Document[T]:
    """Read a document of that shape. `named` says that its problems have to name the file themselves.

    Raises `ConfigError` if it cannot be read to its end; anything less is in the report.
    """
    reading = read(text)
    if reading.root is None:
        raise ConfigError(file, reading.problems)
    report = Report(reading.root, reading.problems, file=file if named else None)
    if not isinstance(reading.root, Group):
        first = next(iter(shape.model_fields))
        report.error((), 'the file should consist of sections like "topics:"', remedy=f'begin with "{first}:"')
        raise ConfigError(file, report.ordered())
    return Document(report=report, text=_shaped(report, plain(reading.root), shape))


def _shaped(report: Report, data: Any, shape: type[T]) -> T:
    """The validated shape. What is wrong is reported and left out, as little as possible, so that the rest is checked."""
    for prune in (_prune_values, _prune_entries, _prune_sections):
        try:
            return shape.model_validate(data)
        except ValidationError as error:
            if prune is _prune_values:
                report.validation(error, (), shape)
            for detail in error.errors(include_url=False):
                prune(data, detail["loc"])
    return shape.model_validate(data)


def _prune_values(data: Any, loc: tuple[Any, ...]) -> None:
    """Take out the one value. Nothing goes out of a list, so that places behind it keep their numbers.

    Parts that pydantic adds and nobody wrote (the tag of a union) are passed over.
    """
    holder = None
    for part in loc:
        inside = isinstance(data, dict) and part in data
        if inside or (isinstance(data, list) and isinstance(part, int)):
            holder, name, data = data, part, data[part]
    if isinstance(holder, dict):
        holder.pop(name, None)


def _prune_entries(data: dict[str, Any], loc: tuple[Any, ...]) -> None:
    section = data.get(loc[0])
    if isinstance(section, dict) and len(loc) > 1:
        section.pop(loc[1], None)
    else:
        data.pop(loc[0], None)


def _prune_sections(data: dict[str, Any], loc: tuple[Any, ...]) -> None:
    data.pop(loc[0], None)
