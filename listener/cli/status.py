"""`listener status`: sources, health, lag, queue and outbox at a glance."""

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from listener.cli.lines import json_line
from listener.decide.render import duration
from listener.display import queue_table
from listener.domain.case import Case
from listener.domain.notification import Notice
from listener.domain.source import Health, SourceState
from listener.ports import OutboxCount

if TYPE_CHECKING:
    from listener.store import SqlStore

_HEALTH = {
    Health.OK: "green",
    Health.NEW: "dim",
    Health.FAILING: "yellow",
    Health.SILENT: "yellow",
    Health.REFUSED: "bold red",
    Health.BROKEN: "bold red",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What one reading of the database shows."""

    now: datetime
    sources: tuple[SourceState, ...]
    queue: tuple[Case, ...]
    outbox: tuple[OutboxCount, ...]
    notices: tuple[Notice, ...]
    tick_at: datetime | None


def snapshot(store: "SqlStore", *, limit: int = 10) -> Snapshot:
    """Read everything in one view."""
    with store.reading() as uow:
        tick = uow.recall("tick")
        return Snapshot(
            now=datetime.now(UTC),
            sources=uow.sources(),
            queue=uow.triage_queue(limit=limit),
            outbox=uow.outbox_counts(),
            notices=uow.open_notices(),
            tick_at=datetime.fromisoformat(tick) if tick else None,
        )


@click.command()
@click.option("--watch", is_flag=True, help="Stay and refresh every second, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(watch: bool, as_json: bool) -> None:
    """Show how the service is: sources, lag, queue, outbox, notices. Exit 1 if something is wrong."""
    from listener.app import open_store
    from listener.settings import load_settings

    store = open_store(load_settings())
    if watch:
        _watch(store)
        return
    seen = snapshot(store)
    if as_json:
        click.echo(json_line(_json(seen)))
    else:
        Console().print(screen(seen))
    raise SystemExit(1 if seen.notices else 0)


def _watch(store: "SqlStore") -> None:
    # A shell that starts us in the background lets Ctrl-C be ignored; a page that refreshes must end by it all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with Live(screen(snapshot(store)), refresh_per_second=2, screen=True) as live:
            while True:
                time.sleep(1)
                live.update(screen(snapshot(store)))
    except KeyboardInterrupt:
        return


def screen(seen: Snapshot) -> Group:
    """The snapshot as one page."""
    parts: list[Any] = [_service_line(seen), sources_table(seen.sources, now=seen.now)]
    if seen.outbox:
        parts.append(outbox_table(seen.outbox, now=seen.now))
    if seen.queue:
        parts.append(queue_table(seen.queue, now=seen.now))
    parts += [Text(f"! {notice.title}: {notice.body}", style="bold red") for notice in seen.notices]
    return Group(*parts)


def _service_line(seen: Snapshot) -> Text:
    if seen.tick_at is None:
        return Text("The service has never run on this database.", style="yellow")
    age = (seen.now - seen.tick_at).total_seconds()
    if age > 90:
        return Text(
            f"The service is not running: its last sign of life was {duration(seen.now - seen.tick_at)} ago.",
            style="bold red",
        )
    return Text(f"The service is running (sign of life {age:.0f} s ago).", style="green")


def sources_table(sources: Sequence[SourceState], *, now: datetime) -> Table:
    """Each source: health, when it was last heard, how late it is, and what is wrong."""
    table = Table(title="Sources", title_justify="left", expand=True)
    for header in ("Source", "Connector", "Health", "Last success", "Next poll", "Lag", "Items", "Trouble"):
        table.add_column(header)
    for state in sources:
        late = state.next_poll_at is not None and state.next_poll_at < now
        table.add_row(
            state.id,
            state.connector,
            Text(str(state.health), style=_HEALTH[state.health]),
            f"{duration(now - state.last_success_at)} ago" if state.last_success_at else "never",
            "due" if late else (f"in {duration(state.next_poll_at - now)}" if state.next_poll_at else "-"),
            duration(now - state.next_poll_at) if late and state.next_poll_at else "-",
            str(state.items_total),
            Text(f"{state.error_code}: {state.error}" if state.error else ""),
        )
    return table


def outbox_table(counts: Sequence[OutboxCount], *, now: datetime) -> Table:
    """Each channel: what waits, what is being sent, what was given up."""
    table = Table(title="Outbox", title_justify="left", expand=True)
    for header in ("Channel", "State", "Count", "Oldest waits since"):
        table.add_column(header)
    for row in counts:
        waits = row.state in ("pending", "sending") and row.oldest_due_at <= now
        table.add_row(row.channel, str(row.state), str(row.count), duration(now - row.oldest_due_at) if waits else "-")
    return table


def _json(seen: Snapshot) -> dict[str, Any]:
    return {
        "now": seen.now.isoformat(),
        "sign_of_life": seen.tick_at.isoformat() if seen.tick_at else None,
        "sources": [
            {
                "id": one.id,
                "connector": one.connector,
                "health": one.health,
                "failures": one.failures,
                "items": one.items_total,
                "last_success_at": one.last_success_at.isoformat() if one.last_success_at else None,
                "next_poll_at": one.next_poll_at.isoformat() if one.next_poll_at else None,
                "fault": one.error_code,
                "error": one.error,
            }
            for one in seen.sources
        ],
        "open_cases": len(seen.queue),
        "outbox": [{"channel": o.channel, "state": o.state, "count": o.count} for o in seen.outbox],
        "notices": [{"key": n.key, "title": n.title, "body": n.body} for n in seen.notices],
    }
