"""Documents of the same kinds as the corpus with other content, so that the guard is against the kind and not the file.

Rows look like those of the corpus's manifest, with the `body` in them.
"""

import codecs
import gzip
import json
import zlib
from typing import Any

from tests.feeds.corpus import FOOT, HEAD, Row, feed, item, spaces_gzipped

RSS = "application/rss+xml; charset=utf-8"
JSON = "application/feed+json"
KOREAN = "애크미 서비스 최악입니다, 환불해 주세요"
JAPANESE = "アクメのサービスは最悪です。返金してほしい"
SIMPLIFIED = "艾克美服务很差，再也不会来了，这是我的经历"
TRADITIONAL = "艾克美服務很差，再也不會來了，這是我的經歷"
RUSSIAN = "Акме ужасный сервис, никогда больше"
WINDOWS = "Acme’s “worst” ever — €50"

FURTHER: list[Row] = []


def _row(file: str, body: bytes | str, expect: dict[str, Any], content_type: str | None = RSS, **more: Any) -> None:
    raw = body if isinstance(body, bytes) else body.encode()
    kind = file.partition("_")[0]
    FURTHER.append({"file": file, "kind": kind, "content_type": content_type, "expect": expect, "body": raw, **more})


def _titled(title: str, more: str = "") -> str:
    return (
        f"<item><title>{title}</title><guid isPermaLink='false'>t</guid><description>{title}</description>{more}</item>"
    )


def _encoded(
    name: str, title: str, codec: str, label: str | None, header: str | None = "text/xml", bom: bytes = b""
) -> None:
    declared = f' encoding="{label}"' if label else ""
    text = HEAD.replace(' encoding="UTF-8"', declared) + _titled(title) + FOOT
    _row(f"encoding_{name}", bom + text.encode(codec), {"items": 1}, header, check={"title": title})


# --- encodings: declared, not declared, declared wrongly

_encoded("shift_jis", JAPANESE, "cp932", "Shift_JIS")
_encoded("shift_jis_undeclared", JAPANESE, "cp932", None)
_encoded("shift_jis_labelled_utf8", JAPANESE, "cp932", "utf-8")
_encoded("euc_jp_in_header_only", JAPANESE, "euc_jp", None, "text/xml; charset=EUC-JP")
_encoded("iso2022_jp", JAPANESE, "iso2022_jp", "ISO-2022-JP")
_encoded("gb18030_emoji", "艾克美 😡 很差", "gb18030", "GB18030")
_encoded("gbk_undeclared", SIMPLIFIED, "gbk", None)
_encoded("gbk_labelled_utf8", SIMPLIFIED, "gbk", "UTF-8")
_encoded("big5_undeclared", TRADITIONAL, "big5", None)
_encoded("koi8_r", RUSSIAN, "koi8_r", "KOI8-R")
_encoded("koi8_r_undeclared", RUSSIAN, "koi8_r", None)
_encoded("windows_1251_labelled_utf8", RUSSIAN, "cp1251", "UTF-8")
_encoded("windows_1250", "Okropna obsługa, żądam zwrotu", "cp1250", "windows-1250")
_encoded("tis_620", "Acme บริการแย่มาก", "cp874", "TIS-620")
_encoded("windows_1252_labelled_utf8", WINDOWS, "cp1252", "utf-8")
_encoded("euc_kr_undeclared", KOREAN, "euc_kr", None)
_encoded("euc_kr_labelled_latin1", KOREAN, "euc_kr", "iso-8859-1", "text/xml; charset=iso-8859-1")
_encoded("utf8_labelled_euc_kr", KOREAN, "utf-8", "euc-kr")
_encoded("johab", KOREAN, "johab", "johab")
_encoded("utf16be_no_mark", KOREAN, "utf-16-be", "utf-16")
_encoded("utf32be_mark", KOREAN, "utf-32-be", "utf-8", bom=codecs.BOM_UTF32_BE)
_encoded("utf8_two_marks", KOREAN, "utf-8", "utf-8", bom=codecs.BOM_UTF8 * 2)
_encoded("no_content_type", KOREAN, "utf-8", None, None)
_encoded("utf7_declared", "Acme +ADw-b+AD4-", "ascii", "utf-7")
_encoded("unicode_escape", r"Acme \u003cb\u003e", "ascii", "unicode_escape")
_row("encoding_cesu8", feed(_titled("Acme X")).replace(b"X", b"\xed\xa0\xbd\xed\xb8\xa1"), {"items": 1})
_row("encoding_one_bad_byte", feed(_titled(f"{KOREAN}X")).replace(b"X", b"\xff"), {"items": 1})
for _name, _reference in {
    "surrogate": "&#xD800;", "beyond": "&#1114112;", "endless": "&#99999999999999999999;", "nul": "&#0;",
    "no_character": "&#xFFFF;", "unknown": "&nosuch;", "halves": "&#xD83D;&#xDE21;",
}.items():  # fmt: skip
    _row(f"encoding_reference_{_name}", feed(_titled(f"Acme {_reference} bad"), item(2)), {"items": 2})

