"""What the embedding adds where a language has its own model, and what it does alone; and that verdicts tell which."""

import math
from array import array
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from listener.domain.mention import Author, Mention, Reach
from listener.domain.verdict import Label, Sentiment, Stakes
from listener.sentiment.embedding import NotNow, Vector
from listener.sentiment.quality import (
    LESS_SURE,
    SentimentAcross,
    SentimentBeside,
    StakesAcross,
    StakesBeside,
    added,
    sentiment_with,
    shipped,
    stakes_with,
)

LIKE_A_COMPLAINT, LIKE_PRAISE, BUSY = "a complaint", "praise", "one too many"


def towards(weights: tuple[Vector, ...], more: int, less: int) -> Vector:
    """A vector that speaks clearly for one class and against another."""
    pull = [a - b for a, b in zip(weights[more], weights[less], strict=True)]
    length = math.sqrt(sum(number * number for number in pull))
    return array("f", [10 * number / length for number in pull])


class FewVectors:
    """Knows two texts, and has no time for any other."""

    name = "fake 1"

    def __init__(self, known: Mapping[str, Vector] | None = None) -> None:
        sentiment = shipped().sentiment.weights
        self.known = known or {LIKE_A_COMPLAINT: towards(sentiment, 0, 2), LIKE_PRAISE: towards(sentiment, 2, 0)}

    def vector(self, text: str) -> Vector:
        if text not in self.known:
            raise NotNow("there are more texts than it can read")
        return self.known[text]


class Own:
    """A model that is of one opinion."""

    name = "own 1"

    def __init__(self, p_negative: float | None, value: float | None = 0.0) -> None:
        self._says = Sentiment(
            label=Label.UNKNOWN if p_negative is None else Label.NEUTRAL,
            value=None if p_negative is None else value,
            p_negative=p_negative,
            model=self.name,
            why="its words",
        )

    def reads(self, mention: Mention) -> bool:
        return mention.lang == "en"

    def judge(self, text: str) -> Sentiment:
        return self._says


class OwnStakes:
    """Sees nothing at stake, for the most part."""

    name = "stakes-en"

    def reads(self, mention: Mention) -> bool:
        return mention.lang == "en"

    def judge(self, text: str) -> Stakes:
        return Stakes(p_urgent=0.1, p_high=0.1, p_normal=0.2, p_low=0.6, model=self.name, phrases=(("word", 1.0),))


def mention(text: str, *, lang: str | None = "es", script: str = "latin") -> Mention:
    return Mention(
        id="m1",
        source_id="s",
        native_key=None,
        keys=("k",),
        content_hash="h",
        url=None,
        title=None,
        text=text,
        author=Author(),
        lang=lang,
        script=script,
        reach=Reach(),
        published_at=None,
        found_at=None,
        seen_at=datetime(2026, 1, 1, tzinfo=UTC),
        thread_id=None,
    )


# --- beside n-grams ----------------------------------------------------------------------------------------------------


def test_the_embedding_moves_the_chance_both_ways() -> None:
    model = SentimentBeside(Own(0.4), FewVectors())
    worse, better = model.judge(LIKE_A_COMPLAINT), model.judge(LIKE_PRAISE)
    assert worse.p_negative is not None
    assert better.p_negative is not None
    assert worse.p_negative > 0.4 > better.p_negative
    assert worse.label is Label.NEGATIVE


def test_praise_that_both_see_is_positive() -> None:
    judged = SentimentBeside(Own(0.05, value=0.9), FewVectors()).judge(LIKE_PRAISE)
    assert judged.label is Label.POSITIVE
    assert judged.value is not None
    assert judged.value > 0.5


def test_the_verdict_names_both_and_keeps_the_words() -> None:
    judged = SentimentBeside(Own(0.4), FewVectors()).judge(LIKE_A_COMPLAINT)
    assert judged.model == f"own 1 + fake 1 heads {shipped().version}"
    assert judged.why.startswith("its words; the embedding reads it as ")


def test_in_a_burst_the_own_model_judges_alone_and_says_so() -> None:
    judged = SentimentBeside(Own(0.4), FewVectors()).judge(BUSY)
    assert (judged.p_negative, judged.model) == (0.4, "own 1")
    assert judged.why == "its words; without the embedding: there are more texts than it can read"


