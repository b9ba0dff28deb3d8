"""A strict reader of YAML that keeps the place of everything.

PyYAML's own loader reads `12:30` as 750 and `no` as false, keeps the last of two equal keys without a word, lets eleven
lines of aliases grow to gigabytes, and answers five thousand open brackets with a RecursionError. So we read the events
of libyaml ourselves: scalars by the core schema of YAML 1.2 (section 10.3.2), and no aliases, anchors, tags or merge keys.
"""

import re
from dataclasses import dataclass, field
from typing import cast

import yaml

from listener.domain.errors import Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 20


class WrittenInt(int):
    """A whole number that remembers how it was written, for keys that want text (`010` stays `010`)."""

    text: str


class WrittenFloat(float):
    """A number that remembers how it was written, for keys that want text (`1.10` stays `1.10`)."""

    text: str


@dataclass(slots=True)
class Scalar:
    """One value. `offset` is how many characters of markup (a quote) stand before its text, `None` if not known."""

    value: str | int | float | bool | None
    text: str
    line: int
    column: int
    offset: int | None = 0
    flawed: bool = False


@dataclass(slots=True)
class Group:
    """Keys with their values; `keys` holds the line and column of each key."""

    line: int
    column: int
    items: "dict[str, Node]" = field(default_factory=dict)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Listing:
    """Values in order."""

    line: int
    column: int
    items: "list[Node]" = field(default_factory=list)


