"""Rows to domain values and back, checked both ways.

Text that a database cannot hold (U+0000 in PostgreSQL, lone surrogates anywhere) is replaced by U+FFFD on its way in, so
that one poisonous post never holds up its neighbours. A value that only a bug can make (NaN, a naive time) is refused.
"""

import json
import math
import re
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar

from listener.domain.case import Case, CaseEvent, CaseEventKind, CaseState, Disposition
from listener.domain.mention import Author, Mention, Reach
from listener.domain.notification import Notice, Notification, NotificationState, Why
from listener.domain.source import Checkpoint, Health, SourceState
from listener.domain.verdict import Judgement, Label, Match, Reason, Sentiment, Severity, Span, Verdict
from listener.ports import KnownMention, NewNotification, OutboxCount

Values = dict[str, Any]
Row = dict[str, Any]
Text = TypeVar("Text", str, None, str | None)

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Where a case without a `respond_by` stands in the queue: after all that have one."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LARGEST = 2**63 - 1
_LONGEST_KEY = 512


def storable(text: Text) -> Text:
    """The text with U+FFFD for each character that no database takes; `None` stays `None`."""
    if text is None:
        return None
    try:
        text.encode()  # many times faster than a search for what it does not take
    except UnicodeEncodeError:
        return _UNSTORABLE.sub("�", text)
    return text.replace("\x00", "�")


def index_key(text: str) -> str:
    """The text itself, or a digest of it if it is too long for an index row (PostgreSQL: 2.7 kB, SQLite wastes pages)."""
    clean = storable(text)
    if len(clean) <= _LONGEST_KEY:
        return clean
    return f"sha256:{sha256(clean.encode()).hexdigest()}"


def count(number: int | None) -> int | None:
    """A count that a platform claims, held to what a 64-bit column takes."""
    return None if number is None else max(-_LARGEST, min(number, _LARGEST))


def signed(shingle: int) -> int:
    """A hash of up to 64 bits as the signed number that a database keeps; equal hashes stay equal."""
    low = shingle & (2**64 - 1)
    return low - 2**64 if low > _LARGEST else low