def test_what_the_own_model_cannot_judge_stays_unknown() -> None:
    assert SentimentBeside(Own(None), FewVectors()).judge(LIKE_A_COMPLAINT).label is Label.UNKNOWN


def test_stakes_are_moved_and_keep_their_phrases() -> None:
    vectors = FewVectors({"smoke": towards(shipped().stakes.weights, 3, 0)})
    alone, both = OwnStakes().judge("smoke"), StakesBeside(OwnStakes(), vectors).judge("smoke")
    assert both.p_urgent > alone.p_urgent
    assert both.phrases == alone.phrases
    assert both.model == f"stakes-en + fake 1 heads {shipped().version}"
    assert both.p_urgent + both.p_high + both.p_normal + both.p_low == pytest.approx(1, abs=0.001)


def test_stakes_without_a_vector_are_those_of_the_own_model() -> None:
    assert StakesBeside(OwnStakes(), FewVectors()).judge(BUSY) == OwnStakes().judge(BUSY)


def test_both_read_what_the_own_model_reads() -> None:
    for model in (SentimentBeside(Own(0.4), FewVectors()), StakesBeside(OwnStakes(), FewVectors())):
        assert model.reads(mention("x", lang="en"))
        assert not model.reads(mention("x", lang="es"))


# --- alone -------------------------------------------------------------------------------------------------------------


def test_a_language_without_a_model_is_judged_less_surely() -> None:
    judged = SentimentAcross(FewVectors()).judge(LIKE_A_COMPLAINT)
    assert judged.label is Label.NEGATIVE
    assert judged.why == LESS_SURE
    assert judged.unsure
    assert not SentimentAcross(FewVectors()).judge(LIKE_PRAISE).unsure


def test_in_a_script_that_was_never_tried_everything_is_for_review() -> None:
    """Of Arabic complaints, three in four look calm to the heads."""
    praise = FewVectors().known[LIKE_PRAISE]
    judged = SentimentAcross(FewVectors({"شكرا لكم": praise})).judge("شكرا لكم")
    assert judged.label is not Label.NEGATIVE
    assert judged.unsure


def test_without_a_vector_such_a_language_stays_unknown() -> None:
    judged = SentimentAcross(FewVectors()).judge(BUSY)
    assert (judged.label, judged.p_negative, judged.model) == (Label.UNKNOWN, None, "none")
    assert "there are more texts than it can read" in judged.why


def test_stakes_across_languages_are_read_only_where_there_is_a_vector() -> None:
    model = StakesAcross(FewVectors())
    assert model.reads(mention(LIKE_A_COMPLAINT))
    assert not model.reads(mention(BUSY))
    assert not model.reads(mention(LIKE_A_COMPLAINT, script="none"))
    assert model.judge(LIKE_A_COMPLAINT).phrases == ()


def test_a_vector_that_is_gone_after_all_leaves_it_to_people_within_a_day() -> None:
    assert StakesAcross(FewVectors()).judge(BUSY).p_normal == 1.0


def test_across_comes_last_and_reads_every_script() -> None:
    models = sentiment_with((Own(0.4),), FewVectors())
    assert [model.reads(mention("x", lang="en")) for model in models] == [True, True]
    assert [model.reads(mention("مرحبا", lang="ar", script="arabic")) for model in models] == [False, True]
    assert not models[-1].reads(mention("?!", script="none"))


def test_rules_that_want_no_stakes_get_none() -> None:
    assert stakes_with((), FewVectors()) == ()
    assert len(stakes_with((OwnStakes(),), FewVectors())) == 2


# --- figures -----------------------------------------------------------------------------------------------------------


def test_opinions_that_agree_are_surer_together() -> None:
    assert added(0.7, 0.7, (0.8, 0.8), 0.0) > 0.7
    assert added(0.3, 0.3, (0.8, 0.8), 0.0) < 0.3
    assert added(0.0, 1.0, (0.5, 0.5), 0.0) == pytest.approx(0.5)


def test_the_shipped_heads_fit_the_model() -> None:
    heads = shipped()
    assert [len(head.weights) for head in (heads.stakes, heads.sentiment)] == [4, 3]
    assert {len(row) for head in (heads.stakes, heads.sentiment) for row in head.weights} == {384}
