"""Telling: nothing lost, nothing repeated without need, no channel hammered, no failure unseen."""

from datetime import timedelta

import pytest

from listener import casework
from listener.casework import Outcome
from listener.domain.case import CaseEventKind, Disposition
from listener.domain.errors import DeliveryDelayed, DeliveryRefused, UsageError
from listener.domain.notification import NotificationState
from listener.domain.verdict import Severity
from listener.outbox import begin
from tests.pipeline.test_poll import DOWN
from tests.pipeline.world import RULES, Service, post


@pytest.fixture
def alarmed(service: Service) -> Service:
    """A service with one urgent case whose alert is due."""
    service.says("forum", post("1", DOWN))
    return service


def _row(service: Service):  # type: ignore[no-untyped-def]
    return service.read(lambda uow: uow.notifications_of_case(1))[0]


def test_a_delay_is_tried_again_later(alarmed: Service) -> None:
    """The row waits with its error, and arrives in the end."""
    tape = alarmed.tape("oncall")
    tape.failures = [DeliveryDelayed("the sink has a fault of its own (HTTP 503)")]
    alarmed.deliver()
    assert (_row(alarmed).state, tape.sent) == (NotificationState.PENDING, [])
    alarmed.clock.advance(timedelta(minutes=1))
    alarmed.deliver()
    assert _row(alarmed).state is NotificationState.SENT
    assert not tape.sent[0].possible_repeat


def test_an_unknown_outcome_is_sent_again_as_a_possible_repeat(alarmed: Service) -> None:
    """It may have arrived; the second copy says so."""
    tape = alarmed.tape("oncall")
    tape.failures = [DeliveryDelayed("no answer", ambiguous=True)]
    alarmed.deliver()
    alarmed.clock.advance(timedelta(minutes=1))
    alarmed.deliver()
    assert tape.sent[0].possible_repeat


def test_a_requested_pause_holds_the_whole_channel(alarmed: Service) -> None:
    """429 with Retry-After: nothing is sent there before the wait ends."""
    tape = alarmed.tape("oncall")
    tape.failures = [DeliveryDelayed("slow down", retry_after=600.0)]
    alarmed.deliver()
    alarmed.says("other", post("2", "Podopay outage again, terrible", author="lena"))
    alarmed.deliver()
    assert tape.sent == []
    alarmed.clock.advance(timedelta(minutes=11))
    alarmed.deliver()
    assert len(tape.sent) == 2


def test_a_dead_letter_is_announced_on_another_receiver(alarmed: Service) -> None:
    """The spare receiver hears what the first could not be told."""
    alarmed.tape("oncall").failures = [DeliveryRefused("the sink did not accept the message (HTTP 400)")]
    alarmed.deliver()
    alarmed.deliver()
    (notice,) = alarmed.tape("spare").sent
    assert "C1" in notice.body
    assert _row(alarmed).state is NotificationState.FAILED
    assert len(alarmed.read(lambda uow: uow.dead_letters())) == 1
    kinds = [event.kind for event in alarmed.read(lambda uow: uow.events(1))]
    assert CaseEventKind.NOT_DELIVERED in kinds


def test_a_dead_channel_is_left_alone_and_announced(alarmed: Service) -> None:
    """401: one try, a notice elsewhere, and the alert still arrives when the channel is mended."""
    tape = alarmed.tape("oncall")
    tape.failures = [DeliveryRefused("the sink refuses us (HTTP 401)", channel_dead=True)]
    alarmed.deliver()
    alarmed.says("other", post("2", "Podopay outage again, terrible", author="lena"))
    alarmed.deliver()
    assert tape.sent == []
    assert "Nobody can be told" in alarmed.tape("spare").sent[0].headline
    alarmed.clock.advance(timedelta(minutes=16))
    alarmed.deliver()
    assert {m.case_name for m in tape.sent} == {"C1", "C2"}


def test_new_rules_end_a_pause_at_once(alarmed: Service) -> None:
    """Somebody mended the webhook's address: the alert does not wait for the quarter of an hour."""
    alarmed.tape("oncall").failures = [DeliveryRefused("the sink refuses us (HTTP 401)", channel_dead=True)]
    alarmed.deliver()
    alarmed.use(RULES)
    with alarmed.store.writing() as uow:
        assert begin(uow, alarmed.rules, alarmed.clock.now()) == {"oncall/0:tape"}
    alarmed.deliver()
    assert len(alarmed.tape("oncall").sent) == 1
    assert alarmed.read(lambda uow: uow.open_notices()) == ()


def test_rows_for_a_channel_that_the_rules_lost_are_told(alarmed: Service) -> None:
    """They wait, visibly, and are sent when the channel is back."""
    alarmed.use(RULES.replace("oncall", "somebody"))
    with alarmed.store.writing() as uow:
        begin(uow, alarmed.rules, alarmed.clock.now())
    alarmed.deliver()
    assert "oncall/0:tape" in alarmed.tape("somebody").sent[0].headline
    alarmed.use(RULES)
    with alarmed.store.writing() as uow:
        begin(uow, alarmed.rules, alarmed.clock.now())
    alarmed.deliver()
    assert alarmed.tape("oncall").sent[0].case_name == "C1"
    assert alarmed.read(lambda uow: uow.open_notices()) == ()


