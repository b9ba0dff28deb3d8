"""What each format says becomes the same items; damage costs what is damaged and no more."""

import json
import warnings
from datetime import UTC, datetime

import feedparser
import pytest

from listener.domain.errors import Fault, SourceChanged, SourceError, SourceRefused, SourceUnavailable
from listener.domain.mention import Author, Markup, RawItem
from listener.feeds.document import Feed, parse_feed
from tests.feeds.corpus import URL, feed, item

ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"{}><title>t</title>{}</feed>'


def parse(body: str | bytes, content_type: str | None = None) -> Feed:
    return parse_feed(body.encode() if isinstance(body, str) else body, content_type=content_type, url=URL)


def one(entry: str) -> RawItem:
    return parse(feed(entry)).items[0]


def atom(entry: str, attributes: str = "") -> RawItem:
    return parse(ATOM.format(attributes, f"<entry>{entry}</entry>")).items[0]


def fault(body: str | bytes, content_type: str | None = None) -> tuple[type[SourceError], Fault]:
    with pytest.raises(SourceError) as error:
        parse(body, content_type)
    assert str(error.value).count(".") == 0  # one sentence
    return type(error.value), error.value.fault


# --- formats


def test_atom_says_who_when_and_in_answer_to_what() -> None:
    found = atom(
        "<id>tag:x,2026:1</id><title type='text'>a &lt;b&gt; c</title><link rel='self' href='self'/><link href='/a/1'/>"
        "<author><name>/u/kim</name><uri>https://r.example/u/kim</uri></author><published>2026-03-02T18:00:00+09:00</published>"
        "<updated>2026-03-05T00:00:00Z</updated><summary>short</summary>"
        "<content type='html'>&lt;p&gt;long text&lt;/p&gt;</content>"
        "<thr:in-reply-to ref='tag:x,2026:0' href='https://x.example/0'/>"
    )
    assert found == RawItem(
        native_id="tag:x,2026:1",
        url="https://news.example/a/1",
        title="a &lt;b&gt; c",
        text="<p>long text</p>",
        markup=Markup.HTML,
        author=Author(handle="/u/kim", name="/u/kim", url="https://r.example/u/kim"),
        published_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        in_reply_to="tag:x,2026:0",
    )


def test_xhtml_keeps_its_words_and_its_escapes() -> None:
    found = atom(
        "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>a &lt;i&gt; <em>b</em><br/>c</div></content>"
    )
    assert found.text == "<div>a &lt;i&gt; <em>b</em><br>c</div>"


def test_a_prefixed_atom_entry_is_an_entry() -> None:
    body = (
        '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:id>i</a:id><a:title>t</a:title></a:entry></a:feed>'
    )
    assert (parse(body).items[0].native_id, parse(body).items[0].title) == ("i", "t")


def test_base_addresses_nest() -> None:
    assert atom("<link href='a/1'/>", " xml:base='https://b.example/d/'").url == "https://b.example/d/a/1"
    body = "<rss version='2.0'><channel xml:base='https://c.example/x/'><item><title>t</title><link>1</link></item></channel></rss>"
    assert parse(body).items[0].url == "https://c.example/x/1"


def test_a_video_has_its_description() -> None:
    """YouTube puts the only text into media:group."""
    found = atom(
        "<id>yt:video:1</id><title>Acme review</title><media:group><media:title>other</media:title>"
        "<media:content url='https://v.example/1' type='video/mp4'/>"
        "<media:description>battery died</media:description></media:group>"
    )
    assert (found.title, found.text) == ("Acme review", "battery died")


def test_an_author_of_rss_is_not_an_address() -> None:
    assert one("<item><title>x</title><author>kim@mail.example (Kim Lee)</author></item>").author == Author(
        name="Kim Lee"
    )
    assert one("<item><title>x</title><author>kim@mail.example</author></item>").author == Author(
        handle="kim", name="kim"
    )


def test_a_link_that_is_an_id_is_a_link_only_if_it_says_so() -> None:
    assert one("<item><title>x</title><guid>https://x.example/1</guid></item>").url == "https://x.example/1"
    assert one("<item><title>x</title><guid isPermaLink='false'>https://x.example/1</guid></item>").url is None


def test_json_feed() -> None:
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "j",
        "items": [
            {
                "id": 7,
                "content_html": "<p>a</p>",
                "title": "x < y",
                "url": "/a",
                "date_published": "2026-03-02T09:00:00Z",
            },
            {
                "id": "8",
                "content_text": "half a \ud83d character",
                "authors": [{"name": "kim", "url": "https://x.example/kim"}],
            },
            {"id": True, "summary": "s", "author": {"name": "Kim Lee"}, "url": "http://["},
            "not an object",
        ],
    }
    found = parse(json.dumps(document), "application/feed+json")
    assert [(i.native_id, i.title, i.text, i.url) for i in found.items] == [
        ("7", "x &lt; y", "<p>a</p>", "https://news.example/a"),
        ("8", None, "half a \ufffd character", None),
        (None, None, "s", None),
    ]
    assert found.items[1].author == Author(handle="kim", name="kim", url="https://x.example/kim")
    assert found.items[0].published_at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert [fault for fault, _ in found.warnings] == [Fault.MALFORMED]
    assert found.title == "j"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("", (SourceUnavailable, Fault.EMPTY)),
        (" \n\ufeff", (SourceUnavailable, Fault.EMPTY)),
        ('<?xml version="1.0"?>', (SourceUnavailable, Fault.TRUNCATED)),
        ("<rss vers", (SourceUnavailable, Fault.TRUNCATED)),
        ("<?xml version='1.0'?><html><body>&lt;rss&gt;</body></html>", (SourceChanged, Fault.NOT_A_FEED)),
        ("<html><pre><?xml version='1.0'?><rss><channel/></rss></pre></html>", (SourceChanged, Fault.NOT_A_FEED)),
        ("Too many requests", (SourceChanged, Fault.NOT_A_FEED)),
        ("GIF89a", (SourceChanged, Fault.NOT_A_FEED)),
        ("{", (SourceChanged, Fault.BAD_JSON)),
        ("[]", (SourceChanged, Fault.NOT_A_FEED)),
        ('{"version": "https://jsonfeed.org/version/1", "items": {}}', (SourceChanged, Fault.NOT_A_FEED)),
        ("<!-- a --><!DOCTYPE rss [<!ENTITY a 'b'>]><rss/>", (SourceRefused, Fault.DTD)),
        ("<!doctype rss SYSTEM 'x' [ ]><rss/>", (SourceRefused, Fault.DTD)),
        ("<rss><channel><!ENTITY a 'b'></channel></rss>", (SourceRefused, Fault.DTD)),
        (
            "<rss><channel><item><title>x</title><!DOCTYPE a [<!ENTITY b 'c'>]></item></channel></rss>",
            (SourceRefused, Fault.DTD),
        ),
    ],
)
def test_what_is_no_feed_has_a_name(document: str, expected: tuple[type[SourceError], Fault]) -> None:
    assert fault(document) == expected


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"])
def test_an_entity_does_not_hide_in_an_encoding(codec: str) -> None:
    body = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel/></rss>'.encode(
        codec
    )
    with pytest.raises(SourceError):
        parse(body)