# --- documents that declare entities, each hidden in another way

_ENTITY = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


def _declares(name: str, text: bytes | str) -> None:
    more = {"text_not_contains": ["root:"]}
    _row(f"xmlattack_{name}", text, {"error": "DTD"}, "application/xml", check=more)


def _document(prolog: str, text: str = "&x;") -> str:
    return (
        f'<?xml version="1.0"?>{prolog}<rss version="2.0"><channel><item><title>{text}</title></item></channel></rss>'
    )


_declares("parameter", _document('<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]>', "t"))
_declares("behind_comments", _document(f"<!-- <rss> --><?php ?>{_ENTITY}"))
_declares("lower_case", _document(_ENTITY.lower()))
_declares("spread_out", _document('<!DOCTYPE\n\trss\n[\n<!ENTITY x "y">\n]\n>'))
_declares("public", _document('<!DOCTYPE rss PUBLIC "-//N//DTD" "http://127.0.0.1:9/r.dtd" [<!ENTITY x "y">]>'))
_declares("quoted_end", _document('<!DOCTYPE rss SYSTEM "]><rss>" [<!ENTITY x "y">]>'))
_declares("utf16be", codecs.BOM_UTF16_BE + _document(_ENTITY).encode("utf-16-be"))
_declares("utf16_no_mark", _document(_ENTITY).encode("utf-16-le"))
_declares("utf32", codecs.BOM_UTF32_LE + _document(_ENTITY).encode("utf-32-le"))
_declares("nul_inside", _document('<!DOC\0TYPE rss [<!ENT\0ITY x "y">]>'))
_declares("inside_channel", HEAD + _ENTITY + _titled("Acme") + FOOT)
_declares("never_ends", '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x "y"')
_row("shape_html5_doctype", _document("<!DOCTYPE html>", "Acme"), {"items": 1})
_row("shape_dtd_quoted_in_text", feed(_titled(f"<![CDATA[how to write {_ENTITY} safely]]>")), {"items": 1})
_row("shape_include", feed(item(1) + '<xi:include href="file:///etc/passwd" parse="text"/>'), {"items": 1})
_row(
    "shape_stylesheet",
    b'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="/x.xsl"?>' + feed(item(1))[39:],
    {"items": 1},
)

# --- documents that cost time

_row("cost_100k_attributes", feed("<item " + 'a="x" ' * 100_000 + "><title>Acme</title></item>", item(2)), {"items": 2})
_row("cost_long_name", feed(f"<item><{'a' * 1_000_000}/><title>Acme</title></item>", item(2)), {"items": 2})
_row("cost_100k_categories", feed(_titled("Acme", "<category>c</category>" * 100_000), item(2)), {"items": 2})
_row("cost_ampersands", feed(item(1, description="&" * 500_000), item(2)), {"items": 2})
_row("cost_mail_pattern", feed(_titled("Acme", f"<author>{'a' * 100_000}@</author>")), {"items": 1})
_row("cost_date_pattern", feed(_titled("Acme", f"<pubDate>{'1' * 100_000}</pubDate>")), {"items": 1})
_row("cost_deep_outside", HEAD + "<x>" * 5_000 + "</x>" * 5_000 + item(1) + FOOT, {"error": "DEPTH"})
_row("cost_deep_unclosed", feed("<item>" + "<a>" * 100_000), {"error": "DEPTH"})

# --- what is no feed

for _name, _body in {
    "login": b"<!doctype html><form action=/login></form>",
    "challenge": b"<html><body><div class='challenge'>Checking your browser</div><rss>quoted</rss></body></html>",
    "text": b"Service unavailable",
    "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(range(256)) * 4,
    "pdf": b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + b"x" * 500,
    "noise": bytes((number * 7919 + 13) % 251 for number in range(4000)),
    "api_error": b'<?xml version="1.0"?><error><message>invalid key</message></error>',
    "sitemap_index": b'<?xml version="1.0"?><sitemapindex><sitemap/></sitemapindex>',
    "json_error": b'{"error": {"code": 190, "message": "token expired"}}',
    "json_word": b"true",
    "csv": b"id,text\n1,Acme\n",
}.items():
    kind = "application/json" if _name == "json_word" else RSS
    _row(f"notfeed_{_name}", _body, {"error": "NOT_A_FEED"}, kind)
