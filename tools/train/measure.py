"""Scores the shipped sentiment on posts it never saw: python -m tools.train.measure DATA [--split dev] [--vader]

Prints, for every labelled set in `DATA/measure` and a few dev parts of `DATA/train`: recall, precision and F1 of "negative",
and the area under precision and recall (average precision) of `p_negative`; UNKNOWN counts as not negative, and its share is
told. For the unlabelled neutral Korean: the share called negative, and the share above the `p_negative` that finds 85 % of
the complaints in Korean shop reviews.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from listener.decide.judge import SentimentModel
from listener.domain.verdict import Label, Sentiment
from listener.sentiment.english_model import English
from listener.sentiment.korean import Korean
from listener.sentiment.vader import Vader
from tools.train.posts import rows

ENGLISH = (
    "airline bank_reviews apple_dfe semeval17 sanders entity_tweets "
    "s140_test brand_sxsw finphrase vader_tweets tweet_extract"
)
KOREAN = "ko_apps ko_shopapps ko_coupang_manual ko_finance kote nsmc"
NEUTRAL = "ko_headlines ko_questions"
RECALL = 0.85

Judged = Sequence[tuple[bool, Sentiment]]
"""Is it a complaint, and what the model said."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tools.train.measure")
    parser.add_argument("data", type=Path)
    parser.add_argument("--vader", action="store_true", help="measure VADER alone instead")
    chosen = parser.parse_args()
    english, korean = (Vader(), Vader()) if chosen.vader else (English(), Korean())
    _say("| set | posts | negative recall / precision / F1 | PR-AUC | unknown |\n|---|---|---|---|---|")
    for name in ENGLISH.split():
        _say(line(name, judged(chosen.data, name, english)))
    told = {name: judged(chosen.data, name, korean) for name in KOREAN.split()}
    for name, posts in told.items():
        _say(line(name, posts))
    threshold = at_recall(told["ko_shopapps"])
    for name in NEUTRAL.split():
        posts = judged(chosen.data, name, korean)
        called = sum(one.label is Label.NEGATIVE for _, one in posts) / len(posts)
        above = sum((one.p_negative or 0) >= threshold for _, one in posts) / len(posts)
        _say(f"| {name} | {len(posts)} | called negative {called:.3f} | at recall {RECALL}: {above:.3f} | |")


def _say(row: str) -> None:
    sys.stdout.write(row + "\n")


def judged(data: Path, name: str, model: SentimentModel) -> Judged:
    """The dev part of a set, judged."""
    path = data / "measure" / f"{name}.dev.jsonl.gz"
    if not path.exists():
        path = data / "train" / f"{name}.dev.jsonl.gz"
    return [(row.get("label") == "negative", model.judge(str(row["text"]))) for row in rows(path)]


def line(name: str, posts: Judged) -> str:
    """A row of the table."""
    truth = sum(bad for bad, _ in posts)
    called = sum(one.label is Label.NEGATIVE for _, one in posts)
    right = sum(bad and one.label is Label.NEGATIVE for bad, one in posts)
    unknown = sum(one.label is Label.UNKNOWN for _, one in posts) / len(posts)
    recall, precision = right / max(1, truth), right / max(1, called)
    f1 = 2 * right / max(1, truth + called)
    area = average_precision(posts)
    return f"| {name} | {len(posts)} | {recall:.3f} / {precision:.3f} / {f1:.3f} | {area:.3f} | {unknown:.3f} |"


def average_precision(posts: Judged) -> float:
    """The sum of precision at each threshold, weighted by what recall it adds; ties count as one threshold."""
    ranked = sorted(((one.p_negative or 0.0, bad) for bad, one in posts), reverse=True)
    truth = sum(bad for _, bad in ranked)
    found = 0
    area = before = 0.0
    for at, ((chance, bad), (following, _)) in enumerate(pairwise([*ranked, (-1.0, False)]), start=1):
        found += bad
        if chance != following:
            area += (found / truth - before) * found / at
            before = found / truth
    return area


def at_recall(posts: Judged) -> float:
    """The `p_negative` from which `RECALL` of the complaints are found."""
    chances = sorted((one.p_negative or 0.0 for bad, one in posts if bad), reverse=True)
    return chances[int(len(chances) * RECALL)]


if __name__ == "__main__":
    main()
