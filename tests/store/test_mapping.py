"""Rows and values: every value that the domain can make survives the way to a row and back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from listener.domain.case import Case, CaseState, Disposition
from listener.domain.mention import Author, Mention, Reach
from listener.domain.verdict import Judgement, Label, Match, Reason, Sentiment, Severity, Span, Verdict
from listener.store import mapping
from listener.store.columns import UtcDateTime
from tests.store.build import NOW, sentiment, verdict

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)
WILD = st.text(max_size=30)
COUNT = st.integers(-(2**63) + 1, 2**63 - 1)
TIME = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
WORDS = st.lists(WILD, max_size=3).map(tuple)
FINITE = st.floats(-1, 1)


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """The value, or that it is unknown."""
    return st.none() | strategy


AUTHORS = st.builds(
    Author, handle=maybe(TEXT), name=maybe(TEXT), url=maybe(TEXT), followers=maybe(COUNT), verified=maybe(st.booleans())
)
REACHES = st.builds(Reach, **dict.fromkeys(("followers", "likes", "reposts", "replies", "views"), maybe(COUNT)))
MENTIONS = st.builds(
    Mention,
    id=TEXT,
    source_id=TEXT,
    native_key=maybe(TEXT),
    keys=WORDS,
    content_hash=TEXT,
    url=maybe(TEXT),
    title=maybe(TEXT),
    text=TEXT,
    author=AUTHORS,
    lang=maybe(TEXT),
    script=TEXT,
    reach=REACHES,
    published_at=maybe(TIME),
    found_at=maybe(TIME),
    seen_at=TIME,
    thread_id=maybe(TEXT),
    brands=WORDS,
    truncated=st.booleans(),
)
SPANS = st.builds(Span, start=st.integers(0, 9), end=st.integers(10, 65_536))
SENTIMENTS = st.builds(
    Sentiment, label=st.sampled_from(Label), value=maybe(FINITE), p_negative=maybe(FINITE), model=TEXT, why=TEXT
)
VERDICTS = st.builds(
    Verdict,
    mention_id=TEXT,
    brands=WORDS,
    matches=st.lists(st.builds(Match, query_id=WILD, term=WILD, span=maybe(SPANS)), max_size=3).map(tuple),
    judgement=st.builds(Judgement, sentiment=SENTIMENTS, topics=WORDS, intents=WORDS),
    score=st.integers(0, 100),
    severity=st.sampled_from(Severity),
    reasons=st.lists(st.builds(Reason, code=WILD, text=WILD, points=FINITE, rule=WILD), max_size=3).map(tuple),
    review=st.booleans(),
    ruleset=TEXT,
    decided_at=TIME,
)
CASES = st.builds(
    Case,
    id=st.integers(1, 2**63 - 1),
    state=st.sampled_from(CaseState),
    severity=st.sampled_from(Severity),
    score=st.integers(0, 100),
    brands=WORDS,
    topics=WORDS,
    title=TEXT,
    lead_mention_id=TEXT,
    opened_at=TIME,
    said_at=TIME,
    last_mention_at=TIME,
    mention_count=st.integers(1, 10**6),
    respond_by=maybe(TIME),
    review=st.booleans(),
    owner=maybe(TEXT),
    snoozed_until=maybe(TIME),
    resolved_at=maybe(TIME),
    disposition=maybe(st.sampled_from(Disposition)),
)


@given(MENTIONS)
def test_a_mention_survives_its_row(mention: Mention) -> None:
    assert mapping.mention_of(mapping.mention_values(mention, verdict()), mention.keys) == mention


@given(VERDICTS)
def test_a_verdict_survives_its_row(judged: Verdict) -> None:
    assert mapping.verdict_of(mapping.verdict_values(judged)) == judged


@given(CASES)
def test_a_case_survives_its_row(case: Case) -> None:
    assert mapping.case_of({**mapping.case_values(case), "id": case.id}) == case


@given(WILD)
def test_storable_text_can_be_encoded_and_changes_nothing_else(text: str) -> None:
    stored = mapping.storable(text)
    stored.encode()
    assert "\x00" not in stored
    assert len(stored) == len(text)
    assert all(now in (was, "�") for was, now in zip(text, stored, strict=True))
    assert mapping.storable(stored) == stored


@given(st.text(max_size=2000))
def test_a_key_always_fits_an_index(text: str) -> None:
    key = mapping.index_key(text)
    assert len(key.encode()) <= 2048
    assert mapping.index_key(key) == key


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_hashes_are_kept_apart_and_fit(one: int, other: int) -> None:
    stored = mapping.signed(one)
    assert -(2**63) <= stored < 2**63
    assert mapping.signed(stored) == stored
    assert (stored == mapping.signed(other)) == (one == other)


def test_severities_stand_in_the_order_of_the_queue() -> None:
    assert [mapping.severity_at(rank) for rank in range(4)] == [
        Severity.URGENT,
        Severity.HIGH,
        Severity.NORMAL,
        Severity.LOW,
    ]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_sentiment_that_is_no_number_is_refused(number: float) -> None:
    """SQLite would store NaN as NULL, and "negative" would come back as "unknown"."""
    from dataclasses import replace

    wrong = replace(verdict().judgement, sentiment=replace(sentiment(), value=number))
    with pytest.raises(ValueError, match="bug of the model"):
        mapping.verdict_values(verdict(judgement=wrong))


@given(TIME, st.integers(-14 * 60, 14 * 60))
def test_an_instant_is_the_same_in_every_zone_and_database(instant: datetime, offset: int) -> None:
    column = UtcDateTime()
    elsewhere = instant.astimezone(timezone(timedelta(minutes=offset)))
    for dialect in (sqlite.dialect(), postgresql.dialect()):  # type: ignore[no-untyped-call]
        bound = column.process_bind_param(elsewhere, dialect)
        assert bound == instant
        assert bound.utcoffset() == timedelta(0)
        for read in (bound, bound.replace(tzinfo=None), elsewhere):
            back = column.process_result_value(read, dialect)
            assert back == instant
            assert back.tzinfo is UTC


def test_no_time_is_no_time_and_a_naive_one_is_refused() -> None:
    column, dialect = UtcDateTime(), sqlite.dialect()
    assert column.process_bind_param(None, dialect) is None
    assert column.process_result_value(None, dialect) is None
    with pytest.raises(ValueError, match="say which zone"):
        column.process_bind_param(NOW.replace(tzinfo=None), dialect)
