"""One line of the table: what was measured, against what, and whether that is as wanted."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a ratio ought to be. `None` instead of one of these means that the row only shows."""

    bound: Literal["at least", "at most"]
    ratio: float

    def __str__(self) -> str:
        return f"{self.bound} {self.ratio:g}"

    def met(self, ratio: float) -> bool:
        """Whether it is."""
        return ratio >= self.ratio if self.bound == "at least" else ratio <= self.ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`ours` and `peer` are figures with their units; `ratio` is of the first to the second."""

    what: str
    ours: str
    peer: str
    ratio: float
    wanted: Wanted | None = None

    @property
    def mark(self) -> Literal["ok", "short", ""]:
        """The last column."""
        if self.wanted is None:
            return ""
        return "ok" if self.wanted.met(self.ratio) else "short"


def at_least(ratio: float) -> Wanted:
    """More is better."""
    return Wanted(bound="at least", ratio=ratio)


def at_most(ratio: float) -> Wanted:
    """Less is better."""
    return Wanted(bound="at most", ratio=ratio)


def rate(count: int, seconds: float, of: str) -> str:
    """`12,300 posts/s`, to three digits."""
    return f"{float(f'{count / seconds:.3g}'):,.0f} {of}/s"


def lasting(seconds: float) -> str:
    """A duration in the unit that people read best."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
