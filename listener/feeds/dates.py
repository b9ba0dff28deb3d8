"""Times as feeds claim them. What cannot be is unknown (`None`); no item is lost for its date."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import struct_time

__all__ = ["EARLIEST", "feed_date", "iso_date", "plausible"]

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No feed is older than feeds; an earlier date is a generator's zero."""

_LATEST = datetime(2100, 1, 1, tzinfo=UTC)

# Abbreviations that RFC 822 does not know and feeds use all the same. Ambiguous ones (IST, CST of China) are left out.
_ZONES = {
    "KST": "+0900",
    "JST": "+0900",
    "HKT": "+0800",
    "SGT": "+0800",
    "MSK": "+0300",
    "EET": "+0200",
    "EEST": "+0300",
    "CET": "+0100",
    "CEST": "+0200",
    "BST": "+0100",
    "WEST": "+0100",
    "AEST": "+1000",
    "AEDT": "+1100",
    "NZST": "+1200",
    "NZDT": "+1300",
}
_NAMED_ZONE = re.compile(r"(.*\b[12]\d{3}\b.*\d)\s*([A-Z]{3,4})\s*", re.DOTALL)


def plausible(when: datetime | None) -> datetime | None:
    """`when`, if it can be true of a post on the web: from 2000 to 2100. What is in the future is for who has a clock."""
    return when if when is not None and EARLIEST <= when < _LATEST else None


def feed_date(raw: str | None, parsed: struct_time | tuple[int, ...] | None) -> datetime | None:
    """A date of an XML feed: `raw` as written, `parsed` as feedparser read it (UTC), which knows no zone but America's."""
    named = _NAMED_ZONE.fullmatch(raw[:100]) if raw else None
    if named and named.group(2) in _ZONES:
        return _rfc822(f"{named.group(1)} {_ZONES[named.group(2)]}")
    return _utc(parsed) or (iso_date(raw) if raw else None)


def iso_date(text: str) -> datetime | None:
    """A date and time in ISO 8601; one without a zone is taken as UTC."""
    try:
        when = datetime.fromisoformat(text.strip()[:64])
    except ValueError:
        return None
    return _to_utc(when)


def _rfc822(text: str) -> datetime | None:
    try:
        return _to_utc(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _utc(parsed: struct_time | tuple[int, ...] | None) -> datetime | None:
    """The nine numbers of feedparser; they may name a 31st of February or the second 61."""
    if not parsed:
        return None
    try:
        year, month, day, hour, minute, second = parsed[:6]
        return plausible(datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC))
    except (ValueError, OverflowError, TypeError):
        return None


def _to_utc(when: datetime) -> datetime | None:
    try:
        return plausible(when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC))
    except OverflowError:  # the year 1 or 9999, moved by its zone
        return None
