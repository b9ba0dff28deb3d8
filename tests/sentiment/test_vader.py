"""VADER: the same scores as the package, in linear time, and what we make of them."""

import json
from pathlib import Path
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE, SPECIAL_CASES, SentimentIntensityAnalyzer

from listener.domain.verdict import Label
from listener.sentiment.vader import MAX_READ, Vader, p_negative
from tests.decide.examples import mention

POSTS = Path(__file__).parents[1] / "data" / "posts.en.jsonl"

original = SentimentIntensityAnalyzer()
vader = Vader()


def assert_identical(text: str) -> None:
    assert vader.scores(text)._asdict() == original.polarity_scores(text), text


# --- identity ----------------------------------------------------------------------------------------------------------

# Words that the rules name, words of the lexicon, and words that nobody knows, in every form that the rules look at.
RULES = (
    "no kind of but least at very or nor never so this without doubt sort just enough the shit bus stop yeah right kiss"
)
NAMED = [*RULES.split(), *NEGATE, *BOOSTER_DICT, *SPECIAL_CASES, "kind of", "without a doubt", "at least", "no good"]
CARRYING = [
    *sorted(original.lexicon)[::11],
    "good",
    "bad",
    "great",
    "terrible",
    "love",
    "hate",
    "fun",
    "sorry",
    ":)",
    ":D",
]
EMOJI = [*sorted(original.emojis)[::37], "😡", "❤️", "❤", "👍", "🆙", "🔛", "©"]
UNKNOWN = ["plane", "Haneul", "환불", "ſo", "İ", "x", "", "!", "?!", "a.b", "\u200b", "\xa0"]

WORDS = st.sampled_from(NAMED) | st.sampled_from(CARRYING) | st.sampled_from(EMOJI) | st.sampled_from(UNKNOWN)
FORMS = st.sampled_from([str, str, str, str.upper, str.capitalize, lambda word: f"({word})!", lambda word: f"{word}?"])
GAPS = st.sampled_from([" ", " ", " ", "  ", "\n", "", ", "])
TEXTS = st.lists(st.builds(lambda word, form, gap: form(word) + gap, WORDS, FORMS, GAPS), max_size=25).map("".join)


@settings(max_examples=400)
@given(TEXTS)
@example("")
@example("   \n")
@example("but")
@example("good but bad but good but bad")
@example("GOOD bad GREAT but terrible terrible good good")
@example("no good, no fun or nor love NO HATE no")
@example("it was kind of good, kind")
@example("never so good, without doubt bad, without a doubt bad, never this bad, it is so very good")
@example("the shit. THE BOMB is to die for, yeah right, kiss of death, beating heart, bus stop")
@example("least good. at least good. very least good. the very least bad")
@example("good!!!!!! bad??? why? bad?? bad????")
@example("🆙🔛😡😡 x😡y © ❤️")
def test_scores_are_those_of_the_package(text: str) -> None:
    assert_identical(text)


@given(st.text())
def test_scores_are_those_of_the_package_for_any_text(text: str) -> None:
    assert_identical(text)


def test_scores_are_those_of_the_package_for_posts_as_people_write_them() -> None:
    for line in POSTS.read_text(encoding="utf-8").splitlines():
        assert_identical(json.loads(line)["text"])


def test_a_token_is_looked_up_anew_when_the_table_is_full() -> None:
    """The table of words forgets all at once; scores do not change."""
    small = Vader()
    before = small.scores("good and bad")
    small.scores(" ".join(f"word{n}" for n in range(31_000)))
    assert small.scores("good and bad") == before
    assert len(small._words) < 31_000


def test_a_giant_token_is_not_remembered() -> None:
    fresh = Vader()
    fresh.scores("x" * 10_000)
    assert len(fresh._words) == 0


