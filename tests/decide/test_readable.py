"""Text for people out of whatever the internet wrote."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.readable import MAX_TEXT, readable, readable_line
from listener.domain.mention import Markup


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two<br>three</p>tail", "one\ntwo\nthree\ntail"),
        ("<ul><li>a<li>b</ul><table><tr><td>x<td>y</table>", "a\nb\nx\ny"),
        ("주식<b>형</b> 펀드", "주식형 펀드"),
        ("a <a href='x'>link</a>, and <em>more</em>.", "a link, and more."),
        ("x<script>alert(1)</script>y<style>p{}</style>z", "xyz"),
        ("<p>a\n  b\tc&nbsp; d</p>", "a b c d"),
        ("AT&amp;T &#39;s &#x1F600; &lt;b&gt;", "AT&T 's 😀 <b>"),
        ("<!-- hidden -->seen<![CDATA[gone]]>", "seen"),
        ("a < b and c > d <3", "a < b and c > d <3"),
        ("5 <안녕> 6", "5 <안녕> 6"),
        ("<frameset><frame>still here", "still here"),
        ("broken <a href='x", "broken"),
        ("no markup at all", "no markup at all"),
        ("bad &#xD800; &#99999999999; &#0;", "bad \ufffd \ufffd \ufffd"),
        ("lone \ud800 <b>x</b>", "lone \ufffd x"),
        ("<br>", ""),
    ],
)
def test_html_reads_as_in_a_browser(html: str, text: str) -> None:
    assert readable(html, Markup.HTML) == text


def test_entities_are_decoded_once() -> None:
    """Decoding twice would turn what somebody wrote about markup into markup."""
    assert readable("use &amp;lt;script&amp;gt;", Markup.HTML) == "use &lt;script&gt;"
    assert readable("AT&amp;T <b>x</b>", Markup.PLAIN) == "AT&amp;T <b>x</b>"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a\r\nb\rc\u2028d\x85e", "a\nb\nc\nd\ne"),
        ("a\n\n\n\n\nb  \n \nc", "a\n\nb\n\nc"),
        ("\x1b[31mred\x00\x9b\x7f", "\ufffd[31mred\ufffd\ufffd\ufffd"),
        ("x\ufffe\U0001ffff\ufdd0\ud800", "x\ufffd\ufffd\ufffd\ufffd"),
        ("tab\there", "tab here"),
        ("e\u0301", "é"),
        (unicodedata.normalize("NFD", "환불"), "환불"),
        ("  trimmed \n", "trimmed"),
    ],
)
def test_plain_text_loses_only_what_cannot_be_read(written: str, text: str) -> None:
    assert readable(written, Markup.PLAIN) == text


def test_text_and_html_are_cut_at_the_cap() -> None:
    assert len(readable("a" * (MAX_TEXT + 9), Markup.PLAIN)) == MAX_TEXT
    assert len(readable("\u0958" * MAX_TEXT, Markup.PLAIN)) == MAX_TEXT
    assert len(readable("<p>" + "a" * (MAX_TEXT + 9), Markup.HTML)) == MAX_TEXT - 3


def test_a_title_is_one_short_line() -> None:
    assert readable_line("Two\nlines <b>and</b> more", Markup.HTML, limit=500) == "Two lines and more"
    assert readable_line("ab cd", Markup.PLAIN, limit=3) == "ab"


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 20_000,
        "<ul><li>" * 10_000,
        "".join(f"<p><b a={i}></p>" for i in range(5_000)),
        "<a " * 30_000,
        "<!--" * 20_000,
        "<script>" * 10_000,
        "&#" + "9" * 70_000 + ";",
        "a" + "\u0315\u0300" * 40_000,
    ],
)
def test_a_bomb_of_html_is_read_without_harm(html: str) -> None:
    """Each of these took a tree builder or a parser of the standard library from tenths of a second to a minute."""
    assert len(readable(html, Markup.HTML)) <= MAX_TEXT


def test_words_survive_in_html_that_nests_too_deep() -> None:
    deep = "<div><b>" * 200 + "charged twice<script>hidden()</script>" + "</b></div>" * 200
    assert readable(deep, Markup.HTML) == "charged twice"


def test_many_shallow_elements_are_not_deep() -> None:
    assert readable("<b>x</b>" * 400, Markup.HTML) == "x" * 400


TEXTS = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("<>&;/#abp \n\t\r\u0301\u1100\u1161\ud800\x85")))


@given(TEXTS, st.sampled_from(Markup))
def test_readable_text_reads_the_same_again(text: str, markup: Markup) -> None:
    once = readable(text, markup)
    assert readable(once, Markup.PLAIN) == once
    assert unicodedata.is_normalized("NFC", once)
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in once if char != "\n")
    once.encode("utf-8")
