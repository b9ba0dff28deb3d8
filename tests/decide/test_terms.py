"""Where terms stand: whole words in Latin, anywhere in Hangul, whatever the spacing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.fold import fold
from listener.decide.terms import TermIndex
from listener.domain.query import Term


def places(term: Term, text: str) -> list[str]:
    """What of the folded text the term finds."""
    folded = fold(text)
    return [folded[start:end] for start, end in TermIndex([term]).find(folded).get(0, [])]


def finds(written: str, text: str) -> bool:
    body = written.removeprefix("^")
    term = Term(written, fold(body.removesuffix("*")), prefix=body.endswith("*"), word_start=written.startswith("^"))
    return bool(places(term, text))


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("acme", "ACME is terrible"),
        ("acme", "so,acme!"),
        ("acme", "Acme’s"),
        ("acme", "#acme @acme acme.example/x _acme_ acme-like"),
        ("acme", "우리acme가"),
        ("acme", "acme항공"),
        ("haneul air", "Haneul \n Air"),
        ("refund*", "refunded"),
        ("refund*", "refund"),
        ("@acme", "thanks @Acme."),
        ("@acme", "감사@acme님"),
        ("#acme", "x #ACME"),
        ("c++", "I like C++."),
        ("👎", "bad 👎👎"),
        ("возврат", "ВОЗВРАТ!"),
        ("café", "CAFE"),
        ("24/7", "open 24/7."),
    ],
)
def test_a_latin_term_is_found_as_a_whole_word(term: str, text: str) -> None:
    assert finds(term, text)


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("acme", "Acmeville"),
        ("acme", "pacmed"),
        ("acme", "ACME\u0301XYZ"),
        ("acme", "macmelon"),
        ("acme", "acme2"),
        ("acme", "acmeя"),
        ("refund*", "prerefund"),
        ("haneul air", "haneul airline"),
        ("haneul air", "haneulair"),
        ("@acme", "mail bob@acme.example"),
        ("@acme", "@acme_support"),
        ("#acme", "#acmefail"),
        ("हिन", "हिन्दी"),
        ("acme", "a c m e"),
    ],
)
def test_a_latin_term_is_not_found_inside_another_word(term: str, text: str) -> None:
    assert not finds(term, text)


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("환불", "환불을 카드환불해줘요"),
        ("환불", "전환불가"),  # without a space there is no telling: recall comes first
        ("^환불", "어제 환불했어요"),
        ("^환불", "(환불)"),
        ("^환불", "as환불"),
        ("고객센터", "고객 센터에 전화"),
        ("고객 센터", "고객센터에 전화"),
        ("고객 센터", "우리고객 센터"),
        ("하늘항공", "하 늘 항공"),
        ("중복 결제", "중복결제됐어요"),
        ("연결 안 됨", "연결 안됨"),
        ("sk텔레콤", "SK 텔레콤"),
        ("sk 텔레콤", "우리SK텔레콤은"),
        ("as센터", "AS 센터가"),
        ("갤럭시 s24", "갤럭시S24를"),
        ("#하늘항공", "#하늘항공최악"),
        ("返金", "返金してください"),
        ("คืนเงิน", "ขอคืนเงินด้วย"),
    ],
)
def test_a_term_of_an_unspaced_writing_is_found_anywhere(term: str, text: str) -> None:
    assert finds(term, text)


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("환불", "전환 불가"),
        ("환불", "환 불"),  # one syllable and one syllable are no compound
        ("사기", "이사 기간"),
        ("고객센터", "신고객 센터"),
        ("^환불", "카드환불"),
        ("sk텔레콤", "risk텔레콤"),
        ("갤럭시 s24", "갤럭시 s245"),
        ("bada air 항공", "bad aair 항공"),
        ("bada air 항공", "badaair항공"),
        ("연기", "refund"),
    ],
)
def test_spaces_join_no_neighbours(term: str, text: str) -> None:
    assert not finds(term, text)


def test_overlapping_terms_are_all_found() -> None:
    terms = [Term(word, word) for word in ("charged", "charged twice", "twice", "중복", "중복결제", "결제")]
    found = TermIndex(terms).find("charged twice 중복결제")
    assert sorted(found) == [0, 1, 2, 3, 4, 5]
    assert found[1] == [(0, 13)]
    assert found[4] == [(14, 18)]


def test_no_terms_find_nothing() -> None:
    assert TermIndex([]).find("acme 환불") == {}
    assert TermIndex([Term("", "")]).find("acme 환불") == {}


WORDS = st.lists(st.sampled_from(["acme", "환불", "고객", "센터", "ac", "me", "!", "s24", "é", "返金"]), max_size=8)


@given(WORDS, st.sampled_from(["acme", "환불", "고객 센터", "고객센터", "센터acme", "ac me", "返金"]))
def test_every_find_reads_as_the_term_but_for_spaces(words: list[str], written: str) -> None:
    term = Term(written, fold(written))
    for text in (" ".join(words), "".join(words)):
        for place in places(term, text):
            assert place.replace(" ", "") == term.folded.replace(" ", "")


@given(WORDS)
def test_a_hangul_term_is_found_wherever_it_is_written_out(words: list[str]) -> None:
    text = "".join(words)
    assert finds("고객센터", text) == ("고객센터" in text)
