"""What an alert says: in the words of a support lead, with nothing left out that decides what to do."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.layout import Part, blocks, shown_link
from listener.decide.render import MAX_HEADLINE, duration, render_notice
from listener.domain.case import CaseState
from listener.domain.mention import Author, Reach
from listener.domain.notification import Notice, Why
from listener.domain.policy import Advice
from listener.domain.verdict import Judgement, Label, Reason, Sentiment, Severity
from tests.alert_samples import CASE, MENTION, NOW, POLICY, VERDICT, rendered, saying


def test_an_alert_says_all_that_decides_what_to_do() -> None:
    message = rendered()
    assert message.headline == "URGENT · Haneul Air · billing — Charged twice, no answer from anybody since Friday."
    assert message.reasons == ("billing is at least urgent (+15)", "reads as negative (+32)")
    assert message.clock == "answer within 56 min"
    assert message.do == ("Phone the customer now", "Offer to keep the seat")
    assert (message.avoid, message.handle_by) == (("Never argue in public",), "phone")
    assert message.how == "listener ack C42"
    assert message.case_name == "C42"
    assert message.thread_key == "case:42"
    assert message.post is not None
    assert message.post.author == "Minji (@minji)"
    assert message.post.reach == "12,400 followers, 38 reactions"
    assert message.post.age == "posted 4 min ago"
    assert (message.post.url, message.post.host) == ("https://forum.example/t/8812", "forum.example")


# --- the headline


def test_a_long_post_gives_its_first_words() -> None:
    headline = saying("I was charged twice " * 30).headline
    assert len(headline) <= MAX_HEADLINE
    assert headline.endswith("…")
    assert headline[-2].isalpha()


def test_a_long_word_is_cut_rather_than_left_out() -> None:
    """Chinese has no spaces, and Korean words are long."""
    assert len(saying("한국어" * 100).headline) == MAX_HEADLINE


def test_the_headline_says_why_it_comes() -> None:
    starts = {
        Why.FIRST: "URGENT ·",
        Why.MORE: "MORE · URGENT ·",
        Why.RAISED: "RAISED TO URGENT ·",
        Why.ESCALATED: "NOBODY ANSWERED · URGENT ·",
        Why.REMINDER: "STILL OPEN · URGENT ·",
        Why.RESOLVED: "RESOLVED · URGENT ·",
        Why.DIGEST: "URGENT ·",
    }
    for why, start in starts.items():
        assert rendered(why=why).headline.startswith(start)


def test_a_title_is_not_said_twice() -> None:
    message = saying("Charged twice. Help.", title="Charged twice")
    assert message.headline.count("Charged twice") == 1
    assert message.post is not None
    assert message.post.title is None
    other = saying("Please help.", title="Charged twice")
    assert other.headline.endswith("Charged twice Please help.")
    assert other.post is not None
    assert other.post.title == "Charged twice"


def test_without_brand_topic_or_words_the_severity_remains() -> None:
    case = replace(CASE, brands=(), topics=())
    verdict = replace(VERDICT, brands=(), judgement=Judgement(sentiment=VERDICT.judgement.sentiment))
    assert rendered(case=case, verdict=verdict, mention=replace(MENTION, text="")).headline == "URGENT"


def test_a_brand_that_left_the_file_keeps_its_id() -> None:
    assert rendered(case=replace(CASE, brands=("gone",))).brands == ("gone",)


@given(st.text(st.characters(exclude_categories=()), max_size=300), st.text(max_size=300))
def test_the_headline_is_one_line_within_its_limit_for_any_text(text: str, title: str) -> None:
    headline = saying(text, title=title).headline
    assert len(headline) <= MAX_HEADLINE
    assert len(headline.splitlines()) == 1


# --- why


def test_floors_come_first_then_the_most_points_and_no_more_than_five() -> None:
    many = tuple(Reason(code="topic", text=f"topic {n}", points=float(n), rule="t") for n in range(9))
    floor = Reason(code="at_least", text="safety is at least urgent", points=0.0, rule="t")
    reasons = rendered(verdict=replace(VERDICT, reasons=(*many, floor))).reasons
    assert reasons == ("safety is at least urgent", "topic 8 (+8)", "topic 7 (+7)", "topic 6 (+6)", "topic 5 (+5)")


def _unknown(why: str) -> Judgement:
    return Judgement(sentiment=Sentiment(label=Label.UNKNOWN, value=None, p_negative=None, model="none", why=why))


def test_what_nobody_could_judge_is_said_and_never_called_neutral() -> None:
    """Even where five heavier reasons would push it out."""
    many = tuple(Reason(code="topic", text=f"topic {n}", points=20.0 + n, rule="t") for n in range(9))
    for why, said in (("no model reads Korean", " (no model reads Korean)"), ("", "")):
        reasons = rendered(verdict=replace(VERDICT, reasons=many, judgement=_unknown(why))).reasons
        assert reasons[-1] == f"how the author feels could not be judged{said}; please read it"
        assert len(reasons) == 5
        assert "neutral" not in " ".join(reasons)


def test_what_the_verdict_says_of_the_unknown_is_not_said_twice() -> None:
    reason = Reason(
        code="unknown", text="could not be judged: no model reads Korean", points=10.0, rule="scoring.unknown"
    )
    reasons = rendered(verdict=replace(VERDICT, reasons=(reason,), judgement=_unknown("no model reads Korean"))).reasons
    assert reasons == ("could not be judged: no model reads Korean (+10)",)


# --- who, how far, how long ago


@pytest.mark.parametrize(
    ("author", "said"),
    [
        (Author(), "author unknown"),
        (Author(name="Minji"), "Minji"),
        (Author(handle="minji"), "@minji"),
        (Author(handle="@minji", name="Minji", verified=True), "Minji (@minji), verified"),
        (Author(handle="minji", name="minji"), "@minji"),
        (Author(name="a\nb" * 100), "a b" * 24 + "a …"),
    ],
)
def test_the_author_is_named_as_far_as_known(author: Author, said: str) -> None:
    post = rendered(mention=replace(MENTION, author=author)).post
    assert post is not None
    assert post.author.startswith(said.rstrip("…")[:70])
    assert len(post.author) <= 110


@pytest.mark.parametrize(
    ("reach", "followers", "said"),
    [
        (Reach(), None, "reach unknown"),
        (Reach(), 1, "1 follower"),
        (Reach(followers=0), 5, "0 followers"),
        (Reach(likes=1), None, "1 reaction"),
        (Reach(views=2_000_000), None, "2,000,000 views"),
    ],
)
def test_reach_tells_unknown_from_none(reach: Reach, followers: int | None, said: str) -> None:
    post = rendered(mention=replace(MENTION, reach=reach, author=Author(followers=followers))).post
    assert post is not None
    assert post.reach == said


def test_a_post_that_we_saw_late_says_so() -> None:
    late = replace(MENTION, published_at=NOW - timedelta(hours=3, minutes=20), seen_at=NOW - timedelta(minutes=1))
    post = rendered(mention=late).post
    assert post is not None
    assert post.age == "posted 3 h 20 min ago, seen 3 h 19 min after it was posted"


def test_an_unknown_time_of_posting_is_not_made_up() -> None:
    found = replace(MENTION, published_at=None, found_at=NOW - timedelta(minutes=9))
    seen = replace(MENTION, published_at=None, found_at=None)
    for mention, said in (
        (found, "found 9 min ago, time of posting unknown"),
        (seen, "first seen 3 min ago, time of posting unknown"),
    ):
        post = rendered(mention=mention).post
        assert post is not None
        assert post.age == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 s"), (0, "0 s"), (59, "59 s"), (60, "1 min"), (3_599, "59 min"), (3_600, "1 h"), (12_000, "3 h 20 min"),
        (86_400, "1 d"), (187_200, "2 d 4 h"), (30 * 86_400, "30 d"), (1_200 * 86_400, "1,200 d"),
    ],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(seconds: int, said: str) -> None:
    assert duration(timedelta(seconds=seconds)) == said


# --- the customer's clock, and what to do


def test_the_clock_says_what_is_left_or_by_how_much_it_is_over() -> None:
    assert rendered(case=replace(CASE, respond_by=NOW + timedelta(seconds=40))).clock == "answer within 40 s"
    assert rendered(case=replace(CASE, respond_by=NOW - timedelta(minutes=3))).clock == "overdue by 3 min"
    assert rendered(case=replace(CASE, respond_by=None)).clock is None


def test_a_resolved_case_asks_for_nothing() -> None:
    message = rendered(case=replace(CASE, state=CaseState.RESOLVED, owner="minji"), why=Why.RESOLVED)
    assert (message.clock, message.how, message.do, message.avoid) == (None, None, (), ())
    assert message.body == "This case was resolved. minji has it."


def test_an_acknowledged_case_names_its_owner_and_the_next_command() -> None:
    message = rendered(case=replace(CASE, state=CaseState.ACKNOWLEDGED, owner="minji"), why=Why.MORE, mention_count=3)
    assert message.body == "More about the same matter: 3 posts in this case now. minji has it."
    assert message.how == "listener resolve C42"
    assert rendered(why=Why.MORE).body == "More about the same matter: 1 post in this case now."


def test_advice_is_said_once_however_many_topics_give_it() -> None:
    twice = replace(
        POLICY.topics[0], id="refund", advice=Advice(do=("Phone the customer now", "Refund"), handle_by="mail")
    )
    policy = replace(POLICY, topics=(*POLICY.topics, twice))
    message = rendered(case=replace(CASE, topics=("billing", "refund", "gone")), policy=policy)
    assert message.do == ("Phone the customer now", "Refund", "Offer to keep the seat")
    assert message.handle_by == "phone"


def test_an_unsafe_link_is_not_shown() -> None:
    message = saying("x", url="javascript:alert(1)")
    assert message.post is not None
    assert (message.post.url, message.post.host, shown_link(message)) == (None, None, None)


# --- notices


def test_a_notice_says_what_the_service_has_to_say() -> None:
    notice = Notice(key="source:forum:refused", title="The source forum refuses us", body="HTTP 403.", opened_at=NOW)
    message = render_notice(notice, dedupe_key="n1", now=NOW)
    assert message.headline == "Listener · The source forum refuses us"
    assert (message.why, message.severity, message.body, message.post) == (Why.NOTICE, None, "HTTP 403.", None)
    assert shown_link(message) is None
    assert [block.part for block in blocks(message)] == [Part.BODY]
    over = render_notice(replace(notice, closed_at=NOW), dedupe_key="n2", now=NOW)
    assert over.headline == "Listener · Over: The source forum refuses us"


# --- the order in which it is read


def test_parts_come_in_the_order_in_which_people_read() -> None:
    message = rendered(why=Why.MORE, mention_count=2, possible_repeat=True)
    assert [block.part for block in blocks(message)] == list(Part)
    shown = {block.part: block.shown() for block in blocks(message)}
    assert shown[Part.STATUS] == "C42 · answer within 56 min · posted 4 min ago · 2 posts"
    assert shown[Part.ORIGIN] == "Minji (@minji) · 12,400 followers, 38 reactions · forum"
    assert shown[Part.WHY] == "Why:\n- billing is at least urgent (+15)\n- reads as negative (+32)"
    assert shown[Part.DO].endswith("\n- Settle it by phone")
    assert shown[Part.AVOID] == "Avoid: Never argue in public"
    assert shown[Part.HOW] == "Next step: listener ack C42"
    assert "had this before" in shown[Part.REPEAT]


def test_parts_with_nothing_to_say_are_left_out() -> None:
    message = replace(rendered(), do=(), avoid=(), handle_by=None, how=None, reasons=())
    assert [block.part for block in blocks(message)] == [Part.STATUS, Part.POST, Part.ORIGIN]
    assert [block.part for block in blocks(saying(""))][:2] == [Part.STATUS, Part.ORIGIN]


def test_severity_of_the_case_counts_because_it_may_have_been_raised() -> None:
    assert rendered(case=replace(CASE, severity=Severity.HIGH)).headline.startswith("HIGH ·")
