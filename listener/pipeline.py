"""THE PAGE: the way of a mention, top to bottom. No step calls the next; this page does.

`poll` hears and judges: fetch, normalise, match, judge, prioritise, correlate, store, and write what must be told.
`deliver` tells. `tick` looks after what time alone changes. Each returns when it wants to be called again.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from listener import casework
from listener.connector import Page
from listener.decide.alike import MIN_SHARED, shingles
from listener.decide.correlate import (
    REOPEN_WITHIN,
    CaseDecision,
    Edited,
    Ignore,
    JoinCase,
    OpenCase,
    Repeat,
    SeenElsewhere,
    case_keys,
    correlate,
)
from listener.decide.judge import judge
from listener.decide.match import Found
from listener.decide.normalise import normalise, normalise_page
from listener.decide.prioritise import prioritise
from listener.decide.route import Occasion, decide_alerts, labels
from listener.decide.schedule import next_knock, next_poll, poll_due, silent
from listener.domain.case import Case, CaseCandidate, CaseEvent, CaseEventKind, KnownMention
from listener.domain.errors import Fault, SourceChanged, SourceError, SourceRefused
from listener.domain.mention import Mention, RawItem
from listener.domain.notification import Notice, Suppression, Why
from listener.domain.policy import Policy, SourceMode, SourceSpec
from listener.domain.source import Health, SourceState
from listener.domain.verdict import Judgement, Label, Sentiment, Verdict
from listener.failpoint import reach
from listener.outbox import announce, deliver_next, write_alert
from listener.ports import UnitOfWork
from listener.ruleset import Ruleset, World

log = logging.getLogger("listener.pipeline")


# --- hearing -----------------------------------------------------------------------------------------------------------


def poll(world: World, rules: Ruleset, source_id: str) -> datetime | None:
    """Poll a source if it is due, and return when to come back; `None` if the policy no longer has it."""
    spec = rules.policy.source(source_id)
    if spec is None or spec.mode is SourceMode.OFF:
        return None
    with world.store.reading() as uow:
        state = uow.source(source_id) or SourceState(id=source_id, connector=spec.connector)
    now, least = world.clock.now(), _min_interval(rules, spec)
    due = poll_due(state.next_poll_at, every=spec.every, failures=state.failures, now=now, min_interval=least)
    if due > now:
        return due
    try:
        for page in _pages(rules, state):
            reach("poll.fetched")
            state = _absorb(world, rules, spec, state, page)
            reach("poll.committed")
    except SourceError as error:
        return _settle(world, rules, spec, _failed(state, error), error)
    return _settle(world, rules, spec, _succeeded(state, world.clock.now()), None)


def _pages(rules: Ruleset, state: SourceState) -> Iterator[Page]:
    """What the connector gives. A bug in one connector must not stop the others: it is a trouble of its source."""
    try:
        yield from rules.connectors[state.id].poll(state.checkpoint)
    except SourceError:
        raise
    except Exception as bug:
        log.exception("connector failed", extra={"event": "connector_bug", "source": state.id})
        says = "the connector has a fault of its own; see the log and report it"
        raise SourceChanged(Fault.UNEXPECTED, says) from bug


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A mention of a brand, judged; what remains to be decided needs the database."""

    mention: Mention
    found: Found
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A mention with the verdict on it."""

    mention: Mention
    verdict: Verdict


def hear(rules: Ruleset, mentions: Iterable[Mention]) -> tuple[Heard, ...]:
    """Match and judge: the mentions that name a brand of ours and are not our own posts."""
    heard = []
    for mention in mentions:
        found = rules.matcher.match(mention)
        if found.brands and not found.own:
            heard.append(Heard(mention=mention, found=found, judgement=assess(rules, mention, found)))
    return tuple(heard)


def assess(rules: Ruleset, mention: Mention, found: Found) -> Judgement:
    """Judge a mention; a model that fails on it leaves a verdict of "unknown", which people review."""
    try:
        return judge(mention, found, rules.models, rules.stakes)
    except Exception:  # one poisonous text must not hold up its neighbours, and must not be taken for neutral
        log.exception("model failed", extra={"event": "model_bug", "mention": mention.id})
        unknown = Sentiment(
            label=Label.UNKNOWN, value=None, p_negative=None, model="none", why="the model failed on it"
        )
        return Judgement(sentiment=unknown, topics=found.topics, intents=found.intents)


def _absorb(world: World, rules: Ruleset, spec: SourceSpec, state: SourceState, page: Page) -> SourceState:
    """Take in one page: everything that it brings, and the checkpoint behind it, commit together or not at all."""
    now = world.clock.now()
    for fault, text in page.warnings:
        log.warning(text, extra={"event": "source_warning", "source": spec.id, "fault": str(fault)})
    heard = [
        one for one in hear(rules, normalise_page(page.items, source_id=spec.id, seen_at=now)) if _wanted(spec, one)
    ]
    reach("poll.judged")
    after = replace(
        state,
        checkpoint=page.checkpoint,
        items_total=state.items_total + len(page.items),
        last_item_at=now if page.items else state.last_item_at,
    )
    if not heard:
        return after  # nothing to store: the checkpoint is saved with the end of the poll
    with world.store.writing() as uow:
        ring = _store(uow, rules, spec, heard, now)
        uow.save_source(after)
        reach("store.before_commit")
    _ring(world, ring)
    return after


def _wanted(spec: SourceSpec, heard: Heard) -> bool:
    return not spec.brands or not set(spec.brands).isdisjoint(heard.found.brands)


def _store(uow: UnitOfWork, rules: Ruleset, spec: SourceSpec, heard: Sequence[Heard], now: datetime) -> set[str]:
    """Prioritise, correlate and store each mention, and write what must be told. Returns the channels to ring."""
    known = dict(uow.known([key for one in heard for key in one.mention.keys]))
    complaints = _complaints(uow, rules.policy, heard, now)
    ring: set[str] = set()
    for one in heard:
        verdict = prioritise(
            one.mention,
            one.found,
            one.judgement,
            rules.policy,
            last_complaint_at=complaints.get(one.mention.author.handle or ""),
            now=now,
        )
        same = _known(one.mention, known)
        decision = correlate(
            one.mention,
            verdict,
            known=same,
            candidates=_candidates(uow, one.mention, same, now),
            policy=rules.policy,
            now=now,
        )
        ring |= _apply(uow, rules, spec, Decided(mention=one.mention, verdict=verdict), decision)
        known |= uow.known(one.mention.keys)  # the next item of the page may be this one again, by another key
        reach("store.mention")
    return ring


def _complaints(uow: UnitOfWork, policy: Policy, heard: Sequence[Heard], now: datetime) -> Mapping[str, datetime]:
    repeat = policy.scoring.repeat_complaint
    handles = sorted({one.mention.author.handle for one in heard if one.mention.author.handle})
    if repeat is None or not handles:
        return {}
    return uow.last_complaints(handles, since=now - repeat.within)


def _known(mention: Mention, known: Mapping[str, KnownMention]) -> KnownMention | None:
    """The stored mention that this one is; the source's own key counts most."""
    keys = ([mention.native_key] if mention.native_key else []) + list(mention.keys)
    return next((known[key] for key in keys if key in known), None)


