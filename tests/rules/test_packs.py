"""Packs: what they say about a topic is united, what the file says is laid over it, and every shipped pack is sound."""

from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from listener.cli.rules import rules
from listener.decide.match import Found, Matcher
from listener.decide.normalise import normalise
from listener.domain.errors import ConfigError
from listener.domain.mention import RawItem
from listener.domain.policy import Policy, Topic
from listener.domain.query import Or
from listener.domain.verdict import Severity
from listener.rules.changes import written
from listener.rules.load import Loaded, load
from listener.rules.packs import SHIPPED, Folder
from listener.rules.schema import json_schema
from listener.rules.selftest import run_examples
from listener.rules.yaml_text import plain, read
from listener.testing.fakes import FakeClock
from tests.rules.plugins import CONNECTORS, NOTIFIERS

ONE = """\
topics:
  safety:
    any: [smoke, caught fire]
    none: [drill]
    at_least: high
    points: 10
    examples: {match: [it caught fire], ignore: [a smoke drill]}
intents:
  leave: {any: goodbye, points: 20, examples: {match: [goodbye then], ignore: [good]}}
"""
TWO = """\
topics:
  safety:
    any: [연기, smoke]
    none: 훈련
    at_least: urgent
    points: 5
    handle_by: phone
    advice: {do: Phone now}
    examples: {match: [연기가 나요], ignore: [연기 훈련]}
  bug: {any: crash, points: 3, examples: {match: [a crash]}}
"""
PACKS = {"one": ONE, "two": TWO}
ROOT = Path(__file__).resolve().parents[2]


def loaded(text: str, packs: Mapping[str, str] = PACKS) -> Loaded:
    return load(text, file="rules.yaml", connectors=CONNECTORS, notifiers=NOTIFIERS, env={}, packs=packs)


def policy(text: str, packs: Mapping[str, str] = PACKS) -> Policy:
    return loaded(text, packs).policy


def topic(of: Policy, name: str) -> Topic:
    (found,) = [one for one in (*of.topics, *of.intents) if one.id == name]
    return found


def terms(of: Topic) -> list[str]:
    return [written(part) for part in (of.any.parts if isinstance(of.any, Or) else (of.any,))]


def hidden(of: Topic) -> list[str]:
    if of.none is None:
        return []
    return [written(part) for part in (of.none.parts if isinstance(of.none, Or) else (of.none,))]


def errors(text: str, packs: Mapping[str, str] = PACKS) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(text, packs)
    return str(caught.value)


def warnings(text: str, packs: Mapping[str, str] = PACKS) -> list[str]:
    return [problem.sentence("rules.yaml") for problem in loaded(text, packs).warnings]


# --- how what several documents say becomes one ------------------------------------------------------------------------


def test_a_pack_brings_its_topics_and_intents() -> None:
    built = policy("include: one")
    assert [one.place for one in (*built.topics, *built.intents)] == ["topics.safety", "intents.leave"]
    safety, leave = topic(built, "safety"), topic(built, "leave")
    assert (terms(safety), hidden(safety)) == (["smoke", '"caught fire"'], ["drill"])
    assert (safety.at_least, safety.points, leave.points) == (Severity.HIGH, 10, 20)


def test_what_two_packs_say_is_united() -> None:
    built = policy("include: [one, two]")
    safety = topic(built, "safety")
    assert [one.id for one in built.topics] == ["safety", "bug"]
    assert (terms(safety), hidden(safety)) == (["smoke", '"caught fire"', "연기"], ["drill", "훈련"])
    assert (safety.at_least, safety.points) == (Severity.URGENT, 10)
    assert (safety.advice.do, safety.advice.handle_by) == (("Phone now",), "phone")
    assert safety.examples.match == ("it caught fire", "연기가 나요")


def test_what_the_file_says_is_laid_over() -> None:
    built = policy(
        """\
include: [one, two]
topics:
  safety: {any: [fumes, smoke], none: candle, at_least: normal, points: 1, examples: {match: [bad fumes]}}
"""
    )
    safety = topic(built, "safety")
    assert terms(safety) == ["smoke", '"caught fire"', "연기", "fumes"]
    assert hidden(safety) == ["drill", "훈련", "candle"]
    assert (safety.at_least, safety.points) == (Severity.NORMAL, 1)
    assert (safety.advice.do, safety.advice.handle_by) == (("Phone now",), "phone")
    assert safety.examples.match[-1] == "bad fumes"


