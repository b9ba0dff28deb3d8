"""Work on a long input with all cores: chunks of lines in, results out, in order.

Judging is all computation, so threads would not help; processes do. They are forked when much has come already, from a
process that has loaded rules and models, and share these with it.
"""

import gc
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from io import UnsupportedOperation
from multiprocessing import get_context
from select import select
from typing import Any, BinaryIO, NamedTuple, TypeVar

from listener.domain.errors import ListenerError

__all__ = ["Chunk", "chunks", "cores", "fan_out"]

_BLOCK = 65_536
"""Bytes read at once: what a pipe holds."""

_MOST_CORES = 8
"""More would wait for the one process that reads and writes."""


class Chunk(NamedTuple):
    """Lines without their ends. `first` is the number of the first of them; `more` says that others have come already."""

    first: int
    lines: list[bytes]
    more: bool


Result = TypeVar("Result")


def cores() -> int:
    """How many processes this one may keep busy."""
    return min(len(os.sched_getaffinity(0)), _MOST_CORES)


def chunks(stream: BinaryIO) -> Iterator[Chunk]:
    """What has come, as it comes, cut at the ends of lines: who writes line by line and waits is answered line by line."""
    first, begun = 1, bytearray()
    for block in iter(lambda: stream.read1(_BLOCK), b""):  # type: ignore[attr-defined]
        *lines, rest = block.split(b"\n")
        if lines:
            lines[0] = bytes(begun + lines[0])
            begun.clear()
            yield Chunk(first, lines, more=_is_waiting(stream))
            first += len(lines)
        begun += rest
    if begun:
        yield Chunk(first, [bytes(begun)], more=False)


def _is_waiting(stream: BinaryIO) -> bool:
    """Whether there is something to read, or the end; always so for a file. Of a stream in memory nobody can tell."""
    try:
        return bool(select([stream], [], [], 0)[0])
    except UnsupportedOperation:
        return False


def fan_out(work: Callable[[Chunk], Result], given: Iterable[Chunk], *, jobs: int) -> Iterator[Result]:
    """`work` of each chunk, in order. The first is worked on here: if nothing has come behind it, nothing else is needed.

    Raises `ListenerError` if a process was killed. At most `2 * jobs` chunks are on their way at a time.
    """
    rest = iter(given)
    for chunk in rest:
        yield work(chunk)
        if jobs > 1 and chunk.more:
            break
    else:
        return
    gc.freeze()  # pages that the collector does not write to stay shared
    with ProcessPoolExecutor(jobs, get_context("fork"), _begin, (work,)) as pool:
        try:
            yield from _in_order(pool, rest, jobs)
        except BrokenProcessPool as error:
            raise ListenerError("a process was killed, perhaps for want of memory; try again with --jobs 1") from error


def _in_order(pool: ProcessPoolExecutor, given: Iterable[Chunk], jobs: int) -> Iterator[Any]:
    pending: deque[Future[Any]] = deque()
    for chunk in given:
        pending.append(pool.submit(_work, chunk))
        while pending and (len(pending) > 2 * jobs or not chunk.more):
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


_ours: list[Callable[[Chunk], Any]] = []


def _begin(work: Callable[[Chunk], Any]) -> None:
    """In each process, which was forked: nothing has to travel there. Ctrl-C is for the one that forked it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _ours[:] = [work]


def _work(chunk: Chunk) -> Any:
    return _ours[0](chunk)
