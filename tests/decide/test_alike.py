"""Near duplicates: what is taken for the same text, and what is not."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.alike import MIN_SHARED, SHINGLES, numbers_nested, shingles

ENGLISH = (
    "Haneul Air left us at the gate in Lisbon for eleven hours without a word, and when the desk opened again they told us "
    "that the vouchers had run out and that nobody could say when the next plane would leave."
)
KOREAN = (
    "하늘항공 때문에 리스본 공항에서 열한 시간을 기다렸는데 안내 방송 한 번 없었고 카운터가 다시 열렸을 때는 바우처가 다 "
    "떨어졌다고만 하더라고요. 다음 비행기가 언제 뜨는지 아는 직원이 한 명도 없었습니다."
)


def shared(one: str, other: str) -> int:
    return len(set(shingles(one)) & set(shingles(other)))


@pytest.mark.parametrize("text", [ENGLISH, KOREAN], ids=["English", "Korean"])
@pytest.mark.parametrize(
    "copy",
    [
        str.upper,
        lambda text: f"RT @someone: {text}",
        lambda text: f"{text} - The Daily Gate https://t.example/x1",
        lambda text: f'"{text}"',
        lambda text: text[: int(len(text) * 0.8)] + "…",
        lambda text: text.replace(", ", " ").replace(".", "!!"),
    ],
    ids=["capitals", "repeated", "syndicated", "quoted", "cut", "punctuated"],
)
def test_a_copy_is_a_near_duplicate(text: str, copy: Callable[[str], str]) -> None:
    assert shared(text, copy(text)) >= MIN_SHARED


def test_korean_is_the_same_however_it_is_spaced() -> None:
    assert shared(KOREAN, KOREAN.replace(" ", "")) == SHINGLES


def test_other_texts_are_not() -> None:
    other = "Haneul Air upgraded us in Lisbon without a word, and the crew even brought cake for the children. Lovely flight."
    assert shared(ENGLISH, other) < MIN_SHARED


@pytest.mark.parametrize("text", ["", "down again", "앱 먹통", "https://a.example/x", "is it down again?"])
def test_a_text_too_short_to_be_told_apart_is_nobodys_near_duplicate(text: str) -> None:
    assert shared(text, text) < MIN_SHARED


REPORT = (
    "Haneul Air flight {n} from Seoul to Lisbon was late by {m} minutes because of a fault, the airline said on Monday"
)


def test_reports_from_one_template_differ_in_their_numbers() -> None:
    one, other = REPORT.format(n=703, m=45), REPORT.format(n=911, m=80)
    assert not numbers_nested(one, other)


def test_a_shortened_copy_may_lose_numbers() -> None:
    assert numbers_nested(REPORT.format(n=703, m=45), "Haneul Air flight 703 was late")


def test_numbers_are_the_same_in_any_width() -> None:
    assert numbers_nested("환불 ３０,０００원", "환불 30,000원")


@given(st.text("abcdef XYZ .,1가나다라 漢字", max_size=300) | st.text(max_size=50))
def test_a_sketch_is_small_sorted_and_blind_to_case(text: str) -> None:
    sketch = shingles(text)
    assert len(sketch) <= SHINGLES
    assert list(sketch) == sorted(set(sketch))
    if text.upper().lower() == text.lower():
        assert shingles(text.upper()) == sketch