def _json(value: object) -> str:
    """Readable JSON, or escaped where it holds what cannot be stored; either way it reads back as it was."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return json.dumps(value, allow_nan=False, separators=(",", ":")) if _UNSTORABLE.search(text) else text


def _words(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _finite(number: float | None) -> float | None:
    if number is not None and not math.isfinite(number):
        raise ValueError(f"a sentiment of {number} is a bug of the model: it must be finite, or None if unknown")
    return number


# --- sources


def source_values(state: SourceState) -> Values:
    """One row of `sources`."""
    checkpoint = state.checkpoint
    return {
        "id": state.id,
        "connector": state.connector,
        "health": state.health.value,
        "checkpoint_version": checkpoint.version if checkpoint else None,
        "checkpoint_data": _json(checkpoint.data) if checkpoint else None,
        "next_poll_at": state.next_poll_at,
        "last_poll_at": state.last_poll_at,
        "last_success_at": state.last_success_at,
        "last_item_at": state.last_item_at,
        "failures": state.failures,
        "error_code": storable(state.error_code),
        "error": storable(state.error),
        "items_total": state.items_total,
    }


def source_of(row: Row) -> SourceState:
    """A row of `sources` as the domain knows it."""
    values = dict(row)
    version, data = values.pop("checkpoint_version"), values.pop("checkpoint_data")
    checkpoint = None if version is None else Checkpoint(version=version, data=json.loads(data))
    return SourceState(**{**values, "health": Health(values["health"])}, checkpoint=checkpoint)


# --- mentions and verdicts


def content_values(mention: Mention, verdict: Verdict) -> Values:
    """The columns of `mentions` that an edit replaces: all but `id`, `source_id`, `seen_at` and `revision`."""
    author, reach = mention.author, mention.reach
    complained = verdict.judgement.sentiment.label is Label.NEGATIVE and author.handle
    return {
        "native_key": storable(mention.native_key),
        "content_hash": mention.content_hash,
        "url": storable(mention.url),
        "title": storable(mention.title),
        "text": storable(mention.text),
        "author_handle": storable(author.handle),
        "author_name": storable(author.name),
        "author_url": storable(author.url),
        "author_followers": count(author.followers),
        "author_verified": author.verified,
        "lang": storable(mention.lang),
        "script": mention.script,
        "followers": count(reach.followers),
        "likes": count(reach.likes),
        "reposts": count(reach.reposts),
        "replies": count(reach.replies),
        "views": count(reach.views),
        "published_at": mention.published_at,
        "found_at": mention.found_at,
        "said_at": mention.said_at,
        "thread_id": storable(mention.thread_id),
        "brands": _json(mention.brands),
        "truncated": mention.truncated,
        "complainant": index_key(complained) if complained else None,
    }


def mention_values(mention: Mention, verdict: Verdict) -> Values:
    """One row of `mentions`, at its first revision."""
    fixed = {"id": mention.id, "source_id": mention.source_id, "seen_at": mention.seen_at, "revision": 1}
    return {**fixed, **content_values(mention, verdict)}


def mention_of(row: Row, keys: tuple[str, ...]) -> Mention:
    """A row of `mentions` with its keys."""
    return Mention(
        id=row["id"],
        source_id=row["source_id"],
        native_key=row["native_key"],
        keys=keys,
        content_hash=row["content_hash"],
        url=row["url"],
        title=row["title"],
        text=row["text"],
        author=_author_of(row),
        lang=row["lang"],
        script=row["script"],
        reach=Reach(**{name: row[name] for name in ("followers", "likes", "reposts", "replies", "views")}),
        published_at=row["published_at"],
        found_at=row["found_at"],
        seen_at=row["seen_at"],
        thread_id=row["thread_id"],
        brands=_words(row["brands"]),
        truncated=row["truncated"],
    )


def _author_of(row: Row) -> Author:
    return Author(**{name: row[f"author_{name}"] for name in ("handle", "name", "url", "followers", "verified")})


def known_of(row: Row) -> KnownMention:
    """What `known` selects."""
    names = ("mention_id", "source_id", "native_key", "content_hash", "case_id")
    return KnownMention(**{name: row[name] for name in names})


def verdict_values(verdict: Verdict) -> Values:
    """One row of `verdicts`."""
    judgement, sentiment = verdict.judgement, verdict.judgement.sentiment
    return {
        "mention_id": verdict.mention_id,
        "brands": _json(verdict.brands),
        "matches": _json([_match_values(match) for match in verdict.matches]),
        "label": sentiment.label.value,
        "sentiment": _finite(sentiment.value),
        "p_negative": _finite(sentiment.p_negative),
        "model": storable(sentiment.model),
        "why": storable(sentiment.why),
        "topics": _json(judgement.topics),
        "intents": _json(judgement.intents),
        "score": verdict.score,
        "severity": verdict.severity.value,
        "reasons": _json([asdict(reason) for reason in verdict.reasons]),
        "review": verdict.review,
        "ruleset": verdict.ruleset,
        "decided_at": verdict.decided_at,
    }


def _match_values(match: Match) -> list[object]:
    span = [match.span.start, match.span.end] if match.span else None
    return [match.query_id, match.term, span]


def _match_of(query_id: str, term: str, span: list[int] | None) -> Match:
    return Match(query_id=query_id, term=term, span=Span(start=span[0], end=span[1]) if span else None)


def verdict_of(row: Row) -> Verdict:
    """A row of `verdicts` as the domain knows it."""
    sentiment = Sentiment(
        label=Label(row["label"]),
        value=row["sentiment"],
        p_negative=row["p_negative"],
        model=row["model"],
        why=row["why"],
    )
    return Verdict(
        mention_id=row["mention_id"],
        brands=_words(row["brands"]),
        matches=tuple(_match_of(*match) for match in json.loads(row["matches"])),
        judgement=Judgement(sentiment=sentiment, topics=_words(row["topics"]), intents=_words(row["intents"])),
        score=row["score"],
        severity=Severity(row["severity"]),
        reasons=tuple(Reason(**reason) for reason in json.loads(row["reasons"])),
        review=row["review"],
        ruleset=row["ruleset"],
        decided_at=row["decided_at"],
    )


# --- cases


def queue_rank(severity: Severity) -> int:
    """0 for urgent to 3 for low: ascending in the order of the queue."""
    return Severity.URGENT.rank - severity.rank


def severity_at(rank: int) -> Severity:
    """The severity that has this `queue_rank`."""
    return next(severity for severity in Severity if queue_rank(severity) == rank)


def case_values(case: Case) -> Values:
    """One row of `cases` without its id."""
    return {
        "state": case.state.value,
        "severity": case.severity.value,
        "queue_rank": queue_rank(case.severity),
        "queue_by": case.respond_by or NEVER,
        "score": case.score,
        "brands": _json(case.brands),
        "topics": _json(case.topics),
        "title": storable(case.title),
        "lead_mention_id": case.lead_mention_id,
        "opened_at": case.opened_at,
        "said_at": case.said_at,
        "last_mention_at": case.last_mention_at,
        "mention_count": case.mention_count,
        "respond_by": case.respond_by,
        "review": case.review,
        "owner": storable(case.owner),
        "snoozed_until": case.snoozed_until,
        "resolved_at": case.resolved_at,
        "disposition": case.disposition.value if case.disposition else None,
        "meant": case.meant.value if case.meant else None,
    }


def case_of(row: Row) -> Case:
    """A row of `cases` as the domain knows it."""
    values = {name: value for name, value in row.items() if name not in ("queue_rank", "queue_by")}
    disposition, meant = values["disposition"], values["meant"]
    values |= {
        "state": CaseState(values["state"]),
        "severity": Severity(values["severity"]),
        "brands": _words(values["brands"]),
        "topics": _words(values["topics"]),
        "disposition": Disposition(disposition) if disposition else None,
        "meant": Severity(meant) if meant else None,
    }
    return Case(**values)


def event_values(event: CaseEvent) -> Values:
    """One row of `case_events`."""
    return {
        "case_id": event.case_id,
        "at": event.at,
        "kind": event.kind.value,
        "who": storable(event.who),
        "detail": storable(event.detail),
        "mention_id": event.mention_id,
    }


def event_of(row: Row) -> CaseEvent:
    """A row of `case_events` as the domain knows it."""
    values = {name: value for name, value in row.items() if name != "id"}
    return CaseEvent(**{**values, "kind": CaseEventKind(values["kind"])})


# --- outbox


def new_notification_values(new: NewNotification) -> Values:
    """One row of `outbox`, waiting."""
    values = {**asdict(new), "why": new.why.value, "state": NotificationState.PENDING.value}
    return values | {"attempts": 0, "ambiguous": False}


def notification_values(notification: Notification) -> Values:
    """One row of `outbox` without its id."""
    values = asdict(notification)
    del values["id"]
    return values | {
        "why": notification.why.value,
        "state": notification.state.value,
        "receipt": storable(notification.receipt),
        "error": storable(notification.error),
    }


def notification_of(row: Row) -> Notification:
    """A row of `outbox` as the domain knows it."""
    return Notification(**{**row, "why": Why(row["why"]), "state": NotificationState(row["state"])})


def outbox_count_of(row: Row) -> OutboxCount:
    """What `outbox_counts` selects."""
    return OutboxCount(**{**row, "state": NotificationState(row["state"])})


# --- notices


def notice_values(notice: Notice) -> Values:
    """One row of `notices`."""
    values = asdict(notice)
    return values | {name: storable(values[name]) for name in ("key", "title", "body", "avoid")}


def notice_of(row: Row) -> Notice:
    """A row of `notices` as the domain knows it."""
    return Notice(**{name: value for name, value in row.items() if name != "id"})