def test_advice_and_the_way_of_answering_can_be_laid_over() -> None:
    safety = topic(policy("include: two\ntopics: {safety: {handle_by: mail, advice: {avoid: Guessing}}}"), "safety")
    assert (safety.advice.do, safety.advice.avoid, safety.advice.handle_by) == ((), ("Guessing",), "mail")


def test_a_topic_needs_no_words_of_its_own_if_a_pack_has_some() -> None:
    assert topic(policy("include: one\ntopics: {safety: {points: 0}}"), "safety").points == 0


def test_a_topic_of_the_file_alone_stands_behind_those_of_packs() -> None:
    built = policy("include: one\ntopics: {lounge: {any: lounge}}")
    assert [one.id for one in built.topics] == ["safety", "lounge"]


def test_off_switches_off() -> None:
    built = policy("include: [one, two]\ntopics: {safety: off}\nintents: {leave: off}")
    assert ([one.id for one in built.topics], built.intents) == (["bug"], ())


def test_a_route_may_still_name_what_is_switched_off() -> None:
    assert warnings("include: one\nintents: {leave: off}\nscoring: {intents: {leave: 3}}") == []
    routes = "routes: {routes: [{when: topic=safety, receiver: none}]}"
    assert warnings(f"include: one\ntopics: {{safety: off}}\n{routes}") == []


def test_points_under_scoring_win_over_those_of_a_pack() -> None:
    assert topic(policy("include: one\nscoring: {intents: {leave: 7}}"), "leave").points == 7


def test_near_is_the_widest_and_the_file_decides() -> None:
    brand = "brands: {b: {query: acme}}\ninclude: [x, y]\n"

    def near(x: str, y: str, own: str = "") -> int | None:
        packs = {"x": f"topics: {{t: {{any: a{x}}}}}", "y": f"topics: {{t: {{any: b{y}}}}}"}
        return topic(policy(brand + own, packs), "t").near_brand

    assert near(", near: brand/3", ", near: brand/9") == 9
    assert near(", near: brand/3", "") is None
    assert near(", near: brand/3", "", "topics: {t: {near: brand/2}}") == 2


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3, unique=True),
            st.lists(st.sampled_from("uvw"), max_size=2, unique=True),
            st.sampled_from(["", ", at_least: high", ", at_least: urgent", ", at_least: low"]),
            st.sampled_from(["", ", points: 1", ", points: 0", ", points: 30"]),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_the_order_of_packs_changes_nothing_that_counts(
    drawn: list[tuple[list[str], list[str], str, str]],
) -> None:
    """And nothing that one pack says is lost."""
    shelf = {
        f"p{number}": f"topics: {{t: {{any: [{', '.join(any_)}], none: [{', '.join(none)}]{least}{points}}}}}"
        for number, (any_, none, least, points) in enumerate(drawn)
    }
    results = {
        (frozenset(terms(one)), frozenset(hidden(one)), one.at_least, one.points)
        for order in permutations(shelf)
        for one in [topic(policy(f"include: [{', '.join(order)}]", shelf), "t")]
    }
    ((any_found, none_found, _, points_found),) = results
    assert any_found == {term for any_, *_ in drawn for term in any_}
    assert none_found == {term for _, none, *_ in drawn for term in none}
    assert points_found == max((float(points[9:]) for *_, points in drawn if points), default=0.0)


def test_the_digest_covers_what_packs_mean_and_not_their_examples() -> None:
    before = policy("include: one").digest
    assert policy("include: one", {"one": ONE.replace("smoke, ", "smoke, soot, ")}).digest != before
    assert policy("include: one", {"one": ONE.replace("a smoke drill", "a drill")}).digest == before
    assert policy("include: one\ntopics: {safety: off}").digest != before


# --- problems ----------------------------------------------------------------------------------------------------------


