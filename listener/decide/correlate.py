"""Step 5: which case a mention belongs to: a new one, one that is there, or none.

`correlate` returns one of six decisions. `Repeat`, `SeenElsewhere` and `Edited` are about a mention that is stored
already; `OpenCase`, `JoinCase` and `Ignore` say what becomes of a new one (or of an edit).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from listener.decide.alike import MIN_SHARED, numbers_nested, shingles
from listener.decide.fold import fold
from listener.domain.case import Case, CaseCandidate, CaseState, KnownMention
from listener.domain.mention import Mention
from listener.domain.notification import Why
from listener.domain.policy import Policy
from listener.domain.verdict import Severity, Verdict

__all__ = [
    "CaseDecision",
    "Edited",
    "Ignore",
    "JoinCase",
    "OpenCase",
    "Repeat",
    "SeenElsewhere",
    "case_keys",
    "correlate",
    "shingles",
]

NEAR_DUPLICATES_WITHIN = timedelta(days=7)
"""A near-identical text joins a case only if the case had a mention this recently."""

REOPEN_WITHIN = timedelta(days=14)
"""How long after its end a case is opened again rather than a new one opened."""

# --- decisions ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """The mention is known and says what it said: nothing to do."""

    mention_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenElsewhere:
    """The mention is known from another place or by another key: only these `keys` are to be added to it."""

    mention_id: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """A new case. `case` is whole but for its `id`, which is 0 until the store gives it one; `keys` will lead to it."""

    case: Case
    keys: tuple[str, ...]
    why: Why = Why.FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinCase:
    """A mention of a case that is there. `case` is the case as it is to be saved; `because` is a line of its timeline.

    `why` is what people are told it is: FIRST if it opens the case again, RAISED if it raises it, MORE if it would have
    called for somebody by itself, else `None`.
    """

    case: Case
    keys: tuple[str, ...]
    because: str
    raised: bool
    reopened: bool
    why: Why | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """No case. `name` is stable ("own_account", "no_brand", "low"), `reason` is a sentence."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The source shows a known mention with another text; `then` is what that means for cases.

    An edit that raises its case is told as such; one that softens leaves the case as it is.
    """

    mention_id: str
    case_id: int | None
    then: OpenCase | JoinCase | Ignore


CaseDecision = Repeat | SeenElsewhere | Edited | OpenCase | JoinCase | Ignore


def correlate(
    mention: Mention,
    verdict: Verdict,
    *,
    known: KnownMention | None,
    candidates: Sequence[CaseCandidate],
    policy: Policy,
    now: datetime,
) -> CaseDecision:
    """Decide where a mention belongs.

    `known` is the stored mention that shares a key with it, if any. `candidates` are the cases that share a case key or
    shingles, best or newest first. The severity of a case is only ever raised.
    """
    asked = _Asked(mention=mention, verdict=verdict, policy=policy, now=now)
    if known is None:
        return _place(asked, candidates)
    same_item = mention.native_key is not None and mention.native_key == known.native_key
    same_source = same_item or mention.source_id == known.source_id
    if not same_source:
        return SeenElsewhere(mention_id=known.mention_id, keys=mention.keys)
    if mention.content_hash == known.content_hash:
        return Repeat(mention_id=known.mention_id)  # a source that changes its ids brings no news and no end of keys
    if not same_item and _has_its_own_id(mention, known):
        return _place(asked, candidates)
    asked = replace(asked, mention=replace(mention, id=known.mention_id))
    return Edited(
        mention_id=known.mention_id, case_id=known.case_id, then=_after_edit(asked, known.case_id, candidates)
    )


def _has_its_own_id(mention: Mention, known: KnownMention) -> bool:
    """Two ids and two texts under one address and headline: reviews of one product. With one time, too, it is one item
    whose id changes.
    """
    return None not in (mention.native_key, known.native_key) and mention.published_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is being decided on."""

    mention: Mention
    verdict: Verdict
    policy: Policy
    now: datetime

    @property
    def calls(self) -> bool:
        """Does the mention by itself call for somebody?"""
        return self.verdict.review or self.verdict.severity is not Severity.LOW

    def respond_by(self, severity: Severity) -> datetime | None:
        """The customer's clock for this severity: from the time of the post."""
        allowed = self.policy.respond_within.get(severity)
        return None if allowed is None else self.mention.said_at + allowed


