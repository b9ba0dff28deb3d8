"""What is different between two policies, in lines for the log of a reload. No value of a plug-in's configuration is shown."""

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, get_args

from pydantic import BaseModel

from listener.domain.policy import Matcher, Policy
from listener.domain.query import And, Field, Near, Not, Or, Query, Regex, Term
from listener.rules.units import spoken

MAX_LINES = 50

_QUERIES = get_args(Query)
_SKIPPED = ("digest", "id", "place")
_AS_IN_FILE = {"route": "routes", "escalations": "escalation", "near_brand": "near", "continue_": "continue"}


def changes(old: Policy, new: Policy) -> tuple[str, ...]:
    """`topics.billing.points: 25 -> 30`, in the order of the file; at most `MAX_LINES` lines."""
    lines = list(_fields("", old, new))
    if len(lines) > MAX_LINES:
        lines = [*lines[: MAX_LINES - 1], f"and {len(lines) - MAX_LINES + 1} more changes"]
    return tuple(lines)


def _difference(place: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, _QUERIES) and isinstance(new, _QUERIES):
        yield f"{place}: {_terms(old, new)}"
    elif isinstance(old, BaseModel):
        yield from (f"{place}{name}" for name in _changed_settings(old, new))
    elif dataclasses.is_dataclass(old) and type(old) is type(new):
        yield from _fields(place, old, new)
    elif _is_named(old) or _is_named(new):
        yield from _entries(place, _by_name(old), _by_name(new))
    else:
        yield f"{place}: {_shown(old)} -> {_shown(new)}"


def _fields(place: str, old: Any, new: Any) -> Iterator[str]:
    names = [field.name for field in dataclasses.fields(old)]
    skipped = _SKIPPED if isinstance(old, Policy) or "digest" not in names else _SKIPPED[1:]
    for name in names:
        if name in skipped:
            continue
        inner = name if name != "config" else ""
        path = ".".join(part for part in (place, _AS_IN_FILE.get(inner, inner)) if part)
        yield from _difference(path, getattr(old, name), getattr(new, name))


def _is_named(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, tuple) and any(_name(item, None) for item in value))


def _by_name(value: Any) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return value
    return {_name(item, index): item for index, item in enumerate(value)}


def _name(item: Any, index: int | None) -> Any:
    """How an entry of a tuple is called: by its id, or by its number if it is a route or a channel."""
    if not dataclasses.is_dataclass(item) or isinstance(item, _QUERIES):
        return None
    numbered = getattr(item, "place", None) or getattr(item, "name", None)
    return getattr(item, "id", None) or (str(numbered).rpartition(".")[2] if numbered else index)


def _entries(place: str, old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterator[str]:
    for name in [*old, *(name for name in new if name not in old)]:
        path = f"{place.rpartition('.')[0] if str(name).endswith(']') else place}.{name}"
        if name not in new:
            yield f"{path}: removed"
        elif name not in old:
            yield f"{path}: added" if _name(new[name], 0) is not None else f"{path}: added {_shown(new[name])}"
        else:
            yield from _difference(path, old[name], new[name])


def _changed_settings(old: BaseModel, new: BaseModel) -> list[str]:
    """Which settings changed, never to what: an address may hold a token."""
    if type(old) is not type(new):
        return [": other settings"]
    return [f".{name}: changed" for name in type(old).model_fields if getattr(old, name) != getattr(new, name)]


def _terms(old: Query, new: Query) -> str:
    """Terms that came and went, if both are plain alternatives; else the new query as it is written."""
    before, after = _alternatives(old), _alternatives(new)
    added = [written(term) for term in after if term not in before]
    removed = [written(term) for term in before if term not in after]
    parts = [f"added {', '.join(added)}" if added else "", f"removed {', '.join(removed)}" if removed else ""]
    return _cut("; ".join(part for part in parts if part) or "put in another order")


def _alternatives(query: Query) -> dict[Query, None]:
    return dict.fromkeys(query.parts if isinstance(query, Or) else (query,))


def written(query: Query) -> str:
    """A query in the language of rules.yaml."""
    if isinstance(query, Term):
        text = f'"{query.text}"' if " " in query.text else query.text
        return f"{'^' if query.word_start else ''}{text}{'*' if query.prefix else ''}"
    if isinstance(query, Regex):
        return f"/{query.pattern}/"
    if isinstance(query, Field):
        return f"{query.name}{query.op}{query.value}"
    if isinstance(query, Not):
        return f"NOT {_bracketed(query.part)}"
    if isinstance(query, Near):
        return f"{_bracketed(query.left)} NEAR/{query.distance} {_bracketed(query.right)}"
    return (" AND " if isinstance(query, And) else " OR ").join(_bracketed(part) for part in query.parts)


def _bracketed(query: Query) -> str:
    return f"({written(query)})" if isinstance(query, And | Or) else written(query)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, timedelta):
        return spoken(value)
    if isinstance(value, _QUERIES):
        return _cut(written(value))
    if isinstance(value, Matcher):
        return str(value)
    if isinstance(value, tuple):
        return _cut(f"[{', '.join(_shown(item) for item in value)}]")
    if dataclasses.is_dataclass(value):
        parts = (f"{field.name} {_shown(getattr(value, field.name))}" for field in dataclasses.fields(value))
        return _cut(", ".join(parts))
    return _cut(f"{value:g}" if isinstance(value, float) else str(value))


def _cut(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"
