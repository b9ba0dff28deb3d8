"""Does the triage queue slow down with what was stored before? The first page with 1,000,000 mentions against 10,000."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.row import Row, at_most, lasting
from benchmarks.timing import in_turns, wall
from listener.store import SqlStore, migrate

MOST_TIMES = 3.0

_START = datetime(2026, 1, 1, tzinfo=UTC)
_STATES = ("open", "acknowledged", "snoozed", *("resolved",) * 7)
_SEVERITIES = ("urgent", "high", "normal", "low")
_READS = 200


def queue(rows_small: int = 10_000, rows_large: int = 1_000_000) -> Iterator[Row]:
    """How many times as long the first page takes with `rows_large` mentions as with `rows_small`.

    One mention in ten has a case, and three cases in ten are not resolved. Both databases are read in turns, each
    `_READS` times; the medians are compared.
    """
    with tempfile.TemporaryDirectory(prefix="listener-bench-") as folder:
        small, large = (_filled(Path(folder) / f"{rows}.db", rows) for rows in (rows_small, rows_large))
        few, many = in_turns(lambda: wall(lambda: _page(small)), lambda: wall(lambda: _page(large)), rounds=_READS)
        small.close()
        large.close()
    yield Row(
        what=f"queue: first page with {rows_large:,} mentions against {rows_small:,}, by the clock",
        ours=lasting(many),
        peer=lasting(few),
        ratio=many / few,
        wanted=at_most(MOST_TIMES),
    )


def _page(store: SqlStore) -> None:
    with store.reading() as uow:
        uow.triage_queue(limit=50)


def _filled(path: Path, rows: int) -> SqlStore:
    url = f"sqlite:///{path}"
    migrate(url)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.execute("BEGIN")
        _insert(database, "mentions", _mentions(rows))
        _insert(database, "cases", _cases(rows // 10))
        database.execute("COMMIT")
    return SqlStore(url)


def _insert(database: sqlite3.Connection, table: str, rows: Iterator[dict[str, object]]) -> None:
    first = next(rows)
    columns = ", ".join(first)
    marks = ", ".join("?" for _ in first)
    statement = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 (our own names)
    database.execute(statement, tuple(first.values()))
    database.executemany(statement, (tuple(row.values()) for row in rows))


def _mentions(rows: int) -> Iterator[dict[str, object]]:
    for n in range(rows):
        at = _stored(n)
        yield {
            "id": f"m{n:08}",
            "source_id": "forum",
            "content_hash": f"{n:032x}",
            "text": "카드가 두 번 결제됐는데 환불을 안 해줍니다 " * 3,
            "script": "hangul",
            "seen_at": at,
            "said_at": at,
            "brands": "[]",
            "truncated": 0,
            "revision": 1,
        }


def _cases(rows: int) -> Iterator[dict[str, object]]:
    for n in range(rows):
        at, rank = _stored(n), n * 7 % 4
        yield {
            "state": _STATES[n % len(_STATES)],
            "severity": _SEVERITIES[rank],
            "queue_rank": rank,
            "queue_by": at,
            "score": n % 101,
            "brands": '["haneul"]',
            "topics": '["billing"]',
            "title": "이중결제 됐어요",
            "lead_mention_id": f"m{n:08}",
            "opened_at": at,
            "said_at": at,
            "last_mention_at": at,
            "mention_count": 1,
            "respond_by": at,
            "review": 0,
        }


def _stored(n: int) -> str:
    """A time as SQLAlchemy stores it on SQLite."""
    return (_START + timedelta(seconds=n)).strftime("%Y-%m-%d %H:%M:%S.%f")
