"""The shipped models of what is at stake."""

import gzip
import hashlib
import json
from importlib.resources import files

import pytest

from listener.domain.verdict import Stakes
from listener.sentiment.stakes import MAX_SHOWN, NgramStakes
from tests.decide.examples import mention

ENGLISH, KOREAN = NgramStakes("en"), NgramStakes("ko")
LARGEST = 1_000_000
"""Bytes of a weights file as shipped, and of one unpacked half as much again."""


def likeliest(stakes: Stakes) -> str:
    shares = {
        "urgent": stakes.p_urgent,
        "high": stakes.p_high,
        "normal": stakes.p_normal,
        "low": stakes.p_low,
    }
    return max(shares, key=lambda severity: shares[severity])


# Written for this test; none is among the posts that the models were trained on.
@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("The adapter started smoking next to the cot, the plastic is black", "urgent"),
        ("logged in this morning and I can see another person's invoices and address", "urgent"),
        ("Five weeks, six emails, still no refund and nobody answers", "high"),
        ("How do I change the language of the menus?", "normal"),
        ("Lovely crew and we landed early, thank you!", "low"),
    ],
)
def test_english_stakes(text: str, severity: str) -> None:
    assert likeliest(ENGLISH.judge(text)) == severity


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("충전기에서 연기가 나고 콘센트가 까맣게 탔어요", "urgent"),
        ("지금 결제가 전부 안 되는데 저만 그런가요", "urgent"),
        ("환불 신청한 지 5주째인데 고객센터는 답이 없습니다", "high"),
        ("앱에서 언어 설정은 어디서 바꾸나요?", "normal"),
        ("직원분들이 친절하고 정말 만족스러웠어요", "low"),
    ],
)
def test_korean_stakes(text: str, severity: str) -> None:
    assert likeliest(KOREAN.judge(text)) == severity


@pytest.mark.parametrize(
    "text", ["the plug melted", "연기가 나요", "", "?", "🔥" * 50_000, "a " * 50_000, "\x00\ud800"]
)
def test_any_text_gets_shares_that_sum_up_to_one(text: str) -> None:
    for model in (ENGLISH, KOREAN):
        stakes = model.judge(text)
        shares = (stakes.p_urgent, stakes.p_high, stakes.p_normal, stakes.p_low)
        assert all(0 <= share <= 1 for share in shares)
        assert sum(shares) == pytest.approx(1, abs=0.001)
        assert model.judge(text) == stakes


def test_the_words_that_counted_are_told_the_heaviest_first() -> None:
    stakes = ENGLISH.judge("The adapter started smoking next to the cot, the plastic is black")
    phrases, weights = zip(*stakes.phrases, strict=True)
    assert phrases[0] == "started smoking"
    assert 0 < len(phrases) <= MAX_SHOWN
    assert list(weights) == sorted(weights, reverse=True)
    assert min(weights) > 0


def test_what_is_calm_needs_no_explanation() -> None:
    assert KOREAN.judge("직원분들이 친절하고 정말 만족스러웠어요").phrases == ()


def test_the_verdict_names_model_and_version() -> None:
    assert KOREAN.judge("연기가 나요").model == "stakes-ko 1"
    assert KOREAN.name == "stakes-ko"


@pytest.mark.parametrize(
    ("script", "lang", "text", "english", "korean"),
    [
        ("latin", "en", "it melted", True, False),
        ("latin", None, "the charger melted on my desk", True, False),
        ("latin", None, "el cargador se ha derretido en mi mesa", False, False),
        ("latin", "de", "es ist geschmolzen", False, False),
        ("hangul", "ko", "녹았어요", False, True),
        ("hangul", None, "녹았어요", False, True),
        ("kana", "ja", "とけた", False, False),
    ],
)
def test_each_reads_its_own_language(script: str, lang: str | None, text: str, *, english: bool, korean: bool) -> None:
    said = mention(text, script=script, lang=lang)
    assert (ENGLISH.reads(said), KOREAN.reads(said)) == (english, korean)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_weights_are_small_and_those_of_the_card(lang: str) -> None:
    weights = files("listener.sentiment").joinpath("weights")
    packed = weights.joinpath(f"stakes_{lang}.tsv.gz").read_bytes()
    card = json.loads(weights.joinpath("stakes.json").read_text(encoding="utf-8"))
    assert hashlib.sha256(packed).hexdigest() == card[lang]["sha256"]
    assert len(packed) <= LARGEST
    assert len(gzip.decompress(packed)) <= 1.5 * LARGEST
