"""How texts and terms are brought to one spelling."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from listener.decide.fold import compose, fold, fold_mapped

NASTY = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from(
            "aA é\u0301\u0315\u064b\u200b\u00ad\ufe0f\u1100\u1161\u11a8가각ㅋ\uff76\uff9e\u3164\u2028 \n\t™’аВΟ"
        ),
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ACME is Terrible", "acme is terrible"),
        ("\u0430\u0441me", "acme"),  # Cyrillic а and с
        ("ΑCΜΕ", "acme"),  # Greek capitals
        ("A\u200bc\u200dm\u2060e\u00ad", "acme"),
        ("Acme\ufe0f", "acme"),
        ("\u202eAcme\u202c", "acme"),
        ("𝐀𝐜𝐦𝐞 𝓐𝓬𝓶𝓮 ＡＣＭＥ ⓐⓒⓜⓔ 🅰🅲🅼🅴 ᴀᴄᴍᴇ", "acme acme acme acme acme acme"),
        ("Ácmé ÅNGSTRÖM Łódź Straße Ørsted æsir", "acme angstrom lodz strasse orsted aesir"),
        ("A̶c̴m̵e̷", "acme"),
        ("Acme’s “best”… e‑ticket", 'acme\'s "best"... e-ticket'),
        ("Acme™ Pro", "acme pro"),
        ("ﬁre ½ ㎏ ㈜하늘", "fire 1⁄2 kg (주)하늘"),
        ("  two \t\n lines\u3000here\u00a0 ", "two lines here"),
        ("A\x00c\x07me", "acme"),
        ("\ud800x", "\ufffdx"),
    ],
)
def test_spellings_that_look_the_same_become_the_same(written: str, folded: str) -> None:
    assert fold(written) == folded


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        (unicodedata.normalize("NFD", "애크미 사기"), "애크미 사기"),
        ("환\u200b불", "환불"),
        ("ㅋㅋㅠㅠ", "ㅋㅋㅠㅠ"),
        ("ㅋㅠ", "ㅋㅠ"),
        ("ﾡﾢ", "ㄱㄲ"),
        ("ﾊﾞﾅﾅ", "バナナ"),
        ("がか", "がか"),
        ("\u1112\u1161\u200b\u11ab", "한"),
    ],
)
def test_hangul_and_kana_are_composed_but_keep_their_letters(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_a_cyrillic_word_meets_a_cyrillic_term_whatever_its_case() -> None:
    assert fold("ВОЗВРАТ денег") == fold("возврат ДЕНЕГ")


@given(NASTY)
@example("\ufeff \u200b ")
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.characters())
def test_every_single_character_folds_to_something_that_stays(char: str) -> None:
    assert fold(fold(char)) == fold(char)


@given(NASTY)
def test_composed_and_decomposed_spellings_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(NASTY)
@example("a" + "\u064b\u0654" * 40)
@example("")
@example(" \u200b")
def test_the_mapped_form_is_the_same_text_with_offsets_that_only_grow(text: str) -> None:
    folded = fold_mapped(text)
    assert folded.text == fold(text)
    assert len(folded.offsets) == len(folded.text) + 1
    offsets = list(folded.offsets)
    assert offsets == sorted(offsets)
    assert all(0 <= offset <= len(text) for offset in offsets)


@pytest.mark.parametrize(
    ("text", "term", "original"),
    [
        ("So: A\u200bc\u200bme fails", "acme", "A\u200bc\u200bme"),
        ("½ price,  \n Acme!", "acme", "Acme"),
        (unicodedata.normalize("NFD", "정말 환불 해줘"), "환불", unicodedata.normalize("NFD", "환불")),
        ("plain acme text", "acme", "acme"),
        ("e\u0301 ACME", "acme", "ACME"),
    ],
)
def test_offsets_lead_back_to_what_was_written(text: str, term: str, original: str) -> None:
    folded = fold_mapped(text)
    start = folded.text.index(term)
    assert text[folded.offsets[start] : folded.offsets[start + len(term)]] == original


@pytest.mark.parametrize("pile", ["\u064b\u0654", "\u0315\u0300", "\u05b0\u0591"])
def test_a_pile_of_marks_is_cut_before_it_costs_anything(pile: str) -> None:
    """Canonical ordering of 64,000 alternating marks would take seconds."""
    assert len(fold("b" + pile * 32_000)) <= 31
    assert len(compose("b" + pile * 32_000)) <= 31


def test_marks_of_ordinary_words_are_not_cut() -> None:
    assert fold("हिन्दी, ภาษาไทย") == "हिन्दी, ภาษาไทย".replace("ำ", "ํา")
    assert compose("!" * 40 + "e\u0301") == "!" * 40 + "é"


def test_hostile_variety_does_not_fill_the_memory() -> None:
    """More distinct characters than the table remembers still fold."""
    every = "".join(chr(code) for code in range(0x20000, 0x20000 + 70_000))
    assert len(fold(every)) == 70_000
