"""Times as feeds claim them."""

from datetime import UTC, datetime
from time import gmtime, struct_time

import pytest

from listener.feeds.dates import feed_date, iso_date

TEN = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw", ["Sat, 21 Nov 2026 19:00:00 KST", "Sat, 21 Nov 2026 19:00:00 JST", "Sat, 21 Nov 2026 19:00:00KST"]
)
def test_zones_of_asia_have_names_too(raw: str) -> None:
    """feedparser reads them as UTC, nine hours in the future."""
    assert feed_date(raw, gmtime(0)) == TEN


@pytest.mark.parametrize(
    ("raw", "parsed"),
    [
        ("yesterday", None),
        ("", None),
        (None, None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", gmtime(0)),
        ("31 Feb", struct_time((2026, 2, 31, 0, 0, 0, 0, 0, 0))),
        ("9999", struct_time((9999, 12, 31, 23, 59, 59, 0, 0, 0))),
        ("odd", (2026, 1)),
        ("Sat, 99 Foo 2026 19:00:00 KST", gmtime(0)),
        ("Fri, 31 Dec 9999 23:59:59 HKT", None),
        ("Mon, 01 Jan 0001 00:00:00 AEDT", None),
    ],
)
def test_what_cannot_be_is_unknown(raw: str | None, parsed: struct_time | tuple[int, ...] | None) -> None:
    assert feed_date(raw, parsed) is None


def test_a_leap_second_is_a_second() -> None:
    assert feed_date("x", struct_time((2016, 12, 31, 23, 59, 60, 0, 0, 0))) == datetime(
        2016, 12, 31, 23, 59, 59, tzinfo=UTC
    )


def test_iso_dates() -> None:
    assert iso_date(" 2026-11-21T19:00:00+09:00 ") == TEN
    assert iso_date("2026-11-21T10:00:00") == TEN
    assert iso_date("0001-01-01T00:00:00+14:00") is None
    assert iso_date("soon") is None
    assert feed_date("2026-11-21T10:00:00Z", None) == TEN
