"""When to poll next, when to try a notification again, and whether a source has gone silent.

Times are columns that these functions fill, never timers. The jitter is drawn from a seed, so that the same state always
gives the same time; the seed should change from one poll to the next ("forum:17").
"""

import zlib
from datetime import datetime, timedelta

from listener.domain.source import Health, SourceState

JITTER = 0.1
"""Waits are spread by up to this share to either side, so that a hundred sources do not knock at once."""

BACK_OFF_CEILING = timedelta(hours=1)
"""The longest wait after a passing fault, unless the source's own interval is longer."""

REFUSED_CEILING = timedelta(hours=6)
"""The longest wait after a refusal, which only the owner can end, and the most that a Retry-After is granted."""

_MOST_DOUBLINGS = 20
"""More would overflow a timedelta long after every ceiling is reached."""


def next_poll(
    *, every: timedelta, min_interval: float, failures: int, retry_after: float | None, now: datetime, seed: str
) -> datetime:
    """When to poll again: after `every`, or after `failures` in a row with the wait doubling up to an hour.

    `min_interval` (seconds) is what the platform allows, `retry_after` (seconds) what it asked for: neither is undercut.
    """
    interval = max(every, timedelta(seconds=min_interval))
    wait = _spread(_backed_off(interval, failures, BACK_OFF_CEILING), seed)
    return now + max(wait, timedelta(seconds=min_interval), _asked_for(retry_after))


def next_knock(
    *, every: timedelta, min_interval: float, failures: int, retry_after: float | None, now: datetime, seed: str
) -> datetime:
    """When to try a source again that refused us: as `next_poll`, but the wait doubles up to six hours."""
    interval = max(every, timedelta(seconds=min_interval))
    wait = _spread(_backed_off(interval, failures, REFUSED_CEILING), seed)
    return now + max(wait, timedelta(seconds=min_interval), _asked_for(retry_after))


def poll_due(
    stored: datetime | None, *, every: timedelta, failures: int, now: datetime, min_interval: float = 0.0
) -> datetime:
    """When a poll that was planned for `stored` is due in truth.

    After the clock was set back, a stored time lies far ahead: never wait longer than twice what we would choose now.
    """
    if stored is None:
        return now
    interval = max(every, timedelta(seconds=min_interval))
    longest = max(_backed_off(interval, failures, REFUSED_CEILING), REFUSED_CEILING if failures else interval)
    return min(stored, now + 2 * longest)


def _backed_off(interval: timedelta, failures: int, ceiling: timedelta) -> timedelta:
    """The interval itself until the second failure in a row, then twice as long each time."""
    doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
    doubled: timedelta = interval * 2**doublings
    return max(interval, min(doubled, ceiling))


def _asked_for(retry_after: float | None) -> timedelta:
    """What a Retry-After is granted: 1 s to 6 h; nothing if the platform did not ask (or not for a number)."""
    if retry_after is None or retry_after != retry_after:  # noqa: PLR0124  NaN is the number that is not itself
        return timedelta(0)
    return timedelta(seconds=min(max(retry_after, 1.0), REFUSED_CEILING.total_seconds()))


def _spread(wait: timedelta, seed: str) -> timedelta:
    """The wait with the seed's share of jitter, evenly from -10 % to +10 %."""
    share = zlib.crc32(seed.encode("utf-8", "replace")) / 0xFFFF_FFFF
    return wait * (1 + JITTER * (2 * share - 1))


# --- deliveries --------------------------------------------------------------------------------------------------------

FIRST_RETRY = timedelta(seconds=5)
RETRY_CEILING = timedelta(minutes=5)
LATE_RETRY_CEILING = timedelta(minutes=80)
_PATIENT_AFTER = 23
MAX_ATTEMPTS = 60
"""About two days of trying (47 h): the wait doubles from 5 s to 5 min, and from the 24th attempt (1.5 h) on to 80 min.

Sixty rather than one every five minutes, because a sink that accepts a message and never says so gets a copy each time.
"""


def retry_at(*, attempts: int, now: datetime, retry_after: float | None, seed: str) -> datetime | None:
    """When to send a notification again after `attempts` sends; `None` if it is time to give up (a dead letter).

    A sink that asks for a pause (`retry_after`, seconds) gets it in full.
    """
    if attempts > MAX_ATTEMPTS:
        return None
    late = max(attempts - _PATIENT_AFTER, 0)
    wait = _backed_off(FIRST_RETRY, attempts - late, RETRY_CEILING)
    wait = _backed_off(wait, late + 1, LATE_RETRY_CEILING)
    return now + max(_spread(wait, f"{seed}:{attempts}"), _asked_for(retry_after))


# --- silence -----------------------------------------------------------------------------------------------------------


def silent(state: SourceState, *, silent_after: timedelta | None, now: datetime) -> bool:
    """Has a source that used to speak gone silent: its polls succeed, but nothing new came for `silent_after`?

    A source that fails is told of as such, and one that never gave an item has nothing to fall silent from.
    """
    if silent_after is None or state.last_item_at is None or state.last_success_at is None:
        return False
    succeeds = state.failures == 0 and state.health in (Health.OK, Health.SILENT)
    return succeeds and now - state.last_item_at >= silent_after
