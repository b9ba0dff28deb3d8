"""How people write time."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.rules.units import cron, duration, instant, spoken, time_of_day, zone


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("30s", 30), ("5m", 300), ("1h", 3600), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800), ("0s", 0)],
)
def test_a_duration_is_a_number_with_a_unit(written: str, seconds: int) -> None:
    assert duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize("written", ["", "5", "5 m", "m5", "-5m", "5min", "1.5h", "٥m", "9999999999m"])
def test_anything_else_is_refused_with_a_remedy(written: str) -> None:
    with pytest.raises(ValueError, match="write a number with s, m, h, d or w"):
        duration(written)


def test_a_duration_beyond_a_century_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than a century"):
        duration("999999999w")


@given(st.integers(min_value=0, max_value=10**9))
def test_a_spoken_duration_reads_back_as_itself(seconds: int) -> None:
    assert duration(spoken(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


def test_a_duration_is_spoken_in_days_at_most() -> None:
    assert [spoken(duration(text)) for text in ("4w", "90m", "0s")] == ["28d", "1h30m", "0s"]


@pytest.mark.parametrize(("written", "value"), [("22:00", time(22, 0)), ("7:05", time(7, 5)), ("00:00", time(0, 0))])
def test_a_time_of_day(written: str, value: time) -> None:
    assert time_of_day(written) == value


@pytest.mark.parametrize("written", ["24:00", "22", "22:60", "10pm", "22:00:00"])
def test_what_no_clock_shows_is_no_time_of_day(written: str) -> None:
    with pytest.raises(ValueError, match="write it like 22:00"):
        time_of_day(written)


@pytest.mark.parametrize("written", ["2026-03-02T02:00Z", "2026-03-02 11:00+09:00", "2026-03-01T21:00:00-05:00"])
def test_an_instant_is_kept_in_utc(written: str) -> None:
    assert instant(written) == datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    assert instant(written).tzinfo is UTC


@pytest.mark.parametrize(
    ("written", "said"),
    [("tomorrow", "write it like"), ("2026-03-02T02:00", "no time zone"), ("0001-01-01T00:00+09:00", "too far away")],
)
def test_an_instant_without_a_zone_or_a_meaning_is_refused(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        instant(written)


def test_a_zone_is_one_that_this_machine_knows() -> None:
    assert zone("Asia/Seoul") == "Asia/Seoul"


@pytest.mark.parametrize("written", ["Asia/Soul", "../../etc/passwd", "", "Asia", "KST+9\0"])
def test_what_is_no_zone_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone"):
        zone(written)


@pytest.mark.parametrize("written", ["0 9 * * mon-fri", "*/10 * 1,15 * *", "0-30/5 8-18 * jan-jun 0-7", "0  9 * * SUN"])
def test_a_schedule_has_five_fields(written: str) -> None:
    assert cron(written) == " ".join(written.split())


@pytest.mark.parametrize(
    "written",
    ["60 9 * * *", "0 24 * * *", "0 9 0 * *", "0 9 * 13 *", "0 9 * * 8", "0 9 * * fri-mon", "*/0 9 * * *", "*/x 9 * * *",
     "1-2-3 9 * * *", "x 9 * * *", "0 9 * * ,", "5/ 9 * * *", "0 9 * * ²"],
)  # fmt: skip
def test_a_field_outside_its_bounds_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not between"):
        cron(written)


def test_a_schedule_with_another_number_of_fields_is_refused() -> None:
    with pytest.raises(ValueError, match="has 4 fields, not 5"):
        cron("0 9 * *")
