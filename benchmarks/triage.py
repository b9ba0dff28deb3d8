"""`listener triage` with the shipped rules against a plain loop of VADER over the same posts, each as a process.

The loop is the least that anyone would write. Ours reads JSON, normalises, matches all topics, judges sentiment and stakes,
scores and explains, with as many processes as there are cores. Both bills hold the start-up of the process.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.posts import ROOT, english, json_lines, korean
from benchmarks.row import Row, Wanted, at_least, rate
from benchmarks.timing import Cost, all_in_turns, cost_of_process

LISTENER = Path(sys.executable).with_name("listener")
LEAST_SHARE = 0.5

_PLAIN_LOOP = """
import json, sys
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
analyzer = SentimentIntensityAnalyzer()
for text in json.load(sys.stdin):
    analyzer.polarity_scores(text)
"""


def triage(posts: int = 20_000, rounds: int = 3) -> Iterator[Row]:
    """English against the wanted share; Korean, which the plain loop cannot read, for show."""
    yield from _rows("English", english(posts), rounds, wanted=at_least(LEAST_SHARE))
    yield from _rows("Korean", korean(posts), rounds, wanted=None)


def _rows(language: str, texts: Sequence[str], rounds: int, *, wanted: Wanted | None) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="listener-bench-") as folder:
        lines, plain = Path(folder) / "posts.jsonl", Path(folder) / "posts.json"
        lines.write_text(json_lines(texts), encoding="utf-8")
        plain.write_text(json.dumps(texts), encoding="utf-8")
        ours, peer = all_in_turns(
            lambda: cost_of_process([LISTENER, "triage", "--rules", ROOT / "rules.yaml"], stdin=lines),
            lambda: cost_of_process([sys.executable, "-c", _PLAIN_LOOP], stdin=plain),
            rounds=rounds,
        )
    yield _row(f"triage: {language} posts, by the clock", len(texts), [_walls(ours), _walls(peer)], wanted)
    yield _row(f"triage: {language} posts, CPU", len(texts), [_cpus(ours), _cpus(peer)], wanted)


def _walls(costs: Sequence[Cost]) -> float:
    return median(cost.wall for cost in costs)


def _cpus(costs: Sequence[Cost]) -> float:
    return median(cost.cpu for cost in costs)


def _row(what: str, count: int, seconds: Sequence[float], wanted: Wanted | None) -> Row:
    ours, peer = seconds
    return Row(
        what=what, ours=rate(count, ours, "posts"), peer=rate(count, peer, "posts"), ratio=peer / ours, wanted=wanted
    )
