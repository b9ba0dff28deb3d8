"""A folder into which anything may drop posts as JSON lines: the way in for places that have no connector."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from pydantic import Field

from listener.connector import Checkpoint, ConnectorConfig, ConnectorQuery, Limits, Page
from listener.domain.errors import Fault, SourceRefused
from listener.domain.mention import Author, RawItem, Reach
from listener.ports import Clock, HttpClient

VERSION = 1
LINE_MAX = 1024 * 1024
PAGE_BYTES = 1024 * 1024
HEAD = 256
"""Bytes at the beginning of a file that tell whether it is still the same file."""

Warn = tuple[Fault, str]


class SpoolConfig(ConnectorConfig):
    """The folder to read."""

    path: Path = Field(description="The folder.")


class Spool:
    """JSON lines in the files `*.jsonl` of a folder: exports, scripts of your own, places without a connector.

    Hears: one post a line: an object with `text` or `title`, and if known `id`, `url`, `author` (a handle, or an object with
    `handle`, `name`, `url`, `followers`), `followers`, `likes`, `replies`, `reposts`, `published_at` (ISO 8601 or seconds since
    1970; without a zone it is UTC), `lang`, `brand` (or a list), `thread`, `in_reply_to`. Other keys are left alone.
    Needs: `path`, a folder that this service may read. Nothing is deleted or moved: remove old files yourself.
    Hides: nothing, but a line that cannot be read is only told in a warning with its file and line.

    Limits: a line is at most 1 MB, a poll takes about 10 MB and goes on with the next. Links and devices in the folder are
    refused.

    Quirks: a line counts once its newline is written, so a half-written one waits. Give posts an `id`: a line with the same
    `id` and another text is an edit. A file may grow, be renamed, be replaced or cut; write to a temporary name and
    rename to be sure that a file is whole.
    """

    name: ClassVar[str] = "spool"
    Config: ClassVar[type[ConnectorConfig]] = SpoolConfig
    limits: ClassVar[Limits] = Limits(min_interval=1.0, max_pages=10, max_seconds=30.0)

    def __init__(
        self, config: SpoolConfig, *, http: HttpClient, clock: Clock, queries: tuple[ConnectorQuery, ...] = ()
    ) -> None:
        self._folder = config.path
        self._clock = clock

    def check(self) -> None:
        """List the folder."""
        _names(self._folder)

    def poll(self, checkpoint: Checkpoint | None) -> Iterator[Page]:
        """Pages of whole lines, file by file in order of their names."""
        memory = _Memory.read(checkpoint)
        names = _names(self._folder)
        until = self._clock.monotonic() + self.limits.max_seconds
        pages = 0
        refused, files = _open_all(self._folder, names, memory)
        if refused:
            yield Page(items=(), checkpoint=memory.write(), warnings=tuple(refused))
        for name in files:
            while pages < self.limits.max_pages and self._clock.monotonic() < until:
                page = self._page(name, memory)
                if page is None:
                    break
                pages += 1
                yield page

    def _page(self, name: str, memory: "_Memory") -> Page | None:
        """The next whole lines of a file, or `None` if there are none (any more)."""
        file = _open(self._folder / name)
        if file is None:
            return None
        with file:
            place = memory.files[name]
            if place.inode != _inode(file):  # replaced since we looked; the next poll finds its place
                return None
            chunk = _read(file, place.offset)
            if chunk.size == 0:
                return None
            lines = _Lines(name, place.line)
            items = tuple(item for line in chunk.lines if (item := lines.read(line)) is not None)
            place.offset += chunk.size
            place.line += len(chunk.lines)
            place.head = _head(file, place.offset)
        return Page(items=items, checkpoint=memory.write(), warnings=tuple(lines.warnings))


# --- files -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Place:
    """How far a file was read: bytes and lines, and what tells the file from another."""

    inode: str
    head: str
    offset: int = 0
    line: int = 0


@dataclass(slots=True)
class _Memory:
    """What the checkpoint holds: a place for each file, and what was refused already."""

    files: dict[str, _Place] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, checkpoint: Checkpoint | None) -> "_Memory":
        if checkpoint is None or checkpoint.version != VERSION:
            return cls()
        files = {name: _Place(**place) for name, place in (checkpoint.data.get("files") or {}).items()}
        return cls(files=files, refused=set(checkpoint.data.get("refused") or ()))

    def write(self) -> Checkpoint:
        files = {
            name: {"inode": place.inode, "head": place.head, "offset": place.offset, "line": place.line}
            for name, place in self.files.items()
        }
        return Checkpoint(version=VERSION, data={"files": files, "refused": sorted(self.refused)})

    def find(self, name: str, file: BinaryIO) -> _Place:
        """Where to go on: under its name or, renamed, under another; at the beginning if it is not what it was."""
        inode, size = _inode(file), os.fstat(file.fileno()).st_size
        here = self.files.get(name)
        renamed = [place for place in self.files.values() if place.inode == inode]
        for place in ([here] if here and here.inode == inode else []) + renamed:
            if place.offset <= size and place.head == _head(file, place.offset):
                return _Place(inode=inode, head=place.head, offset=place.offset, line=place.line)
        return _Place(inode=inode, head=_head(file, 0))


def _inode(file: BinaryIO) -> str:
    status = os.fstat(file.fileno())
    return f"{status.st_dev}:{status.st_ino}"


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError as error:
        raise SourceRefused(
            Fault.NOT_FOUND, f"the folder {folder} is not there; create it or correct its path"
        ) from error
    except OSError as error:
        raise SourceRefused(
            Fault.REFUSED, f"the folder {folder} cannot be read ({error.strerror}); check its mode"
        ) from error
    # A hidden name is one that is still being written; an unprintable one could not be told to anybody.
    return sorted(name for name in names if name.endswith(".jsonl") and name[0] != "." and name.isprintable())


def _open_all(folder: Path, names: list[str], memory: _Memory) -> tuple[list[Warn], list[str]]:
    """Find the place in each file before any is read, so that a renamed one is not taken for new."""
    places: dict[str, _Place] = {}
    warnings: list[Warn] = []
    for name in names:
        file = _open(folder / name)
        if file is not None:
            with file:
                places[name] = memory.find(name, file)
        elif name not in memory.refused:
            warnings.append((Fault.REFUSED, f"{name} is not a plain file that may be read; it was left out"))
    memory.refused = {name for name in names if name not in places}
    memory.files = places
    return warnings, list(places)


def _open(path: Path) -> BinaryIO | None:
    """The file, if it is a plain one: a link could lead to any file, and reading a device could never end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    return None