def _place(asked: _Asked, candidates: Sequence[CaseCandidate]) -> OpenCase | JoinCase | Ignore:
    if any(reason.code == "own_account" for reason in asked.verdict.reasons):
        return Ignore(name="own_account", reason="it was posted by an account of ours")
    fitting = [(fit, candidate) for candidate in candidates if (fit := _fit(asked, candidate)) is not None]
    if fitting:
        (_, _, because), best = min(fitting, key=lambda pair: pair[0])
        return _join(asked, best.case, because)
    if asked.policy.brands and not asked.verdict.brands:
        return Ignore(name="no_brand", reason="it names no brand of ours")
    if not asked.calls:
        return Ignore(name="low", reason="its severity is low and it was judged, so it calls for nobody")
    return _open(asked)


# --- kinship -----------------------------------------------------------------------------------------------------------

_KINDS = {"native": "the same post", "thread": "the same conversation", "page": "the same page"}
_TEXT = "nearly the same text"


def _fit(asked: _Asked, candidate: CaseCandidate) -> tuple[bool, int, str] | None:
    """Whether the mention belongs to the case, as something to sort by: open cases first, then the closest kinship."""
    case = candidate.case
    if asked.verdict.brands and case.brands and set(asked.verdict.brands).isdisjoint(case.brands):
        return None
    kinds = {key.partition(":")[0] for key in candidate.shared_keys}
    because = next((sentence for kind, sentence in _KINDS.items() if kind in kinds), None)
    if because is None and _same_text(asked, candidate):
        because = _TEXT
    if because is None or not _within_reach(case, kinds, asked.now):
        return None
    closeness = [*_KINDS.values(), _TEXT].index(because)
    return (case.state is CaseState.RESOLVED, closeness, because)


def _same_text(asked: _Asked, candidate: CaseCandidate) -> bool:
    recent = asked.now - candidate.case.last_mention_at <= NEAR_DUPLICATES_WITHIN
    alike = candidate.shared_shingles >= MIN_SHARED
    return recent and alike and numbers_nested(asked.mention.full_text, candidate.closest_text)


def _within_reach(case: Case, kinds: set[str], now: datetime) -> bool:
    """A resolved case takes only what its own author, conversation or page adds, and only for a while."""
    if case.state is not CaseState.RESOLVED:
        return True
    ended = case.resolved_at or case.last_mention_at
    return not kinds.isdisjoint({*_KINDS, "author"}) and now - ended <= REOPEN_WITHIN


# --- what becomes of the case ------------------------------------------------------------------------------------------


def _open(asked: _Asked) -> OpenCase:
    mention, verdict = asked.mention, asked.verdict
    case = Case(
        id=0,
        state=CaseState.OPEN,
        severity=verdict.severity,
        score=verdict.score,
        brands=verdict.brands,
        topics=verdict.judgement.topics,
        title=_title(mention),
        lead_mention_id=mention.id,
        opened_at=asked.now,
        said_at=mention.said_at,
        last_mention_at=mention.said_at,
        mention_count=1,
        respond_by=asked.respond_by(verdict.severity),
        review=verdict.review,
    )
    return OpenCase(case=case, keys=case_keys(mention))


def _join(asked: _Asked, case: Case, because: str) -> JoinCase:
    """Add a mention. One that calls for somebody opens a resolved case again; a mere "thanks" does not."""
    return _change(asked, case, because, added=1, reopened=case.state is CaseState.RESOLVED and asked.calls)


