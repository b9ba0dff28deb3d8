"""Long inputs are worked on by several processes; nobody can tell but by the clock."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from listener.cli.fan_out import Chunk, chunks, cores, fan_out
from listener.domain.errors import ListenerError

RULES = Path(__file__).parents[2] / "rules.yaml"


def upper(chunk: Chunk) -> tuple[int, bytes, int]:
    """The number of its first line, its lines in capitals, and who did it."""
    return chunk.first, b"\n".join(chunk.lines).upper(), os.getpid()


def die(chunk: Chunk) -> None:
    if chunk.first > 1:
        os.kill(os.getpid(), signal.SIGKILL)


def many(count: int) -> Iterator[Chunk]:
    for number in range(count):
        yield Chunk(number + 1, [b"line %d" % number], more=number + 1 < count)


def read(path: Path) -> list[Chunk]:
    with path.open("rb") as stream:
        return list(chunks(stream))


@pytest.mark.parametrize("end", ["", "\n"])
def test_every_line_comes_once_with_its_number(tmp_path: Path, end: str) -> None:
    path = tmp_path / "lines"
    lines = [f"{number} {'환불' * (number % 50)}".encode() for number in range(5_000)]
    path.write_bytes(b"\n".join(lines) + end.encode())
    found = read(path)
    assert len(found) > 5
    assert [line for chunk in found for line in chunk.lines] == lines
    assert all(lines[chunk.first - 1] == chunk.lines[0] for chunk in found)


def test_a_line_may_be_longer_than_anything_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"a\n" + b"b" * 1_000_000 + b"\nc")
    assert [line for chunk in read(path) for line in chunk.lines] == [b"a", b"b" * 1_000_000, b"c"]


def test_nothing_in_is_nothing_out(tmp_path: Path) -> None:
    (tmp_path / "lines").touch()
    assert read(tmp_path / "lines") == []
    assert list(fan_out(upper, [], jobs=2)) == []


def test_who_writes_a_line_and_waits_is_answered() -> None:
    """The answer to a line does not wait for the next one."""
    here, there = os.pipe()
    with os.fdopen(here, "rb") as stream, os.fdopen(there, "wb", buffering=0) as writer:
        answers = fan_out(upper, chunks(stream), jobs=2)
        for number in (1, 2, 3):
            writer.write(b"again\n")
            assert next(answers)[:2] == (number, b"AGAIN")


def test_results_come_in_order_whoever_works_them_out() -> None:
    results = list(fan_out(upper, many(40), jobs=2))
    assert [text for _, text, _ in results] == [b"LINE %d" % number for number in range(40)]
    assert results[0][2] == os.getpid()
    assert os.getpid() not in {process for _, _, process in results[1:]}


def test_one_process_does_all_if_there_is_one_core_or_little_to_do() -> None:
    assert {process for *_, process in fan_out(upper, many(5), jobs=1)} == {os.getpid()}
    assert {process for *_, process in fan_out(upper, many(1), jobs=2)} == {os.getpid()}
    assert cores() >= 1


def test_a_killed_process_is_told_in_a_sentence() -> None:
    with pytest.raises(ListenerError, match="--jobs 1"):
        list(fan_out(die, many(10), jobs=2))


def test_no_more_is_read_than_is_worked_on() -> None:
    """An endless input does not fill the memory of a reader who is slow to take the results."""
    taken = 0

    def endless() -> Iterator[Chunk]:
        nonlocal taken
        while True:
            taken += 1
            yield Chunk(taken, [b"x"], more=True)

    results = fan_out(upper, endless(), jobs=2)
    for _ in range(20):
        next(results)
    assert taken <= 20 + 2 * 2 + 1
    results.close()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_triage_says_the_same_by_one_process_and_by_several() -> None:
    """Also of lines that it cannot read, each told with its number."""
    lines = [f'{{"id": {number}, "text": "still no refund after {number} days 환불"}}' for number in range(3_000)]
    lines[2_500] = "broken"
    given = "\n".join(lines)
    command = [str(Path(sys.executable).with_name("listener")), "triage", "--rules", str(RULES), "--jobs"]
    one, several = (
        subprocess.run([*command, jobs], input=given, capture_output=True, text=True, check=False) for jobs in "12"
    )
    assert one.stdout == several.stdout
    assert one.stdout.count("\n") == 2_999
    assert (one.returncode, one.stderr) == (several.returncode, several.stderr) == (1, one.stderr)
    assert "line 2501: not a JSON object" in one.stderr
