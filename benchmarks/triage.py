"""`listener triage` with the shipped rules against a plain loop of VADER over the same posts, each as a process.

The loop is the least that anyone would write (`plain_loop`). Ours reads JSON, normalises, matches all topics, judges, scores
and explains. Both bills hold the start-up of the process.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.posts import ROOT, english, json_lines, korean
from benchmarks.row import Row, Wanted, at_least, rate
from benchmarks.timing import ROUNDS, cpu_of_process, in_turns

LISTENER = Path(sys.executable).with_name("listener")
LEAST_SHARE = 0.5

_PLAIN_LOOP = """
import json, sys
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
analyzer = SentimentIntensityAnalyzer()
for text in json.load(sys.stdin):
    analyzer.polarity_scores(text)
"""


def triage(posts: int = 20_000, rounds: int = ROUNDS) -> Iterator[Row]:
    """English against the wanted share; Korean, which the plain loop cannot read, for show."""
    yield _row("triage: English posts", english(posts), rounds, wanted=at_least(LEAST_SHARE))
    yield _row("triage: Korean posts (VADER reads none)", korean(posts), rounds, wanted=None)


def _row(what: str, texts: Sequence[str], rounds: int, *, wanted: Wanted | None) -> Row:
    with tempfile.TemporaryDirectory(prefix="listener-bench-") as folder:
        lines, plain = Path(folder) / "posts.jsonl", Path(folder) / "posts.json"
        lines.write_text(json_lines(texts), encoding="utf-8")
        plain.write_text(json.dumps(texts), encoding="utf-8")
        ours, peer = in_turns(
            lambda: cpu_of_process([LISTENER, "triage", "--rules", ROOT / "rules.yaml"], stdin=lines),
            lambda: cpu_of_process([sys.executable, "-c", _PLAIN_LOOP], stdin=plain),
            rounds=rounds,
        )
    count = len(texts)
    return Row(
        what=what, ours=rate(count, ours, "posts"), peer=rate(count, peer, "posts"), ratio=peer / ours, wanted=wanted
    )
