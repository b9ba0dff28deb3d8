"""How people write amounts of time, times of day, zones and schedules in rules.yaml."""

import re
import zoneinfo
from datetime import UTC, datetime, time, timedelta

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:[0-9]{1,9}[smhdw])+")
_LONGEST = timedelta(days=36_500)


def duration(written: str) -> timedelta:
    """`30s`, `5m`, `1h30m`, `2d`, `1w`. Raises `ValueError` with a remedy."""
    if not _DURATION.fullmatch(written):
        raise ValueError(
            f"{written[:40]!r} is not an amount of time; write a number with s, m, h, d or w, like 30s or 5m"
        )
    seconds = sum(int(part[:-1]) * _SECONDS[part[-1]] for part in re.findall(r"[0-9]+[smhdw]", written))
    if seconds > _LONGEST.total_seconds():
        raise ValueError("is longer than a century; write less")
    return timedelta(seconds=seconds)


def spoken(delta: timedelta) -> str:
    """A duration as people write it, in days at most: `90m` is `1h30m`, `4w` is `28d`, nothing is `0s`."""
    left, text = int(delta.total_seconds()), ""
    for unit in "dhms":
        count, left = divmod(left, _SECONDS[unit])
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def time_of_day(written: str) -> time:
    """`22:00`. Raises `ValueError` with a remedy."""
    if not re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", written):
        raise ValueError(f"{written[:40]!r} is not a time of day; write it like 22:00")
    hours, minutes = written.split(":")
    return time(int(hours), int(minutes))


def instant(written: str) -> datetime:
    """A date and time with its zone, in UTC: `2026-03-02T02:00Z`, `2026-03-02 11:00+09:00`. Raises `ValueError`."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(f"{written[:40]!r} is not a date and time; write it like 2026-03-02T02:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("has no time zone; end it with Z or an offset like +09:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is too far away; write a year between 1900 and 9000") from None


def zone(written: str) -> str:
    """The name of a time zone that this machine knows. Raises `ValueError` with a remedy."""
    try:
        zoneinfo.ZoneInfo(written)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{written[:40]!r} is not a time zone; write it like Asia/Seoul or UTC") from None
    return written


_NAMES = {
    3: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    4: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def cron(written: str) -> str:
    """Five fields as in crontab(5): minute, hour, day, month, weekday. Raises `ValueError` with a remedy."""
    fields = written.split()
    if len(fields) != 5:
        raise ValueError(
            f'has {len(fields)} fields, not 5; write it like "0 9 * * mon-fri" (minute hour day month weekday)'
        )
    for index, text in enumerate(fields):
        if not all(_cron_part(part, index) for part in text.split(",")):
            low, high = _BOUNDS[index]
            raise ValueError(
                f"{text[:40]!r} is not between {low} and {high}; write a number, a range like 1-5, * or */10"
            )
    return " ".join(fields)


def _cron_part(part: str, index: int) -> bool:
    span, _, step = part.partition("/")
    if ("/" in part) and not (step.isascii() and step.isdigit() and int(step) > 0):
        return False
    if span == "*":
        return True
    ends = [_cron_number(end, index) for end in span.split("-")]
    if len(ends) > 2 or None in ends:
        return False
    low, high = _BOUNDS[index]
    numbers = [number for number in ends if number is not None]
    return all(low <= number <= high for number in numbers) and numbers == sorted(numbers)


def _cron_number(text: str, index: int) -> int | None:
    names = _NAMES.get(index, [])
    if text.lower() in names:
        return names.index(text.lower()) + (1 if index == 3 else 0)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else None
