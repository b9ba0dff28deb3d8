"""The model card that ships beside a weights file: what it was made of, what it can do, and what not."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tools.train.posts import Post

if TYPE_CHECKING:
    from tools.train.sentiment import Recipe

_LICENCES = {
    "tweet_extract": "CC BY 4.0: Figure Eight, Data for Everyone; the texts of the Kaggle Tweet Sentiment Extraction set",
    "goemotions": "Apache-2.0: Google, GoEmotions",
    "vader_tweets": "MIT: C.J. Hutto, vaderSentiment (ground truth of ICWSM 2014)",
    "vader_amazon": "MIT: the same",
    "vader_movie": "MIT: the same",
    "vader_nyt": "MIT: the same",
    "banking77": "CC BY 4.0: PolyAI, BANKING77; problems counted as negative, information as neutral",
    "nsmc": "CC0: Naver sentiment movie corpus",
    "kote": "MIT: KOTE, Korean online comments; 43 emotions mapped to three labels",
    "goemotions_ko": "Apache-2.0: GoEmotions, machine-translated",
    "neutral_korean": "made for this project: tools/train/neutral_korean.py",
}
_OURS = "made for this project"


def card(recipe: "Recipe", posts: Sequence[Post], data: Path, packed: bytes) -> str:
    """The card as Markdown. Its figures on other data are in docs/quality.md, where `measure` prints them."""
    counts = Counter((post.source, post.part) for post in posts)
    sources = dict.fromkeys(post.source for post in posts)
    weights = {**recipe.public, **recipe.written, "neutral_korean": recipe.neutral_sentences}
    table = "\n".join(
        f"| {source} | {counts[source, 'train']:,} | {counts[source, 'dev']:,} | {weights[source]:g} "
        f"| {_LICENCES.get(source, _OURS)} | {_hash(data, source)} |"
        for source in sources
    )
    return _CARD.format(
        lang={"en": "English", "ko": "Korean"}[recipe.lang],
        name=f"sentiment-{recipe.lang}",
        digest=hashlib.sha256(packed).hexdigest(),
        size=len(packed) / 1e6,
        table=table,
        short=recipe.lang,
    )


def _hash(data: Path, source: str) -> str:
    paths = [data / "train" / f"{source}.train.jsonl.gz", data / "written" / f"{source}.jsonl.gz"]
    return next((hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in paths if path.exists()), "")


_CARD = """# {name}: sentiment towards a brand, {lang}

What it is: a linear model (logistic regression, three classes) over n-grams, whose weights are whole numbers in a readable
list. It says how likely it is that the author is unhappy with the brand that a post is about.

File: `{name}.tsv.gz`, {size:.2f} MB, sha256 `{digest}`. Made by `python -m tools.train.sentiment DATA {short}`, which gives
the same bytes from the same files (scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1).

| data | rows learned from | held out | weight of a row | licence and origin | sha256 of the file, beginning |
|---|---|---|---|---|---|
{table}

The held-out rows of written posts (all posts about every fifth brand) set the curve and the thresholds. Nothing was fitted on
the sets that docs/quality.md measures. Attribution is due for tweet_extract and banking77; docs/quality.md shows what is lost
without tweet_extract.

Limits: irony is beyond it; it reads the tone of the whole text and not whom it is meant for; a neutral report of bad
news may read as negative; how likely "likely" is depends on the stream, so fit the curve to your own labels. The written posts
are synthetic and by few hands. Slurs and dialects are as the data has them; do not use it to judge people.
"""
