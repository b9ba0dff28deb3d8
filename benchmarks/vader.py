"""Our linear VADER against the package: the same scores, sooner."""

from collections.abc import Iterator, Sequence

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from benchmarks.posts import english, long_english
from benchmarks.row import Row, at_least, rate
from benchmarks.timing import ROUNDS, cpu, in_turns
from listener.sentiment.vader import Vader


def vader(posts: int = 4_000, long_texts: int = 150, rounds: int = ROUNDS) -> Iterator[Row]:
    """Tweet-length posts and texts of 1,000 characters. Raises `RuntimeError` if a score differs."""
    yield _row("VADER: tweet-length posts", english(posts), rounds, least=3.0)
    yield _row("VADER: texts of 1,000 characters", long_english(long_texts), rounds, least=7.0)


def _row(what: str, texts: Sequence[str], rounds: int, *, least: float) -> Row:
    package, ours = SentimentIntensityAnalyzer(), Vader()
    _check_same(ours, package, texts)
    fast, slow = in_turns(
        lambda: cpu(lambda: [ours.scores(text) for text in texts]),
        lambda: cpu(lambda: [package.polarity_scores(text) for text in texts]),
        rounds=rounds,
    )
    count = len(texts)
    return Row(
        what=f"{what}, {count:,} scores identical",
        ours=rate(count, fast, "texts"),
        peer=rate(count, slow, "texts"),
        ratio=slow / fast,
        wanted=at_least(least),
    )


def _check_same(ours: Vader, package: SentimentIntensityAnalyzer, texts: Sequence[str]) -> None:
    for text in texts:
        if ours.scores(text)._asdict() != package.polarity_scores(text):
            raise RuntimeError(f"a faster score is worth nothing if it is another one: {text!r}")
