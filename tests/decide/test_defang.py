"""Text from the internet is shown and never obeyed; what is cut is cut between visible characters."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.defang import MAX_MARKS, boundary, clean, cut, link, one_line, utf16

# Surrogates too: a platform's JSON may hold "\ud800", and Python keeps it.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
NASTY_TEXT = st.text(
    "ab \n\r\t\u2028\u0085\u0301\u200d\u202e\ud83d\udc00👍🏽🇰🇷가ᄀ\u1161\u11a8\ufffe\x1b\u3164", max_size=80
)
FORBIDDEN = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")


@given(ANY_TEXT | NASTY_TEXT)
def test_cleaned_text_holds_no_control_and_no_reordering(text: str) -> None:
    cleaned = clean(text)
    assert not FORBIDDEN & set(cleaned)
    assert all(character == "\n" or unicodedata.category(character) not in ("Cc", "Cs") for character in cleaned)
    assert all(ord(character) & 0xFFFE != 0xFFFE for character in cleaned)
    cleaned.encode("utf-8")


@given(ANY_TEXT | NASTY_TEXT)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert one_line(one_line(text)) == one_line(text)


@given(ANY_TEXT | NASTY_TEXT)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


def test_ordinary_text_of_any_script_stays_as_it_is() -> None:
    for text in (
        "It's 5 > 3 & fine.",
        "하늘항공 환불 안 돼요",
        "👨‍👩‍👧 🇰🇷 👍🏽",
        "می‌خواهم",
        "ภาษาไทย",
        "नमस्ते",
        "a\n\nb",
    ):
        assert clean(text) == text


def test_every_kind_of_line_break_becomes_one() -> None:
    assert clean("a\r\nb\rc\u0085d\u2028e\u2029f\tg") == "a\nb\nc\nd\ne\nf g"


def test_a_flood_of_empty_lines_is_one_empty_line() -> None:
    """Lines of invisible letters push what follows off the screen just as well."""
    assert clean("a" + "\n \u3164\u200b" * 5_000 + "\nb") == "a\n\nb"


def test_stacked_marks_do_not_climb_over_the_line_above() -> None:
    assert clean("Z" + "\u0351" * 100) == "Z" + "\u0351" * MAX_MARKS


@given(ANY_TEXT | NASTY_TEXT, st.integers(0, 120))
def test_a_cut_text_fits_its_limit_in_any_measure(text: str, limit: int) -> None:
    assert len(cut(text, limit)) <= limit
    assert utf16(cut(text, limit, cost=utf16)) <= limit


@given(ANY_TEXT | NASTY_TEXT)
def test_a_text_that_fits_is_not_cut(text: str) -> None:
    assert cut(text, len(text)) == text


def test_a_cut_says_how_long_the_text_was() -> None:
    assert cut("x" * 12_345, 60) == "x" * 34 + "… (cut, 12,345 characters)"
    assert cut("x" * 12_345, 20) == "x" * 19 + "…"
    assert cut("xy", 0) == ""


@pytest.mark.parametrize(
    "letter", ["👨‍👩‍👧", "👍🏽", "🇰🇷", "e\u0301\u0323", "각", "\U0001f3f3\ufe0f\u200d🌈", "\ud83d\ude21"]
)
def test_no_visible_character_is_cut_in_two(letter: str) -> None:
    text = letter * 40
    for at in range(len(letter) * 3, len(letter) * 5):
        assert boundary(text, at) % len(letter) == 0


def test_where_no_boundary_is_near_it_cuts_all_the_same() -> None:
    assert boundary("\u0301" * 100, 50) == 50
    assert boundary("abc", 0) == 0
    assert boundary("abc", 3) == 3


@pytest.mark.parametrize(
    "url",
    [
        None, "", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x",
        "blob:https://x/1", "intent://x#Intent;end", "slack://open?team=T1", "http://", "//evil.example/", "https://[::zz]/",
        "https://x.example:99999/", "https://ex ample/", "https://a..b/", "https://x.example\\@bank.example/",
        "https://x.example/\x00", "https://[v1.x]/", "https://" + "a" * 64 + ".example/",
        "https://x.example/" + "a" * 3_000, "https://x.example/" + "가" * 1_000, "https://-x.example/", "https://x.exa%6dple/",
    ],
)  # fmt: skip
def test_what_is_no_safe_web_address_is_dropped(url: str | None) -> None:
    assert link(url) is None


@pytest.mark.parametrize(
    ("url", "host", "shown"),
    [
        ("https://bank.example@evil.example/", "evil.example", "https://evil.example/"),
        ("https://\u0430cme.example/", "xn--cme-5cd.example", "https://xn--cme-5cd.example/"),
        ("HTTP://X.EXAMPLE:80/%2e%2e/", "x.example", "http://x.example/%2e%2e/"),
        ("https://acme.example.evil.example/", "acme.example.evil.example", "https://acme.example.evil.example/"),
        ("https://evil。example:8443/", "evil.example", "https://evil.example:8443/"),
        ("http://[::1]:443/a", "[::1]", "http://[::1]:443/a"),
        ("https://x.example//evil.example/a", "x.example", "https://x.example//evil.example/a"),
        ("https://x.example/<a>|(b)?q=\"'#`", "x.example", "https://x.example/%3Ca%3E%7C%28b%29?q=%22%27#%60"),
        ("https://x.example/\u202egpj.exe", "x.example", "https://x.example/%E2%80%AEgpj.exe"),
        ("https://x.example?q=가#나", "x.example", "https://x.example?q=%EA%B0%80#%EB%82%98"),
    ],
)
def test_a_link_is_plain_ascii_and_shows_its_true_host(url: str, host: str, shown: str) -> None:
    found = link(url)
    assert found is not None
    assert (found.host, found.url) == (host, shown)


def test_of_a_long_host_the_end_is_shown_because_it_says_whose_it_is() -> None:
    found = link(f"https://bank.example.{'a' * 50}.evil.example/path/")
    assert found is not None
    assert found.name.endswith("a.evil.example")
    assert len(found.name) == 60
    assert found.label == f"{found.name}/path"


@given(ANY_TEXT, st.sampled_from(["https://x.example/", "https://", "http://x.example?", ""]))
def test_a_link_never_holds_what_could_end_it(text: str, start: str) -> None:
    found = link(start + text)
    assert found is None or not set(found.url) & set("<>\"'|()`\\ \n")


@given(ANY_TEXT, st.sampled_from(["https://x.example/", "https://", "http://[::1]:80/", "https://x.example:443?"]))
def test_a_link_made_safe_twice_is_the_same(text: str, start: str) -> None:
    """It is made when the message is rendered, and again by each sink."""
    found = link(start + text)
    assert found is None or link(found.url) == found
