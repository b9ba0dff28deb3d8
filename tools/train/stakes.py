"""Trains the models of what is at stake: `python -m tools.train.stakes DATA [--out FOLDER]`.

DATA is the folder of labelled posts: `written/*.jsonl.gz` (posts composed for this project, with their severity) and
`train/*.train.jsonl.gz` (public posts that carry a sentiment only). The public ones keep the models from taking ordinary
praise and chatter for emergencies: content and neutral ones count as low, unhappy ones mostly as normal, each for a tenth of
a written post. The same files give the same bytes. Needs numpy, scipy and scikit-learn, which Listener itself never does.
"""

import argparse
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import scipy.sparse as sp
import sklearn
from sklearn.linear_model import LogisticRegression

from listener.sentiment.ngrams import NgramModel, prepare
from tools.train.weights_file import pack

CLASSES = ("low", "normal", "high", "urgent")
VERSION = "1"
HELD_OUT_PERCENT = 15

Post = dict[str, Any]
Matrix = Any


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What differs between the languages. Chosen on the held-out posts of `written`, but for `offsets`: the written posts
    hold as many emergencies as chatter, and real streams do not, so these thresholds were set by the shares of real posts
    that would be looked at.
    """

    lang: str
    parts: range  # lengths of the n-grams that are parts of the text
    across_words: bool
    stress: float  # how much more freely words and phrases get weight than parts of words
    public: Mapping[str, int]  # public file -> posts taken
    unhappy_high: float  # the share of "high" in an unhappy public post; the rest is "normal"
    most: int = 40_000  # n-grams kept
    public_weight: float = 0.1
    commonness: float = 0.5  # how much it counts for an n-gram to be common, when the vocabulary is chosen
    softness: float = 1.0  # scikit-learn's C
    offsets: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)  # added to the bias of each class


ENGLISH = Recipe(
    lang="en",
    parts=range(3, 7),
    across_words=False,
    stress=2.5,
    public={"tweet_extract": 2000, "vader_tweets": 2000, "vader_amazon": 2000, "goemotions": 2000},
    unhappy_high=0.3,
    commonness=0.0,  # as sure as with common parts of words, and a text holds 60 instead of 146: less than half the time
    offsets=(-1.05, 0.0, -1.1, -0.3),
)
KOREAN = Recipe(
    lang="ko",
    parts=range(2, 6),
    across_words=True,
    stress=2.0,
    public={"kote": 2500, "goemotions_ko": 2500},
    unhappy_high=0.15,
    offsets=(0.3, 0.0, -0.35, 0.0),
)


# --- data --------------------------------------------------------------------------------------------------------------


def read(path: Path) -> list[Post]:
    """The posts of a gzipped file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def written(data: Path, lang: str) -> list[Post]:
    """The project's own posts in a language; posts in both languages belong to each."""
    posts = [post for path in sorted((data / "written").glob("*.jsonl.gz")) for post in read(path)]
    return [post for post in posts if post["lang"] in (lang, "mixed")]


def public(data: Path, recipe: Recipe) -> list[Post]:
    """A fixed sample of the public posts."""
    taken: list[Post] = []
    for name, count in recipe.public.items():
        posts = [post for post in read(data / "train" / f"{name}.train.jsonl.gz") if post["label"] in _PUBLIC_LABELS]
        taken += sorted(posts, key=lambda post: _digest(post["id"]))[:count]
    return taken


_PUBLIC_LABELS = ("negative", "neutral", "positive")
_PAIRED = re.compile(r"ku(\d{4})")


def held_out(post: Post) -> bool:
    """Is it kept for choosing? Minimal pairs (ku0102 with ku0103 and so on to ku0201) stay together."""
    name: str = post["id"]
    number = int(found[1]) if (found := _PAIRED.fullmatch(name)) else 0
    if 102 <= number <= 201:
        name = f"ku{number - number % 2:04}"
    return int(_digest(name)[:8], 16) % 100 < HELD_OUT_PERCENT


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def prepared(post: Post) -> str:
    """Title and text as the model will see them, without the brand: nobody else's brand has that name."""
    text = "\n".join(part for part in (post.get("title"), post["text"]) if part)
    brand = post.get("brand")
    return prepare(re.sub(re.escape(brand), "@", text, flags=re.IGNORECASE) if brand else text)


