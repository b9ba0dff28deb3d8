"""Values with everything filled in, to be varied by `dataclasses.replace` or keyword."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from listener.domain.case import Case, CaseState
from listener.domain.mention import Author, Mention, Reach
from listener.domain.notification import Notice, Why
from listener.domain.verdict import Judgement, Label, Match, Reason, Sentiment, Severity, Span, Verdict
from listener.ports import NewNotification, UnitOfWork

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def minutes(number: float) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=number)


def mention(name: str = "m1", **changes: Any) -> Mention:
    """A mention whose keys are its own."""
    values: dict[str, Any] = {
        "id": name,
        "source_id": "forum",
        "native_key": f"forum:{name}",
        "keys": (f"forum:{name}", f"https://forum.example/{name}"),
        "content_hash": f"hash-{name}",
        "url": f"https://forum.example/{name}",
        "title": "이중결제 됐어요",
        "text": f"카드가 두 번 결제됐는데 환불을 안 해줍니다 {name}",
        "author": Author(handle="@minji", name="민지", url=None, followers=1200, verified=False),
        "lang": "ko",
        "script": "hangul",
        "reach": Reach(followers=1200, likes=0, reposts=None, replies=3, views=None),
        "published_at": NOW - minutes(5),
        "found_at": None,
        "seen_at": NOW,
        "thread_id": "forum:thread-7",
        "brands": ("haneul",),
        "truncated": False,
    }
    return Mention(**{**values, **changes})


def sentiment(label: Label = Label.NEGATIVE) -> Sentiment:
    """What a model says; nothing about numbers if it could not judge."""
    unknown = label is Label.UNKNOWN
    value, p_negative = (None, None) if unknown else (-0.75, 0.875)
    return Sentiment(label=label, value=value, p_negative=p_negative, model="vader 3.3.2", why="두 번 결제")


def verdict(of: str = "m1", *, label: Label = Label.NEGATIVE, **changes: Any) -> Verdict:
    """A verdict with matches and reasons."""
    values: dict[str, Any] = {
        "mention_id": of,
        "brands": ("haneul",),
        "matches": (
            Match(query_id="brands.haneul", term="하늘항공", span=Span(start=0, end=4)),
            Match(query_id="topics.billing", term="site:forum.example", span=None),
        ),
        "judgement": Judgement(sentiment=sentiment(label), topics=("billing",), intents=("leave",)),
        "score": 62,
        "severity": Severity.HIGH,
        "reasons": (Reason(code="sentiment", text="reads as negative (0.88)", points=30.5, rule="scoring.negative"),),
        "review": False,
        "ruleset": "abc123",
        "decided_at": NOW,
    }
    return Verdict(**{**values, **changes})


def case(lead: str = "m1", **changes: Any) -> Case:
    """An open case about one mention."""
    values: dict[str, Any] = {
        "id": 0,
        "state": CaseState.OPEN,
        "severity": Severity.HIGH,
        "score": 62,
        "brands": ("haneul",),
        "topics": ("billing",),
        "title": "이중결제 됐어요",
        "lead_mention_id": lead,
        "opened_at": NOW,
        "said_at": NOW - minutes(5),
        "last_mention_at": NOW,
        "mention_count": 1,
        "respond_by": NOW + minutes(55),
    }
    return Case(**{**values, **changes})


def stored_case(uow: UnitOfWork, name: str = "m1", **changes: Any) -> Case:
    """A mention and its case, both stored and attached."""
    uow.add_mention(mention(name), verdict(name))
    stored = uow.add_case(case(name, **changes), keys=())
    uow.attach(stored.id, name, keys=(), shingles=())
    return stored


def notification(key: str = "k1", **changes: Any) -> NewNotification:
    """A notification about nothing in particular, due now."""
    values: dict[str, Any] = {
        "channel": "oncall/0:slack",
        "receiver": "oncall",
        "target": "",
        "case_id": None,
        "mention_id": None,
        "notice_key": "source:forum:refused",
        "why": Why.NOTICE,
        "route": "routes",
        "due_at": NOW,
        "dedupe_key": key,
        "created_at": NOW,
    }
    return NewNotification(**{**values, **changes})


def notice(key: str = "source:forum:refused", **changes: Any) -> Notice:
    """A notice that was just opened."""
    values: dict[str, Any] = {
        "key": key,
        "title": "forum refuses us",
        "body": "The source forum answers 403: check its key.",
        "opened_at": NOW,
    }
    return Notice(**{**values, **changes})


def damage(path: Path, table: str) -> None:
    """Scribble over the first page of a table of a SQLite database."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=DELETE")
        size = database.execute("PRAGMA page_size").fetchone()[0]
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 200)
