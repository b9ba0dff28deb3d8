"""Trains the shipped sentiment weights: python -m tools.train.sentiment DATA [en] [ko]

DATA is the folder of labelled posts (`train/`, `written/`). Writes `listener/sentiment/weights/sentiment-LANG.tsv.gz` and
its card. One thread and fixed seeds: the same files and versions give the same bytes. A few minutes for each language.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from listener.sentiment.english_model import EVIDENCE, evidence
from listener.sentiment.learned import chances
from listener.sentiment.vader import Vader
from tools.train.card import card
from tools.train.features import Candidates, matrix, pieces, vocabulary, words_and_stems
from tools.train.neutral_korean import sentences
from tools.train.posts import Post, public, written
from tools.train.weights_file import pack

WEIGHTS = Path(__file__).parents[2] / "listener" / "sentiment" / "weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What one language is trained on, and how.

    `public` and `written` name data sets with the weight of each of their posts. `lean` moves that much log-odds between
    negative and positive for VADER's compound score: the fit gives the tone too little where the tone is all there is.
    """

    lang: str
    public: Mapping[str, float]
    written: Mapping[str, float]
    candidates: Candidates
    size: int
    regularisation: float
    lean: float = 0.0
    neutral_sentences: float = 0.0


ENGLISH = Recipe(
    lang="en",
    public={
        "tweet_extract": 1.0,
        "goemotions": 0.3,
        "vader_tweets": 8.0,
        "vader_amazon": 4.0,
        "vader_movie": 1.0,
        "vader_nyt": 1.0,
        "banking77": 0.2,
        "synth_en": 0.5,
    },
    written=dict.fromkeys(
        ("en_all", "en_handles", "en_industries", "en_reviews", "en_urgent", "long_mixed", "short"), 4.0
    ),
    candidates=words_and_stems,
    size=30_000,
    regularisation=0.7,
    lean=0.5,
)

KOREAN = Recipe(
    lang="ko",
    public={"nsmc": 0.7, "kote": 3.0, "goemotions_ko": 0.5, "synth_ko": 0.3},
    written={
        **dict.fromkeys(("ko_complaints", "ko_industries", "ko_social_shop", "ko_urgent", "long_mixed", "short"), 4.0),
        "ko_neutral": 8.0,
        "ko_reviews": 12.0,
    },
    candidates=pieces,
    size=60_000,
    regularisation=1.0,
    neutral_sentences=5.0,
)

NEUTRAL_SENTENCES = "neutral_korean"
_LEAST = 5


def main() -> None:
    """Train what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.train.sentiment")
    parser.add_argument("data", type=Path)
    parser.add_argument("languages", nargs="*", default=["en", "ko"])
    parser.add_argument("--without", default="", help="leave a data set out, or all that are 'written' (for ablations)")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where to write, instead of beside the program")
    chosen = parser.parse_args()
    for recipe in (ENGLISH, KOREAN):
        if recipe.lang in chosen.languages:
            posts = [post for post in gather(recipe, chosen.data) if _kept(recipe, post, chosen.without)]
            packed = train(recipe, posts)
            chosen.out.joinpath(f"sentiment-{recipe.lang}.tsv.gz").write_bytes(packed)
            chosen.out.joinpath(f"sentiment-{recipe.lang}.card.md").write_text(
                card(recipe, posts, chosen.data, packed), encoding="utf-8"
            )


def _kept(recipe: Recipe, post: Post, without: str) -> bool:
    """Is the post to be learned from? Held-out posts stay: they set the thresholds."""
    names = recipe.written if without == "written" else (without,)
    return post.part == "dev" or post.source not in names


def gather(recipe: Recipe, data: Path) -> list[Post]:
    """All posts of the recipe."""
    posts = [*public(data, list(recipe.public)), *written(data, list(recipe.written), recipe.lang)]
    if recipe.neutral_sentences:
        posts += [Post(NEUTRAL_SENTENCES, "train", text, 1) for text in sentences()]
    return posts


def train(recipe: Recipe, posts: Sequence[Post]) -> bytes:
    """Fit on all candidates, keep the n-grams that moved most texts most, fit again, calibrate, and pack."""
    learn = [post for post in posts if post.part == "train"]
    texts = [post.text for post in learn]
    ngrams = vocabulary(texts, recipe.candidates, _LEAST)
    found = matrix(texts, ngrams)
    first = _fit(recipe, learn, found)
    moved = np.abs(first[:, : len(ngrams)]).max(axis=0) * np.sqrt(np.bincount(found.indices, minlength=len(ngrams)))
    kept = [ngrams[at] for at in sorted(np.argsort(-moved, kind="stable")[: recipe.size])]
    fitted = _fit(recipe, learn, matrix(texts, kept))
    header = _header(recipe, fitted[:, len(kept) :])
    weights = fitted[:, : len(kept)]
    return pack({**header, "settings": _calibrated(posts, kept, weights, header)}, kept, weights.tolist())


def _fit(recipe: Recipe, posts: Sequence[Post], found: "sparse.csr_matrix") -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Weights of the n-grams, then of VADER's evidence, then the bias; a row for each class, rows summing up to nothing."""
    if recipe.lang == "en":
        found = sparse.hstack([found, sparse.csr_matrix(_evidence([post.text for post in posts]))]).tocsr()
    model = LogisticRegression(C=recipe.regularisation, max_iter=150, tol=1e-6)
    model.fit(found, [post.label for post in posts], sample_weight=[_weight(recipe, post) for post in posts])
    return np.hstack([model.coef_, model.intercept_[:, None]])