def test_an_unknown_pack_is_said_with_the_closest() -> None:
    assert errors("include: [on]") == ('rules.yaml:1:11: include[0]: there is no pack "on"; did you mean "one"?')


def test_a_pack_that_is_named_twice_is_odd() -> None:
    assert warnings("include: [one, one]") == ["rules.yaml:1:16: include[1]: stands here twice; remove one"]


def test_problems_of_packs_name_the_pack_and_its_line_behind_those_of_the_file() -> None:
    packs = {"x": "topics:\n  t: {any: [a, f*x], pints: 5}\n", "y": "topics:\n  two words: {any: b}\n"}
    assert errors("include: [x, y]\ntopics: {u: {any: c, pints: 5}}", packs).splitlines() == [
        'rules.yaml:2:22: topics.u.pints: unknown key "pints"; did you mean "points"?',
        'packs/x.yaml:2:17: topics.t.any[1]: * can only stand at the end of a word (character 2); write "word*"',
        'packs/x.yaml:2:22: topics.t.pints: unknown key "pints"; did you mean "points"?',
        'packs/y.yaml:2:3: topics.two words: "two words" cannot be a name; '
        "use letters, digits, - and _, at most 64, without blanks",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("topics: [", "packs/x.yaml:2:1: a value is missing before this place; put a text that begins with # or : in quotes"),
        ("- a", 'packs/x.yaml:1:1: the file should consist of sections like "topics:"; begin with "topics:"'),
        ("brands: {}", 'packs/x.yaml:1:1: brands: unknown key "brands"; there is intents, topics'),
        ("topics: {t: off}", "packs/x.yaml:1:13: topics.t: should be a group of keys; "
         'write "key: value" on lines of their own, or {key: value}'),
        ("topics: {t: {any: 'brand:b'}}", 'packs/x.yaml:1:19: topics.t.any[0]: there is no brand "b"; none is defined'),
    ],
)  # fmt: skip
def test_a_bad_pack_is_said(text: str, said: str) -> None:
    assert errors("include: x", {"x": text}) == said


def test_a_warning_in_a_pack_names_it() -> None:
    assert warnings("include: x", {"x": "topics: {t: {any: [a, a]}}"}) == [
        "packs/x.yaml:1:23: topics.t.any[1]: stands here twice, first as entry 1; remove one"
    ]


def test_a_topic_without_words_is_said() -> None:
    assert errors("include: one\ntopics: {safty: {points: 3}, new: {any: }}").splitlines() == [
        'rules.yaml:2:10: topics.safty: "any" is missing; did you mean "safety"?',
        'rules.yaml:2:41: topics.new.any: "any" is empty; write its value; a text that begins with # needs quotes',
    ]


def test_off_for_what_no_pack_has_is_odd() -> None:
    assert warnings("include: one\ntopics: {safty: off}") == [
        'rules.yaml:2:10: topics.safty: no pack of this file has "safty", so there is nothing to switch off; '
        'did you mean "safety"?'
    ]


def test_a_mistake_beside_off_is_still_found_at_its_place() -> None:
    assert errors("include: one\ntopics: {safety: off, t: {any: a, advice: {doo: b}}, u: of}").splitlines() == [
        'rules.yaml:2:44: topics.t.advice.doo: unknown key "doo"; did you mean "do"?',
        'rules.yaml:2:57: topics.u: should be a group of keys; write "key: value" on lines of their own, or {key: value}',
    ]


def test_an_example_that_fails_is_said_where_it_stands() -> None:
    packs = {
        "one": ONE.replace("it caught fire", "it caught fire, it cought fire"),
        "two": TWO.replace("ignore: [연기 훈련]", "ignore: 연기"),
    }
    own = "include: [one, two]\ntopics: {safety: {examples: {match: [smoke, soot]}}}"
    file = loaded(own, packs)
    built = file.policy
    failures = run_examples(built, Matcher(built.brands, built.topics, built.intents))
    assert [failure.problem(file.places).sentence("rules.yaml").split(": ")[:2] for failure in failures] == [
        ["packs/one.yaml:7:40", "topics.safety.examples.match[1]"],
        ["rules.yaml:2:45", "topics.safety.examples.match[1]"],
        ["packs/two.yaml:9:41", "topics.safety.examples.ignore[0]"],
    ]