def _after_edit(
    asked: _Asked, case_id: int | None, candidates: Sequence[CaseCandidate]
) -> OpenCase | JoinCase | Ignore:
    """An edit of a mention without a case may open one; an edit in a case can only raise it."""
    if case_id is None:
        return _place(asked, candidates)
    case = next((candidate.case for candidate in candidates if candidate.case.id == case_id), None)
    if case is None:
        return Ignore(name="case_out_of_reach", reason=f"its case C{case_id} had its last mention too long ago")
    raised = asked.verdict.severity.rank > case.severity.rank
    return _change(asked, case, "its author edited it", added=0, reopened=raised and case.state is CaseState.RESOLVED)


def _change(asked: _Asked, case: Case, because: str, *, added: int, reopened: bool) -> JoinCase:
    """The case with the mention in it. Severity, score and review only rise; a snooze ends when the matter gets worse."""
    mention, verdict = asked.mention, asked.verdict
    raised = verdict.severity.rank > case.severity.rank
    changed = replace(
        case,
        severity=verdict.severity if raised else case.severity,
        score=max(case.score, verdict.score),
        review=case.review or verdict.review,
        brands=_union(case.brands, verdict.brands),
        topics=_union(case.topics, verdict.judgement.topics),
        lead_mention_id=mention.id if raised or reopened else case.lead_mention_id,
        last_mention_at=max(case.last_mention_at, mention.said_at),
        mention_count=case.mention_count + added,
    )
    if raised:
        changed = replace(changed, respond_by=_earlier(case.respond_by, asked.respond_by(verdict.severity)))
    if raised and case.state is CaseState.SNOOZED:
        changed = replace(changed, state=CaseState.OPEN, snoozed_until=None)
    if reopened:
        changed = _reopened(asked, changed)
    return JoinCase(
        case=changed,
        keys=case_keys(mention),
        because=because,
        raised=raised,
        reopened=reopened,
        why=_why(raised=raised, reopened=reopened, more=added > 0 and asked.calls),
    )


def _reopened(asked: _Asked, case: Case) -> Case:
    """The customer's clock starts again with the mention that opened it again."""
    return replace(
        case,
        state=CaseState.OPEN,
        said_at=asked.mention.said_at,
        respond_by=asked.respond_by(case.severity),
        resolved_at=None,
        disposition=None,
        meant=None,
    )


def _why(*, raised: bool, reopened: bool, more: bool) -> Why | None:
    if reopened:
        return Why.FIRST
    if raised:
        return Why.RAISED
    return Why.MORE if more else None


def _union(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old, *new)))


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((time for time in (one, other) if time is not None), default=None)


_TITLE = 100


def _title(mention: Mention) -> str:
    """One line for lists: the post's own title, or the beginning of its text."""
    line = " ".join((mention.title or mention.text).split())
    if len(line) <= _TITLE:
        return line or "(no text)"
    return line[: _TITLE - 1].rsplit(" ", 1)[0] + "…"


# --- case keys ---------------------------------------------------------------------------------------------------------


def case_keys(mention: Mention) -> tuple[str, ...]:
    """What leads other mentions to the case of this one: itself, its conversation, its page, its author.

    A page counts only if its address is specific, and not where the place is about the brand as a whole (all reviews of an
    app share one page). A conversation that is named by a link is that page. The author alone joins nothing; it lets a
    resolved case be opened again.
    """
    keys = []
    if mention.native_key is not None:
        keys.append(f"native:{mention.native_key}")
    if mention.thread_id is not None:
        keys.append(f"thread:{mention.thread_id}")
    if not mention.brands:
        pages = (_page(url) for url in (mention.url, mention.thread_id) if url is not None)
        keys += [f"page:{page}" for page in dict.fromkeys(pages) if page is not None]
    if mention.author.handle:
        keys.append(f"author:{mention.source_id}:{fold(mention.author.handle)}")
    return tuple(keys)


def _page(url: str) -> str | None:
    """The address without its fragment; `None` if it is no link, or the front page of a site. `url` is canonical."""
    page = url.partition("#")[0]
    scheme, _, rest = page.partition("://")
    specific = rest.partition("/")[2]
    return page if scheme in ("http", "https") and specific else None