# --- hostile texts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "😡" * 10_000,
        "good bad but great " * 2_100,
        "but " + "good " * 8_000,
        "!" * 60_000,
        "a" * 60_000,
        "GOOD bad " * 6_000,
    ],
    ids=["emoji", "but", "equal", "marks", "word", "shouting"],
)
def test_no_text_takes_long(text: str) -> None:
    """The package takes 45 s for 10,000 emoji. The bound is a hundred times what is needed, so a slow machine passes."""
    began = process_time()
    vader.scores(text)
    assert process_time() - began < 2.0


# --- judgements --------------------------------------------------------------------------------------------------------


def test_a_complaint_names_the_words_that_weigh_most() -> None:
    judged = vader.judge("Worst airline ever. They lost my bag, what a horrible, horrible week. The food was nice.")
    assert judged.label is Label.NEGATIVE
    assert judged.why == "worst, horrible, lost"
    assert judged.model.startswith("vader 3.")
    assert (
        judged.value
        == vader.scores(
            "Worst airline ever. They lost my bag, what a horrible, horrible week. The food was nice."
        ).compound
    )


def test_praise_is_positive() -> None:
    judged = vader.judge("I love this airline, the crew is wonderful")
    assert (judged.label, judged.why) == (Label.POSITIVE, "love, wonderful")
    assert judged.p_negative is not None
    assert judged.p_negative < 0.2


def test_a_factual_complaint_is_neutral_but_far_from_sure() -> None:
    judged = vader.judge("third week of waiting, fifth call today")
    assert (judged.label, judged.value, judged.why) == (Label.NEUTRAL, 0.0, "no sentiment word found")
    assert judged.p_negative == 0.401


def test_a_text_of_two_minds_is_neutral_and_shows_both() -> None:
    judged = Vader({"up": 1.0, "down": -1.0}).judge("up and down, kind of")
    assert (judged.label, judged.why) == (Label.NEUTRAL, "no side prevails: up, down")


@pytest.mark.parametrize(
    ("valence", "label"),
    [(0.2, Label.POSITIVE), (0.19, Label.NEUTRAL), (-0.19, Label.NEUTRAL), (-0.2, Label.NEGATIVE)],
)
def test_labels_follow_the_thresholds_of_the_readme(valence: float, label: Label) -> None:
    """A single word of valence 0.19 has a compound score just below 0.05."""
    assert Vader({"meh": valence}).judge("meh").label is label


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_a_better_score_never_means_a_surer_complaint(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 < p_negative(high) <= p_negative(low) < 1


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert vader.judge("x " * (MAX_READ // 2) + "terrible").label is Label.NEUTRAL


def test_the_teams_words_are_laid_over_the_lexicon() -> None:
    team = Vader({"Gate-Lice": -3.0, "sick": 2.5})
    assert team.judge("gate-lice everywhere").label is Label.NEGATIVE
    assert team.judge("that seat is sick").label is Label.POSITIVE
    assert vader.judge("that seat is sick").label is Label.NEGATIVE


@pytest.mark.parametrize("text", ["good but bad", "but", "fun BUT but plane plane but sick", "1.0 plane but plane fun"])
def test_words_laid_over_are_scored_as_in_the_packages_own_lexicon(text: str) -> None:
    words = {"but": 1.0, "plane": 1.0, "fun": -2.0, "very": 3.0}
    same = SentimentIntensityAnalyzer()
    same.lexicon.update(words)
    assert Vader(words).scores(text)._asdict() == same.polarity_scores(text)


# --- what it reads -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "script", "text", "reads"),
    [
        ("en", "latin", "lost my bag", True),
        ("en", "hangul", "환불 lost", False),
        ("es", "latin", "lost my bag", False),
        (None, "latin", "they lost my bag", True),
        (None, "latin", "perdieron mi maleta y no responden", False),
        (None, "none", "12345", False),
        ("ko", "hangul", "환불", False),
    ],
)
def test_it_reads_english_in_latin_letters(lang: str | None, script: str, text: str, *, reads: bool) -> None:
    assert vader.reads(mention(text, lang=lang, script=script)) is reads
