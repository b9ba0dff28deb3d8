"""Mentions, keys, revisions and verdicts: what goes in comes out, and nothing is stored twice."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from listener.domain.mention import Author
from listener.domain.verdict import Label
from listener.store import SqlStore
from tests.store.build import NOW, mention, minutes, sentiment, stored_case, verdict


def test_a_mention_and_its_verdict_come_back_as_they_went_in(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.add_mention(mention(), verdict())
        assert uow.mention("m1") == mention()
    with store.reading() as uow:
        assert uow.mention("m1") == mention()
        assert uow.verdict("m1") == verdict()
        assert uow.revision_count("m1") == 1


def test_what_is_unknown_stays_unknown(store: SqlStore) -> None:
    bare = mention(
        native_key=None, url=None, title=None, author=Author(), lang=None, published_at=None, thread_id=None, brands=()
    )
    unjudged = verdict(label=Label.UNKNOWN, review=True)
    with store.writing() as uow:
        uow.add_mention(bare, unjudged)
    with store.reading() as uow:
        assert uow.mention("m1") == bare
        assert uow.verdict("m1") == unjudged


def test_nothing_is_found_where_nothing_is_stored(store: SqlStore) -> None:
    with store.reading() as uow:
        assert uow.mention("m1") is None
        assert uow.verdict("m1") is None
        assert uow.revision_count("m1") == 0
        assert uow.known(["forum:m1"]) == {}
        assert uow.known([]) == {}
        assert uow.last_complaints([], since=NOW) == {}
        assert uow.mention_count() == 0


def test_every_key_leads_to_its_mention_and_its_case(store: SqlStore) -> None:
    with store.writing() as uow:
        case = stored_case(uow, "m1")
        uow.add_mention(mention("m2"), verdict("m2"))
        known = uow.known(["forum:m1", "https://forum.example/m1", "forum:m2", "forum:other"])
    assert {key: one.mention_id for key, one in known.items()} == {
        "forum:m1": "m1",
        "https://forum.example/m1": "m1",
        "forum:m2": "m2",
    }
    first, second = known["forum:m1"], known["forum:m2"]
    assert (first.case_id, second.case_id) == (case.id, None)
    assert (first.source_id, first.native_key, first.content_hash) == ("forum", "forum:m1", "hash-m1")


def test_thousands_of_keys_are_one_question(store: SqlStore) -> None:
    """More keys than a statement of either database may have parameters."""
    many = [mention(f"m{n}", keys=(f"key-{n}", f"other-{n}")) for n in range(1100)]
    with store.writing() as uow:
        for one in many:
            uow.add_mention(one, verdict(one.id))
    with store.reading() as uow:
        known = uow.known([key for one in many for key in one.keys] + [f"strange-{n}" for n in range(70_000)])
        assert len(known) == 2200
        assert uow.mention_count() == 1100


def test_further_keys_lead_to_a_mention_and_never_away_from_another(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.add_mention(mention("m1"), verdict("m1"))
        uow.add_mention(mention("m2"), verdict("m2"))
        uow.add_keys("m1", ["alerts:99", "forum:m2"])
        known = uow.known(["alerts:99", "forum:m2"])
        assert (known["alerts:99"].mention_id, known["forum:m2"].mention_id) == ("m1", "m2")
        again = uow.mention("m1")
    assert again
    assert again.keys == ("forum:m1", "https://forum.example/m1", "alerts:99")


def test_a_key_longer_than_an_index_row_still_leads_to_its_mention(store: SqlStore) -> None:
    long = "https://forum.example/" + "가" * 4000
    with store.writing() as uow:
        uow.add_mention(mention(keys=(long,), author=Author(handle="@" + "긴" * 5000)), verdict())
        assert uow.known([long])[long].mention_id == "m1"
        assert uow.known([long + "x"]) == {}
        assert list(uow.last_complaints(["@" + "긴" * 5000], since=NOW - minutes(60)).values()) == [NOW - minutes(5)]


def test_the_same_mention_is_never_stored_twice(store: SqlStore) -> None:
    """The pipeline asks `known` first; should a bug get past it, the transaction fails instead of doubling a row."""
    with store.writing() as uow:
        uow.add_mention(mention(), verdict())
    with pytest.raises(IntegrityError), store.writing() as uow:
        uow.add_mention(mention(), verdict())
    with store.reading() as uow:
        assert uow.mention_count() == 1


def test_an_edit_shows_the_new_text_and_keeps_the_time_of_the_first_sight(store: SqlStore) -> None:
    edited = mention(
        "other-id",
        text="환불 받았어요",
        content_hash="hash-2",
        seen_at=NOW + minutes(30),
        keys=("forum:m1", "forum:edit"),
    )
    calm = verdict("other-id", label=Label.POSITIVE, decided_at=NOW + minutes(30))
    with store.writing() as uow:
        uow.add_mention(mention(), verdict())
        uow.add_revision("m1", edited, calm)
    with store.reading() as uow:
        now = uow.mention("m1")
        assert now == replace(edited, id="m1", seen_at=NOW, keys=("forum:m1", "https://forum.example/m1", "forum:edit"))
        assert uow.verdict("m1") == replace(calm, mention_id="m1")
        assert uow.revision_count("m1") == 2
        assert uow.known(["forum:m1"])["forum:m1"].content_hash == "hash-2"
        assert uow.mention_count() == 1


def test_what_is_not_stored_cannot_be_edited(store: SqlStore) -> None:
    with pytest.raises(LookupError, match="m1 is not stored"), store.writing() as uow:
        uow.add_revision("m1", mention(), verdict())


def test_the_last_complaint_of_each_author_is_found(store: SqlStore) -> None:
    def said(name: str, handle: str | None, ago: float, label: Label) -> None:
        one = mention(name, author=Author(handle=handle), published_at=NOW - minutes(ago))
        uow.add_mention(one, verdict(name, label=label))

    with store.writing() as uow:
        said("m1", "@a", 50, Label.NEGATIVE)
        said("m2", "@a", 20, Label.NEGATIVE)
        said("m3", "@a", 10, Label.NEUTRAL)
        said("m4", "@b", 10, Label.UNKNOWN)
        said("m5", "@c", 90, Label.NEGATIVE)
        said("m6", None, 10, Label.NEGATIVE)
        found = uow.last_complaints(["@a", "@b", "@c", "@d"], since=NOW - minutes(60))
    assert found == {"@a": NOW - minutes(20)}


def test_an_edit_can_make_and_unmake_a_complaint(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.add_mention(mention(), verdict(label=Label.NEUTRAL))
        assert uow.last_complaints(["@minji"], since=NOW - minutes(60)) == {}
        uow.add_revision("m1", mention(), verdict(label=Label.NEGATIVE))
        assert uow.last_complaints(["@minji"], since=NOW - minutes(60)) == {"@minji": NOW - minutes(5)}
        uow.add_revision("m1", mention(), verdict(label=Label.POSITIVE))
        assert uow.last_complaints(["@minji"], since=NOW - minutes(60)) == {}


def test_text_that_no_database_takes_is_stored_readable(store: SqlStore) -> None:
    """PostgreSQL refuses U+0000, and no encoder takes half a surrogate pair: the page must not fail for one post."""
    bad = "a\x00b\ud800c"
    hostile = mention(text=bad, title=bad, author=Author(handle=bad), keys=(bad,), thread_id=bad, native_key=bad)
    judged = verdict(judgement=replace(verdict().judgement, sentiment=replace(sentiment(), why=bad)), brands=(bad,))
    with store.writing() as uow:
        uow.add_mention(hostile, judged)
        assert bad in uow.known([bad])
    with store.reading() as uow:
        stored = uow.mention("m1")
        assert stored
        assert stored.text == stored.title == stored.author.handle == "a�b�c"
        told = uow.verdict("m1")
        assert told
        assert told.judgement.sentiment.why == "a�b�c"
        assert told.brands == (bad,)
        assert uow.last_complaints([bad], since=NOW - minutes(60)) == {bad: NOW - minutes(5)}


def test_numbers_beyond_64_bits_are_held_to_them(store: SqlStore) -> None:
    boast = mention(author=Author(handle="@a", followers=10**30), reach=replace(mention().reach, views=-(10**30)))
    with store.writing() as uow:
        uow.add_mention(boast, verdict())
        stored = uow.mention("m1")
    assert stored
    assert (stored.author.followers, stored.reach.views) == (2**63 - 1, -(2**63 - 1))


def test_times_keep_their_instant_and_come_back_in_utc(store: SqlStore) -> None:
    from zoneinfo import ZoneInfo

    seoul = NOW.astimezone(ZoneInfo("Asia/Seoul")) + timedelta(microseconds=7)
    with store.writing() as uow:
        uow.add_mention(mention(published_at=seoul, seen_at=seoul), verdict(decided_at=seoul))
    with store.reading() as uow:
        stored = uow.mention("m1")
        assert stored
        assert stored.published_at == seoul
        assert stored.published_at.utcoffset() == timedelta(0)
        assert stored.seen_at.utcoffset() == timedelta(0)
