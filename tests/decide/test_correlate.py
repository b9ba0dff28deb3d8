"""Which case a mention belongs to, and what becomes of the case."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.correlate import (
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
from listener.domain.case import Case, CaseCandidate, CaseState, Disposition, KnownMention
from listener.domain.mention import Author, Mention
from listener.domain.notification import Why
from listener.domain.policy import Policy
from listener.domain.verdict import Reason, Severity, Verdict
from tests.decide.examples import NOW, case, mention, policy, verdict

DAY = timedelta(days=1)
THREAD = ("thread:forum|1",)


def candidate(
    there: Case | None = None, *, keys: Sequence[str] = (), shared: int = 0, text: str = "haneul air lost my bag"
) -> CaseCandidate:
    return CaseCandidate(case=there or case(), shared_keys=tuple(keys), shared_shingles=shared, closest_text=text)


def decide(
    judged: Verdict | None = None,
    *candidates: CaseCandidate,
    said: Mention | None = None,
    known: KnownMention | None = None,
    rules: Policy | None = None,
) -> CaseDecision:
    return correlate(
        said or mention(), judged or verdict(), known=known, candidates=candidates, policy=rules or policy(), now=NOW
    )


def joined(decision: CaseDecision) -> JoinCase:
    assert isinstance(decision, JoinCase)
    return decision


def resolved(days: float = 1.0, **changes: Any) -> Case:
    return case(state=CaseState.RESOLVED, resolved_at=NOW - days * DAY, disposition=Disposition.REAL, **changes)


# --- opening -------------------------------------------------------------------------------------------------------------


def test_a_mention_that_calls_for_somebody_opens_a_case() -> None:
    said = mention()
    opened = decide(verdict(Severity.HIGH), said=said)
    assert isinstance(opened, OpenCase)
    assert opened.case == Case(
        id=0,
        state=CaseState.OPEN,
        severity=Severity.HIGH,
        score=50,
        brands=("haneul",),
        topics=("billing",),
        title="haneul air lost my bag",
        lead_mention_id="m1",
        opened_at=NOW,
        said_at=said.said_at,
        last_mention_at=said.said_at,
        mention_count=1,
        respond_by=said.said_at + timedelta(hours=1),
    )
    assert (opened.why, opened.keys) == (Why.FIRST, case_keys(said))


def test_what_nobody_could_judge_opens_a_case_whatever_its_severity() -> None:
    opened = decide(verdict(Severity.LOW, review=True))
    assert isinstance(opened, OpenCase)
    assert opened.case.review
    assert opened.case.respond_by is None


@pytest.mark.parametrize(
    ("said", "title"),
    [
        (mention("long text", title="Two\n lines"), "Two lines"),
        (mention(""), "(no text)"),
        (mention("word " * 100), "word " * 18 + "word…"),
        (mention("x" * 200), "x" * 99 + "…"),
    ],
)
def test_the_title_is_one_line(said: Mention, title: str) -> None:
    opened = decide(said=said)
    assert isinstance(opened, OpenCase)
    assert opened.case.title == title


@pytest.mark.parametrize(
    ("judged", "name"),
    [
        (verdict(Severity.LOW), "low"),
        (verdict(brands=()), "no_brand"),
        (verdict(reasons=(Reason(code="own_account", text="ours", points=0, rule="brands"),)), "own_account"),
    ],
)
def test_some_mentions_are_no_case(judged: Verdict, name: str) -> None:
    ignored = decide(judged)
    assert isinstance(ignored, Ignore)
    assert ignored.name == name
    assert ignored.reason


def test_a_policy_without_brands_takes_every_mention() -> None:
    assert isinstance(decide(verdict(brands=()), rules=policy(brands=())), OpenCase)


# --- joining -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "because"),
    [
        (candidate(keys=["native:n:forum:1"]), "the same post"),
        (candidate(keys=["thread:forum|1", "author:forum:mina"]), "the same conversation"),
        (candidate(keys=["page:https://forum.example/t/1"]), "the same page"),
        (candidate(shared=4), "nearly the same text"),
    ],
)
def test_a_mention_joins_its_kin(there: CaseCandidate, because: str) -> None:
    join = joined(decide(verdict(Severity.NORMAL), there))
    assert (join.because, join.raised, join.reopened, join.why) == (because, False, False, Why.MORE)
    assert join.case.mention_count == 2
    assert join.case.topics == ("delivery", "billing")
    assert join.case.last_mention_at == mention().said_at
    assert join.keys == case_keys(mention())


@pytest.mark.parametrize(
    "there",
    [
        candidate(keys=["author:forum:mina"]),
        candidate(shared=3),
        candidate(shared=8, text="haneul air lost 2 of my 3 bags"),
        candidate(case(last_mention_at=NOW - 8 * DAY), shared=8),
        candidate(case(brands=("podopay",)), keys=THREAD),
    ],
    ids=["same author only", "unlike text", "other numbers", "old text", "other brand"],
)
def test_a_mention_does_not_join_what_is_no_kin(there: CaseCandidate) -> None:
    said = mention("haneul air lost 1 of my 4 bags")
    assert isinstance(decide(verdict(), there, said=said), OpenCase)


def test_the_closest_kin_wins_and_an_open_case_before_a_resolved_one() -> None:
    over = candidate(resolved(id=1), keys=THREAD)
    alike = candidate(case(id=2), shared=8)
    page = candidate(case(id=3), keys=["page:https://forum.example/t/1"])
    assert joined(decide(verdict(), over, alike, page)).case.id == 3
    assert joined(decide(verdict(), over, alike)).case.id == 2


def test_a_calm_answer_joins_its_conversation_and_calls_nobody() -> None:
    join = joined(decide(verdict(Severity.LOW), candidate(keys=THREAD)))
    assert (join.why, join.case.mention_count) == (None, 2)


# --- raising -------------------------------------------------------------------------------------------------------------


def test_a_worse_mention_raises_the_case_and_leads_it() -> None:
    join = joined(decide(verdict(Severity.URGENT), candidate(keys=THREAD)))
    assert (join.raised, join.why) == (True, Why.RAISED)
    assert (join.case.severity, join.case.score, join.case.lead_mention_id) == (Severity.URGENT, 80, "m1")
    assert join.case.respond_by == mention().said_at + timedelta(minutes=5)


def test_a_raise_never_gives_the_customer_less() -> None:
    soon = case(respond_by=NOW)
    assert joined(decide(verdict(Severity.URGENT), candidate(soon, keys=THREAD))).case.respond_by == NOW


def test_a_milder_mention_never_lowers_the_case() -> None:
    urgent = case(Severity.URGENT, score=90, review=True)
    join = joined(decide(verdict(Severity.NORMAL), candidate(urgent, keys=THREAD)))
    assert (join.case.severity, join.case.score, join.case.review) == (Severity.URGENT, 90, True)
    assert (join.case.lead_mention_id, join.case.respond_by) == ("m0", urgent.respond_by)


def test_a_raise_ends_a_snooze_and_leaves_an_owner_in_charge() -> None:
    snoozed = case(state=CaseState.SNOOZED, snoozed_until=NOW + DAY)
    woken = joined(decide(verdict(Severity.URGENT), candidate(snoozed, keys=THREAD))).case
    assert (woken.state, woken.snoozed_until) == (CaseState.OPEN, None)
    owned = case(state=CaseState.ACKNOWLEDGED, owner="mina")
    kept = joined(decide(verdict(Severity.URGENT), candidate(owned, keys=THREAD))).case
    assert (kept.state, kept.owner) == (CaseState.ACKNOWLEDGED, "mina")


def test_a_snoozed_case_sleeps_on_through_more_of_the_same() -> None:
    snoozed = case(state=CaseState.SNOOZED, snoozed_until=NOW + DAY)
    assert joined(decide(verdict(Severity.NORMAL), candidate(snoozed, keys=THREAD))).case.state is CaseState.SNOOZED


# --- opening again -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [THREAD, ("page:https://forum.example/t/1",), ("native:n:forum:1",)])
def test_a_resolved_case_opens_again_for_its_own_conversation(keys: Sequence[str]) -> None:
    join = joined(decide(verdict(Severity.NORMAL), candidate(resolved(), keys=keys)))
    assert (join.reopened, join.why, join.case.state) == (True, Why.FIRST, CaseState.OPEN)
    assert (join.case.resolved_at, join.case.disposition, join.case.lead_mention_id) == (None, None, "m1")
    assert join.case.said_at == mention().said_at
    assert join.case.respond_by == mention().said_at + DAY


def test_a_resolved_case_opens_again_for_its_author_and_nobody_elses_words() -> None:
    again = candidate(resolved(), keys=["author:forum:mina"], shared=8)
    assert joined(decide(verdict(), again)).reopened
    assert isinstance(decide(verdict(), candidate(resolved(), shared=8)), OpenCase)


def test_after_two_weeks_it_is_a_new_case() -> None:
    assert isinstance(decide(verdict(), candidate(resolved(days=15), keys=THREAD)), OpenCase)


def test_a_resolved_case_without_a_time_counts_from_its_last_mention() -> None:
    over = case(state=CaseState.RESOLVED, last_mention_at=NOW - 15 * DAY)
    assert isinstance(decide(verdict(), candidate(over, keys=THREAD)), OpenCase)


def test_thanks_do_not_open_a_resolved_case() -> None:
    join = joined(decide(verdict(Severity.LOW), candidate(resolved(), keys=THREAD)))
    assert (join.reopened, join.why, join.case.state) == (False, None, CaseState.RESOLVED)


# --- known mentions ------------------------------------------------------------------------------------------------------


def known(**changes: Any) -> KnownMention:
    usual: dict[str, Any] = {
        "mention_id": "m0",
        "source_id": "forum",
        "native_key": "n:forum:1",
        "content_hash": "h0",
        "case_id": 42,
    }
    return KnownMention(**{**usual, **changes})


def test_what_was_heard_before_is_a_repeat() -> None:
    assert decide(known=known(content_hash="h1")) == Repeat(mention_id="m0")


def test_a_source_that_changes_its_ids_repeats_itself() -> None:
    assert decide(known=known(content_hash="h1", native_key="n:forum:0")) == Repeat(mention_id="m0")
    assert decide(said=mention(native_key=None), known=known(content_hash="h1", native_key=None)) == Repeat(
        mention_id="m0"
    )


@pytest.mark.parametrize("content_hash", ["h1", "another snippet"])
def test_what_another_source_told_before_only_gives_its_keys(content_hash: str) -> None:
    there = known(source_id="alerts", native_key="n:alerts:1", content_hash=content_hash)
    assert decide(known=there) == SeenElsewhere(mention_id="m0", keys=("n:forum:1", "u:1"))


@pytest.mark.parametrize(
    ("now_id", "before"), [(None, None), ("n:forum:1", None), (None, "n:forum:1"), ("n:forum:1", "n:forum:9")]
)
def test_a_source_without_ids_that_last_edits_too(now_id: str | None, before: str | None) -> None:
    """Address, headline and time say which item it is."""
    assert isinstance(decide(said=mention(native_key=now_id), known=known(native_key=before)), Edited)


def test_two_ids_with_two_texts_and_no_time_are_two_items_of_one_page() -> None:
    review = mention(published_at=None)
    assert isinstance(decide(said=review, known=known(native_key="n:forum:9")), OpenCase)


def test_an_edit_that_turns_worse_raises_its_case_without_counting_twice() -> None:
    edited = decide(verdict(Severity.URGENT), candidate(keys=["native:n:forum:1"]), known=known())
    assert isinstance(edited, Edited)
    join = joined(edited.then)
    assert (edited.mention_id, edited.case_id) == ("m0", 42)
    assert (join.why, join.case.severity, join.case.mention_count) == (Why.RAISED, Severity.URGENT, 1)
    assert join.case.lead_mention_id == "m0"


def test_an_edit_that_turns_milder_changes_nothing() -> None:
    edited = decide(verdict(Severity.LOW), candidate(keys=["native:n:forum:1"]), known=known())
    assert isinstance(edited, Edited)
    join = joined(edited.then)
    assert (join.why, join.raised, join.case.severity) == (None, False, Severity.NORMAL)


def test_an_edit_opens_a_resolved_case_again_only_if_it_is_worse() -> None:
    there = candidate(resolved(), keys=["native:n:forum:1"])
    worse = decide(verdict(Severity.URGENT), there, known=known())
    same = decide(verdict(Severity.NORMAL), there, known=known())
    assert isinstance(worse, Edited)
    assert isinstance(same, Edited)
    assert joined(worse.then).why is Why.FIRST
    assert joined(same.then).case.state is CaseState.RESOLVED


def test_an_edit_can_open_a_case_for_a_mention_that_had_none() -> None:
    edited = decide(verdict(Severity.HIGH), known=known(case_id=None))
    assert isinstance(edited, Edited)
    assert isinstance(edited.then, OpenCase)
    assert edited.then.case.lead_mention_id == "m0"


def test_an_edit_in_a_case_that_is_long_gone_opens_no_other() -> None:
    edited = decide(verdict(Severity.HIGH), candidate(case(id=7), keys=THREAD), known=known())
    assert isinstance(edited, Edited)
    assert isinstance(edited.then, Ignore)
    assert edited.then.name == "case_out_of_reach"


# --- keys ----------------------------------------------------------------------------------------------------------------


def test_a_mention_is_led_to_by_itself_its_conversation_its_page_and_its_author() -> None:
    said = mention(thread_id="forum|9", url="https://forum.example/t/1?p=2#post-3")
    assert case_keys(said) == (
        "native:n:forum:1",
        "thread:forum|9",
        "page:https://forum.example/t/1?p=2",
        "author:forum:mina",
    )


def test_a_conversation_that_is_named_by_a_link_is_that_page() -> None:
    """So an answer meets the post that it answers."""
    post = mention(url="https://s.example/@a/1")
    answer = mention(url="https://s.example/@b/2", thread_id="https://s.example/@a/1")
    assert set(case_keys(post)) & set(case_keys(answer)) >= {"page:https://s.example/@a/1"}


@pytest.mark.parametrize(
    ("changes", "pages"),
    [
        ({"url": "https://blog.example"}, 0),
        ({"url": "https://blog.example/"}, 0),
        ({"url": "https://blog.example/#top"}, 0),
        ({"url": "https://blog.example/?p=12"}, 1),
        ({"url": None}, 0),
        ({"url": "https://apps.example/app/7", "brands": ("haneul",)}, 0),
    ],
)
def test_only_a_specific_page_leads_to_a_case(changes: dict[str, Any], pages: int) -> None:
    assert len([key for key in case_keys(mention(**changes)) if key.startswith("page:")]) == pages


def test_what_is_not_known_gives_no_key() -> None:
    assert case_keys(mention(native_key=None, url=None, author=Author())) == ()


# --- what always holds ---------------------------------------------------------------------------------------------------

SEVERITIES = st.sampled_from(list(Severity))
CASES = st.builds(
    lambda severity, state: case(severity, state=state, resolved_at=NOW if state is CaseState.RESOLVED else None),
    SEVERITIES,
    st.sampled_from(list(CaseState)),
)


@given(CASES, SEVERITIES, st.booleans())
def test_a_case_is_never_lowered_and_never_loses_anything(there: Case, severity: Severity, review: bool) -> None:
    join = joined(decide(verdict(severity, review=review), candidate(there, keys=THREAD)))
    assert join.case.severity.rank == max(there.severity.rank, severity.rank)
    assert join.case.score >= there.score
    assert join.case.review >= there.review
    assert set(there.topics) <= set(join.case.topics)
    assert join.case.last_mention_at >= there.last_mention_at
    assert join.reopened is (there.state is CaseState.RESOLVED and join.case.state is CaseState.OPEN)


@given(CASES, SEVERITIES, st.booleans())
def test_whoever_calls_for_somebody_is_never_passed_over(there: Case, severity: Severity, review: bool) -> None:
    decision = decide(verdict(severity, review=review), candidate(there, keys=THREAD))
    calls = review or severity is not Severity.LOW
    assert (joined(decision).why is None) is not calls
