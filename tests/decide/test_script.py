"""Which writing a text is in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.script import _weigh, dominant_script


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("charged twice", "latin"),
        ("Ação rápida já", "latin"),
        ("환불 해줘요", "hangul"),
        ("ㅋㅋㅋ", "hangul"),
        ("Galaxy S24 Ultra 배터리 불량", "hangul"),
        ("하늘항공 lost my bag again and the staff was rude", "latin"),
        ("返金してください", "kana"),
        ("要求退款", "han"),
        ("верните деньги", "cyrillic"),
        ("επιστροφή", "greek"),
        ("استرداد", "arabic"),
        ("החזר", "hebrew"),
        ("คืนเงิน", "thai"),
        ("वापसी", "devanagari"),
        ("თანხის დაბრუნება", "other"),
        ("👎👎 10/10 —", "none"),
        ("12:30", "none"),
        ("", "none"),
    ],
)
def test_the_writing_that_says_most_names_the_text(text: str, script: str) -> None:
    assert dominant_script(text) == script


@given(st.text())
def test_every_text_has_an_answer(text: str) -> None:
    assert dominant_script(text)


@given(
    st.lists(st.sampled_from(["word ", "é", "’", "😡", "환불", "退", "か", "жалоба", "ش", "12 ", "ภาษา"]), max_size=30)
)
def test_a_text_with_few_other_letters_is_told_without_weighing_them(parts: list[str]) -> None:
    """The short cut for ordinary English with an accent, a curly quote or an emoji gives the answer of the long way."""
    text = "".join(parts)
    weights = _weigh(text)
    if weights.get("latin", 0) > sum(weights.values()) / 2:
        assert dominant_script(text) == "latin"
