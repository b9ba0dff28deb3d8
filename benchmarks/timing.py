"""How we measure: CPU time where it can be had, what is compared in turns (A B, B A, A B ...), the median of each.

CPU time, because other work on the machine lengthens the wall's; in turns, because it changes how fast the machine is.
"""

import gc
import os
import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeVar

ROUNDS = 5


Measured = TypeVar("Measured")


class Cost(NamedTuple):
    """Seconds of CPU, of the process and those that it started, and seconds by the clock."""

    cpu: float
    wall: float


def all_in_turns(*measures: Callable[[], Measured], rounds: int = ROUNDS) -> list[list[Measured]]:
    """What each measure returns each time; every second round goes backwards, so that none always comes first."""
    taken: list[list[Measured]] = [[] for _ in measures]
    for number in range(rounds):
        order = range(len(measures)) if number % 2 == 0 else range(len(measures) - 1, -1, -1)
        for place in order:
            taken[place].append(measures[place]())
    return taken


def in_turns(*measures: Callable[[], float], rounds: int = ROUNDS) -> list[float]:
    """The median of what each measure returns, taken in turns."""
    return [median(taken) for taken in all_in_turns(*measures, rounds=rounds)]


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU, of all threads, that `work` takes. Garbage of what went before is not on its bill."""
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def wall(work: Callable[[], object]) -> float:
    """Seconds by the clock."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run(command: Sequence[str | Path], *, stdin: Path | None = None) -> None:
    """Run a process to its end, as a person would: no settings of ours in its environment. It must succeed."""
    with (stdin or Path(os.devnull)).open("rb") as given:
        subprocess.run(command, stdin=given, stdout=subprocess.DEVNULL, env=clean_environment(), check=True)  # noqa: S603 (our own commands)


def cost_of_process(command: Sequence[str | Path], *, stdin: Path | None = None) -> Cost:
    """What a process costs from its start to its end, its own start-up included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = wall(lambda: run(command, stdin=stdin))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(cpu=after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall=seconds)


def clean_environment(**more: str) -> Mapping[str, str]:
    """Ours without what would make the program read other rules or another database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LISTENER_", "COV_", "NOTIFY_"))}
    return {**kept, **more}
