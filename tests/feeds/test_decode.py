"""Bytes become the text that their author wrote, whatever the labels claim."""

import pytest

from listener.feeds.decode import decode

KOREAN = "하늘항공 환불이 안 돼요, 최악의 서비스입니다"
MIXED = "똠방각하 펲시콜라 쓩 뷁"  # beyond EUC-KR, within CP949
JAPANESE = "ひどいサービスでした。二度と使いません"
TRADITIONAL = "這個服務很差，我們不會再來了，他們沒有說明"
SIMPLIFIED = "这个服务很差，我们不会再来了，他们没有说明"
FRENCH = "L’été où Acme a été très déçu — « c’est fini », 50 €"
POLISH = "Okropna obsługa, żądam zwrotu pieniędzy"
RUSSIAN = "Ужасное обслуживание, верните деньги"


def xml(text: str, label: str | None) -> str:
    declared = f' encoding="{label}"' if label else ""
    return f'<?xml version="1.0"{declared}?><rss><title>{text}</title></rss>'


@pytest.mark.parametrize(
    ("text", "codec", "label", "header"),
    [
        (KOREAN, "utf-8", None, None),
        (KOREAN, "utf-8", "EUC-KR", "text/xml; charset=euc-kr"),
        (KOREAN, "euc_kr", "euc-kr", None),
        (KOREAN, "euc_kr", "UTF-8", "application/rss+xml; charset=utf-8"),
        (KOREAN, "euc_kr", None, None),
        (KOREAN, "euc_kr", "ISO-8859-1", None),
        (KOREAN, "euc_kr", "EUC-KR", "text/xml; charset=ISO-8859-1"),
        (MIXED, "cp949", "EUC-KR", None),
        (MIXED, "cp949", "ks_c_5601-1987", None),
        (KOREAN, "johab", "johab", None),
        (JAPANESE, "shift_jis", "Shift_JIS", None),
        (JAPANESE, "shift_jis", "utf-8", None),
        (JAPANESE, "euc_jp", "EUC-JP", None),
        (JAPANESE, "euc_jp", None, None),
        (JAPANESE, "iso2022_jp", "ISO-2022-JP", None),
        (TRADITIONAL, "big5", "Big5", None),
        (TRADITIONAL, "big5", "utf-8", None),
        (SIMPLIFIED, "gbk", "GB2312", None),
        (SIMPLIFIED, "gb18030", None, None),
        (FRENCH, "cp1252", "ISO-8859-1", None),
        (FRENCH, "cp1252", "utf-8", None),
        (FRENCH, "cp1252", "x-klingon-8", None),
        (FRENCH, "utf-8", "ISO-8859-1", "text/xml; charset=iso-8859-1"),
        (RUSSIAN, "koi8_r", "KOI8-R", None),
        (RUSSIAN, "cp1251", None, "text/xml; charset=windows-1251"),
        (RUSSIAN, "cp1251", "utf-8", None),
        (RUSSIAN, "koi8_r", None, None),
        (POLISH, "cp1250", "windows-1250", None),
        (KOREAN.replace(",", ""), "iso2022_kr", "ISO-2022-KR", None),
        (KOREAN, "utf-16", "UTF-16", None),
        (KOREAN, "utf-16-le", "UTF-16", None),
        (KOREAN, "utf-16-be", "UTF-16", None),
        (KOREAN, "utf-32", "UTF-32", None),
        (KOREAN, "utf-32-be", "UTF-32", None),
        (KOREAN, "utf-8-sig", "EUC-KR", None),
    ],
)
def test_text_survives_its_labels(text: str, codec: str, label: str | None, header: str | None) -> None:
    assert decode(xml(text, label).encode(codec), header) == xml(text, label)


@pytest.mark.parametrize("label", ["utf-7", "unicode_escape", "rot13", "idna", "zlib", "undefined", "ebcdic-cp-us"])
def test_codecs_that_are_no_encodings_of_feeds_are_unknown(label: str) -> None:
    """UTF-7 turns harmless ASCII into markup; Python's others run code paths that no feed should reach."""
    text = xml(r"+ADw-script+AD4- \u003cscript\u003e", label)
    assert decode(text.encode(), f"text/xml; charset={label}") == text


def test_a_few_wrong_bytes_do_not_make_it_another_encoding() -> None:
    body = xml(KOREAN, None).encode() + b"\xff broken \xc3"
    assert decode(body, None) == xml(KOREAN, None) + "\ufffd broken "


def test_a_character_that_the_end_cuts_in_half_is_left_out() -> None:
    assert decode("최악".encode()[:-1], None) == "최"
    assert decode(f"{KOREAN}최악".encode("cp949")[:-1], "text/xml; charset=euc-kr") == f"{KOREAN}최"


def test_an_apostrophe_of_windows_is_not_korean() -> None:
    """CP949 has a syllable for 0x92 and the letter behind it."""
    assert decode("Acme’s phone isn’t".encode("cp1252"), None) == "Acme’s phone isn’t"


def test_what_xml_forbids_is_replaced_and_nul_dropped() -> None:
    assert decode(b"a\x00b\x01c\x1b[31m\td\r\n", None) == "ab\ufffdc\ufffd[31m\td\r\n"


@pytest.mark.parametrize("header", [';;;charset=="utf-8";x=é', "", None, "charset=", "text/xml; charset='utf-8'"])
def test_a_header_may_be_garbage(header: str | None) -> None:
    assert decode(KOREAN.encode(), header) == KOREAN
