"""Korean: learned from comments, film reviews and posts about brands, over pieces of one to five characters.

Pieces need no morphological analyser: particles and endings fall off by themselves, and misspellings share most pieces
with what was meant.
"""

from listener.domain.mention import Mention
from listener.domain.verdict import Sentiment
from listener.sentiment.learned import Learned


class Korean(Learned):
    """Learned sentiment of Korean."""

    name = "ko-ngrams 1"

    def __init__(self) -> None:
        super().__init__("ko")

    def reads(self, mention: Mention) -> bool:
        """Whatever is written in Hangul for the most part; the script tells more than the source's tag."""
        return mention.script == "hangul"

    def judge(self, text: str) -> Sentiment:
        """The sentiment of the first 10,000 characters."""
        reading = self.read(text)
        return self.sentiment(reading, self.ngrams.scores_of(reading), model=self.name)
