"""Words with a "<" stay words; HTML stays HTML."""

import pytest

from listener.decide.normalise import readable
from listener.domain.mention import Markup
from listener.feeds.markup import as_html


@pytest.mark.parametrize(
    ("title", "reads"),
    [
        ("AT&T & Acme < 3", "AT&T & Acme < 3"),
        ("I <3 Acme", "I <3 Acme"),
        ("How to use <script> tags in Acme", "How to use <script> tags in Acme"),
        ("Vec<String> and Map<b> in Acme", "Vec<String> and Map<b> in Acme"),
        ("Acme <b>wins</b>", "Acme wins"),
        ("주식형<b>펀드</b>가", "주식형펀드가"),
        ("Tom &amp; Jerry &#39;live&#39;", "Tom & Jerry 'live'"),
        ("Acme<script>alert(1)</script> down", "Acme down"),
        ("R&D; a&b; c", "R&D; a&b; c"),
    ],
)
def test_a_title_of_rss_reads_as_it_was_meant(title: str, reads: str) -> None:
    assert readable(as_html(title, is_html=None, title=True), Markup.HTML) == reads


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("battery < 3 hours & hot", "battery < 3 hours & hot"),
        ("if a<b then c>d", "if a<b then c>d"),
        ("<p>unclosed paragraph", "unclosed paragraph"),
        ("one<br>two", "one\ntwo"),
        ("&lt;b&gt; is bold", "<b> is bold"),
    ],
)
def test_a_text_of_rss_reads_as_it_was_meant(text: str, reads: str) -> None:
    assert readable(as_html(text, is_html=None), Markup.HTML) == reads


def test_what_a_document_declares_is_believed() -> None:
    assert as_html("<b>x</b>", is_html=False) == "&lt;b&gt;x&lt;/b&gt;"
    assert as_html("a < b", is_html=True) == "a < b"
