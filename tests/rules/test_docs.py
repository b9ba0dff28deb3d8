"""docs/rules.md says what the program does: its files load, its queries find, its mistakes are reported word for word."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from listener import registry
from listener.cli.offline import AnySecret
from listener.decide.match import Matcher
from listener.decide.normalise import normalise
from listener.domain.errors import ConfigError
from listener.domain.mention import RawItem
from listener.domain.policy import Brand
from listener.rules.load import Loaded, load
from listener.rules.query import parse
from listener.rules.selftest import run_examples
from listener.rules.shape import RulesText, Section

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text()
FILES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
MISTAKES = re.findall(r"^```yaml wrong\n(.*?)^```\n```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
LANGUAGE = PAGE.partition("## The query language")[2].partition("## scoring")[0]
QUERIES = re.findall(r"^\| `([^|]*)` \| ([^|]*) \| ([^|]*) \|$", LANGUAGE, re.MULTILINE)


def loaded(text: str, *, secrets: bool = True) -> Loaded:
    return load(
        text,
        file="rules.yaml",
        connectors={name: kind.Config for name, kind in registry.connectors().items()},
        notifiers={name: kind.Config for name, kind in registry.notifiers().items()},
        env=AnySecret() if secrets else {},
    )


@pytest.mark.parametrize("text", FILES)
def test_every_file_of_the_page_loads_and_its_examples_hold(text: str) -> None:
    policy = loaded(text).policy
    assert run_examples(policy, Matcher(policy.brands, policy.topics, policy.intents)) == ()


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_every_mistake_of_the_page_is_reported_in_those_words(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(text, secrets=False)
    assert str(caught.value) == said.rstrip()


def finds(query: str, text: str) -> bool:
    matcher = Matcher([Brand(id="x", name="Unnamed", query=parse(query))], [], [])
    mention = normalise(RawItem(text=text), source_id="s", seen_at=datetime(2026, 1, 1, tzinfo=UTC))
    return bool(matcher.match(mention).brands)


@pytest.mark.parametrize(("query", "found", "not_found"), QUERIES)
def test_every_query_of_the_page_finds_what_it_says(query: str, found: str, not_found: str) -> None:
    assert finds(query, found)
    assert not finds(query, not_found)


def test_the_page_has_enough_of_each() -> None:
    assert len(FILES) >= 4
    assert len(MISTAKES) >= 8
    assert len(QUERIES) >= 15


def keys_of(section: type[Section]) -> set[str]:
    return {field.alias or name for name, field in section.model_fields.items()}


def test_every_key_of_the_file_is_on_the_page() -> None:
    sections: list[type[Section]] = [RulesText, *Section.__subclasses__()]
    missing = {key for section in sections for key in keys_of(section) if not re.search(rf"\b{key}\b", PAGE)}
    assert not missing
