"""Changing numbers of rules.yaml where they stand: every comment and every other character stays as it is."""

from collections.abc import Mapping
from typing import cast

from listener.domain.errors import ListenerError
from listener.rules.yaml_text import Group, Node, Plain, Scalar, WrittenFloat, WrittenInt, plain, read


class LayoutError(ListenerError):
    """The text is written in a way that cannot be edited safely; a person has to do it."""


def set_numbers(text: str, path: tuple[str, ...], values: Mapping[str, float]) -> str:
    """The text with new numbers for keys of the group at `path`. Raises `LayoutError` rather than guess.

    `text` is that of a file that loads. The result was read again: it says what `text` says, but for these numbers.
    """
    root = read(text).root
    group = _group(root, path)
    lines = text.splitlines(keepends=True)
    scalars = {key: _number(group, path, key) for key in values}
    for key, scalar in sorted(scalars.items(), key=lambda one: (one[1].line, one[1].column), reverse=True):
        line, start = lines[scalar.line - 1], scalar.column - 1
        lines[scalar.line - 1] = f"{line[:start]}{values[key]:g}{line[start + len(scalar.text) :]}"
    edited = "".join(lines)
    if not _says(edited, root, path, values):
        raise LayoutError(f"{'.'.join(path)} is written in a way that cannot be edited safely")
    return edited


def _group(root: Node | None, path: tuple[str, ...]) -> Group:
    node = root
    for depth, key in enumerate(path, start=1):
        node = node.items.get(key) if isinstance(node, Group) else None
        if not isinstance(node, Group):
            raise LayoutError(f"{'.'.join(path[:depth])} is not written in the file")
    return cast("Group", node)


def _number(group: Group, path: tuple[str, ...], key: str) -> Scalar:
    node = group.items.get(key)
    place = ".".join((*path, key))
    if node is None:
        raise LayoutError(f"{place} is not written in the file")
    if not isinstance(node, Scalar) or not isinstance(node.value, WrittenInt | WrittenFloat) or node.offset != 0:
        raise LayoutError(f"{place} is not a plain number")
    return node


def _says(edited: str, before: Node | None, path: tuple[str, ...], values: Mapping[str, float]) -> bool:
    """Does the edited text mean what it should, and nothing else?"""
    reading = read(edited)
    if reading.root is None or reading.problems or before is None:
        return False
    wanted = plain(before)
    inner: Plain = wanted
    for key in path:
        inner = cast("dict[str, Plain]", inner)[key]
    cast("dict[str, Plain]", inner).update(values)
    return plain(reading.root) == wanted