_row("notfeed_nothing", b"", {"error": "EMPTY"})
_row("notfeed_mark_only", codecs.BOM_UTF8, {"error": "EMPTY"})

# --- documents that end too early, or go on too long

_FOUR = feed(*(item(number) for number in range(1, 5))).decode()
_LAST = _FOUR.index("Acme mention 4")
for _name, _cut in {
    "in_a_title": _FOUR[: _LAST + 6],
    "in_an_end_tag": _FOUR[: _FOUR.rindex("</item>") + 4],
    "in_an_attribute": _FOUR[: _FOUR.index("isPermaLink", _LAST) + 14],
    "in_a_reference": _FOUR[: _FOUR.index("is terrible", _LAST)] + "&am",
    "in_a_comment": _FOUR[: _FOUR.rindex("<item>")] + "<!-- cut here",
    "in_cdata": _FOUR[: _LAST + 6] + "</title><description><![CDATA[ Acme is",
}.items():
    _row(f"damaged_{_name}", _cut, {"items": 3, "warn": "TRUNCATED"})
_row(
    "damaged_in_utf16",
    codecs.BOM_UTF16_LE + _FOUR.encode("utf-16-le")[: _LAST * 2 + 1],
    {"items": 3, "warn": "TRUNCATED"},
)
_row("damaged_in_the_head", _FOUR[:40], {"error": "TRUNCATED"})
_row("damaged_behind_the_items", _FOUR.removesuffix(FOOT), {"items": 4, "warn": "TRUNCATED"})
_row("damaged_zeros_behind", _FOUR.encode() + bytes(200), {"items": 4})
_row("damaged_script_behind", _FOUR + "<script>ads()</script><!-- 0.1 s -->", {"items": 4})
_row(
    "damaged_warning_before",
    f"<br />\n<b>Warning</b>: mysql in <b>/var</b>\n{_FOUR}",
    {"items": 4, "warn": "MALFORMED"},
)
_row(
    "damaged_unclosed_items",
    HEAD + "<item><title>One</title><item><title>Two</title>" + FOOT,
    {"items": 2, "warn": "MALFORMED"},
)

# --- who is who

_row("identity_zero", feed(*(item(number, guid="0") for number in range(4))), {"items": 4})
_row("identity_padded", feed(item(1, guid="  g1  "), item(1, guid="g1")), {"items": 1})
_row(
    "identity_tracking_only",
    feed(*(f"<item><title>Acme</title><link>https://n.example/1?utm_source={n}</link></item>" for n in range(3))),
    {"items": 1},
)
_row(
    "identity_one_link",
    feed(*(f"<item><title>Review {n} of Acme</title><link>https://n.example/r</link></item>" for n in range(5))),
    {"items": 5},
)
_row(
    "identity_text_only",
    feed("<item><description>one</description></item>", "<item><description>two</description></item>"),
    {"items": 2},
)
_row("identity_empty_items", feed("<item/><item> </item>", item(1)), {"items": 1})
_row("identity_6mb", feed(item(1, guid="q" * 6_000_000), item(2, guid="q" * 6_000_001)), {"items": 2})
for _name, _link in {"script": "javascript:alert(1)", "data": "data:text/html,x", "file": "file:///etc/passwd"}.items():
    _row(
        f"shape_{_name}_link",
        feed(f"<item><title>Acme</title><link>{_link}</link><guid>1</guid></item>"),
        {"items": 1},
        check={"link": None},
    )
_row(
    "shape_script_in_title",
    feed(_titled("Acme &lt;b&gt;bad&lt;/b&gt;&lt;script&gt;alert(1)&lt;/script&gt;")),
    {"items": 1},
    check={"title": "Acme bad", "text_not_contains": ["alert"]},
)

_ODD_DATES = (
    "2026년 3월 2일 오후 3:00", "0000-00-00 00:00:00", "Sat, 31 Dec 2016 23:59:60 GMT", "Mon, 30 Feb 2026 15:00:00 GMT",
    "Mon, 02 Mar 10026 15:00:00 GMT", "Mon, 02 Mar 2026 15:00:00 +9999", "2026-03-02T15:00:00+99:99", "1772409600000",
    "2150-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "&lt;b&gt;yesterday&lt;/b&gt;", "😀", "٢٠٢٦-٠٣-٠٢", "",
)  # fmt: skip
_row(
    "dates_odd",
    feed(*(item(n).replace("</item>", f"<pubDate>{date}</pubDate></item>") for n, date in enumerate(_ODD_DATES))),
    {"items": len(_ODD_DATES)},
)
_row(
    "dates_korean_zone",
    feed(_titled("Acme", "<pubDate>Mon, 02 Mar 2026 15:00:00 KST</pubDate>")),
    {"items": 1},
    check={"time": "2026-03-02T06:00:00+00:00"},
)

