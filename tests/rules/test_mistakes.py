"""One line for each mistake: what is said, where, and with which remedy."""

from pathlib import Path

import pytest

from listener.domain.errors import ConfigError
from tests.rules.plugins import errors, loaded, warnings

BLOCKS = (Path(__file__).resolve().parents[1] / "data" / "rules" / "mistakes.txt").read_text().split("\n\n")[1:]


def case(block: str) -> tuple[str, list[str], list[str]]:
    lines = block.strip("\n").split("\n")
    text = "\n".join(line for line in lines if line[:4] not in (">>> ", "??? "))
    wrong = [line[4:] for line in lines if line.startswith(">>> ")]
    return text, wrong, [line[4:] for line in lines if line.startswith("??? ")]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_mistake_is_said_with_its_place_and_a_remedy(block: str) -> None:
    """One block for each mistake; a line for each thing that is said of it."""
    text, wrong, odd = case(block)
    assert (errors(text), odd) == (wrong, []) if wrong else warnings(text) == odd


def test_all_mistakes_are_said_at_once_in_the_order_of_the_file() -> None:
    found = errors(
        """\
version: 2
brands:
  a:
    query: x or y
    exclud: z
sources:
  s: {connector: feed, ulr: x, every: 5, brands: [b]}
topics:
  t: {any: [ok, f*x], at_leest: high, points: lots}
receivers:
  r: {notify: [{notifier: chat, webhook_env: HOOK, flavor: x}]}
routes:
  receiver: rr
  routes:
    - {when: [severity=urgnt], reciever: r}
    - {when: [severty=urgent]}
quiet_hours: {zone: X, from: 22:00}
"""
    )
    assert [line.split(": ")[1] for line in found] == [
        "version", "brands.a.query", "brands.a.exclud", "sources.s", "sources.s.ulr", "sources.s.every", "sources.s.brands[0]",
        "topics.t.any[1]", "topics.t.at_leest", "topics.t.points", "receivers.r.notify[0].webhook_env",
        "receivers.r.notify[0].flavor", "routes.receiver", "routes.routes[0].when[0]", "routes.routes[0].reciever",
        "routes.routes[1].when[0]", "quiet_hours", "quiet_hours.zone",
    ]  # fmt: skip


def test_an_alias_causes_no_second_problem() -> None:
    assert len(errors("brands: {a: {query: *x}}")) == 1


def test_a_broken_entry_can_still_be_referred_to() -> None:
    assert errors("brands: {a: 5}\nsources: {s: {connector: search, brands: [a]}}") == [
        '1:13: brands.a: should be a group of keys; write "key: value" on lines of their own, or {key: value}'
    ]


def test_the_offending_text_is_shown_but_nothing_that_may_be_secret() -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(
            "brands: {a: {query: 'x or y'}}\nsources: {s: {connector: feed, url: 5, title: 6}}\ntopics: {t: {any: ok, points: "
            + "z" * 100
            + "}}"
        )
    assert {problem.path: problem.excerpt for problem in caught.value.problems} == {
        "brands.a.query": "x or y",
        "sources.s.url": None,
        "sources.s.title": "6",
        "topics.t.points": "z" * 79 + "…",
    }


@pytest.mark.parametrize(
    "text",
    [
        "topics: {t: {any: [a, /a/, ㅠ가]}}",
        "brands: {a: {query: x}}\nsources: {s: {connector: search}}\ntopics: {t: {any: a, near: brand/5}}",
        "intents: {i: {any: a, at_least: high}}",
        "digests: {}\nsilences: []\nquiet_hours:\n",
        "brands: {a: {query: brand:a}}",
    ],
)
def test_what_is_in_order_is_no_warning(text: str) -> None:
    assert warnings(text) == []