Node = Scalar | Group | Listing
Plain = str | int | float | bool | dict[str, "Plain"] | list["Plain"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read. `root` is `None` if the text cannot be read to its end; then `problems` is not empty."""

    root: Node | None
    problems: tuple[Problem, ...]


def read(text: str) -> Reading:
    """Read the text of one document. Never raises for what a person can write; see `Reading.problems`."""
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
        return _unreadable(Problem(message=f"the file is larger than {MAX_BYTES:,} bytes", remedy="split it up"))
    builder = _Builder(text.splitlines())
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.feed(event)
    except _Stop as stop:
        builder.problems.append(stop.problem)
        return _unreadable(*builder.problems)
    except yaml.MarkedYAMLError as error:
        return _unreadable(*builder.problems, explain(error, text.splitlines()))
    except (yaml.reader.ReaderError, UnicodeEncodeError) as error:
        return _unreadable(*builder.problems, _bad_character(error, text))
    return builder.finish()


def plain(node: Node) -> Plain:
    """The bare values of a node: what a model validates. Depth is bounded by `MAX_DEPTH`."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    return {key: plain(item) for key, item in node.items.items()}


def core_scalar(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar by YAML 1.2's core schema; `no`, `on`, `12:30` and `1_000` are text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INT.fullmatch(text):
        return _written_int(int(text), text)
    if _BASED.fullmatch(text):
        return _written_int(int(text[2:], 8 if text[1] == "o" else 16), text)
    if _FLOAT.fullmatch(text):
        number = WrittenFloat(text)
        number.text = text
        return number
    return text


_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
# Longer runs of digits are account or case numbers, never amounts; as text they cannot overflow anything.
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_BASED = re.compile(r"0o[0-7]{1,15}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,30}|[0-9]{1,30}(?:\.[0-9]{0,30})?)(?:[eE][-+]?[0-9]{1,2})?")


def _written_int(value: int, text: str) -> WrittenInt:
    number = WrittenInt(value)
    number.text = text
    return number


def _unreadable(*problems: Problem) -> Reading:
    return Reading(root=None, problems=problems)


class _Stop(Exception):
    """Reading cannot go on."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


@dataclass(slots=True)
class _Frame:
    """A collection that is being read. In a group, `key` is the key whose value comes next; `None` drops that value."""

    node: Group | Listing
    key: str | None = None
    wants_key: bool = True


def _at(event: yaml.Event) -> tuple[int, int]:
    """Line and column from 1. Events of a document always have a mark; the type says otherwise."""
    mark = cast("yaml.Mark", event.start_mark)
    return mark.line + 1, mark.column + 1


class _Builder:
    """Makes nodes of events without recursion and collects what is wrong on the way."""

    def __init__(self, lines: list[str]) -> None:
        self.problems: list[Problem] = []
        self._lines = lines
        self._frames: list[_Frame] = []
        self._root: Node | None = None
        self._documents = 0

    def feed(self, event: yaml.Event) -> None:
        """Take the next event of the parser."""
        if isinstance(event, yaml.ScalarEvent):
            self._check_decoration(event)
            self._attach(self._scalar(event))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._check_decoration(event)
            self._open(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._frames.pop()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._document(event)

    def finish(self) -> Reading:
        """All that was read, once the events are over."""
        root = self._root
        if root is None or (isinstance(root, Scalar) and root.value is None and not root.flawed):
            problem = Problem(
                message="the file is empty", line=1, column=1, remedy='the shortest file that works is "version: 1"'
            )
            return _unreadable(*self.problems, problem)
        return Reading(root=root, problems=tuple(self.problems))

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        line, column = _at(event)
        text, style = event.value, event.style
        value = core_scalar(text) if not style and event.implicit[0] else text
        offset = 1 if style in ("'", '"') else 0
        exact = line <= len(self._lines) and self._lines[line - 1].startswith(text, column - 1 + offset)
        return Scalar(value, text, line, column, offset if exact else None)

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        line, column = _at(event)
        if len(self._frames) >= MAX_DEPTH:
            message = f"brackets or indentation go deeper than {MAX_DEPTH} levels"
            raise _Stop(
                Problem(message=message, line=line, column=column, remedy="look for a bracket that is not closed")
            )
        kind = Group if isinstance(event, yaml.MappingStartEvent) else Listing
        node = kind(line, column)
        self._attach(node)
        self._frames.append(_Frame(node))

    def _attach(self, node: Node) -> None:
        if not self._frames:
            self._root = node
            return
        frame = self._frames[-1]
        if isinstance(frame.node, Listing):
            frame.node.items.append(node)
        elif frame.wants_key:
            frame.key = self._key(frame.node, node)
            frame.wants_key = False
        else:
            if frame.key is not None:
                frame.node.items[frame.key] = node
            frame.wants_key = True

    def _key(self, group: Group, node: Node) -> str | None:
        """The text of a usable key; a key is always text, whatever it looks like."""
        if not isinstance(node, Scalar):
            self._report(node, "a key must be one word", remedy="put text with brackets or braces in quotes")
            return None
        if node.flawed:
            return None
        if node.text in group.keys:
            first = group.keys[node.text][0]
            self._report(
                node, f'the key "{node.text}" stands here twice, first on line {first}', remedy="keep one of them"
            )
            return None
        if node.text in ("<<", ""):
            self._report(node, f'"{node.text}" cannot be a key', remedy="write the keys out")
            return None
        group.keys[node.text] = (node.line, node.column)
        return node.text

    def _alias(self, event: yaml.AliasEvent) -> None:
        node = Scalar(None, f"*{event.anchor}", *_at(event), flawed=True)
        self._report(node, "a text that begins with * refers to another place in the file, which is not supported",
                     remedy=f'if you mean the text, put it in quotes: "*{event.anchor}"')  # fmt: skip
        self._attach(node)

    def _check_decoration(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        for sign, word in (("&", event.anchor), ("!", event.tag)):
            if word is not None:
                shown = word.replace("tag:yaml.org,2002:", "!!") if sign == "!" else f"&{word}"
                node = Scalar(None, shown, *_at(event))
                self._report(node, f"a text that begins with {sign} is a YAML label, which is not supported",
                             remedy="if you mean the text, put it in quotes")  # fmt: skip

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            line, _ = _at(event)
            problem = Problem(
                message='a second document begins here ("---")', line=line, column=1, remedy="remove the line"
            )
            raise _Stop(problem)

    def _report(self, node: Node, message: str, *, remedy: str) -> None:
        excerpt = node.text[:80] if isinstance(node, Scalar) else None
        self.problems.append(
            Problem(message=message, line=node.line, column=node.column, excerpt=excerpt, remedy=remedy)
        )


def explain(error: yaml.MarkedYAMLError, lines: list[str]) -> Problem:
    """Libyaml's complaint in words that a support lead can act on, at the place where the eye should go."""
    unclosed = "quoted scalar" in (error.context or "") and "end of stream" in (error.problem or "")
    mark = cast("yaml.Mark", error.context_mark if unclosed else error.problem_mark)
    line = lines[mark.line] if mark.line < len(lines) else ""
    message, remedy = _meaning(error, line, mark.column)
    return Problem(
        message=message,
        line=mark.line + 1,
        column=mark.column + 1,
        excerpt=masked(line.strip()) or None,
        remedy=remedy,
    )


_TEXT_AFTER_QUOTE = re.compile(r"""(?:^|[:\-,\[]\s*)\s*(?:"[^"]*"|'[^']*')\s*[^\s,\]}:#]""")
_MEANINGS: tuple[tuple[str, str, str], ...] = (
    ("found unexpected end of stream", "a quote is opened here and never closed", "close it with the same quote"),
    ("mapping values are not allowed", 'there is a ": " where no key can be',
     "put the text in quotes, or indent the line like its neighbours"),
    ("could not find expected ':'", "a key without its colon", 'write "key: value", or put the text in quotes'),
    ("expected ',' or ']'", "a list in [ ] is not closed, or a comma is missing", "look at the line and at the one before"),
    ("expected ',' or '}'", "a group in { } is not closed, or a comma is missing", "look at the line and at the one before"),
    ("expected '-' indicator", "this line does not continue the list above it", "indent it like its neighbours"),
    ("expected key", "this line does not continue the group above it", "indent it like its neighbours"),
    ("alphabetic or numeric character", "a text that begins with * or & must be in quotes", 'write "*text"'),
    ("unknown escape character", "a backslash in double quotes means something else", "use single quotes"),
    ("node content", "a value is missing before this place", "put a text that begins with # or : in quotes"),
    ("<document start>", "this line is indented less than the first one", "begin every section at the start of its line"),
)  # fmt: skip


def _meaning(error: yaml.MarkedYAMLError, line: str, column: int) -> tuple[str, str]:
    sign = line[column : column + 1]
    if "\t" in line[: len(line) - len(line.lstrip())] or sign == "\t":
        return "a tab stands where only spaces may", "indent with spaces"
    if sign in ("@", "`", "%"):
        return (
            f"a text that begins with {sign} must be in quotes",
            f'write "{line[column:].split(maxsplit=1)[0].rstrip(",]}")}"',
        )
    problem = error.problem or "cannot be read as YAML"
    if "quoted scalar" not in (error.context or "") and _TEXT_AFTER_QUOTE.search(line):
        return "text goes on after a closing quote", "put the whole value in single quotes: '\"a b\" OR c'"
    for part, message, remedy in _MEANINGS:
        if part in problem:
            return message, remedy
    return f"cannot be read as YAML ({problem})", "look at this line and at the one before"


def _bad_character(error: yaml.reader.ReaderError | UnicodeEncodeError, text: str) -> Problem:
    position = error.start if isinstance(error, UnicodeEncodeError) else error.position
    before = text[: int(position)]
    line = before.count("\n") + 1
    return Problem(
        message="a character that cannot be in a text file (a control character or half of one)",
        line=line,
        column=len(before) - (before.rfind("\n") + 1) + 1,
        remedy="delete it, and save the file as UTF-8",
    )


_SECRET = re.compile(r"(?i)(pass|secret|token|webhook|api_?key)[^:=]*[:=]\s*")


def masked(line: str) -> str:
    """A line as it may be shown: cut to 80 characters, without what follows a key that sounds like a secret."""
    found = _SECRET.search(line)
    shown = f"{line[: found.end()]}***" if found else line
    return shown if len(shown) <= 80 else f"{shown[:79]}…"
