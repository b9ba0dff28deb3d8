"""Packs: topics and intents that we ship and that a file includes by name (`include: [support-en, support-ko]`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from listener.domain.errors import ConfigError
from listener.rules.document import Document, open_document
from listener.rules.problems import Report, one_of
from listener.rules.shape import PackText

Pack = Document[PackText]


class Folder(Mapping[str, str]):
    """The packs of a folder: the text of `<name>.yaml` by its name, read when somebody asks for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> str:
        if name not in set(self):
            raise KeyError(name)
        return (self._folder / f"{name}.yaml").read_text(encoding="utf-8")

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.stem for path in self._folder.glob("*.yaml")))

    def __len__(self) -> int:
        return sum(1 for _ in self)


SHIPPED: Mapping[str, str] = Folder(Path(__file__).parent.parent / "packs")
"""The packs that come with the program."""


def included(report: Report, names: Sequence[str], shelf: Mapping[str, str]) -> tuple[Pack, ...]:
    """The packs of that name, in the order of the file. What is wrong with a name is in the report of the file.

    Raises `ConfigError` if a pack cannot be read to its end; what is wrong inside is in the pack's own report.
    """
    packs: dict[str, Pack] = {}
    for index, name in enumerate(names):
        path = ("include", index)
        if name in packs:
            report.warn(path, "stands here twice", remedy="remove one")
        elif name not in shelf:
            report.error(path, f'there is no pack "{name}"', remedy=one_of(name, shelf))
        else:
            packs[name] = _opened(name, shelf[name])
    return tuple(packs.values())


def _opened(name: str, text: str) -> Pack:
    file = f"packs/{name}.yaml"
    try:
        return open_document(text, PackText, file=file, named=True)
    except ConfigError as error:
        raise ConfigError(file, tuple(replace(problem, file=file) for problem in error.problems)) from error
