"""The benchmarks measure what they say, at a size at which the figures mean nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import posts
from benchmarks.__main__ import BENCHMARKS, table
from benchmarks.daemon import daemon
from benchmarks.feeds import feeds
from benchmarks.matching import matching
from benchmarks.polling import polling
from benchmarks.queue import queue
from benchmarks.row import Row, at_least, at_most, lasting, rate
from benchmarks.startup import startup
from benchmarks.timing import in_turns
from benchmarks.triage import triage
from benchmarks.vader import vader

TINY = {
    "triage": lambda: triage(posts=5, rounds=1),
    "matching": lambda: matching(many=200, posts=40, rounds=1),
    "polling": lambda: polling(feeds=3, quiet_rounds=1),
    "daemon": lambda: daemon(feeds=2, every="1s"),
    "queue": lambda: queue(rows_small=100, rows_large=400),
    "feeds": lambda: feeds(rounds=1, repeats=1),
    "vader": lambda: vader(posts=20, long_texts=2, rounds=1),
    "startup": lambda: startup(rounds=1),
}


def row(ratio: float, *, least: float = 0.5) -> Row:
    return Row(what="x", ours="1 s", peer="2 s", ratio=ratio, wanted=at_least(least))


def test_every_benchmark_is_tried_here() -> None:
    assert TINY.keys() == BENCHMARKS.keys()


@pytest.mark.parametrize("name", TINY)
def test_a_benchmark_gives_rows_that_can_be_shown(name: str) -> None:
    rows = list(TINY[name]())
    assert rows
    assert all(one.what and one.ours and one.peer and one.ratio > 0 for one in rows)
    assert any(one.wanted for one in rows)
    assert table(rows).row_count == len(rows)


def test_a_row_says_whether_it_is_as_wanted() -> None:
    assert row(0.5).mark == "ok"
    assert row(0.49).mark == "short"
    assert Row(what="x", ours="", peer="", ratio=3.1, wanted=at_most(3)).mark == "short"
    assert Row(what="x", ours="", peer="", ratio=3.1).mark == ""


def test_figures_have_their_units() -> None:
    assert rate(20_000, 1.62, "posts") == "12,300 posts/s"
    assert [lasting(2.5), lasting(0.0312), lasting(7.1e-6)] == ["2.5 s", "31.2 ms", "7.1 µs"]


def test_what_is_compared_is_measured_in_turns_and_by_its_median() -> None:
    order: list[str] = []
    times = iter([1.0, 10.0, 30.0, 3.0, 2.0, 20.0])

    def measure(name: str) -> float:
        order.append(name)
        return next(times)

    assert in_turns(lambda: measure("a"), lambda: measure("b"), rounds=3) == [2.0, 20.0]
    assert "".join(order) == "abbaab"


def test_posts_are_the_same_each_time_and_hardly_ever_twice() -> None:
    texts = posts.english(2_000)
    assert texts == posts.english(2_000)
    assert len(set(texts)) > 1_900
    assert all(0 < len(text) <= posts.TWEET for text in texts)
    assert all(len(text) == 1_000 for text in posts.long_english(5))


def test_a_name_that_is_none_is_answered_with_those_that_are() -> None:
    root = Path(__file__).parents[1]
    wrong = subprocess.run(
        [sys.executable, "-m", "benchmarks", "sped"], cwd=root, capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2
    assert "no such benchmark: sped" in wrong.stdout
    assert "triage" in wrong.stdout
