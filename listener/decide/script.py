"""Which writing a text is in. Enough to know whether a model can read it; no language is guessed from Latin letters."""

import re

__all__ = ["dominant_script"]

# A Hangul syllable or an ideograph says about as much as three Latin letters ("환불" is "refund"), so that
# "Galaxy S24 Ultra 배터리 불량" counts as Korean.
_WEIGHTS = {"hangul": 3, "han": 3, "kana": 2}

_MOST_WEIGHT = max(_WEIGHTS.values())

# Enough letters to know, so that a long text costs no more than a page.
_SAMPLE = 2_000

_HANGUL = re.compile("[가-힣ᄀ-ᇿㄱ-ㅣ]+")
_ASCII_LETTER = re.compile("[A-Za-z]")
_NOT_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())
_RUNS = re.compile(
    "(?P<hangul>[가-힣ᄀ-ᇿㄱ-ㅣ]+)|(?P<latin>[A-Za-zªºÀ-ÖØ-öø-ɏＡ-Ｚａ-ｚ]+)|(?P<kana>[ぁ-ゖァ-ヺー]+)"
    "|(?P<han>[㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]+)|(?P<cyrillic>[Ѐ-ԯ]+)|(?P<greek>[Ͱ-Ͽ]+)|(?P<arabic>[ء-ۿݐ-ݿ]+)"
    "|(?P<hebrew>[א-ת]+)|(?P<thai>[ก-๛]+)|(?P<devanagari>[ऄ-ॿ]+)|(?P<other>[^\\W\\d_]+)"
)


def dominant_script(text: str) -> str:
    """The writing that says most of `text`: "latin", "hangul", "kana", "han", "cyrillic", ... or "none" without letters.

    Japanese is "kana" even where ideographs outnumber the Kana; "other" is any writing without a name here.
    """
    if text.isascii():
        return "latin" if _ASCII_LETTER.search(text) else "none"
    sample = text[:_SAMPLE]
    ascii_part = sample.encode("ascii", "ignore")
    if len(ascii_part.translate(None, _NOT_LETTERS)) > (len(sample) - len(ascii_part)) * _MOST_WEIGHT:
        return "latin"  # an accent, a curly quote and three emoji do not outweigh a sentence: no need to look closer
    hangul = sum(map(len, _HANGUL.findall(sample)))
    if hangul * 4 > len(sample):
        return "hangul"  # whatever the rest is, it weighs less
    weights = _weigh(sample)
    if weights.get("kana", 0) * 8 > weights.get("han", 0):
        weights["kana"] = weights.pop("han", 0) + weights.get("kana", 0)
    return max(weights, key=lambda script: weights[script], default="none")


def _weigh(text: str) -> dict[str, int]:
    weights: dict[str, int] = {}
    for run in _RUNS.finditer(text):
        script = run.lastgroup or "other"
        weights[script] = weights.get(script, 0) + len(run.group()) * _WEIGHTS.get(script, 1)
    return weights