# --- the schema --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("include: one\ntopics: {safety: off, bug: {points: 3}}", True),
        ("include: [one, two]", True),
        ("include: [three]", False),
        ("include: one\ntopics: {safety: on}", False),
        ("topics: {bug: {points: 3}}", False),
    ],
)
def test_editors_know_packs(text: str, fine: bool) -> None:
    root = read(text).root
    assert root is not None
    validator = Draft202012Validator(json_schema(CONNECTORS, NOTIFIERS, PACKS))
    assert validator.is_valid(plain(root)) == fine


# --- the packs that we ship --------------------------------------------------------------------------------------------


def found(matcher: Matcher, text: str) -> Found:
    return matcher.match(normalise(RawItem(text=text), source_id="s", seen_at=FakeClock().now()))


def test_a_folder_has_the_packs_that_are_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("topics: {}")
    (tmp_path / "notes.txt").write_text("")
    shelf = Folder(tmp_path)
    assert (list(shelf), len(shelf), shelf["mine"], "../mine" in shelf) == (["mine"], 1, "topics: {}", False)


def test_there_are_packs_for_support_and_for_what_is_urgent_elsewhere() -> None:
    assert set(SHIPPED) == {"support-en", "support-ko"} | {
        f"urgent-{lang}" for lang in ("ja", "zh", "es", "de", "fr", "pt")
    }


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_pack_is_sound_by_itself(name: str) -> None:
    """It loads without a warning, counts for something in every entry, and all of its examples hold."""
    file = loaded(f"include: {name}", SHIPPED)
    built = file.policy
    assert file.warnings == ()
    assert [str(one) for one in run_examples(built, Matcher((), built.topics, built.intents))] == []
    for one in (*built.topics, *built.intents):
        assert one.examples.match, one.place
        assert one.examples.ignore, one.place


def test_all_shipped_packs_agree_with_each_other() -> None:
    """The words of one language hide nothing that matters in another."""
    built = loaded(f"include: [{', '.join(SHIPPED)}]", SHIPPED).policy
    assert [str(one) for one in run_examples(built, Matcher((), built.topics, built.intents))] == []


def test_packs_for_urgent_things_call_nothing_less_than_urgent() -> None:
    for name in SHIPPED:
        if name.startswith("urgent-"):
            built = loaded(f"include: {name}", SHIPPED).policy
            assert {one.at_least for one in (*built.topics, *built.intents)} == {Severity.URGENT}, name


def test_a_pack_can_be_read_with_a_command() -> None:
    read_one = CliRunner().invoke(rules, ["sample", "--pack", "support-ko"])
    assert (read_one.exit_code, read_one.output) == (0, SHIPPED["support-ko"])
    refused = CliRunner().invoke(rules, ["sample", "--pack", "suport-ko"])
    assert str(refused.exception) == "there is no pack 'suport-ko'; did you mean \"support-ko\"?"


# --- languages that no model judges ------------------------------------------------------------------------------------

ELSEWHERE = {
    block.partition("]")[0]: [line for line in block.splitlines()[1:] if line]
    for block in (ROOT / "tests" / "data" / "rules" / "elsewhere.txt").read_text(encoding="utf-8").split("\n[")[1:]
}


@pytest.fixture(scope="module")
def everything() -> Matcher:
    built = loaded(f"include: [{', '.join(SHIPPED)}]", SHIPPED).policy
    return Matcher(
        (), *([one for one in kind if one.at_least is Severity.URGENT] for kind in (built.topics, built.intents))
    )


@pytest.mark.parametrize("language", ELSEWHERE)
def test_most_of_what_is_urgent_is_raised_and_nothing_harmless(everything: Matcher, language: str) -> None:
    raised: dict[str, list[bool]] = {"+": [], "-": []}
    for line in ELSEWHERE[language]:
        one = found(everything, line[2:])
        raised[line[0]].append(bool(one.topics or one.intents))
    assert sum(raised["+"]) >= 0.9 * len(raised["+"]) >= 30 * 0.9
    assert sum(raised["-"]) == 0
    assert len(raised["-"]) >= 20