def _head(file: BinaryIO, offset: int) -> str:
    """A hash of what was read of the first bytes."""
    file.seek(0)
    return hashlib.blake2b(file.read(min(offset, HEAD)), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Whole lines, `None` for one that is too long, and the bytes that they take."""

    lines: tuple[bytes | None, ...]
    size: int


def _read(file: BinaryIO, offset: int) -> _Chunk:
    file.seek(offset)
    data = file.read(PAGE_BYTES + LINE_MAX)
    end = data.rfind(b"\n", 0, PAGE_BYTES) + 1 or data.find(b"\n", PAGE_BYTES) + 1
    if end:
        lines = data[: end - 1].split(b"\n")
        return _Chunk(lines=tuple(line if len(line) <= LINE_MAX else None for line in lines), size=end)
    if len(data) <= LINE_MAX:
        return _Chunk(lines=(), size=0)
    return _skip_line(file, len(data))


def _skip_line(file: BinaryIO, size: int) -> _Chunk:
    """Past the end of a line that is too long; not at all while its end is not written."""
    while data := file.read(LINE_MAX):
        end = data.find(b"\n") + 1
        if end:
            return _Chunk(lines=(None,), size=size + end)
        size += len(data)
    return _Chunk(lines=(), size=0)


# --- lines -------------------------------------------------------------------------------------------------------------


class _Lines:
    """Reads the lines of one file in order and keeps what people must be told, each with its place."""

    def __init__(self, name: str, before: int) -> None:
        self._name = name
        self._line = before
        self.warnings: list[Warn] = []

    def read(self, line: bytes | None) -> RawItem | None:
        self._line += 1
        if line is None:
            self._warn(Fault.TOO_LARGE, f"the line is longer than {LINE_MAX} bytes; it was skipped")
            return None
        if not line.strip():
            return None
        post = self._parse(line)
        return None if post is None else self._item(post)

    def _warn(self, fault: Fault, text: str) -> None:
        self.warnings.append((fault, f"{self._name}:{self._line}: {text}"))

    def _parse(self, line: bytes) -> dict[str, Any] | None:
        try:
            text = line.decode("utf-8-sig")
        except UnicodeDecodeError:
            self._warn(Fault.DECODING, "the line is not UTF-8; its wrong bytes were replaced")
            text = line.decode("utf-8-sig", "replace")
        try:
            post = json.loads(text)
        except (ValueError, RecursionError):
            self._warn(Fault.BAD_JSON, "the line is not JSON; it was skipped, write it again")
            return None
        if not isinstance(post, dict):
            self._warn(Fault.MALFORMED, "the line is not a JSON object; it was skipped")
            return None
        return post

    def _item(self, post: dict[str, Any]) -> RawItem | None:
        title, text = self._text(post, "title"), self._text(post, "text")
        if not title and not text:
            self._warn(Fault.MALFORMED, 'the line has neither "text" nor "title"; it was skipped')
            return None
        followers = self._count(post, "followers")
        return RawItem(
            native_id=self._text(post, "id"),
            url=self._text(post, "url"),
            title=title,
            text=text or "",
            author=self._author(post, followers),
            published_at=self._time(post.get("published_at")),
            lang=self._text(post, "lang"),
            reach=Reach(
                followers=followers,
                likes=self._count(post, "likes"),
                reposts=self._count(post, "reposts"),
                replies=self._count(post, "replies"),
            ),
            in_reply_to=self._text(post, "in_reply_to"),
            thread=self._text(post, "thread"),
            brands=self._brands(post.get("brand")),
        )

    def _text(self, post: dict[str, Any], key: str) -> str | None:
        value = post.get(key)
        if isinstance(value, str):
            return value if value.strip() else None
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value is not None:
            self._warn(Fault.MALFORMED, f'"{key}" is not a text; it was left out')
        return None

    def _count(self, post: dict[str, Any], key: str) -> int | None:
        value = post.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53:
            return int(value)
        if value is not None:
            self._warn(Fault.MALFORMED, f'"{key}" is not a number from 0 on; it was left out')
        return None

    def _author(self, post: dict[str, Any], followers: int | None) -> Author:
        author = post.get("author")
        if not isinstance(author, dict):
            handle = self._text(post, "author")
            return Author(handle=handle, name=handle, followers=followers)
        own = self._count(author, "followers")
        return Author(
            handle=self._text(author, "handle"),
            name=self._text(author, "name"),
            url=self._text(author, "url"),
            followers=followers if own is None else own,
        )

    def _time(self, value: Any) -> datetime | None:
        """Aware UTC; `None`, with a warning, for what is no time."""
        if value is None:
            return None
        when = _moment(value)
        if when is None:
            self._warn(Fault.MALFORMED, '"published_at" is no time; it counts as unknown')
        return when

    def _brands(self, value: Any) -> tuple[str, ...]:
        given = value if isinstance(value, list) else [value]
        brands = tuple(brand for brand in given if isinstance(brand, str) and brand.strip())
        if value is not None and len(brands) != len(given):
            self._warn(Fault.MALFORMED, '"brand" is not a name or a list of names; what is none was left out')
        return brands


def _moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, tz=UTC)
        when = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
        if when is None:
            return None
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
