"""Hearing: what is stored, what becomes a case, who is told, and what happens to a source in trouble."""

from datetime import UTC, datetime, timedelta

import pytest

from listener.domain.case import CaseEventKind, CaseState
from listener.domain.errors import Fault, SourceChanged, SourceRefused, SourceUnavailable
from listener.domain.source import Health
from listener.domain.verdict import Label, Severity
from tests.pipeline.world import Service, post

DOWN = "Podopay is completely down, I hate this"


def test_a_complaint_becomes_a_case_and_is_told(service: Service) -> None:
    """The main job."""
    service.says("forum", post("1", DOWN))
    assert "deliver:oncall/0:tape" in service.bells.rung
    service.deliver()
    case = service.read(lambda uow: uow.case(1))
    assert case.severity is Severity.URGENT
    (message,) = service.tape("oncall").sent
    assert message.case_name == "C1"
    assert message.post is not None
    assert message.post.text == DOWN
    kinds = [event.kind for event in service.read(lambda uow: uow.events(1))]
    assert kinds == [CaseEventKind.OPENED, CaseEventKind.NOTIFIED]


def test_a_korean_complaint_is_heard_as_well_as_an_english_one(service: Service) -> None:
    """Raised by its topic, and never called neutral."""
    service.says("forum", post("1", "포도페이 지금 먹통이에요"))
    case = service.read(lambda uow: uow.case(1))
    verdict = service.read(lambda uow: uow.verdict(case.lead_mention_id))
    assert case.severity is Severity.URGENT
    assert verdict.judgement.sentiment.label is not Label.NEUTRAL


def test_what_no_model_reads_is_unknown_and_goes_to_people(service: Service) -> None:
    """Finnish: marked for review, and a case of its own although its score is low."""
    service.says("forum", post("1", "Podopay ei toimi, maksoin kahdesti enkä saa rahojani takaisin"))
    case = service.read(lambda uow: uow.case(1))
    verdict = service.read(lambda uow: uow.verdict(case.lead_mention_id))
    assert verdict.judgement.sentiment.label is Label.UNKNOWN
    assert verdict.review
    assert case.review


def test_what_names_no_brand_is_not_stored(service: Service) -> None:
    """Nor are posts of our own accounts."""
    service.says("forum", post("1", "Ganapay is completely down"), post("2", DOWN, author="@podopay"))
    assert service.read(lambda uow: uow.mention_count()) == 0


def test_praise_is_stored_without_a_case(service: Service) -> None:
    """It is a mention; nobody needs to act."""
    service.says("forum", post("1", "Podopay is great, I love it"))
    assert service.read(lambda uow: uow.mention_count()) == 1
    assert service.read(lambda uow: uow.triage_queue()) == ()


def test_the_same_items_again_change_nothing(service: Service) -> None:
    """A second poll that repeats everything stores and tells nothing."""
    service.says("forum", post("1", DOWN))
    service.says("forum", post("1", DOWN))
    service.deliver()
    assert service.read(lambda uow: uow.mention_count()) == 1
    assert len(service.tape("oncall").sent) == 1


def test_an_edit_from_harmless_to_urgent_alerts_exactly_once(service: Service) -> None:
    """One mention, two revisions, one alert."""
    service.says("forum", post("1", "Podopay is great, I love it"))
    service.says("forum", post("1", DOWN))
    service.says("forum", post("1", DOWN))
    service.deliver()
    case = service.read(lambda uow: uow.case(1))
    assert service.read(lambda uow: uow.mention_count()) == 1
    assert service.read(lambda uow: uow.revision_count(case.lead_mention_id)) == 2
    assert len(service.tape("oncall").sent) == 1


def test_the_same_article_from_two_alerts_is_one_mention(service: Service) -> None:
    """Two sources, two native ids, one address and title."""
    for source, native in (("forum", "a"), ("other", "b")):
        service.says(source, post(native, "Podopay outage", title="Podopay outage", url="https://news.example/1"))
    assert service.read(lambda uow: uow.mention_count()) == 1


def test_one_page_may_hold_one_item_twice(service: Service) -> None:
    """The second copy is known by the time that it is its turn."""
    same = {"title": "Podopay outage hits thousands of customers", "url": "https://news.example/1"}
    at = datetime(2026, 3, 2, 8, 1, 2, tzinfo=UTC)
    service.says("forum", post("a", DOWN, published_at=at, **same), post("b", DOWN, published_at=at, **same))
    assert service.read(lambda uow: uow.mention_count()) == 1


def test_near_duplicates_join_one_case_and_are_told_as_more(service: Service) -> None:
    """A second voice on the same matter updates the case after group_interval."""
    text = "Podopay is completely down right now and payment just spins for everybody in the queue here"
    service.says("forum", post("1", text))
    service.deliver()
    service.says("other", post("2", f"RT {text}", author="lena"))
    case = service.read(lambda uow: uow.case(1))
    assert case.mention_count == 2
    service.clock.advance(timedelta(minutes=6))
    service.deliver()
    assert [str(m.why) for m in service.tape("oncall").sent] == ["first", "more"]