def _candidates(
    uow: UnitOfWork, mention: Mention, same: KnownMention | None, now: datetime
) -> tuple[CaseCandidate, ...]:
    """The cases that it might join; for a mention that is known, its own case however old."""
    found = uow.case_candidates(
        keys=case_keys(mention),
        shingles=shingles(mention.full_text),
        min_shared=MIN_SHARED,
        since=now - REOPEN_WITHIN,
    )
    own = same.case_id if same is not None else None
    case = None if own is None or any(one.case.id == own for one in found) else uow.case(own)
    if case is None:
        return found
    return (*found, CaseCandidate(case=case, shared_keys=(), shared_shingles=0, closest_text=""))


def _apply(uow: UnitOfWork, rules: Ruleset, spec: SourceSpec, one: Decided, decision: CaseDecision) -> set[str]:
    """Store what was decided, mention first, case second. Returns the channels to ring."""
    match decision:
        case Repeat():
            return set()
        case SeenElsewhere():
            uow.add_keys(decision.mention_id, decision.keys)
            return set()
        case Edited():
            stored = Decided(
                mention=replace(one.mention, id=decision.mention_id),
                verdict=replace(one.verdict, mention_id=decision.mention_id),
            )
            uow.add_revision(decision.mention_id, stored.mention, stored.verdict)
            return _file(uow, rules, spec, stored, decision.then)
        case _:
            uow.add_mention(one.mention, one.verdict)
            return _file(uow, rules, spec, one, decision)