# --- damage


def test_only_the_item_that_is_cut_is_missing() -> None:
    whole = feed(item(1), item(2), item(3))
    for end in range(len(whole) - 40, whole.index(b"<title>Acme mention 3"), -7):
        found = parse(whole[:end])
        assert [i.native_id for i in found.items] == ["urn:nasty:1", "urn:nasty:2"]
        assert [fault for fault, _ in found.warnings] == [Fault.TRUNCATED]


def test_an_item_that_is_not_closed_ends_where_the_next_begins() -> None:
    found = parse(feed(item(1).replace("</item>", ""), item(2), item(3).replace("</item>", "")))
    assert [i.native_id for i in found.items] == ["urn:nasty:1", "urn:nasty:2", "urn:nasty:3"]
    assert [fault for fault, _ in found.warnings] == [Fault.MALFORMED]


def test_a_title_that_is_not_closed_ends_where_the_link_begins() -> None:
    found = one(
        "<item><title>Down again<link>https://x.example/1</link><guid>g</guid><description>d</description></item>"
    )
    assert (found.title, found.url, found.native_id, found.text) == ("Down again", "https://x.example/1", "g", "d")


def test_warnings_of_a_server_before_the_feed_are_skipped() -> None:
    found = parse(b"<br />\n<b>Warning</b>: include(): failed\n" + feed(item(1)))
    assert len(found.items) == 1
    assert [fault for fault, _ in found.warnings] == [Fault.MALFORMED]


@pytest.mark.parametrize(
    "description",
    [
        "&#xD800;&#1114112;&#0;&#xFFFF;",
        "&nbsp;&eacute;&bogus;&AT&T",
        "<![CDATA[ ]]]]><![CDATA[> ]]>",
        "<media:thumbnail url='x'/><undeclared:tag a='1' a='2'>x</undeclared:tag>",
        "<!-- <item> --><![CDATA[<item></item>]]><?php <item> ?>",
        "</channel",
    ],
)
def test_broken_xml_inside_an_item_costs_nothing(description: str) -> None:
    found = parse(feed(item(1, description=f"before {description} after"), item(2)))
    assert [i.native_id for i in found.items] == ["urn:nasty:1", "urn:nasty:2"]
    assert found.items[0].text.startswith("before")
    assert found.items[0].text.endswith("after")


def test_an_attribute_with_a_less_than_does_not_cost_the_item() -> None:
    assert one("<item rdf:about='https://x.example/?a<b'><title>t</title></item>").title == "t"


def test_an_item_that_a_parser_stumbles_over_is_skipped_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """feedparser raises on some texts. We know of none that gets so far; if there is one, its neighbours are safe."""
    real = feedparser.parse

    def stumbling(stream: object, **options: object) -> object:
        body = stream.getvalue()  # type: ignore[attr-defined]
        if b"poison" in body:
            raise KeyError("links")
        return real(stream, **options)

    monkeypatch.setattr(feedparser, "parse", stumbling)
    found = parse(feed(item(1), item(2, description="poison"), item(3)))
    assert [i.native_id for i in found.items] == ["urn:nasty:1", "urn:nasty:3"]
    assert [fault for fault, _ in found.warnings] == [Fault.MALFORMED]


# --- identity


def test_an_id_of_two_links_is_no_id() -> None:
    found = parse(feed(item(1, guid="0"), item(2, guid="0"), item(3)))
    assert [i.native_id for i in found.items] == [None, None, "urn:nasty:3"]


def test_an_id_twice_with_one_link_is_an_edit() -> None:
    found = parse(feed(item(1), item(1, description="edited")))
    assert [i.native_id for i in found.items] == ["urn:nasty:1", "urn:nasty:1"]


def test_a_long_id_is_hashed_the_same_every_time() -> None:
    first, second = (parse(feed(item(1, guid="g" * 100_000 + end))).items[0].native_id for end in "ab")
    assert first != second
    assert first == parse(feed(item(9, guid="g" * 100_000 + "a"))).items[0].native_id
    assert len(first or "") <= 512


def test_no_path_is_ever_opened_and_no_warning_given() -> None:
    """feedparser opens a file if it is given bytes that name one."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fault("/etc/hostname") == (SourceChanged, Fault.NOT_A_FEED)
        assert parse(feed(item(1))).items