def test_alerts_that_wait_for_long_are_announced_elsewhere(alarmed: Service) -> None:
    """A mail server that is down for an hour does not keep the night quiet."""
    alarmed.tape("oncall").failures = [DeliveryDelayed("connection refused") for _ in range(6)]
    for _ in range(6):
        alarmed.deliver()
        alarmed.clock.advance(timedelta(minutes=3))
    assert "waiting" in alarmed.tape("spare").sent[0].headline
    alarmed.clock.advance(timedelta(minutes=10))
    alarmed.deliver()
    assert len(alarmed.tape("oncall").sent) == 1
    assert alarmed.read(lambda uow: uow.open_notices()) == ()


def test_a_bug_in_a_notifier_is_tried_again(alarmed: Service) -> None:
    """And stops nobody else."""
    alarmed.tape("oncall").failures = [ZeroDivisionError("oops")]
    alarmed.deliver()
    assert _row(alarmed).state is NotificationState.PENDING
    alarmed.clock.advance(timedelta(minutes=1))
    alarmed.deliver()
    assert len(alarmed.tape("oncall").sent) == 1


def test_giving_up_after_two_days_is_a_dead_letter(alarmed: Service) -> None:
    """It does not knock for ever, and it does not end in silence."""
    alarmed.tape("oncall").failures = [DeliveryDelayed("connection refused") for _ in range(100)]
    for _ in range(100):
        alarmed.deliver()
        alarmed.clock.advance(timedelta(hours=2))
    assert _row(alarmed).state is NotificationState.FAILED
    assert any("given up" in message.body for message in alarmed.tape("spare").sent)


def test_an_update_of_a_resolved_case_is_dropped_with_a_reason(alarmed: Service) -> None:
    """Nobody is woken for what is over; the timeline says why."""
    alarmed.deliver()
    text = post("1", DOWN).text
    alarmed.says("other", post("2", text, author="lena", thread="t1"))
    rows = alarmed.read(lambda uow: uow.notifications_of_case(1))
    if len(rows) == 1:
        pytest.fail("the second voice did not join the case")
    casework.resolve(
        alarmed.store, 1, who="kim", outcome=Outcome(disposition=Disposition.REAL), now=alarmed.clock.now()
    )
    alarmed.clock.advance(timedelta(minutes=10))
    alarmed.deliver()
    dropped = alarmed.read(lambda uow: uow.notifications_of_case(1))[1]
    assert dropped.state is NotificationState.DROPPED
    assert "handled" in (dropped.error or "")


def test_a_channel_that_left_the_rules_has_nothing_to_do(alarmed: Service) -> None:
    """Its rows stay in the outbox."""
    from listener.pipeline import ChannelPace, deliver

    assert deliver(alarmed.world, alarmed.rules, "gone/0:tape", ChannelPace()) is None


def test_a_wrong_severity_comes_with_the_one_that_was_meant(alarmed: Service) -> None:
    """It is stored with the case, and nothing is stored of what makes no sense."""
    now = alarmed.clock.now()
    for disposition, meant, says in (
        (Disposition.WRONG_SEVERITY, None, "say which severity"),
        (Disposition.NOISE, Severity.LOW, "not with --as noise"),
        (Disposition.WRONG_SEVERITY, Severity.URGENT, "C1 is urgent already"),
    ):
        with pytest.raises(UsageError, match=says):
            casework.resolve(
                alarmed.store, 1, who="kim", outcome=Outcome(disposition=disposition, meant=meant), now=now
            )
    outcome = Outcome(disposition=Disposition.WRONG_SEVERITY, meant=Severity.NORMAL, note="a joke")
    casework.resolve(alarmed.store, 1, who="kim", outcome=outcome, now=now)
    stored = alarmed.read(lambda uow: uow.resolved_cases(since=now))
    assert [(one.id, one.severity, one.meant) for one in stored] == [(1, Severity.URGENT, Severity.NORMAL)]
    assert alarmed.read(lambda uow: uow.events(1))[-1].detail == (
        "kim resolved it as wrong_severity (should have been normal): a joke"
    )


def test_people_can_take_rest_and_end_a_case(alarmed: Service) -> None:
    """Each leaves a line on the timeline; ends cannot be repeated."""
    now = alarmed.clock.now()
    assert casework.acknowledge(alarmed.store, 1, who="kim", now=now).owner == "kim"
    casework.acknowledge(alarmed.store, 1, who="kim", now=now)
    casework.resolve(
        alarmed.store, 1, who="kim", outcome=Outcome(disposition=Disposition.NOISE, note="a test"), now=now
    )
    with pytest.raises(UsageError, match="resolved already"):
        casework.acknowledge(alarmed.store, 1, who="lee", now=now)
    with pytest.raises(UsageError, match="no case C9"):
        casework.acknowledge(alarmed.store, 9, who="lee", now=now)
    with pytest.raises(UsageError, match="future"):
        casework.snooze(alarmed.store, 1, who="lee", until=now, now=now)
    kinds = [event.kind for event in alarmed.read(lambda uow: uow.events(1))]
    assert kinds.count(CaseEventKind.ACKNOWLEDGED) == 1


@pytest.mark.parametrize(("text", "number"), [("C42", 42), ("c7", 7), (" 13 ", 13)])
def test_a_case_is_named_as_people_type_it(text: str, number: int) -> None:
    """With or without its letter."""
    assert casework.case_id(text) == number


@pytest.mark.parametrize("text", ["", "C", "case 4", "-1", "9" * 30])
def test_what_is_not_a_case_is_said_so(text: str) -> None:
    """With a hint where to find them."""
    with pytest.raises(UsageError, match="listener queue"):
        casework.case_id(text)


def test_durations_are_written_as_in_the_rules() -> None:
    """Anything else is a sentence."""
    assert casework.duration("2h") == timedelta(hours=2)
    with pytest.raises(UsageError, match="30m"):
        casework.duration("soon")
