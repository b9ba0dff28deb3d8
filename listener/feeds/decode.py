"""Bytes of a document to text, whatever its labels claim.

A byte order mark wins. Then well-formed UTF-8 wins over labels, because other encodings hardly ever look like it; then
the labels of the XML declaration and of the HTTP header; then a guess. Labels are read as browsers read them
(WHATWG Encoding Standard): "EUC-KR" means CP949, "ISO-8859-1" means windows-1252. UTF-7 and Python's codecs that are not
encodings of text are unknown labels here, so that `+ADw-script+AD4-` stays what it is.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterator

__all__ = ["decode"]

_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# "<" or "{" and its neighbour in each wide encoding, for documents without a mark.
_WIDE = (
    (re.compile(rb"[<{\[]\0\0\0[^\0]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0[<{\[]\0\0\0[^\0]"), "utf-32-be"),
    (re.compile(rb"[<{\[]\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0[<{\[]\0[^\0]"), "utf-16-be"),
)

_LABELS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8",
    "cp1252": "iso-8859-1 iso8859-1 latin1 latin-1 l1 us-ascii ascii windows-1252 cp1252 x-cp1252 ansi_x3.4-1968",
    "cp949": "euc-kr euckr euc_kr cp949 ms949 uhc windows-949 x-windows-949 ks_c_5601-1987 ksc5601 ksc_5601 iso-ir-149 korean",
    "johab": "johab x-johab",
    "cp932": "shift_jis shift-jis sjis s_jis ms_kanji windows-31j x-sjis cp932 ms932",
    "euc_jp": "euc-jp euc_jp eucjp x-euc-jp",
    "iso2022_jp": "iso-2022-jp csiso2022jp",
    "iso2022_kr": "iso-2022-kr csiso2022kr",
    "gb18030": "gb18030 gb2312 gbk gb_2312-80 x-gbk cp936 ms936 chinese euc-cn csgb2312",
    "big5hkscs": "big5 big-5 big5-hkscs big5hkscs cn-big5 x-x-big5 cp950 csbig5",
    "cp874": "windows-874 tis-620 iso-8859-11 dos-874",
    "cp1250": "windows-1250 cp1250 x-cp1250",
    "cp1251": "windows-1251 cp1251 x-cp1251",
    "cp1253": "windows-1253 cp1253",
    "cp1254": "windows-1254 cp1254 iso-8859-9 latin5",
    "cp1255": "windows-1255 cp1255",
    "cp1256": "windows-1256 cp1256",
    "cp1257": "windows-1257 cp1257",
    "cp1258": "windows-1258 cp1258",
    "koi8_r": "koi8-r koi8 koi koi8_r",
    "koi8_u": "koi8-u koi8-ru",
    "cp866": "ibm866 cp866",
    "mac_roman": "macintosh mac x-mac-roman",
    **{f"iso8859_{n}": f"iso-8859-{n} iso8859-{n} latin{n}" for n in (2, 3, 4)},
    **{f"iso8859_{n}": f"iso-8859-{n} iso8859-{n}" for n in (5, 6, 7, 8, 10, 13, 14, 15, 16)},
    "utf-16-le": "utf-16 utf-16le unicode ucs-2",
    "utf-16-be": "utf-16be",
    "utf-32-le": "utf-32 utf-32le",
    "utf-32-be": "utf-32be",
}
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}
_WIDE_CODECS = frozenset(codec for _, codec in _WIDE)
_STATEFUL_CODECS = frozenset({"iso2022_jp", "iso2022_kr"})

_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?\bencoding\s{0,9}=\s{0,9}["']([\w.:\-]{1,40})["']""", re.IGNORECASE)
_CHARSET = re.compile(r"""\bcharset\s{0,9}=[\s="']{0,9}([\w.:\-]{1,40})""", re.IGNORECASE)
_THREE_BYTES = re.compile(r"[\u0800-\U0010ffff]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_ILLEGAL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CYRILLIC_WORD = re.compile(r"(?<![A-Za-z])[а-яё]{3,}(?![A-Za-z])")
_FREQUENT_CYRILLIC = frozenset("оеаинтсрвлкм")
_FREQUENT = frozenset(
    "的一是不了在人有我他这这中大来上国個个們们們這來國說说們时時要就出会會可也你对對生能而子那得于着下自之年发發后後"
)


def decode(body: bytes, content_type: str | None) -> str:
    """`body` as text without its byte order mark and without characters that XML forbids. Never raises.

    NUL is dropped, other forbidden characters become U+FFFD, so that no word grows together unseen.
    """
    text = _decode(body, content_type or "")
    return _ILLEGAL.sub("\ufffd", text.replace("\0", "").removeprefix("\ufeff"))


def _decode(body: bytes, content_type: str) -> str:
    for mark, codec in _BOMS:
        if body.startswith(mark):
            return _read(body[len(mark) :], codec)
    for pattern, codec in _WIDE:
        if pattern.match(body.lstrip(b" \t\r\n")):
            return _read(body, codec)
    labels = _labels(body, content_type)
    utf8 = _read(body, "utf-8")
    if _trustworthy(utf8) and _is_utf8(utf8, labels):
        return utf8
    return next((text for text in _readings(body, labels) if _trustworthy(text)), _read(body, "cp1252"))


def _labels(body: bytes, content_type: str) -> list[str]:
    """Codecs that the document claims: its own declaration, then the header; "latin-1" last, being many a server's default."""
    declared = _DECLARED.search(body[:1024])
    header = _CHARSET.search(content_type)
    claims = [declared.group(1).decode("ascii") if declared else "", header.group(1) if header else ""]
    known = [codec for codec in (_CODECS.get(claim.lower()) for claim in claims) if codec and codec not in _WIDE_CODECS]
    return sorted(dict.fromkeys(known), key=lambda codec: codec == "cp1252")


def _is_utf8(utf8: str, labels: list[str]) -> bool:
    """Two-byte sequences alone may be Korean in disguise; a longer one is as good as proof.

    A stateful encoding (ISO-2022) is ASCII on the wire, so there only the label can tell.
    """
    if not _STATEFUL_CODECS.isdisjoint(labels):
        return False
    multibyte = [codec for codec in labels if codec not in ("utf-8", "cp1252")]
    return not multibyte or utf8.isascii() or _THREE_BYTES.search(utf8) is not None


def _readings(body: bytes, labels: list[str]) -> Iterator[str]:
    """Candidate readings, the likeliest first. A label of windows-1252 is checked against Korean, which it often hides."""
    for codec in labels:
        if codec not in ("utf-8", "cp1252"):
            yield _read(body, codec)
    yield from _guesses(body)
    yield _read(body, "utf-8")


def _guesses(body: bytes) -> Iterator[str]:
    # Judged by EUC-KR's narrower table: CP949 also makes Hangul of an apostrophe of windows-1252 and the letter after it.
    # Chinese read as Korean has many Hanja among its Hangul; Korean hardly any.
    if _share(_read(body, "euc_kr"), "HANGUL SYLLABLE") > 0.8:
        yield _read(body, "cp949")
    for codec in ("cp932", "euc_jp"):
        japanese = _read(body, codec)
        if _share(japanese, "HIRAGANA", "KATAKANA") > 0.4:
            yield japanese
    cyrillic = max((_read(body, codec) for codec in ("cp1251", "koi8_r")), key=_russian)
    if _russian(cyrillic) > 0.4:
        yield cyrillic
    chinese = max((_read(body, codec) for codec in ("gb18030", "big5hkscs")), key=_frequent)
    if _frequent(chinese) > 0.05:
        yield chinese


def _read(body: bytes, codec: str) -> str:
    """Decode as far as the bytes go: a character that the end cuts in half is left out, a wrong one becomes U+FFFD."""
    return codecs.getincrementaldecoder(codec)("replace").decode(body, final=False)


def _trustworthy(text: str) -> bool:
    """At most one character in ten beyond ASCII is wrong."""
    wrong = text.count("\ufffd")
    return wrong == 0 or wrong * 10 <= len(_NOT_ASCII.findall(text))


def _share(text: str, *scripts: str) -> float:
    """How much of a sample of the text beyond ASCII is in these scripts."""
    sample = _sample(text)
    hits = sum(1 for char in sample if unicodedata.name(char, "").startswith(scripts))
    return hits / len(sample) if sample else 0.0


def _frequent(text: str) -> float:
    """How much of a sample of the text beyond ASCII is among the most frequent Chinese characters."""
    sample = _sample(text)
    return sum(1 for char in sample if char in _FREQUENT) / len(sample) if sample else 0.0


def _russian(text: str) -> float:
    """How much of a sample of the text beyond ASCII is among the most frequent Cyrillic letters, inside of words.

    Each of the encodings reads the other's small letters as capitals, and makes rare ones of them. An accent of French
    or Polish is a Cyrillic letter too, but stands alone among Latin ones.
    """
    sample = _sample(text)
    inside = "".join(_CYRILLIC_WORD.findall(text[:200_000]))[:2000]
    return sum(1 for char in inside if char in _FREQUENT_CYRILLIC) / len(sample) if sample else 0.0


def _sample(text: str) -> list[str]:
    return _NOT_ASCII.findall(text)[:2000]
