"""N-grams are found word by word, and words are remembered; nobody can tell but by the clock."""

from hypothesis import given
from hypothesis import strategies as st

from listener.sentiment.finding import Finder, Remembered

NGRAMS = [" late ", "ate", "late", " la", "te ", "te n", " not late ", "환불", "불 해", "!"]

words = st.lists(
    st.sampled_from(["late", "not", "ate", "plate", "환불", "환", "불", "해", "!", "latelate"]), max_size=8
)


@given(words)
def test_word_by_word_finds_what_a_look_at_the_whole_finds(parts: list[str]) -> None:
    prepared = f" {' '.join(parts)} "
    inside = Finder({number: ngram for number, ngram in enumerate(NGRAMS) if " " not in ngram[1:-1]})
    across = Finder({number: ngram for number, ngram in enumerate(NGRAMS) if " " in ngram[1:-1]})
    found = {hit[0] for hit in across.find(prepared)}.union(*map(inside.within, parts))
    assert found == {number for number, ngram in enumerate(NGRAMS) if ngram in prepared}


def test_every_place_is_told_with_the_number_of_its_n_gram() -> None:
    finder = Finder({7: "ate", 3: "late"})
    assert sorted(finder.find(" late plate ")) == [(3, 1, 5), (3, 7, 11), (7, 2, 5), (7, 8, 11)]
    assert Finder({}).find(" late ") == []


def test_what_lies_in_a_word_is_worked_out_once() -> None:
    asked: list[str] = []

    def work_out(word: str) -> int:
        asked.append(word)
        return len(word)

    remembered = Remembered(work_out)
    assert [remembered["환불"], remembered["환불"], remembered["late"]] == [2, 2, 4]
    assert asked == ["환불", "late"]


def test_what_is_remembered_is_bounded_in_number_and_in_length() -> None:
    """Nobody can fill the memory with words that never come again, or with one that has no end."""
    remembered = Remembered(len)
    assert remembered["x" * 1_000] == 1_000
    assert not remembered
    for number in range(25_000):
        assert remembered[str(number)] == len(str(number))
    assert 0 < len(remembered) <= 10_000