# --- features ----------------------------------------------------------------------------------------------------------

_LONGEST_PHRASE = 32


def ngrams(text: str, recipe: Recipe) -> set[str]:
    """Phrases of up to three words, with a space at both ends, and parts of words. In Korean, where particles and endings
    carry the grammar, also parts of neighbouring words, and punctuation; in English that only learned quirks.
    """
    words = text.split()
    found = {
        phrase
        for size in (1, 2, 3)
        for at in range(len(words) - size + 1)
        if len(phrase := f" {' '.join(words[at : at + size])} ") <= _LONGEST_PHRASE
    }
    parts = {text[at : at + size] for size in recipe.parts for at in range(len(text) - size + 1)}
    if recipe.across_words:
        return found | parts
    found |= {part for part in parts if " " not in part[1:-1]}
    return {ngram for ngram in found if any(map(str.isalpha, ngram))}


def vocabulary(texts: Iterable[str], recipe: Recipe) -> list[str]:
    """What stands in two posts (phrases) or five (parts of words)."""
    counts = Counter[str]()
    for text in texts:
        counts.update(ngrams(text, recipe))
    return sorted(ngram for ngram, count in counts.items() if count >= (2 if _is_phrase(ngram) else 5))


def _is_phrase(ngram: str) -> bool:
    return ngram[0] == " " == ngram[-1]


def presence(texts: Sequence[str], recipe: Recipe, places: Mapping[str, int]) -> Matrix:
    """One row for each text: 1 where an n-gram stands in it."""
    rows = [sorted(places[ngram] for ngram in ngrams(text, recipe) if ngram in places) for text in texts]
    ends = np.cumsum([0, *map(len, rows)])
    columns = np.fromiter((column for row in rows for column in row), dtype=np.int32, count=int(ends[-1]))
    return sp.csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(texts), len(places)))


def scaled(matrix: Matrix, scale: Any) -> Matrix:
    """As the runtime weighs: each row divided by the root of how many n-grams it has; columns by their prior scale."""
    counts = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1)
    return (sp.diags(1 / np.sqrt(counts)) @ matrix @ sp.diags(scale)).tocsr()


# --- fitting -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A linear model: one row of weights for each class."""

    vocabulary: list[str]
    weights: Any
    bias: Any


def fit(posts: Sequence[Post], others: Sequence[Post], recipe: Recipe) -> Fitted:
    """Fit all n-grams, keep those that weigh most, fit those again."""
    texts, more = [prepared(post) for post in posts], [prepared(post) for post in others]
    vocab = vocabulary([*texts, *more], recipe)
    places = {ngram: place for place, ngram in enumerate(vocab)}
    ours, theirs = presence(texts, recipe, places), presence(more, recipe, places)
    common = np.asarray(ours.sum(axis=0) + recipe.public_weight * theirs.sum(axis=0)).ravel()
    stress = np.array([recipe.stress if _is_phrase(ngram) else 1.0 for ngram in vocab])
    scale = (np.log((1 + len(posts) + recipe.public_weight * len(others)) / (1 + common)) + 1) * stress
    lines, labels, importance = _targets(posts, others, recipe)
    weights, _ = _regress(scaled(sp.vstack([ours, theirs]), scale)[lines], labels, importance, recipe)
    worth = np.abs(weights * scale).max(axis=0) * common**recipe.commonness
    keep = np.sort(np.argsort(-worth, kind="stable")[: recipe.most])
    kept = scaled(sp.vstack([ours, theirs])[:, keep], scale[keep])
    weights, bias = _regress(kept[lines], labels, importance, recipe)
    return Fitted(vocabulary=[vocab[at] for at in keep], weights=weights * scale[keep], bias=bias)


