"""What the store remembers of sources and of the service itself."""

import pytest

from listener.domain.source import Checkpoint, Health, SourceState
from listener.store import SqlStore
from tests.store.build import NOW, minutes

FORUM = SourceState(
    id="forum",
    connector="rss",
    health=Health.FAILING,
    checkpoint=Checkpoint(
        version=2, data={"etag": '"a\ud800\x00b"', "seen": [1, 2.5, None, "가"], "deep": {"x": True}}
    ),
    next_poll_at=NOW + minutes(5),
    last_poll_at=NOW,
    last_success_at=NOW - minutes(10),
    last_item_at=NOW - minutes(20),
    failures=2,
    error_code="TIMEOUT",
    error="the place did not answer within 20 s",
    items_total=5_000_000_000,
)


def test_a_source_comes_back_as_it_went_in(store: SqlStore) -> None:
    """A checkpoint comes back exactly, whatever a platform put into its cursor."""
    with store.writing() as uow:
        uow.save_source(FORUM)
        assert uow.source("forum") == FORUM
    with store.reading() as uow:
        assert uow.source("forum") == FORUM
        assert uow.source("hn") is None


def test_a_source_is_replaced_by_its_newest_state(store: SqlStore) -> None:
    fresh = SourceState(id="forum", connector="spool")
    with store.writing() as uow:
        uow.save_source(FORUM)
        uow.save_source(fresh)
        assert uow.source("forum") == fresh


def test_sources_come_by_id(store: SqlStore) -> None:
    with store.writing() as uow:
        for name in ("b", "가", "a"):
            uow.save_source(SourceState(id=name, connector="rss"))
        assert [one.id for one in uow.sources()] == ["a", "b", "가"]


def test_an_error_text_that_no_database_takes_is_stored_readable(store: SqlStore) -> None:
    with store.writing() as uow:
        uow.save_source(SourceState(id="forum", connector="rss", error="bad \x00 byte"))
        stored = uow.source("forum")
    assert stored
    assert stored.error == "bad � byte"


def test_a_checkpoint_that_is_no_json_is_refused(store: SqlStore) -> None:
    """NaN is not JSON: another reader of the column would stumble over it."""
    broken = SourceState(id="forum", connector="rss", checkpoint=Checkpoint(version=1, data={"x": float("nan")}))
    with pytest.raises(ValueError, match="JSON"), store.writing() as uow:
        uow.save_source(broken)


def test_facts_are_remembered_until_they_change(store: SqlStore) -> None:
    with store.writing() as uow:
        assert uow.recall("ruleset") is None
        uow.remember("ruleset", "abc")
        uow.remember("ruleset", "def")
        uow.remember("other", "version: 1\n# 하늘\x00")
    with store.reading() as uow:
        assert uow.recall("ruleset") == "def"
        assert uow.recall("other") == "version: 1\n# 하늘�"
