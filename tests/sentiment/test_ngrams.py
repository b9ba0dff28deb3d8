"""Linear models over n-grams: what they find, how they explain it, and that no text makes them slow."""

import math
from concurrent.futures import ThreadPoolExecutor
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from listener.sentiment import ngrams
from listener.sentiment.ngrams import NgramModel, prepare, prepare_mapped
from tools.train.weights_file import pack

NGRAMS = [" late ", " not good ", "late", "환불", "불해", " ! ", "😡", " @ "]
HEADER = {"classes": ["bad", "fine"], "bias": [0.25, -0.5], "version": "7", "extras": {"tone": [1, 2]}}
PACKED = pack(HEADER, NGRAMS, [[2, 3, 1, 4, 1, 0.5, 2, -1], [-2, -3, -1, -4, -1, -0.5, -2, 1]])

model = NgramModel.parse(PACKED)

POSTS = st.lists(
    st.sampled_from(
        [
            "@Acme ",
            "LATE",
            "late ",
            "not  GOOD",
            "환불해",
            "!!!!",
            "😡😡😡",
            "http://x.y/z ",
            "12.5",
            "İ",
            "ﬁ",
            "é",
            "\n",
        ]
    )
    | st.text(max_size=4),
    max_size=12,
).map("".join)


def test_a_prepared_text_has_words_and_punctuation_apart_and_masks_what_is_no_word() -> None:
    """Links, handles and digits say nothing by themselves; stretched words are the same as words."""
    assert prepare("@Acme  you're LATE!!!! see https://a.b/c 12 soooo") == " @ you're late !! see 🔗 00 soo "


@given(POSTS)
@example("")
def test_both_ways_to_prepare_agree_and_every_place_is_in_the_text(text: str) -> None:
    """The costly way, for explanations, must explain what the cheap way scored."""
    mapped = prepare_mapped(text)
    assert mapped.text == prepare(text)
    assert len(mapped.offsets) == len(mapped.text) + 1
    assert list(mapped.offsets) == sorted(mapped.offsets)
    assert not mapped.offsets or (mapped.offsets[0] >= 0 and mapped.offsets[-1] <= len(text))


@given(POSTS)
def test_contributions_add_up_to_the_score(text: str) -> None:
    """An explanation is the score, term by term."""
    for cls, score in zip(model.classes, model.scores(text), strict=True):
        added = math.fsum(one.weight for one in model.contributions(text, cls))
        assert model.bias(cls) + added == pytest.approx(score)


def test_a_contribution_says_where_it_stands_in_the_text_as_it_was_written() -> None:
    """Folding, masking and padding are undone."""
    text = "So “Not  Good”… 환불해"
    places = {one.text: text[one.start : one.end] for one in model.contributions(text, "bad")}
    assert places == {" not good ": "Not  Good", "환불": "환불", "불해": "불해"}


def test_each_n_gram_counts_once() -> None:
    """Shouting the same word again changes nothing."""
    assert model.scores("late late late") == model.scores("late")


def test_the_strongest_words_are_whole_and_told_once() -> None:
    """People read words, not pieces of them."""
    reading = model.read("환불해주세요 not good")
    assert [words for words, _ in model.strongest(reading, (1.0, 0.0), 3)] == ["환불해주세요", "not good"]
    assert model.strongest(reading, (0.0, 1.0), 3) == ()


def test_a_file_keeps_what_it_was_made_of() -> None:
    """Version, extras and weights survive; the same model gives the same bytes."""
    assert (model.version, model.extras) == ("7", {"tone": (1, 2)})
    assert pack(HEADER, NGRAMS, [[2, 3, 1, 4, 1, 0.5, 2, -1], [-2, -3, -1, -4, -1, -0.5, -2, 1]]) == PACKED


@pytest.mark.parametrize(
    "text", ["late! " * 7_000, "😡" * 10_000, "@" * 40_000, "é̂" * 20_000, "1" * 40_000, "http://" * 6_000]
)
def test_no_text_takes_long(text: str) -> None:
    """40,000 characters of anything cost less than a fifth of a second."""
    begun = process_time()
    model.scores(text)
    model.contributions(text, "bad")
    assert process_time() - begun < 0.4


def test_a_model_is_read_once_however_many_ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first poll of a service all its threads ask; a model is large while it is read."""
    loads: list[str] = []
    load = NgramModel.load

    def counted(name: str) -> NgramModel:
        loads.append(name)
        return load(name)

    monkeypatch.setattr(NgramModel, "load", counted)
    ngrams._load.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ngrams.language, ["en"] * 8))
    assert len({id(one[0]) for one in found}) == 1
    assert loads == list(ngrams.MODELS["en"])