def _targets(posts: Sequence[Post], others: Sequence[Post], recipe: Recipe) -> tuple[Any, Any, Any]:
    """Lines of the matrix, their class, and how much each counts; an unhappy public post stands for two classes."""
    entries = [(line, CLASSES.index(post["severity"]), 1.0) for line, post in enumerate(posts)]
    for line, post in enumerate(others, start=len(posts)):
        shares = {1: 1 - recipe.unhappy_high, 2: recipe.unhappy_high} if post["label"] == "negative" else {0: 1.0}
        entries += [(line, label, share * recipe.public_weight) for label, share in shares.items()]
    lines, labels, importance = (np.array(column) for column in zip(*entries, strict=True))
    balance = len(posts) / (len(CLASSES) * np.bincount(labels[: len(posts)], minlength=len(CLASSES)))
    return lines, labels, importance * balance[labels]


def _regress(matrix: Matrix, labels: Any, importance: Any, recipe: Recipe) -> tuple[Any, Any]:
    model = LogisticRegression(C=recipe.softness, max_iter=150, tol=1e-3)
    model.fit(matrix, labels, sample_weight=importance)
    return model.coef_, model.intercept_


# --- the files ---------------------------------------------------------------------------------------------------------


def packed(fitted: Fitted, recipe: Recipe) -> bytes:
    """The weights file."""
    header = {
        "classes": CLASSES,
        "bias": [round(float(value) + offset, 4) for value, offset in zip(fitted.bias, recipe.offsets, strict=True)],
        "version": VERSION,
        "settings": {"lang": recipe.lang},
    }
    return pack(header, fitted.vocabulary, fitted.weights.tolist())


def train(data: Path, recipe: Recipe) -> tuple[bytes, dict[str, Any]]:
    """The weights fitted on all posts, and the figures of a fit without the held-out ones on those."""
    posts, others = written(data, recipe.lang), public(data, recipe)
    chosen = packed(fit([post for post in posts if not held_out(post)], others, recipe), recipe)
    scores = _scores(chosen, [post for post in posts if held_out(post)])
    shipped = packed(fit(posts, others, recipe), recipe)
    rows = {"written": len(posts), "public": dict(recipe.public)}
    return shipped, {"rows": rows, "held_out": scores, "sha256": hashlib.sha256(shipped).hexdigest()}


def _scores(weights: bytes, posts: Sequence[Post]) -> dict[str, float]:
    model = NgramModel.parse(weights)
    said = np.array([np.argmax(model.scores("\n".join(filter(None, (p.get("title"), p["text"]))))) for p in posts])
    true = np.array([CLASSES.index(post["severity"]) for post in posts])
    figures = {"posts": len(posts), "right": float(np.mean(said == true))}
    for name, least in (("urgent", 3), ("high or above", 2), ("normal or above", 1)):
        figures[f"{name}: recall"] = float(np.mean(said[true >= least] >= least))
        figures[f"{name}: precision"] = float(np.mean(true[said >= least] >= least))
    return {name: round(value, 3) for name, value in figures.items()}


def _hashes(data: Path) -> dict[str, str]:
    public_files = [f"train/{name}.train.jsonl.gz" for recipe in (ENGLISH, KOREAN) for name in recipe.public]
    own = [f"written/{path.name}" for path in sorted((data / "written").glob("*.jsonl.gz"))]
    return {name: hashlib.sha256((data / name).read_bytes()).hexdigest() for name in [*own, *public_files]}


def main() -> None:
    """Write the weights and `stakes.json`, the figures of their card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("listener/sentiment/weights"))
    given = parser.parse_args()
    card: dict[str, Any] = {"classes": CLASSES, "version": VERSION, "files": _hashes(given.data)}
    card["made_with"] = {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__}
    for recipe in (ENGLISH, KOREAN):
        weights, card[recipe.lang] = train(given.data, recipe)
        (given.out / f"stakes_{recipe.lang}.tsv.gz").write_bytes(weights)
    (given.out / "stakes.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