def _file(
    uow: UnitOfWork, rules: Ruleset, spec: SourceSpec, one: Decided, decision: OpenCase | JoinCase | Ignore
) -> set[str]:
    """Put a stored mention into its case, if it has one, and write what must be told of it."""
    if isinstance(decision, Ignore):
        return set()
    if isinstance(decision, OpenCase):
        case = uow.add_case(decision.case, keys=decision.keys)
        kind, detail = CaseEventKind.OPENED, f"opened as {case.severity} (score {case.score})"
    else:
        case = decision.case
        uow.save_case(case)
        kind, detail = _joined(decision)
    uow.attach(case.id, one.mention.id, keys=decision.keys, shingles=shingles(one.mention.full_text))
    uow.add_event(_event(case, one, kind, one.mention.source_id, detail))
    reach("store.case")
    return _tell(uow, rules, spec, one, case, decision.why)


def _joined(decision: JoinCase) -> tuple[CaseEventKind, str]:
    if decision.reopened:
        return CaseEventKind.REOPENED, f"opened again: {decision.because}"
    if decision.raised:
        return CaseEventKind.RAISED, f"raised to {decision.case.severity}: {decision.because}"
    return CaseEventKind.JOINED, f"another mention: {decision.because}"


def _tell(uow: UnitOfWork, rules: Ruleset, spec: SourceSpec, one: Decided, case: Case, why: Why | None) -> set[str]:
    """Write an outbox row for everyone who is to know, and a line on the timeline for everyone who is not."""
    now = one.verdict.decided_at
    occasion = Occasion(why=why, mode=spec.mode, case_state=case.state, earlier=uow.notifications_of_case(case.id))
    ring: set[str] = set()
    for decided in decide_alerts(rules.policy, labels(one.verdict, one.mention, case=case), occasion, now=now):
        if isinstance(decided, Suppression):
            reason = f"{decided.name}: {decided.reason}"
            uow.add_event(_event(case, one, CaseEventKind.SUPPRESSED, decided.route, reason))
        else:
            round_ = f"{one.mention.id}@{now.isoformat()}"
            ring |= write_alert(uow, rules, alert=decided, case=case, round_=round_, now=now)
    reach("store.outbox")
    return ring


def _event(case: Case, one: Decided, kind: CaseEventKind, who: str | None, detail: str) -> CaseEvent:
    at = one.verdict.decided_at
    return CaseEvent(case_id=case.id, at=at, kind=kind, who=who, detail=detail, mention_id=one.mention.id)


# --- how the poll ended ------------------------------------------------------------------------------------------------


def _succeeded(state: SourceState, now: datetime) -> SourceState:
    return replace(state, health=Health.OK, failures=0, error_code=None, error=None, last_success_at=now)


def _failed(state: SourceState, error: SourceError) -> SourceState:
    health = Health.FAILING
    if isinstance(error, SourceRefused):
        health = Health.REFUSED
    elif isinstance(error, SourceChanged):
        health = Health.BROKEN
    return replace(state, health=health, failures=state.failures + 1, error_code=str(error.fault), error=str(error))


def _settle(world: World, rules: Ruleset, spec: SourceSpec, state: SourceState, error: SourceError | None) -> datetime:
    """Plan the next poll, and tell people, once, of what needs them."""
    now = world.clock.now()
    plan = next_knock if state.health is Health.REFUSED else next_poll
    due = plan(
        every=spec.every,
        min_interval=_min_interval(rules, spec),
        failures=state.failures,
        retry_after=error.retry_after if error else None,
        now=now,
        seed=f"{spec.id}:{state.items_total}:{state.failures}:{now.timestamp():.0f}",
    )
    if silent(state, silent_after=spec.silent_after, now=now):
        state = replace(state, health=Health.SILENT)
    with world.store.writing() as uow:
        uow.save_source(replace(state, last_poll_at=now, next_poll_at=due))
        ring = _report(uow, rules, spec, state, now)
    reach("poll.settled")
    _ring(world, ring)
    _log_poll(state, error)
    return due


def _min_interval(rules: Ruleset, spec: SourceSpec) -> float:
    """A platform's limit is the platform's; a place in your own network may be asked as often as you like."""
    return 0.0 if getattr(spec.config, "allow_private", False) else rules.connectors[spec.id].limits.min_interval


TROUBLE_AFTER_FAILURES = {Health.REFUSED: 1, Health.BROKEN: 3, Health.FAILING: 3}
"""Failed polls in a row before people are told: a refusal at once, a strange answer when it stays."""

AWAY_FOR = timedelta(minutes=30)
"""How long a place may be away before people are told; most outages of a platform are shorter."""


def _in_trouble(spec: SourceSpec, state: SourceState, now: datetime) -> bool:
    if state.failures < TROUBLE_AFTER_FAILURES.get(state.health, 1):
        return False
    heard = state.last_success_at
    return state.health is not Health.FAILING or heard is None or now - heard > max(AWAY_FOR, 3 * spec.every)


