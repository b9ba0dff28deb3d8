"""Praise beside a failure: "thank you for losing my bag again". Nothing here understands irony; it only knows where to doubt.

Linear models read the praise and see a happy author. Where words of praise and a fact that nobody is happy about stand in one
short text, the honest answer is that a person should look. docs/quality.md says how much irony this finds and how much
praise it doubts without need.
"""

from collections.abc import Callable

import re2

_Words = Callable[[str], object]

LONGEST = 220
"""Characters: irony is short, and longer texts name good and bad sides side by side."""

_ENGLISH_PRAISE = re2.compile(
    r"\b(?:love (?:how|that|when|paying|waiting|being|a good|it)|loving|thanks?(?: you)?|so generous|great job|good job"
    r"|nice job|well done|bravo|congrat\w*|brilliant|awesome|fantastic|amazing|impeccable|masterpiece|truly blessed"
    r"|shout ?-? ?out|so proud|innovative|poetic|genius|impressive|personal best|cool cool|flattered|immersive"
    r"|unforgettable|astounding|award)\b",
).search
_ENGLISH_FAILURE = re2.compile(
    r"\b(?:on hold|late|delayed|cancell?ed|layover|crash(?:es|ed|ing)?|black screen|outage|broken|lost|missing|wrong"
    r"|charged|stuck|still waiting|still no|food poisoning|ruined|burgled|error|frozen|freezes|doesn'?t work|not working"
    r"|no support|no refund|no reply|ads|\d+ ?(?:hrs?|hours?|h|minutes|mins|days|weeks|months)|third time|again"
    r"|instead of)\b",
).search
_ENGLISH_OVER = re2.compile(
    r"\b(?:fixed|resolved|refunded|sorted|solved|replaced|found|never|no longer|without|not once)\b"
).search

_KOREAN_PRAISE = re2.compile(
    "최고|사랑해|사랑합니다|감사|고맙|센스|통 크|워라밸|대단|칭찬|축하|감동|세심"
    "|혁신|배려|감탄|예술|친절도 하|정성|참 좋|빠르다|부지런"
).search
_KOREAN_FAILURE = re2.compile(
    "먹통|오류|에러|튕[기김겨]|분실|증발|파손|누락|지연|연착|결항|도둑|고장|끊[겨김]|환불"
    "|안 ?[돼되됨와옴]|못 ?[봐봄하함받]|[0-9]+ ?[시일분주]간?째|성탄절|내년|전 손님"
    "|날아[갔감]|사라[졌짐]|잼이 되|요금 ?인상|요금 청구|또 "
).search
_KOREAN_OVER = re2.compile("없이|없어서|없었|해결|고쳐|처리해|보상|덕분|바로|교환").search


def praise_beside_failure(prepared: str) -> bool:
    """Does a short text, as `ngrams.prepare` writes it, hold both, and nothing that says that the failure is over?"""
    if len(prepared) > LONGEST:
        return False
    if prepared.isascii():
        return _has(prepared, _ENGLISH_PRAISE, _ENGLISH_FAILURE, _ENGLISH_OVER)
    return any(_has(prepared, *words) for words in _ALL)


_ALL = (
    (_KOREAN_PRAISE, _KOREAN_FAILURE, _KOREAN_OVER),
    (_ENGLISH_PRAISE, _ENGLISH_FAILURE, _ENGLISH_OVER),
)


def _has(text: str, praise: _Words, failure: _Words, over: _Words) -> bool:
    return bool(praise(text) and failure(text) and not over(text))
