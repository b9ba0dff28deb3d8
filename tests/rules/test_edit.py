"""Numbers are changed where they stand, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.rules.edit import LayoutError, set_numbers
from listener.rules.yaml_text import plain, read

BANDS = ("scoring", "severity")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "scoring:\n  severity: {urgent: 70, high: 45, normal: 20}   # 70 was Kim's idea\n",
            "scoring:\n  severity: {urgent: 8, high: 50, normal: 20}   # 70 was Kim's idea\n",
        ),
        (
            "# 환불\nscoring:\n  severity:\n    high:   45.0 # 45\n\n    urgent: 70\n    normal: 20\nbrands: {}",
            "# 환불\nscoring:\n  severity:\n    high:   50 # 45\n\n    urgent: 8\n    normal: 20\nbrands: {}",
        ),
        (
            "scoring: {negative: {points: 70}, severity: {high: 45, urgent: 70, normal: 20}}\r\nversion: 1\r\n",
            "scoring: {negative: {points: 70}, severity: {high: 50, urgent: 8, normal: 20}}\r\nversion: 1\r\n",
        ),
        (
            "{scoring: {severity: {urgent:\n 7e1, high: 0x2D}}}",
            "{scoring: {severity: {urgent:\n 8, high: 50}}}",
        ),
    ],
    ids=["in one line", "in lines", "windows", "odd but plain"],
)
def test_two_numbers_change_and_every_other_character_stays(before: str, after: str) -> None:
    assert set_numbers(before, BANDS, {"urgent": 8.0, "high": 50.0}) == after


@given(
    st.text(alphabet="abc 환불#:70\t'\"😀", max_size=30).filter(lambda text: "\n" not in text),
    st.integers(0, 100),
    st.sampled_from(["\n", "\r\n"]),
)
def test_comments_and_neighbours_are_kept_to_the_letter(comment: str, value: int, end: str) -> None:
    lines = [f"# {comment}", "scoring:", f"  severity: # {comment}", "    urgent: 70 # 70", "version: 1", ""]
    edited = set_numbers(end.join(lines), BANDS, {"urgent": float(value)})
    assert edited == end.join([*lines[:3], f"    urgent: {value} # 70", *lines[4:]])
    root = read(edited).root
    assert root is not None
    assert plain(root) == {"scoring": {"severity": {"urgent": value}}, "version": 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version: 1\n", r"scoring is not written in the file"),
        ("scoring: {negative: {points: 3}}\n", r"scoring\.severity is not written"),
        ("scoring:\n", r"scoring is not written"),
        ("scoring: {severity: {high: 45}}\n", r"scoring\.severity\.urgent is not written"),
        ("scoring: {severity: {urgent: '70', high: 45}}\n", r"scoring\.severity\.urgent is not a plain number"),
        ("scoring: {severity: {urgent: {a: 70}, high: 45}}\n", r"urgent is not a plain number"),
        ("scoring: [70]\n", r"scoring is not written"),
        ("", r"scoring is not written"),
    ],
)
def test_what_is_not_a_plain_number_in_its_place_is_refused(text: str, says: str) -> None:
    with pytest.raises(LayoutError, match=says):
        set_numbers(text, BANDS, {"urgent": 71.0, "high": 46.0})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("scoring: {severity: {urgent: 70}}\n", float("nan"), id="reads back as text"),
        pytest.param("a: *b\nscoring: {severity: {urgent: 70}}\n", 71.0, id="has mistakes elsewhere"),
    ],
)
def test_an_edit_that_would_not_read_back_as_wanted_is_refused(text: str, value: float) -> None:
    with pytest.raises(LayoutError, match="cannot be edited safely"):
        set_numbers(text, BANDS, {"urgent": value})
