"""Kill -9 at any moment, again and again: no post is lost or stored twice, and nobody is told more often than was in doubt."""

import json
import random
import sqlite3
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.loopback import Program, eventually, loopback

POSTS = 40
KILLS = 8
SEED = 20261122


@pytest.mark.slow
def test_nothing_is_lost_however_often_the_process_is_killed(tmp_path: Path) -> None:
    """Forty complaints, a sink that takes its time and refuses now and then, eight kills at moments drawn from a seed."""
    moments = random.Random(SEED)
    with loopback() as place:
        place.reply = _slow_and_moody
        program = Program(tmp_path, place.url)
        for kill in range(KILLS):
            place.items = [(str(n), _complaint(n)) for n in range(POSTS * (kill + 1) // KILLS)]
            begun = sum(1 for line in program.events() if line["event"] == "started")
            process = program.start()
            if kill:  # the first may die while it makes its database
                program.until("started", count=begun + 1)
            threading.Event().wait(moments.uniform(0.0, 1.2))
            process.kill()
            process.wait(timeout=10)
        with program.running():
            assert eventually(lambda: _unsent(program.database) == 0, seconds=30), program.events()[-5:]
        told = Counter(json.dumps(sent["case"]) for sent in place.deliveries if sent["why"] != "notice")
        again = [sent for sent in place.deliveries if sent["possible_repeat"]]
    with sqlite3.connect(program.database) as db:
        stored = Counter(row[0] for row in db.execute("select title from mentions"))
        rows = db.execute("select count(*), count(distinct dedupe_key) from outbox where notice_key is null").fetchone()
        cases = db.execute("select count(*) from cases").fetchone()[0]
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    assert stored == Counter(_complaint(n) for n in range(POSTS))
    assert (cases, rows) == (POSTS, (POSTS, POSTS))
    assert len(told) == POSTS
    copies = {case: count - 1 for case, count in told.items() if count > 1}
    refused = sum(1 for nth in range(1, len(place.deliveries) + 1) if _slow_and_moody.refuses(nth))
    assert sum(copies.values()) <= KILLS + refused
    assert len(again) <= KILLS


class _Moody:
    """A sink of 20 ms that says "later" to every ninth."""

    @staticmethod
    def refuses(nth: int) -> bool:
        return nth % 9 == 0

    def __call__(self, nth: int) -> int:
        threading.Event().wait(0.02)
        return 503 if self.refuses(nth) else 200


_slow_and_moody = _Moody()

_WORDS = ("transfer", "login", "card", "refund", "ticket", "parcel", "router", "invoice", "booking", "battery")


def _complaint(number: int) -> str:
    """A post that calls for somebody and is near to no other: words and numbers of its own."""
    one, other = _WORDS[number % 10], _WORDS[(number * 7 + number // 10) % 10]
    return f"Podopay is completely down {number} {one * 2}{number} {other}{number * 31} order {number * 7919}"


def _unsent(database: Path) -> int:
    """How much is still to be done; a database that is not there yet has everything to do."""
    try:
        with sqlite3.connect(database) as db:
            stored, unsent = (
                db.execute("select count(*) from mentions").fetchone()[0],
                db.execute("select count(*) from outbox where state in ('pending', 'sending')").fetchone()[0],
            )
    except sqlite3.OperationalError:
        return POSTS
    return int(POSTS - stored + unsent)
