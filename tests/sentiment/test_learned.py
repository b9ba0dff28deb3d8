"""The shipped sentiment of English and Korean: complaints as facts, praise, doubt, and what a verdict says of them."""

import hashlib
from importlib.resources import files
from pathlib import Path
from time import process_time

import pytest

from listener.domain.verdict import Label
from listener.sentiment.english_model import EVIDENCE, English
from listener.sentiment.korean import Korean
from listener.sentiment.learned import chances
from listener.sentiment.ngrams import prepare
from listener.sentiment.sarcasm import praise_beside_failure
from tests.decide.examples import mention

english = English()
korean = Korean()

WEIGHTS = Path(str(files("listener.sentiment") / "weights"))


@pytest.mark.parametrize(
    "text",
    [
        "third week and my refund still has not arrived, nobody answers",
        "charged twice and your support line is not working",
        "the app crashes every time I log in",
        "worst airline, cancelled my flight and lost my bag",
    ],
)
def test_an_english_complaint_needs_no_angry_word(text: str) -> None:
    """Most complaints are facts, which no list of sentiment words knows."""
    assert english.judge(text).label is Label.NEGATIVE


@pytest.mark.parametrize(
    "text",
    [
        "로그인이 안 돼요 업데이트하고 나서 계속 튕깁니다",
        "3주째 환불 처리가 안 되고 있어요",
        "고객센터 전화도 안 받고 답변도 없네요",
        "돈 아깝다 다시는 안 씀",
    ],
)
def test_a_korean_complaint_is_found(text: str) -> None:
    """As facts or as feelings, with or without polite endings."""
    assert korean.judge(text).label is Label.NEGATIVE


def test_praise_is_positive_in_both_languages() -> None:
    """And far from a complaint."""
    for judged in (
        english.judge("love this app, super easy and great support"),
        korean.judge("배송도 빠르고 너무 좋아요 추천합니다"),
    ):
        assert judged.label is Label.POSITIVE
        assert judged.p_negative is not None
        assert judged.p_negative < 0.2
        assert judged.value is not None
        assert judged.value > 0.3


def test_a_headline_and_a_question_are_no_complaints() -> None:
    """The unknown nouns of the news are not bad news about us."""
    for text in ("하늘항공, 부산-오사카 노선 증편", "내일 아침 비행기 몇 시에 출발하는지 알려줘"):
        judged = korean.judge(text)
        assert judged.label is not Label.NEGATIVE
        assert judged.p_negative is not None
        assert judged.p_negative < 0.3


def test_an_explanation_tells_words_with_their_weight_and_what_vader_said() -> None:
    """A minus speaks for a complaint, a plus for praise."""
    why = english.judge("the app crashes every time").why
    assert "crashes" in why
    assert " -" in why
    assert "VADER +0.00" in why
    assert "+" in korean.judge("너무 좋아요").why


def test_a_neutral_text_shows_both_sides() -> None:
    """People see why neither prevailed."""
    judged = english.judge("does anybody know the opening hours of the store")
    assert judged.label is Label.NEUTRAL
    assert " -" in judged.why
    assert " +" in judged.why


def test_praise_beside_a_failure_is_unknown() -> None:
    """Perhaps irony; a person should look. Only what would not be called a complaint anyway is doubted."""
    judged = english.judge("shout-out to Fernway for the surprise 9h layover, truly blessed")
    assert (judged.label, judged.value, judged.p_negative) == (Label.UNKNOWN, None, None)
    assert judged.why == "praise beside a failure: perhaps irony"


def test_irony_is_not_sought_where_the_failure_is_over_or_the_text_is_long() -> None:
    """Long texts name good and bad sides side by side, and thanks for a repair are thanks."""
    assert praise_beside_failure(prepare("와 고객센터 최고 또 끊겼어"))
    assert not praise_beside_failure(prepare("thanks, the late parcel was replaced within a day"))
    assert not praise_beside_failure("thanks for losing it again" + " and so on" * 30)


def test_a_text_without_a_known_word_is_unknown() -> None:
    """Unknown is not neutral."""
    judged = english.judge("qxzjkv")
    assert (judged.label, judged.why) == (Label.UNKNOWN, "no word that the model knows")


def test_the_teams_own_words_reach_the_model_through_vader() -> None:
    """The lexicon of rules.yaml still counts."""
    text = "the staff was gate-lice"
    with_words = English({"gate-lice": -4.0}).judge(text).p_negative
    without = english.judge(text).p_negative
    assert with_words is not None
    assert without is not None
    assert with_words > without


def test_who_reads_what() -> None:
    """Korean by its writing, whatever the source says; English as VADER does."""
    assert korean.reads(mention("환불해 주세요", lang="en", script="hangul"))
    assert not korean.reads(mention("refund", lang="ko", script="latin"))
    assert english.reads(mention("refund please", lang="en", script="latin"))
    assert not english.reads(mention("por favor", lang="es", script="latin"))


@pytest.mark.parametrize("text", ["", "but " * 10_000, "😡" * 10_000, "환불 " * 13_000, "a" * 40_000, "é̂" * 20_000])
def test_no_text_takes_long(text: str) -> None:
    """A fifth of a second, with room for a slow machine."""
    english.judge("warm"), korean.judge("따뜻")
    begun = process_time()
    english.judge(text)
    korean.judge(text)
    assert process_time() - begun < 0.6


@pytest.mark.parametrize("model", [english, korean], ids=["en", "ko"])
def test_the_weights_are_small_and_have_a_card(model: English | Korean) -> None:
    """At most a megabyte in the package; the card names the file by its hash."""
    name = "sentiment-en" if model is english else "sentiment-ko"
    assert (WEIGHTS / f"{name}.tsv.gz").stat().st_size < 1_000_000
    card = (WEIGHTS / f"{name}.card.md").read_text(encoding="utf-8")

    assert hashlib.sha256((WEIGHTS / f"{name}.tsv.gz").read_bytes()).hexdigest() in card
    assert model.ngrams.classes == ("negative", "neutral", "positive")
    assert set(model.ngrams.extras) == (set(EVIDENCE) if model is english else set())


def test_chances_stay_between_nothing_and_certainty() -> None:
    """Whatever the scores, and more for a complaint never means less."""
    for odds in (-1e6, -1.0, 0.0, 1.0, 1e6):
        p_negative, p_positive = chances((odds, 0.0, 0.0), 1.0, 0.0)
        assert 0 <= p_negative <= 1
        assert 0 <= p_positive <= 1
        assert p_negative + p_positive <= 1 + 1e-9
    assert chances((2.0, 0.0, 0.0), 1.0, 0.0)[0] > chances((1.0, 0.0, 0.0), 1.0, 0.0)[0]
