"""`listener --help` against importing the six packages that the program is prescribed to stand on. By the clock."""

import sys
from collections.abc import Iterator

from benchmarks.row import Row, at_most, lasting
from benchmarks.timing import in_turns, run, wall
from benchmarks.triage import LISTENER

MOST_SHARE = 0.35

_IMPORTS = "import feedparser, vaderSentiment.vaderSentiment, apscheduler.schedulers.background, rich.console, sqlmodel, dotenv"


def startup(rounds: int = 9) -> Iterator[Row]:
    """What a person waits for help, as a share of what loading everything would take."""
    ours, peer = in_turns(
        lambda: wall(lambda: run([LISTENER, "--help"])),
        lambda: wall(lambda: run([sys.executable, "-c", _IMPORTS])),
        rounds=rounds,
    )
    yield Row(
        what="start-up: listener --help, against importing six packages, by the clock",
        ours=lasting(ours),
        peer=lasting(peer),
        ratio=ours / peer,
        wanted=at_most(MOST_SHARE),
    )
