"""English: what was learned from posts about brands, over words, phrases and VADER's four scores.

VADER reads the tone; complaints are mostly facts without any ("third week, still processing"). So VADER's scores are
evidence among others here, and stay visible in every explanation.
"""

from collections.abc import Mapping

from listener.domain.mention import Mention
from listener.domain.verdict import Sentiment
from listener.sentiment.learned import Learned
from listener.sentiment.vader import MAX_READ, Scores, Vader


class English(Learned):
    """Learned sentiment of English over VADER. `lexicon` holds a team's own words for VADER (word -> -4..4)."""

    def __init__(self, lexicon: Mapping[str, float] | None = None) -> None:
        super().__init__("en")
        self._vader = Vader(lexicon)
        self.name = f"en-ngrams 1 + {self._vader.name}"

    def reads(self, mention: Mention) -> bool:
        """What VADER reads: English in Latin letters."""
        return self._vader.reads(mention)

    def judge(self, text: str) -> Sentiment:
        """The sentiment of the first 10,000 characters."""
        text = text[:MAX_READ]
        tone = self._vader.scores(text)
        reading = self.read(text)
        scores = list(self.ngrams.scores_of(reading))
        for name, figure in zip(EVIDENCE, evidence(tone), strict=True):
            for at, weight in enumerate(self.ngrams.extras[name]):
                scores[at] += weight * figure
        return self.sentiment(reading, scores, model=self.name, also=f"VADER {tone.compound:+.2f}")


EVIDENCE = ("compound", "pos", "neg", "silent", "strong")
"""What the learned layer is told of VADER's scores, as the weights file names it."""


def evidence(tone: Scores) -> tuple[float, ...]:
    """VADER's scores as the learned layer weighs them: no word of sentiment at all, and strong tone, count apart."""
    compound = tone.compound
    return compound, tone.pos, tone.neg, 1.0 if compound == 0 else 0.0, compound * abs(compound)
