"""Values for tests of decisions: a small policy, and mentions, verdicts and cases that differ from it by one argument."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from listener.decide.match import Found
from listener.domain.case import Case, CaseState
from listener.domain.mention import Author, Mention, Reach
from listener.domain.policy import (
    Brand,
    MatchOp,
    Policy,
    ReachScoring,
    Receiver,
    RepeatComplaint,
    Route,
    Scoring,
    Topic,
)
from listener.domain.policy import Matcher as RouteMatcher
from listener.domain.query import Term
from listener.domain.verdict import Judgement, Label, Reason, Sentiment, Severity, Stakes, Verdict

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def term(word: str) -> Term:
    return Term(text=word, folded=word.casefold())


def topic(name: str, *, points: float = 0.0, at_least: Severity | None = None, kind: str = "topics") -> Topic:
    return Topic(id=name, place=f"{kind}.{name}", any=term(name), points=points, at_least=at_least)


def scoring(**changes: Any) -> Scoring:
    usual = Scoring(
        negative_points=35.0,
        unknown_points=10.0,
        unknown_review=True,
        reach=ReachScoring(per_tenfold_followers=4.0, per_tenfold_reactions=6.0, cap=20.0),
        repeat_complaint=RepeatComplaint(within=timedelta(days=30), points=10.0),
        severity={Severity.URGENT: 70.0, Severity.HIGH: 45.0, Severity.NORMAL: 20.0},
    )
    return replace(usual, **changes)


def route(
    place: str = "routes", *when: str, receiver: str | None = "social", children: Sequence[Route] = (), **changes: Any
) -> Route:
    usual = Route(
        place=place,
        matchers=tuple(matcher(text) for text in when),
        receiver=receiver,
        continue_=False,
        group_by=(),
        group_wait=timedelta(seconds=30),
        group_interval=timedelta(minutes=5),
        repeat_interval=timedelta(hours=4),
        digest=None,
        escalation=None,
        routes=tuple(children),
    )
    return replace(usual, **changes)


def matcher(text: str) -> RouteMatcher:
    """`severity=urgent` as a value."""
    op = next(op for op in (MatchOp.NOT_EQUAL, MatchOp.REGEX, MatchOp.NOT_REGEX, MatchOp.EQUAL) if op in text)
    label, _, value = text.partition(op)
    return RouteMatcher(label=label, op=op, value=value)


def policy(**changes: Any) -> Policy:
    receivers = ("social", "oncall", "finance")
    usual = Policy(
        digest="d1",
        brands=(Brand(id="haneul", name="Haneul Air", query=term("haneul")),),
        sources=(),
        topics=(
            topic("safety", at_least=Severity.URGENT),
            topic("billing", points=25.0),
            topic("staff", points=8.5, at_least=Severity.HIGH),
        ),
        intents=(topic("leave", points=20.0, kind="intents"),),
        scoring=scoring(),
        respond_within={
            Severity.URGENT: timedelta(minutes=5),
            Severity.HIGH: timedelta(hours=1),
            Severity.NORMAL: timedelta(days=1),
        },
        receivers={name: Receiver(id=name, channels=()) for name in receivers},
        route=route(),
    )
    return replace(usual, **changes)


def mention(text: str = "haneul air lost my bag", **changes: Any) -> Mention:
    usual = Mention(
        id="m1",
        source_id="forum",
        native_key="n:forum:1",
        keys=("n:forum:1", "u:1"),
        content_hash="h1",
        url="https://forum.example/t/1",
        title=None,
        text=text,
        author=Author(handle="Mina"),
        lang="en",
        script="latin",
        reach=Reach(),
        published_at=NOW - timedelta(minutes=1),
        found_at=None,
        seen_at=NOW,
        thread_id=None,
    )
    return replace(usual, **changes)


def found(*, brands: Sequence[str] = ("haneul",), **changes: Any) -> Found:
    usual = Found(brands=tuple(brands), topics=(), intents=(), matches=(), own=False, rivals=())
    return replace(usual, **changes)


def sentiment(label: Label = Label.NEGATIVE, p_negative: float = 0.8) -> Sentiment:
    if label is Label.UNKNOWN:
        return Sentiment(label=label, value=None, p_negative=None, model="none", why="no model reads Korean yet")
    return Sentiment(label=label, value=1 - 2 * p_negative, p_negative=p_negative, model="vader 3.3.2", why="lost")


def stakes(*, urgent: float = 0.0, high: float = 0.0, normal: float = 0.0, **changes: Any) -> Stakes:
    low = 1 - urgent - high - normal
    usual = Stakes(p_urgent=urgent, p_high=high, p_normal=normal, p_low=low, model="stakes-en 1")
    return replace(usual, **changes)


def judgement(label: Label = Label.NEGATIVE, p_negative: float = 0.8, **changes: Any) -> Judgement:
    return replace(Judgement(sentiment=sentiment(label, p_negative)), **changes)


def verdict(severity: Severity = Severity.HIGH, **changes: Any) -> Verdict:
    score = {Severity.URGENT: 80, Severity.HIGH: 50, Severity.NORMAL: 25, Severity.LOW: 5}[severity]
    usual = Verdict(
        mention_id="m1",
        brands=("haneul",),
        matches=(),
        judgement=judgement(topics=("billing",), intents=("leave",)),
        score=score,
        severity=severity,
        reasons=(Reason(code="sentiment", text="reads as negative", points=28.0, rule="scoring.negative"),),
        review=False,
        ruleset="d1",
        decided_at=NOW,
    )
    return replace(usual, **changes)


def case(severity: Severity = Severity.NORMAL, **changes: Any) -> Case:
    usual = Case(
        id=42,
        state=CaseState.OPEN,
        severity=severity,
        score=25,
        brands=("haneul",),
        topics=("delivery",),
        title="lost my bag",
        lead_mention_id="m0",
        opened_at=NOW - timedelta(hours=2),
        said_at=NOW - timedelta(hours=3),
        last_mention_at=NOW - timedelta(hours=1),
        mention_count=1,
        respond_by=NOW + timedelta(hours=21),
    )
    return replace(usual, **changes)