def test_a_shadow_source_is_judged_and_never_alerts(service: Service) -> None:
    """The case is there, and its timeline says why nobody was told."""
    service.says("quiet", post("1", DOWN))
    service.deliver()
    events = service.read(lambda uow: uow.events(1))
    assert service.tape("oncall").sent == []
    assert any(e.kind is CaseEventKind.SUPPRESSED and "shadow" in e.detail for e in events)


def test_the_checkpoint_commits_with_the_items(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """If storing fails, the next poll begins where this one began, and nothing is half stored."""
    monkeypatch.setattr("listener.pipeline.write_alert", _explode)
    service.sources["forum"].next.append((post("1", DOWN),))
    with pytest.raises(OSError, match="disk"):
        service.poll("forum")
    monkeypatch.undo()
    assert service.read(lambda uow: uow.mention_count()) == 0
    assert service.read(lambda uow: uow.source("forum")) is None
    service.says("forum", post("1", DOWN))
    assert service.sources["forum"].checkpoints == [None, None]
    assert service.read(lambda uow: uow.mention_count()) == 1


def _explode(*_args: object, **_kwargs: object) -> set[str]:
    raise OSError("disk")


def test_a_refused_source_is_told_once_and_closed_when_it_is_heard_again(service: Service) -> None:
    """Until it recovers, one notice; after that, the next refusal is news again."""
    refused = SourceRefused(Fault.REFUSED, "the place refused us (HTTP 403); check its key")
    for _ in range(3):
        service.fails("forum", refused)
    service.deliver()
    (message,) = service.tape("oncall").sent
    assert "forum" in message.headline
    assert service.read(lambda uow: uow.source("forum")).health is Health.REFUSED
    service.says("forum")
    assert service.read(lambda uow: uow.open_notices()) == ()
    service.fails("forum", refused)
    service.deliver()
    assert len(service.tape("oncall").sent) == 2


def test_a_passing_fault_is_not_told_but_a_lasting_one_is(service: Service) -> None:
    """An outage of a platform is told when it lasts for half an hour."""
    away = SourceUnavailable(Fault.SERVER_ERROR, "the place has a fault of its own (HTTP 503)")
    service.says("forum")
    service.fails("forum", away)
    assert service.read(lambda uow: uow.open_notices()) == ()
    for _ in range(5):
        service.fails("forum", away)
    (notice,) = service.read(lambda uow: uow.open_notices())
    assert "SERVER_ERROR" in notice.body


def test_a_page_where_a_feed_was_is_told_when_it_stays(service: Service) -> None:
    """Three strange answers in a row need a developer."""
    for _ in range(3):
        service.fails("forum", SourceChanged(Fault.NOT_A_FEED, "a web page where a feed was"))
    (notice,) = service.read(lambda uow: uow.open_notices())
    assert "broken" in notice.title


def test_a_source_that_went_silent_says_so_once(service: Service) -> None:
    """Polls succeed, but nothing new comes for longer than the rules allow."""
    service.says("forum", post("1", "Podopay is great"))
    service.clock.advance(timedelta(days=2))
    service.says("forum")
    service.says("forum")
    (notice,) = service.read(lambda uow: uow.open_notices())
    assert "silent" in notice.title
    service.says("forum", post("2", "Podopay is nice"))
    assert service.read(lambda uow: uow.open_notices()) == ()


def test_a_bug_in_a_connector_is_contained(service: Service) -> None:
    """The source is broken, the program is not."""
    service.fails("forum", ZeroDivisionError("oops"))
    state = service.read(lambda uow: uow.source("forum"))
    assert (state.health, state.error_code) == (Health.BROKEN, "UNEXPECTED")
    service.says("other", post("1", DOWN))
    assert service.read(lambda uow: uow.mention_count()) == 1


def test_a_source_that_is_not_due_is_left_alone(service: Service) -> None:
    """The row says when; the engine only rings."""
    from listener.pipeline import poll

    service.says("forum")
    due = poll(service.world, service.rules, "forum")
    assert service.sources["forum"].polls == 1
    assert due is not None
    assert due > service.clock.now()


def test_a_source_that_left_the_rules_is_not_polled(service: Service) -> None:
    """Its job ends."""
    from listener.pipeline import poll

    assert poll(service.world, service.rules, "gone") is None


def test_a_snoozed_case_comes_back_and_is_told(service: Service) -> None:
    """Nothing sleeps for ever."""
    from listener import casework

    service.says("forum", post("1", DOWN))
    service.deliver()
    now = service.clock.now()
    casework.snooze(service.store, 1, who="kim", until=now + timedelta(hours=1), now=now)
    service.tick()
    assert service.read(lambda uow: uow.case(1)).state is CaseState.SNOOZED
    service.clock.advance(timedelta(hours=2))
    service.tick()
    service.deliver()
    assert service.read(lambda uow: uow.case(1)).state is CaseState.OPEN
    assert [str(m.why) for m in service.tape("oncall").sent] == ["first", "reminder"]
