"""What a file means: defaults, inheritance of values, and a digest of the meaning alone."""

from datetime import UTC, datetime, time, timedelta
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.domain.policy import Matcher, MatchOp, SourceMode
from listener.domain.query import Or, Term
from listener.domain.verdict import Severity
from tests.rules.plugins import Feed, Mail, errors, policy, warnings


def test_the_shortest_file_has_sensible_defaults() -> None:
    found = policy("version: 1")
    assert (found.brands, found.sources, found.topics, found.intents) == ((), (), (), ())
    assert found.scoring.severity == {Severity.URGENT: 70, Severity.HIGH: 45, Severity.NORMAL: 20}
    assert (found.scoring.negative_points, found.scoring.unknown_points, found.scoring.unknown_review) == (15, 10, True)
    assert found.scoring.stakes_points == 90
    assert found.scoring.reach.cap == 20
    assert found.scoring.repeat_complaint is not None
    assert found.scoring.repeat_complaint.within == timedelta(days=30)
    assert found.respond_within[Severity.URGENT] == timedelta(minutes=5)
    assert Severity.LOW not in found.respond_within
    assert found.route.receiver == "console"
    assert [channel.name for channel in found.receivers["console"].channels] == ["console/0:console"]
    assert found.quiet_hours is None


@pytest.mark.parametrize("text", ["brands:\nsources:\n", "brands: {}\nsources: {}\n", "topics:\n  # x: {any: y}\n"])
def test_a_section_without_entries_is_an_empty_one(text: str) -> None:
    assert policy(text).brands == ()
    assert warnings(text) == []


def test_a_brand() -> None:
    (brand,) = policy(
        "brands: {b: {query: 'a OR \"b c\"', exclude: d, accounts: ['@us', us.example], rivals: [Other Co]}}"
    ).brands
    assert brand.query == Or((Term("a", "a"), Term("b c", "b c")))
    assert (brand.id, brand.name, brand.exclude) == ("b", "b", Term("d", "d"))
    assert brand.accounts == ("@us", "us.example")
    assert brand.rivals == ("Other Co",)


def test_a_source() -> None:
    (source,) = policy(
        "brands: {b: {query: x}}\n"
        "sources: {s: {connector: feed, url: 'https://x', every: 90s, brands: b, mode: shadow, silent_after: 2d}}"
    ).sources
    assert source.config == Feed(url="https://x")
    assert (source.every, source.silent_after) == (timedelta(seconds=90), timedelta(days=2))
    assert (source.brands, source.mode) == (("b",), SourceMode.SHADOW)


def test_a_topic() -> None:
    found = policy(
        dedent("""
        brands: {b: {query: x}}
        topics:
          t:
            any: [charged twice, 404, 1.10, true, no]
            none: fine
            near: brand/12
            at_least: high
            points: 12.5
            handle_by: phone
            advice: {do: call, avoid: [argue, blame]}
            examples: {match: [charged twice], ignore: [thanks]}
        """)
    )
    topic = found.topic("t")
    assert topic is not None
    assert isinstance(topic.any, Or)
    assert [part.text for part in topic.any.parts if isinstance(part, Term)] == [
        "charged twice",
        "404",
        "1.10",
        "true",
        "no",
    ]
    assert (topic.place, topic.near_brand, topic.at_least, topic.points) == ("topics.t", 12, Severity.HIGH, 12.5)
    assert topic.none == Term("fine", "fine")
    assert (topic.advice.do, topic.advice.avoid, topic.advice.handle_by) == (("call",), ("argue", "blame"), "phone")
    assert topic.examples.match == ("charged twice",)


def test_points_of_an_intent_stand_with_it_or_under_scoring() -> None:
    found = policy("intents: {a: {any: x}, b: {any: y, points: 7}}\nscoring: {intents: {a: 20}}")
    assert [(intent.id, intent.place, intent.points) for intent in found.intents] == [
        ("a", "intents.a", 20),
        ("b", "intents.b", 7),
    ]


def test_what_is_written_of_the_customers_clock_is_all_of_it() -> None:
    assert policy("respond_within: {high: 2h}").respond_within == {Severity.HIGH: timedelta(hours=2)}


def test_scoring() -> None:
    scoring = policy(
        "scoring: {lexicon: {MEH: -1.5}, author: {repeat_complaint: {points: 0}}, unknown: {review: false}, reach: {cap: 5}}"
    ).scoring
    assert scoring.lexicon == {"meh": -1.5}
    assert scoring.repeat_complaint is None
    assert scoring.unknown_review is False
    assert (scoring.reach.cap, scoring.reach.per_tenfold_followers) == (5, 4)