# --- JSON Feed


def _json(name: str, items: Any, expect: dict[str, Any], **more: Any) -> None:
    document = {"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": items}
    _row(f"json_{name}", json.dumps(document), expect, JSON, **more)


_json("items_null", None, {"error": "NOT_A_FEED"})
_json("items_group", {"1": {}}, {"error": "NOT_A_FEED"})
_json("items_mixed", [None, 1, "x", [], {"id": "1", "title": "A"}], {"items": 1, "warn": "MALFORMED"})
_json("wrong_types", [{"id": {}, "title": ["x"], "content_text": "Acme", "url": 7, "authors": "bob"}], {"items": 1})
_json("halves", [{"id": "1", "title": "A \ud800 b"}, {"id": "\udfff", "title": "B"}], {"items": 2})
_json(
    "same_ids",
    [{"id": "0", "url": f"https://n.example/{n}", "content_text": f"Acme {n}"} for n in range(5)],
    {"items": 5},
)
_json(
    "script",
    [{"id": "1", "content_html": "<p onclick=x>bad</p><script>evil()</script>"}],
    {"items": 1},
    check={"text_not_contains": ["evil", "onclick"]},
)
_json(
    "odd_dates",
    [
        {"id": str(n), "title": f"A{n}", "date_published": date}
        for n, date in enumerate(
            ["x", "", None, 5, "2026-13-45", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"]
        )
    ],
    {"items": 7},
)
_row(
    "json_cut", b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "ti', {"error": "BAD_JSON"}, JSON
)
_row(
    "json_comma", b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": "1"},]}', {"error": "BAD_JSON"}, JSON
)
_row("json_deep_groups", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, {"error": "BAD_JSON"}, JSON)

# --- compressed


def _packed(name: str, body: bytes, coding: str, expect: dict[str, Any]) -> None:
    _row(f"compress_{name}", body, expect, headers={"Content-Encoding": coding})


_PLAIN = _FOUR.encode()
_DAMAGED = gzip.compress(_PLAIN)[:-6] + b"\0\0\0\0\0\0"
_packed("x_gzip", gzip.compress(_PLAIN), "x-gzip", {"items": 4})
_packed("identity_gzip", gzip.compress(_PLAIN), "identity, gzip", {"items": 4})
_packed("twice", gzip.compress(gzip.compress(_PLAIN)), "gzip, gzip", {"items": 4})
_packed("padded", gzip.compress(_PLAIN) + bytes(100), "gzip", {"items": 4})
_packed("cut", gzip.compress(_PLAIN)[:30], "gzip", {"error": "TRUNCATED"})
_packed("damaged", _DAMAGED, "gzip", {"error": "DECODING"})
_packed("not_at_all", _PLAIN, "gzip", {"error": "DECODING"})
_packed("brotli", _PLAIN, "br", {"error": "DECODING"})
_packed("twice_said_once", gzip.compress(gzip.compress(_PLAIN)), "gzip", {"error": "NOT_A_FEED"})
_packed("of_nothing", gzip.compress(b""), "gzip", {"error": "EMPTY"})
_packed("bomb_deflate", spaces_gzipped(200, wbits=15), "deflate", {"error": "BOMB"})
_packed("bomb_raw_deflate", spaces_gzipped(200, wbits=-15), "deflate", {"error": "BOMB"})
_packed("bomb_members", gzip.compress(b" " * 1_048_576) * 100, "gzip", {"error": "BOMB"})
_packed("bomb_twice", gzip.compress(spaces_gzipped(200)), "gzip, gzip", {"error": "BOMB"})
_packed("bomb_zlib_in_gzip", gzip.compress(zlib.compress(bytes(50_000_000))), "deflate, gzip", {"error": "BOMB"})

# --- feeds that change between two polls


def _step(group: str, step: int, document: bytes, items: int, **declared: Any) -> None:
    _row(f"seq_{group}_{step}", document, {"items": items}, seq={"group": group, "step": step, **declared})


_DATED = "<pubDate>Sat, 21 Nov 2026 10:00:01 GMT</pubDate>"


def _post(guid: str | None, title: str, text: str = "fine", link: str = "https://n.example/p/1") -> str:
    known = f"<guid isPermaLink='false'>{guid}</guid>" if guid is not None else ""
    return f"<item>{known}<title>{title}</title><link>{link}</link>{_DATED}<description>{text}</description></item>"


_step("lost_guid", 1, feed(_post("g1", "Acme opens a new office")), 1, total_after=1)
_step("lost_guid", 2, feed(_post(None, "Acme opens a new office")), 1, total_after=1, revisions=1, alerts=0)
_step("late_guid", 1, feed(_post(None, "Acme opens a new office")), 1, total_after=1)
_step("late_guid", 2, feed(_post("g1", "Acme opens a new office")), 1, total_after=1, revisions=1)
_step(
    "late_guid",
    3,
    feed(_post("g1", "Acme opens a new office", "Acme data breach")),
    1,
    total_after=1,
    revisions=2,
    alerts=1,
)
_step("calmed", 1, feed(_post("1", "Acme data breach")), 1, total_after=1, alerts=1)
_step("calmed", 2, feed(_post("1", "Acme says all is well")), 1, total_after=1, revisions=2, alerts=1)
_step("calmed", 3, feed(_post("1", "Acme data breach")), 1, total_after=1, revisions=3, alerts=1)
_step("edited_thrice", 1, feed(_post("1", "Acme ok")), 1, total_after=1, alerts=0)
_step("edited_thrice", 2, feed(_post("1", "Acme ok now")), 1, total_after=1, revisions=2, alerts=0)
_step("edited_thrice", 3, feed(_post("1", "애크미 먹통")), 1, total_after=1, revisions=3, alerts=1)
_step("edited_thrice", 4, feed(_post("1", "애크미 먹통!")), 1, total_after=1, revisions=4, alerts=1)
_step("white_space", 1, feed(_post("1", "Acme ok", "a b")), 1, total_after=1)
_step("white_space", 2, feed(_post("1", "Acme  ok", "a\n b")), 1, total_after=1, revisions=1)
_step("moved_https", 1, feed(_post("1", "Acme ok", link="http://n.example/p/1")), 1, total_after=1)
_step(
    "moved_https",
    2,
    feed(_post("1", "Acme ok", link="https://n.example/p/1?utm_source=x")),
    1,
    total_after=1,
    revisions=1,
)
_step("rolling", 1, feed(item(1), item(2)), 2, total_after=2)
_step("rolling", 2, feed(item(3), item(2)), 2, total_after=3)
_step("rolling", 3, feed(item(1), item(3)), 2, total_after=3)
_step("cut_then_whole", 1, _FOUR[: _LAST + 6].encode(), 3, total_after=3)
FURTHER[-1]["expect"]["warn"] = "TRUNCATED"
_step("cut_then_whole", 2, _FOUR.encode(), 4, total_after=4)


def _review(guid: int) -> str:
    known = f"<guid>{guid}</guid><title>Customer review of the Acme kettle</title><link>https://n.example/kettle</link>"
    return f"<item>{known}<description>text {guid}</description></item>"


_step("reviews", 1, feed(_review(1), _review(2)), 2, total_after=2)
_step("reviews", 2, feed(_review(3), _review(2)), 2, total_after=3, revisions=1)
_step("session_ids_and_edits", 1, feed(_post("s1", "Acme opens a new office")), 1, total_after=1)
_step(
    "session_ids_and_edits",
    2,
    feed(_post("s2", "Acme opens a new office", "Acme data breach")),
    1,
    total_after=1,
    revisions=2,
    alerts=1,
)
_step("no_ids_and_edits", 1, feed(_post(None, "Acme opens a new office")), 1, total_after=1)
_step(
    "no_ids_and_edits",
    2,
    feed(_post(None, "Acme opens a new office", "Acme data breach")),
    1,
    total_after=1,
    revisions=2,
    alerts=1,
)
_step("padded_guid", 1, feed(item(1, guid="g")), 1, total_after=1)
_step("padded_guid", 2, feed(item(1, guid=" g ")), 1, total_after=1, revisions=1)
_step("other_encoding", 1, feed(_post("1", KOREAN)), 1, total_after=1)
_step(
    "other_encoding",
    2,
    feed(_post("1", KOREAN)).decode().replace("UTF-8", "EUC-KR").encode("cp949"),
    1,
    total_after=1,
    revisions=1,
)
_step("two_sites", 1, feed(_post("1", "Acme A", link="https://a.example/1")), 1, total_after=1)
_step("two_sites", 2, feed(_post("1", "Acme B", link="https://b.example/1")), 1, total_after=2, other_source=True)
_step("same_article", 1, feed(_post("x1", "Acme opens a new office in Seoul")), 1, total_after=1)
_step("same_article", 2, feed(_post("y9", "Acme opens a new office in Seoul")), 1, total_after=1, other_source=True)