def _weight(recipe: Recipe, post: Post) -> float:
    if post.source == NEUTRAL_SENTENCES:
        return recipe.neutral_sentences
    return {**recipe.public, **recipe.written}[post.source]


def _evidence(texts: Sequence[str]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    vader = Vader()
    return np.array([evidence(vader.scores(text)) for text in texts])


def _header(recipe: Recipe, rest: "np.ndarray[Any, np.dtype[np.float64]]") -> dict[str, Any]:
    extras = {}
    if recipe.lang == "en":
        rest[:, 0] += (-recipe.lean, 0.0, recipe.lean)
        extras = {name: [round(value, 4) for value in rest[:, at]] for at, name in enumerate(EVIDENCE)}
    return {
        "version": "1",
        "classes": ["negative", "neutral", "positive"],
        "bias": [round(value, 4) for value in rest[:, -1]],
        "extras": extras,
    }


def _calibrated(
    posts: Sequence[Post],
    ngrams: Sequence[str],
    weights: "np.ndarray[Any, np.dtype[np.float64]]",
    header: Mapping[str, Any],
) -> dict[str, float]:
    """The curve and the thresholds, from written posts about brands that were held out."""
    held = [post for post in posts if post.part == "dev" and post.source not in _PUBLIC]
    scores = matrix([post.text for post in held], ngrams) @ weights.T + np.array(header["bias"])
    if header["extras"]:
        scores += _evidence([post.text for post in held]) @ np.array(list(header["extras"].values()))
    unhappy = np.array([post.label == 0 for post in held])
    odds = scores[:, 0] - np.logaddexp(scores[:, 1], scores[:, 2])
    curve = LogisticRegression(C=1e6).fit(odds[:, None], unhappy)
    slope, offset = round(float(curve.coef_[0, 0]), 3), round(float(curve.intercept_[0]), 3)
    both = np.array([chances(row, slope, offset) for row in scores.tolist()])
    negative_from = _finding(both[:, 0], unhappy)
    calm = both[:, 0] < negative_from
    pleased = np.array([post.label == 2 for post in held])
    return {
        "slope": slope,
        "offset": offset,
        "negative_from": negative_from,
        "positive_from": _best(both[calm, 1], pleased[calm]),
    }


_PUBLIC = frozenset({*ENGLISH.public, *KOREAN.public})


def _finding(chance: "np.ndarray[Any, np.dtype[np.float64]]", truth: "np.ndarray[Any, np.dtype[np.bool_]]") -> float:
    """The highest threshold, in hundredths, that finds `_RECALL` of the complaints. F1 hardly changes for a tenth around
    it, so it is a choice: missed complaints are dearer than needless looks, as long as people still look.
    """
    return max(step for step in _STEPS if (chance[truth] >= step).mean() >= _RECALL)


_RECALL = 0.83
_STEPS = [step / 100 for step in range(10, 91)]


def _best(chance: "np.ndarray[Any, np.dtype[np.float64]]", truth: "np.ndarray[Any, np.dtype[np.bool_]]") -> float:
    """The threshold with the best F1, in hundredths."""
    return max(_STEPS, key=lambda step: 2 * (truth & (chance >= step)).sum() / (truth.sum() + (chance >= step).sum()))


if __name__ == "__main__":
    main()
