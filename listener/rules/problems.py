"""Problems with their places: a path such as `("topics", "billing", "any", 3)` becomes a line, a column and an excerpt."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError

from listener.domain.errors import Problem
from listener.rules.yaml_text import Group, Listing, Node, Scalar

Path = tuple[str | int, ...]


def dotted(path: Path) -> str:
    """`("routes", "routes", 1)` as people read it: `routes.routes[1]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def suggest(word: str, known: Iterable[str]) -> str | None:
    """`did you mean "points"?` for the known word that is closest, or `None` if none is close."""
    close = difflib.get_close_matches(word.casefold(), list(known), n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else None


def one_of(word: str, known: Iterable[str]) -> str:
    """A remedy for a name that is not there: the closest one, or all there are (at most twelve)."""
    names = sorted(known)
    more = ", ..." if len(names) > 12 else ""
    listing = f"there is {', '.join(names[:12])}{more}" if names else "none is defined"
    return suggest(word, names) or listing


class Places:
    """Where things stand in one document. `file` is its name if that is not the file that people gave us: a pack."""

    def __init__(self, root: Node, file: str | None = None) -> None:
        self._root = root
        self.file = file

    def node(self, path: Path) -> Node | None:
        """The node at that path, or `None` if the document has none there."""
        node: Node | None = self._root
        for part in path:
            node = _child(node, part)
        return node

    def at(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value (of its key, if asked); for a path that is not there, of what should hold it."""
        node, parent = self._root, None
        last: str | int | None = None
        for part in path:
            child = _child(node, part)
            if child is None:
                break
            node, parent, last = child, node, part
        if isinstance(parent, Group) and isinstance(last, str) and (key or not isinstance(node, Scalar)):
            return parent.keys[last]
        return node.line, node.column

    def names(self, section: str) -> frozenset[str]:
        """The names that entries of a section have, broken entries included."""
        node = self.node((section,))
        return frozenset(node.items) if isinstance(node, Group) else frozenset()

    def has(self, section: str) -> bool:
        """Whether something is written in a section."""
        node = self.node((section,))
        return node.value is not None if isinstance(node, Scalar) else bool(node and node.items)

    def count(self, path: Path) -> int:
        """How many values stand there: those of a list, or one, or none."""
        node = self.node(path)
        if isinstance(node, Listing):
            return len(node.items)
        return int(isinstance(node, Scalar) and node.value is not None)

    def known(self, loc: Iterable[Any]) -> tuple[Path, bool]:
        """A location of pydantic's as a path in the document, and whether it was found whole.

        Parts that pydantic adds and nobody wrote (the tag of a union, `[key]`) are left out. Only the last part may be
        a name that is missing.
        """
        path: list[str | int] = []
        node: Node | None = self._root
        parts = tuple(loc)
        for part in parts:
            child = _child(node, part)
            if child is not None:
                path.append(part)
                node = child
        return tuple(path), bool(parts) and bool(path) and path[-1] == parts[-1]


def _child(node: Node | None, part: str | int) -> Node | None:
    if isinstance(node, Group):
        return node.items.get(str(part))
    if isinstance(node, Listing) and isinstance(part, int) and part < len(node.items):
        return node.items[part]
    if isinstance(node, Scalar) and part == 0:
        return node  # `when: a=b` stands for `when: [a=b]`
    return None


class Report:
    """Collects all problems of one document, each with its place. Order of reporting does not matter."""

    def __init__(self, root: Node, problems: Iterable[Problem] = (), *, file: str | None = None) -> None:
        self.places = Places(root, file)
        self._problems = list(problems)

    def error(
        self, path: Path, message: str, *, remedy: str | None = None, key: bool = False, shift: int | None = None
    ) -> None:
        """The file cannot be used. `shift` is how many characters into the text of the value the fault is."""
        self._add(Problem(message=message, remedy=remedy), path, key=key, shift=shift)

    def warn(self, path: Path, message: str, *, remedy: str | None = None, key: bool = False) -> None:
        """The file can be used, but does not do what its author may think."""
        self._add(Problem(message=message, remedy=remedy, severity="warning"), path, key=key)

    @property
    def failed(self) -> bool:
        """Whether the file cannot be used."""
        return any(problem.severity == "error" for problem in self._problems)

    def ordered(self) -> tuple[Problem, ...]:
        """All problems by their place; what has none comes first."""
        ordered = sorted(self._problems, key=lambda problem: (problem.line or 0, problem.column or 0))
        return tuple(replace(problem, file=self.places.file) for problem in ordered)

    def _add(self, problem: Problem, path: Path, *, key: bool, shift: int | None = None) -> None:
        node = self.places.node(path)
        if isinstance(node, Scalar) and node.flawed:
            return
        line, column = self.places.at(path, key=key)
        excerpt = None
        if isinstance(node, Scalar):
            excerpt = _shown(node.text, path)
            if shift is not None and node.offset is not None and not key:
                column += node.offset + shift
        self._problems.append(replace(problem, line=line, column=column, path=dotted(path), excerpt=excerpt))

    def validation(self, error: ValidationError, prefix: Path, model: type[BaseModel]) -> None:
        """Every problem that pydantic found in the value at `prefix`, in our words."""
        for detail in error.errors(include_url=False):
            self.detail(detail, prefix, model)

    def detail(self, detail: Mapping[str, Any], prefix: Path, model: type[BaseModel]) -> None:
        """One of the problems that pydantic found in the value at `prefix`."""
        loc = (*prefix, *detail["loc"])
        path, whole = self.places.known(loc)
        if detail["type"] == "extra_forbidden":
            name = str(loc[-1])
            self.error(path, f'unknown key "{name}"', remedy=one_of(name, _keys(model, detail["loc"][:-1])), key=True)
        elif detail["type"] == "missing":
            self._missing(path, whole, str(loc[-1]))
        else:
            message, remedy = in_words(detail)
            self.error(path, message, remedy=remedy)

    def missing(self, path: Path, *, remedy: str | None = None) -> None:
        """The last part of the path has to be written. Says nothing if it is, for then it was wrong and that is said."""
        node = self.places.node(path)
        if node is None:
            self._missing(path[:-1], whole=False, name=str(path[-1]), remedy=remedy)
        elif isinstance(node, Scalar) and node.value is None:
            self._missing(path, whole=True, name=str(path[-1]))

    def _missing(self, path: Path, whole: bool, name: str, remedy: str | None = None) -> None:
        if whole:
            self.error(path, f'"{name}" is empty', remedy="write its value; a text that begins with # needs quotes")
        else:
            self.error(path, f'"{name}" is missing', remedy=remedy or f'add "{name}: ..."', key=True)


_SECRET = re.compile("pass|secret|token|webhook|url|key|auth")


def _shown(text: str, path: Path) -> str | None:
    """The offending text as it may be shown; nothing of what may be a secret or an address with a token in it."""
    name = str(path[-1]) if path else ""
    if path[:1] in (("sources",), ("receivers",)) and not name.endswith("_env") and _SECRET.search(name):
        return None
    return text if len(text) <= 80 else f"{text[:79]}…"


def _keys(model: type[BaseModel], loc: Iterable[Any]) -> list[str]:
    """The keys that the model takes at a location inside it."""
    parts = iter(loc)
    for part in parts:
        for name, field in model.model_fields.items():
            if part in (name, field.alias):
                model = _model_in(field.annotation) or model
                if get_origin(field.annotation) is dict:
                    next(parts, None)  # the name that people gave the entry
                break
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in getattr(annotation, "__args__", ()))
    return next((inner for inner in found if inner is not None), None)


def in_words(detail: Mapping[str, Any]) -> tuple[str, str | None]:
    """What pydantic found as a message and a remedy."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _PHRASES:
        return _PHRASES[kind]
    if kind in ("literal_error", "enum"):
        return _choice(str(detail["input"]), context["expected"])
    if kind in _BOUNDS:
        return _BOUNDS[kind](context), None
    if kind == "value_error":
        return _split(str(context["error"]))
    return _split(str(detail["msg"]))


def _choice(written: str, expected: str) -> tuple[str, str | None]:
    choices = expected.replace("'", "").replace(" or ", ", ").split(", ")
    return f"should be one of {', '.join(choices)}", suggest(written, choices)


def _split(sentence: str) -> tuple[str, str | None]:
    """Our own validators write "message; remedy"."""
    message, _, remedy = sentence.partition("; ")
    return message, remedy or None


_PHRASES: dict[str, tuple[str, str | None]] = {
    "string_type": ("should be a text", "put it in quotes"),
    "too_short": ("is empty", "give it a value"),
    "int_type": ("should be a whole number", None),
    "int_parsing": ("should be a whole number", None),
    "int_from_float": ("should be a whole number", None),
    "float_type": ("should be a number", None),
    "float_parsing": ("should be a number", None),
    "finite_number": ("should be a number", None),
    "bool_type": ("should be true or false", None),
    "bool_parsing": ("should be true or false", None),
    "time_delta_type": ("should be an amount of time", "write it like 5m"),
    "time_type": ("should be a time of day", "write it like 22:00"),
    "datetime_type": ("should be a date and time", "write it like 2026-03-02T02:00Z"),
    "tuple_type": ("should be a list", "write [one, two]"),
    "list_type": ("should be a list", "write [one, two]"),
    "dict_type": ("should be a group of names", 'write "name: ..." on lines of their own'),
    "model_type": ("should be a group of keys", 'write "key: value" on lines of their own, or {key: value}'),
    "model_attributes_type": ("should be a group of keys", 'write "key: value" on lines of their own, or {key: value}'),
}

_BOUNDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than": lambda context: f"should be more than {context['gt']:g}",
    "greater_than_equal": lambda context: f"should be at least {context['ge']:g}",
    "less_than": lambda context: f"should be less than {context['lt']:g}",
    "string_pattern_mismatch": lambda context: f"does not have the form {context['pattern']}",
    "less_than_equal": lambda context: f"should be at most {context['le']:g}",
}
