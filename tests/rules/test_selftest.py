"""Examples in the file are tried, and a failure says where and what to do."""

from listener.decide.match import Matcher
from listener.rules.selftest import run_examples
from tests.rules.plugins import loaded

FILE = """\
brands: {b: {query: acme}}
topics:
  good: {any: refund, examples: {match: [a refund please], ignore: [thanks]}}
  blind: {any: refund, examples: {match: [money back]}}
  loud: {any: [fire, smoke], examples: {ignore: [ok, this is fire]}}
  close: {any: fire, near: brand/2, examples: {match: [fire]}}
intents:
  leave: {any: bye, at_least: high, examples: {match: [bye], ignore: [say bye]}}
"""


def test_every_example_that_does_not_behave_is_told() -> None:
    file = loaded(FILE)
    policy = file.policy
    failures = run_examples(policy, Matcher(policy.brands, policy.topics, policy.intents))
    assert [failure.problem(file.places).sentence("f") for failure in failures] == [
        "f:4:43: topics.blind.examples.match[0]: this example should match blind, but does not; "
        "add a term to any, or look whether none hides it",
        'f:5:54: topics.loud.examples.ignore[1]: loud should ignore this example, but matches; narrow "fire", '
        "or put the harmless phrase into none",
        "f:6:56: topics.close.examples.match[0]: this example should match close, but does not; "
        "add a term to any, or name a brand within 2 words of it in the example",
        'f:8:71: intents.leave.examples.ignore[0]: leave should ignore this example, but matches; narrow "bye", '
        "or put the harmless phrase into none",
    ]
    assert str(failures[0]) == (
        "topics.blind.examples.match[0]: this example should match blind, but does not: 'money back'; "
        "add a term to any, or look whether none hides it"
    )
    assert failures[0].problem(file.places).excerpt == "money back"


def test_a_long_example_is_cut_and_a_field_needs_no_place() -> None:
    file = loaded(
        f"topics: {{t: {{any: ['lang:ko OR x', 'followers<5 OR {'y' * 5}'], examples: {{ignore: [{'x ' * 60}]}}}}}}"
    )
    (failure,) = run_examples(file.policy, Matcher((), file.policy.topics, ()))
    assert len(failure.problem(file.places).excerpt or "") == 80