def _report(uow: UnitOfWork, rules: Ruleset, spec: SourceSpec, state: SourceState, now: datetime) -> set[str]:
    """Open the one notice that fits the source's health, and close those that no longer do."""
    key = f"source:{spec.id}:{state.health}"
    for health in (Health.REFUSED, Health.BROKEN, Health.FAILING, Health.SILENT):
        if health is not state.health:
            uow.close_notice(f"source:{spec.id}:{health}", now)
    if state.health is Health.SILENT:
        says = f"Its polls succeed, but nothing new has come since {state.last_item_at:%Y-%m-%d %H:%M} UTC"
        title = f"Source {spec.id} has gone silent"
    elif state.failures and _in_trouble(spec, state, now):
        says = f"{state.error_code}: {state.error}"
        title = f"Source {spec.id} is not being heard ({state.health})"
    else:
        return set()
    body = f"{says}. Try it with: listener doctor"
    return announce(uow, rules, Notice(key=key, title=title, body=body, opened_at=now))


def _log_poll(state: SourceState, error: SourceError | None) -> None:
    extra = {"event": "source_polled", "source": state.id, "health": str(state.health), "items": state.items_total}
    if error is None:
        log.debug("source polled", extra=extra)
    else:
        log.warning("source not heard", extra={**extra, "fault": str(error.fault), "error": str(error)})


# --- telling -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class ChannelPace:
    """What one channel may do, and when: it rests when its sink asked for that, and keeps the sink's own rate."""

    not_before: datetime | None = None


BURST = 20
"""Notifications sent before a channel's job lets others have the worker."""


def deliver(world: World, rules: Ruleset, channel: str, pace: ChannelPace) -> datetime | None:
    """Send what is due on a channel, at the sink's pace, and return when to come back."""
    if channel not in rules.notifiers:
        return None
    gap = timedelta(minutes=1) / rules.notifiers[channel].limits.per_minute
    for _ in range(BURST):
        if pace.not_before is not None and pace.not_before > world.clock.now():
            break
        outcome = deliver_next(world, rules, channel)
        if outcome is None:
            break
        reach("deliver.recorded")
        _ring(world, outcome.ring)
        pace.not_before = outcome.rest_until or world.clock.now() + gap
    with world.store.reading() as uow:
        due = uow.next_due(channel)
    if due is None or pace.not_before is None:
        return due
    return max(due, pace.not_before)


# --- what time alone changes -------------------------------------------------------------------------------------------

TICK = timedelta(seconds=15)


def tick(world: World, rules: Ruleset) -> datetime:
    """Wake snoozed cases and leave a sign of life; its write is also the proof that the database takes writes."""
    now = world.clock.now()
    with world.store.writing() as uow:
        woken = casework.wake(uow, now)
        ring: set[str] = set()
        for case in woken:
            ring |= _remind(uow, rules, case, now)
        uow.remember("tick", now.isoformat())
    _ring(world, ring)
    return now + TICK


def _remind(uow: UnitOfWork, rules: Ruleset, case: Case, now: datetime) -> set[str]:
    """The end of a snooze is told to those who would be told of the case."""
    mention, verdict = uow.mention(case.lead_mention_id), uow.verdict(case.lead_mention_id)
    spec = rules.policy.source(mention.source_id) if mention else None
    if mention is None or verdict is None or spec is None:
        return set()
    one = Decided(mention=mention, verdict=replace(verdict, decided_at=now))
    return _tell(uow, rules, spec, one, case, Why.REMINDER)


def _ring(world: World, channels: Iterable[str]) -> None:
    for channel in channels:
        world.bell.ring(f"deliver:{channel}")


# --- without a database ------------------------------------------------------------------------------------------------


class Triage:
    """The same steps for one post at a time, for people who try their rules and for labelled data."""

    def __init__(self, rules: Ruleset, *, source_id: str = "triage") -> None:
        self._rules = rules
        self._source_id = source_id

    def read(self, item: RawItem, *, now: datetime) -> Mention:
        """The item as a mention."""
        return normalise(item, source_id=self._source_id, seen_at=now)

    def judge(self, item: RawItem, *, now: datetime) -> Verdict:
        """The verdict on it. A post that names no brand is judged all the same."""
        mention = self.read(item, now=now)
        found = self._rules.matcher.match(mention)
        judgement = assess(self._rules, mention, found)
        return prioritise(mention, found, judgement, self._rules.policy, last_complaint_at=None, now=now)
