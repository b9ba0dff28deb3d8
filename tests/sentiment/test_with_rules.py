"""How the extra comes into judging: only where it is installed and wanted."""

from array import array
from dataclasses import replace
from pathlib import Path

import pytest

from listener.app import compile_rules, embedder, judging_ruleset, shipped
from listener.domain.policy import Policy
from listener.sentiment import embedding
from listener.sentiment.embedding import Embedder, Vector
from listener.sentiment.quality import StakesBeside
from listener.sentiment.quality import shipped as shipped_heads
from listener.sentiment.stakes import NgramStakes
from listener.settings import load_settings


@pytest.fixture(scope="module")
def policy() -> Policy:
    """The shipped rules."""
    return compile_rules(shipped("rules.yaml"), file="rules.yaml", env={}).policy


class Quiet:
    """The same vector for every text."""

    name = "fake 1"

    def vector(self, text: str) -> Vector:
        return array("f", [0.05] * 384)


def names(policy: Policy, vectors: Embedder | None) -> tuple[list[str], list[str]]:
    rules = judging_ruleset(policy, vectors)
    return [type(model).__name__ for model in rules.models], [type(model).__name__ for model in rules.stakes]


def test_without_the_extra_nothing_changes(policy: Policy) -> None:
    assert names(policy, None) == (["English", "Korean"], ["NgramStakes", "NgramStakes"])


def test_with_it_every_language_has_a_model(policy: Policy) -> None:
    """The embedding starts with the first text, so this starts none."""
    sentiment, stakes = names(policy, Embedder())
    assert sentiment == ["SentimentBeside", "SentimentBeside", "SentimentAcross"]
    assert stakes == ["StakesBeside", "StakesBeside", "StakesAcross"]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_heads_know_how_to_go_with_each_language(lang: str) -> None:
    model = StakesBeside(NgramStakes(lang), Quiet())
    assert model.judge("smoke from the charger, 연기가 나요").model.endswith(f"fake 1 heads {shipped_heads().version}")


def test_rules_that_count_no_stakes_need_no_vector_for_them(policy: Policy) -> None:
    calm = replace(policy, scoring=replace(policy.scoring, stakes_points=0.0))
    assert names(calm, Embedder())[1] == []


@pytest.mark.parametrize(
    ("there", "wanted", "used"), [(True, "auto", True), (True, "off", False), (False, "auto", False)]
)
def test_it_is_used_where_it_is_installed_and_not_switched_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool, wanted: str, used: bool
) -> None:
    monkeypatch.setattr(embedding, "installed", lambda: there)
    settings = load_settings({"LISTENER_EMBEDDING": wanted}, folder=tmp_path)
    assert (embedder(settings) is not None) is used
    assert (embedder(settings, hurried=False) is not None) is used
