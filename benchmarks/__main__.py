"""`python -m benchmarks [name ...]`: measure, then print one table."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.daemon import daemon
from benchmarks.feeds import feeds
from benchmarks.matching import matching
from benchmarks.polling import polling
from benchmarks.queue import queue
from benchmarks.row import Row
from benchmarks.startup import startup
from benchmarks.triage import triage
from benchmarks.vader import vader

BENCHMARKS: Mapping[str, Callable[[], Iterator[Row]]] = {
    "triage": triage,
    "matching": matching,
    "polling": polling,
    "daemon": daemon,
    "queue": queue,
    "feeds": feeds,
    "vader": vader,
    "startup": startup,
}

_WIDE = 150
_COLOURS = {"ok": "green", "short": "bold red", "": ""}


def main(names: Sequence[str]) -> int:
    """Measure what was named, or everything. Exits 0 even where a ratio is short; 2 for a name that is none."""
    console = Console(width=None if sys.stdout.isatty() else _WIDE)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        console.print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", markup=False)
        return 2
    began = time.monotonic()
    rows: list[Row] = []
    for name in names or BENCHMARKS:
        console.print(f"measuring {name} ...", style="dim")
        rows += BENCHMARKS[name]()
    console.print(table(rows))
    console.print(f"{time.monotonic() - began:.0f} s; CPU time unless a row says otherwise, medians of runs in turns")
    return 0


def table(rows: Sequence[Row]) -> Table:
    """All rows under each other."""
    shown = Table("what", "ours", "peer or limit", "ratio", "wanted", "", title="Speed and memory")
    for column in shown.columns[1:4]:
        column.justify = "right"
    for row in rows:
        wanted = str(row.wanted) if row.wanted else "shown only"
        shown.add_row(
            row.what, row.ours, row.peer, f"{row.ratio:.3g}", wanted, Text(row.mark, style=_COLOURS[row.mark])
        )
    return shown


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
