"""When to poll again, when to send again, and when silence is news."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.schedule import MAX_ATTEMPTS, next_knock, next_poll, poll_due, retry_at, silent
from listener.domain.source import Health, SourceState

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def wait(
    *,
    every: timedelta = timedelta(minutes=5),
    failures: int = 0,
    retry_after: float | None = None,
    seed: str = "forum:1",
) -> timedelta:
    return next_poll(every=every, min_interval=60, failures=failures, retry_after=retry_after, now=NOW, seed=seed) - NOW


def knock(failures: int) -> timedelta:
    five = timedelta(minutes=5)
    return next_knock(every=five, min_interval=60, failures=failures, retry_after=None, now=NOW, seed="forum:1") - NOW


def test_the_same_state_gives_the_same_time() -> None:
    assert wait(seed="forum:7") == wait(seed="forum:7") != wait(seed="forum:8")


def test_a_hundred_sources_do_not_knock_at_once() -> None:
    waits = {wait(seed=f"source{n}:1") for n in range(100)}
    assert len(waits) == 100
    assert max(waits) - min(waits) > timedelta(seconds=50)


def test_failures_double_the_wait_up_to_an_hour() -> None:
    waits = [wait(failures=failures) / timedelta(minutes=1) for failures in range(8)]
    assert waits == pytest.approx([5, 5, 10, 20, 40, 60, 60, 60], rel=0.1)


def test_a_refusal_waits_up_to_six_hours() -> None:
    assert knock(1) <= timedelta(minutes=5.5)
    assert timedelta(hours=5.4) <= knock(50) <= timedelta(hours=6.6)


def test_a_source_that_is_polled_daily_is_not_polled_more_often_because_it_fails() -> None:
    assert wait(every=timedelta(days=1), failures=3) >= timedelta(hours=21)


@pytest.mark.parametrize(
    ("asked", "granted"),
    [(1800.0, timedelta(minutes=30)), (10.0**9, timedelta(hours=6)), (float("inf"), timedelta(hours=6))],
)
def test_a_pause_that_is_asked_for_is_granted_within_reason(asked: float, granted: timedelta) -> None:
    assert wait(retry_after=asked) == granted


@pytest.mark.parametrize("absurd", [-5.0, 0.0, float("nan"), 3.0])
def test_an_absurd_or_short_pause_changes_nothing(absurd: float) -> None:
    assert wait(retry_after=absurd) == wait()


@given(
    st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=30)),
    st.integers(0, 10**6),
    st.none() | st.floats(allow_nan=True),
    st.text(),
)
def test_the_next_poll_is_ahead_and_never_out_of_sight(
    every: timedelta, failures: int, retry_after: float | None, seed: str
) -> None:
    waited = wait(every=every, failures=failures, retry_after=retry_after, seed=seed)
    interval = max(every, timedelta(minutes=1))
    assert timedelta(minutes=1) <= waited <= max(interval * 1.1001, HOUR * 6)
    assert waited >= interval * 0.8999


# --- after the clock was set ---------------------------------------------------------------------------------------------

FIVE = timedelta(minutes=5)


def test_a_source_that_was_never_polled_is_due() -> None:
    assert poll_due(None, every=FIVE, failures=0, now=NOW) == NOW


def test_a_planned_poll_is_due_at_its_time() -> None:
    assert poll_due(NOW + FIVE, every=FIVE, failures=0, now=NOW) == NOW + FIVE


def test_a_clock_that_was_set_back_delays_no_poll_by_more_than_two_intervals() -> None:
    assert poll_due(NOW + timedelta(days=1), every=FIVE, failures=0, now=NOW) == NOW + 2 * FIVE


def test_a_pause_that_a_failing_source_asked_for_is_kept() -> None:
    assert poll_due(NOW + 6 * HOUR, every=FIVE, failures=1, now=NOW) == NOW + 6 * HOUR


@given(
    st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=30)),
    st.integers(0, 100),
    st.none() | st.floats(1, 10**6),
)
def test_no_time_that_we_choose_is_taken_for_a_wrong_clock(
    every: timedelta, failures: int, retry_after: float | None
) -> None:
    if failures == 0:
        retry_after = None
    for choose in (next_poll, next_knock):
        planned = choose(
            every=every, min_interval=60, failures=failures, retry_after=retry_after, now=NOW, seed="forum:1"
        )
        assert poll_due(planned, every=every, min_interval=60, failures=failures, now=NOW) == planned


# --- deliveries ----------------------------------------------------------------------------------------------------------


def pause(attempts: int, retry_after: float | None = None) -> timedelta | None:
    at = retry_at(attempts=attempts, now=NOW, retry_after=retry_after, seed="C42:first")
    return None if at is None else at - NOW


def test_the_first_tries_double_from_five_seconds_to_five_minutes() -> None:
    pauses = [(pause(attempts) or timedelta()).total_seconds() for attempts in range(1, 10)]
    assert pauses == pytest.approx([5, 10, 20, 40, 80, 160, 300, 300, 300], rel=0.1)


def test_a_long_outage_is_tried_less_often() -> None:
    pauses = [(pause(attempts) or timedelta()).total_seconds() / 60 for attempts in range(23, 29)]
    assert pauses == pytest.approx([5, 10, 20, 40, 80, 80], rel=0.1)


def test_it_is_given_up_after_about_two_days() -> None:
    tried = [pause(attempts) for attempts in range(1, MAX_ATTEMPTS + 1)]
    total = sum((one for one in tried if one is not None), timedelta())
    assert timedelta(hours=44) < total < timedelta(hours=50)
    assert pause(MAX_ATTEMPTS + 1) is None


def test_a_sink_gets_the_pause_that_it_asks_for() -> None:
    assert pause(1, retry_after=120) == timedelta(minutes=2)


@given(st.integers(0, 1000), st.none() | st.floats(), st.text())
def test_a_try_is_always_ahead_or_never(attempts: int, retry_after: float | None, seed: str) -> None:
    at = retry_at(attempts=attempts, now=NOW, retry_after=retry_after, seed=seed)
    assert (at is None) is (attempts > MAX_ATTEMPTS)
    if at is not None:
        assert timedelta(seconds=4) < at - NOW <= 6 * HOUR


# --- silence -------------------------------------------------------------------------------------------------------------


def state(
    *,
    health: Health = Health.OK,
    failures: int = 0,
    spoke: timedelta | None = timedelta(days=3),
    succeeded: datetime | None = NOW,
) -> SourceState:
    return SourceState(
        id="forum",
        connector="rss",
        health=health,
        failures=failures,
        last_success_at=succeeded,
        last_item_at=None if spoke is None else NOW - spoke,
    )


DAY = timedelta(days=1)


@pytest.mark.parametrize("health", [Health.OK, Health.SILENT])
def test_a_source_that_answers_and_brings_nothing_new_is_silent(health: Health) -> None:
    assert silent(state(health=health), silent_after=DAY, now=NOW)


@pytest.mark.parametrize(
    "source",
    [
        state(spoke=timedelta(hours=23)),
        state(spoke=None),
        state(succeeded=None),
        state(failures=1),
        state(health=Health.FAILING),
        state(health=Health.REFUSED),
    ],
)
def test_others_are_not_silent(source: SourceState) -> None:
    assert not silent(source, silent_after=DAY, now=NOW)


def test_silence_is_no_news_where_the_policy_does_not_ask() -> None:
    assert not silent(state(), silent_after=None, now=NOW)
