"""The demo's one screen: posts as they appear, the queue as it re-orders, and what was told after how many seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from listener.decide.defang import one_line
from listener.demo.internet import SmallInternet
from listener.display import queue_table
from listener.domain.case import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Something reached a sink, `at` seconds after the story began."""

    sink: str
    at: float
    headline: str
    text: str


def screen(internet: SmallInternet, cases: Sequence[Case], arrivals: Sequence[Arrival]) -> Group:
    """All three parts, top to bottom in the order in which a mention travels."""
    return Group(
        Panel(_posts(internet), title=f"The small internet, {internet.elapsed:.0f} s", title_align="left"),
        queue_table(cases, now=datetime.now(UTC)),
        Panel(_told(arrivals), title="What the chat and the mailbox received", title_align="left"),
    )


def _posts(internet: SmallInternet) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for scene in internet.appeared()[:8]:
        table.add_row(f"{scene.at:.0f} s", scene.place, scene.author, Text(one_line(f"{scene.title}: {scene.text}")))
    return table


def _told(arrivals: Sequence[Arrival]) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for arrival in list(arrivals)[-12:]:
        table.add_row(f"{arrival.at:.1f} s", arrival.sink, Text(one_line(arrival.headline)))
    return table
