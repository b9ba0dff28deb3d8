"""A case, its mention and the verdict on it, from which tests render messages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from listener.decide.render import render
from listener.domain.case import Case, CaseState
from listener.domain.mention import Author, Mention, Reach
from listener.domain.message import Message
from listener.domain.notification import Why
from listener.domain.policy import Advice, Brand, Policy, ReachScoring, Route, Scoring, Topic
from listener.domain.query import Term
from listener.domain.verdict import Judgement, Label, Reason, Sentiment, Severity, Verdict

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_TERM = Term("x", "x")
_NONE = timedelta(0)

MENTION = Mention(
    id="m1",
    source_id="forum",
    native_key=None,
    keys=("k1",),
    content_hash="h",
    url="https://forum.example/t/8812",
    title=None,
    text="Charged twice, no answer from anybody since Friday.",
    author=Author(handle="minji", name="Minji"),
    lang="en",
    script="latin",
    reach=Reach(followers=12_400, likes=30, replies=8),
    published_at=NOW - timedelta(minutes=4),
    found_at=None,
    seen_at=NOW - timedelta(minutes=3),
    thread_id=None,
)
CASE = Case(
    id=42,
    state=CaseState.OPEN,
    severity=Severity.URGENT,
    score=83,
    brands=("haneul",),
    topics=("billing",),
    title="Charged twice",
    lead_mention_id="m1",
    opened_at=NOW,
    said_at=NOW - timedelta(minutes=4),
    last_mention_at=NOW,
    mention_count=1,
    respond_by=NOW + timedelta(minutes=56),
)
NEGATIVE = Sentiment(label=Label.NEGATIVE, value=-0.8, p_negative=0.91, model="vader", why="charged twice")
VERDICT = Verdict(
    mention_id="m1",
    brands=("haneul",),
    matches=(),
    judgement=Judgement(sentiment=NEGATIVE, topics=("billing",), intents=("leave",)),
    score=83,
    severity=Severity.URGENT,
    reasons=(
        Reason(code="sentiment", text="reads as negative", points=32.0, rule="scoring.negative"),
        Reason(code="at_least", text="billing is at least urgent", points=15.0, rule="topics.billing.at_least"),
    ),
    review=False,
    ruleset="r",
    decided_at=NOW,
)
POLICY = Policy(
    digest="r",
    brands=(Brand(id="haneul", name="Haneul Air", query=_TERM),),
    sources=(),
    topics=(
        Topic(
            id="billing",
            place="topics.billing",
            any=_TERM,
            advice=Advice(do=("Phone the customer now",), avoid=("Never argue in public",), handle_by="phone"),
        ),
    ),
    intents=(
        Topic(id="leave", place="intents.leave", any=_TERM, advice=Advice(do=("Offer to keep the seat",))),
        Topic(id="sue", place="intents.sue", any=_TERM, advice=Advice(do=("Call legal",))),
    ),
    scoring=Scoring(
        negative_points=35,
        unknown_points=10,
        unknown_review=True,
        reach=ReachScoring(),
        repeat_complaint=None,
        severity={Severity.URGENT: 70, Severity.HIGH: 45, Severity.NORMAL: 20},
    ),
    respond_within={},
    receivers={},
    route=Route(
        place="routes",
        matchers=(),
        receiver=None,
        continue_=False,
        group_by=(),
        group_wait=_NONE,
        group_interval=_NONE,
        repeat_interval=_NONE,
        digest=None,
        escalation=None,
        routes=(),
    ),
)


def rendered(
    *,
    case: Case = CASE,
    mention: Mention = MENTION,
    verdict: Verdict = VERDICT,
    policy: Policy = POLICY,
    why: Why = Why.FIRST,
    mention_count: int = 1,
    possible_repeat: bool = False,
    now: datetime = NOW,
) -> Message:
    """A message, with what is left out taken from the samples."""
    return render(
        case,
        mention,
        verdict,
        policy,
        why=why,
        dedupe_key="C42:first:1:oncall/0:slack:",
        mention_count=mention_count,
        source_name="forum",
        possible_repeat=possible_repeat,
        now=now,
    )


def saying(text: str, **changes: Any) -> Message:
    """A message about a post with this text."""
    return rendered(mention=replace(MENTION, text=text, **changes))