def test_channels_have_stable_names_and_typed_settings() -> None:
    found = policy("receivers: {r: {notify: [{notifier: console}, {notifier: mail, to: [a@x], from: b@x}]}}")
    assert list(found.channels) == ["r/0:console", "r/1:mail"]
    config = found.channels["r/1:mail"].config
    assert isinstance(config, Mail)
    assert config.sender == "b@x"


def test_what_is_not_acted_on_yet_is_kept() -> None:
    found = policy(
        dedent("""
        receivers: {a: {notify: [{notifier: console}]}, b: {notify: [{notifier: console}]}}
        routes: {receiver: a, routes: [{when: severity=low, digest: d}]}
        escalation: {e: {acknowledge_within: 5m, steps: [{after: 10m, receiver: b}], repeat: 2}}
        quiet_hours: {zone: Asia/Seoul, from: 22:00, to: "07:00", except: [urgent, high]}
        digests: {d: {cron: 0 9 * * mon-fri, zone: Asia/Seoul, receiver: b}}
        silences: [{matchers: [severity=low, language=ko], until: 2026-03-02T11:00+09:00, by: me, because: move}]
        retention: {low: 30d}
        """)
    )
    step = found.escalations["e"].steps[0]
    assert (step.after, step.receiver, found.escalations["e"].repeat) == (timedelta(minutes=10), "b", 2)
    assert found.quiet_hours is not None
    assert (found.quiet_hours.start, found.quiet_hours.end) == (time(22), time(7))
    assert found.quiet_hours.exempt == (Severity.URGENT, Severity.HIGH)
    assert found.digests["d"].cron == "0 9 * * mon-fri"
    assert found.silences[0].until == datetime(2026, 3, 2, 2, tzinfo=UTC)
    assert found.silences[0].matchers[1] == Matcher(label="language", op=MatchOp.EQUAL, value="ko")
    assert (found.retention.low, found.retention.mentions) == (timedelta(days=30), None)


SAME = [
    "topics: {t: {any: [a, b], points: 5}}\nrespond_within: {urgent: 5m}",
    "# a comment\nrespond_within:\n  urgent: 300s\ntopics:\n  t:\n    points: 5.0\n    any: ['a', \"b\"]\n",
    "topics: {t: {any: [a, b], points: 5, examples: {match: a}}}\nrespond_within: {urgent: 5m}\nversion: 1\nbrands:\n",
]


def test_the_digest_is_of_the_meaning_not_of_the_spelling() -> None:
    assert len({policy(text).digest for text in SAME}) == 1
    assert len(policy(SAME[0]).digest) == 12


@pytest.mark.parametrize(
    "text",
    [
        "topics: {t: {any: [a, c], points: 5}}\nrespond_within: {urgent: 5m}",
        "topics: {t: {any: [a, b], points: 6}}\nrespond_within: {urgent: 5m}",
        "topics: {u: {any: [a, b], points: 5}}\nrespond_within: {urgent: 5m}",
        "topics: {t: {any: [a, b], points: 5, advice: {do: x}}}\nrespond_within: {urgent: 5m}",
    ],
)
def test_another_meaning_has_another_digest(text: str) -> None:
    assert policy(text).digest != policy(SAME[0]).digest


def test_a_secret_changes_no_digest() -> None:
    text = "receivers: {r: {notify: [{notifier: chat, webhook_env: HOOK}]}}"
    assert policy(text, {"HOOK": "https://a"}).digest == policy(text, {"HOOK": "https://b"}).digest


@given(st.permutations(["brands: {b: {query: x}}", "topics: {t: {any: y}}", "retention: {low: 1d}", "version: 1"]))
def test_the_order_of_sections_means_nothing(lines: list[str]) -> None:
    assert (
        policy("\n".join(lines)).digest
        == policy("version: 1\nbrands: {b: {query: x}}\ntopics: {t: {any: y}}\nretention: {low: 1d}").digest
    )


@pytest.mark.parametrize("text", ["- a\n", "just words\n", "42\n", "'text'\n"])
def test_a_file_that_is_no_group_of_sections_is_refused(text: str) -> None:
    assert errors(text) == ['1:1: the file should consist of sections like "topics:"; begin with "version:"']


def test_a_file_that_is_no_yaml_is_refused() -> None:
    assert errors("a: [") == ["2:1: a value is missing before this place; put a text that begins with # or : in quotes"]
