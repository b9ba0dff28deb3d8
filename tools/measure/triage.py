"""How well the shipped rules and models tell what is urgent: `python -m tools.measure.triage [FOLDER] [--rules FILE]`.

FOLDER holds `triage/*.jsonl` (posts with a severity) and `measure/NAME.dev.jsonl.gz` (real posts with a sentiment); it is
taken from LISTENER_DATA if not given. Prints Markdown. The posts go through the very engine of `listener triage`, with
nothing known but their text, brand and figures. Nothing is fitted here.
"""

import argparse
import gzip
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from listener.app import compile_rules, judging_ruleset, shipped
from listener.domain.mention import Author, RawItem, Reach
from listener.domain.verdict import Severity, Verdict
from listener.pipeline import Triage
from listener.sentiment.embedding import UNHURRIED, Embedder

NOW = datetime(2026, 3, 2, tzinfo=UTC)
REAL = (
    ("airline", "airline tweets"),
    ("bank_reviews", "bank-app reviews"),
    ("ko_apps", "Korean app reviews"),
    ("ko_coupang_manual", "Korean shop reviews"),
)
SEVERITIES = (Severity.URGENT, Severity.HIGH, Severity.NORMAL, Severity.LOW)

Row = dict[str, Any]
Judged = tuple[Row, Verdict]


def read(path: Path) -> list[Row]:
    """JSON lines, gzipped or not."""
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def judge(engine: Triage, rows: Iterable[Row]) -> list[Judged]:
    """Each post with its verdict."""
    return [(row, engine.judge(item(row), now=NOW)) for row in rows]


def item(row: Row) -> RawItem:
    """The post as a platform would have given it."""
    return RawItem(
        native_id=row["id"],
        title=row.get("title"),
        text=row["text"],
        author=Author(handle=row.get("author"), followers=row.get("followers")),
        lang=row.get("lang"),
        reach=Reach(**{name: row.get(name) for name in ("followers", "likes", "replies", "reposts")}),
        brands=(row["brand"],) if row.get("brand") else (),
    )


def _share(of: Sequence[Judged], holds: Callable[[Judged], bool]) -> str:
    return f"{sum(map(holds, of)) / len(of):.2f}" if of else "-"


def _is_at_least(least: Severity) -> Callable[[Judged], bool]:
    return lambda judged: Severity(judged[0]["severity"]).rank >= least.rank


def _said_at_least(least: Severity) -> Callable[[Judged], bool]:
    return lambda judged: judged[1].severity.rank >= least.rank


def severity_table(judged: Sequence[Judged]) -> list[str]:
    """Recall and precision of urgent and of high or above, and the share of low posts that alert."""
    lines = [
        "| posts | n | urgent recall / precision | high or above recall / precision | low alerted |",
        "|---|---|---|---|---|",
    ]
    for lang in ("all", *sorted({row["lang"] for row, _ in judged})):
        part = [one for one in judged if lang in ("all", one[0]["lang"])]
        cells = []
        for least in (Severity.URGENT, Severity.HIGH):
            true = [one for one in part if _is_at_least(least)(one)]
            said = [one for one in part if _said_at_least(least)(one)]
            cells.append(f"{_share(true, _said_at_least(least))} / {_share(said, _is_at_least(least))}")
        calm = [one for one in part if one[0]["severity"] == "low"]
        lines.append(f"| {lang} | {len(part)} | {' | '.join(cells)} | {_share(calm, _said_at_least(Severity.HIGH))} |")
    return lines


def confusion_table(judged: Sequence[Judged]) -> list[str]:
    """Rows: what it is. Columns: what was said."""
    lines = ["| is \\ said | " + " | ".join(SEVERITIES) + " |", "|---" * 5 + "|"]
    for true in SEVERITIES:
        said = [verdict.severity for row, verdict in judged if row["severity"] == true]
        lines.append(f"| {true} | " + " | ".join(str(said.count(severity)) for severity in SEVERITIES) + " |")
    return lines


def real_row(name: str, judged: Sequence[Judged]) -> str:
    """How complaints, praise and neutral posts of a set fare."""
    cells = []
    for label in ("negative", "positive", "neutral"):
        part = [one for one in judged if one[0].get("label") == label]
        both = (_share(part, _said_at_least(least)) for least in (Severity.NORMAL, Severity.HIGH))
        cells.append("; ".join(both))
    return f"| {name} | {len(judged)} | {' | '.join(cells)} |"


def mistakes(judged: Sequence[Judged], most: int) -> list[str]:
    """The posts that were judged most wrongly, with the reasons."""
    off = sorted(judged, key=lambda one: -abs(Severity(one[0]["severity"]).rank - one[1].severity.rank))
    lines = []
    for row, verdict in off[:most]:
        text = " ".join(filter(None, (row.get("title"), row["text"])))[:160].replace("\n", " ")
        lines.append(f"- {row['severity']}, said {verdict.severity} ({verdict.score}): {text}")
        lines += [f"    - {reason.points:+g} {reason.text}" for reason in verdict.reasons]
    return lines


def main() -> None:
    """Print the tables; say which data are not here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=os.environ.get("LISTENER_DATA") or None)
    parser.add_argument("--rules", type=Path, help="instead of the shipped rules.yaml")
    parser.add_argument("--mistakes", type=int, default=0, metavar="N", help="tell the N worst mistakes")
    parser.add_argument("--embedding", action="store_true", help="with the extra `quality`, which is slow")
    given = parser.parse_args()
    if given.folder is None or not (Path(given.folder) / "measure").is_dir():
        sys.exit("no labelled posts here: set LISTENER_DATA to a folder with triage/*.jsonl and measure/*.dev.jsonl.gz")
    text = given.rules.read_text(encoding="utf-8") if given.rules else shipped("rules.yaml")
    vectors = Embedder(patience=UNHURRIED) if given.embedding else None
    engine = Triage(judging_ruleset(compile_rules(text, file="rules.yaml", env={}).policy, vectors))
    for path in sorted((Path(given.folder) / "triage").glob("*.jsonl")):
        judged = judge(engine, read(path))
        _say(f"### {path.stem}", "", *severity_table(judged), "", *confusion_table(judged), "")
        _say(*mistakes(judged, given.mistakes))
    _say("| real posts: share normal or higher; alerted | n | complaints | praise | neutral |", "|---|---|---|---|---|")
    for name, told in REAL:
        path = Path(given.folder) / "measure" / f"{name}.dev.jsonl.gz"
        if path.exists():
            _say(real_row(told, judge(engine, read(path))))
        else:
            _say(f"| {told} | not measured: {path.name} is not here | | | |")


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
