"""How an item becomes a mention, and when two items are one mention."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.normalise import MAX_TEXT, normalise, normalise_page
from listener.domain.mention import Author, Markup, Mention, RawItem, Reach

SEEN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SAID = datetime(2026, 11, 21, 10, 0, 1, tzinfo=UTC)
TITLE = "Haneul Air charged me twice"


def mention(item: RawItem, *, source_id: str = "forum", native_trusted: bool = True) -> Mention:
    return normalise(item, source_id=source_id, seen_at=SEEN, native_trusted=native_trusted)


def page(*items: RawItem, source_id: str = "forum") -> tuple[Mention, ...]:
    return normalise_page(items, source_id=source_id, seen_at=SEEN)


def are_one(one: RawItem, other: RawItem, *, other_source: str = "forum") -> bool:
    return bool(set(mention(one).keys) & set(mention(other, source_id=other_source).keys))


# --- what a mention says


def test_a_mention_is_readable_and_linked() -> None:
    item = RawItem(
        native_id="7",
        url="https://forum.example/t/7?utm_source=rss",
        title="<b>Charged</b>\n twice",
        text="<p>Twice!</p><p>환<b>불</b></p>",
        markup=Markup.HTML,
        author=Author(handle=" bob\x07 ", name="", url="javascript:x", followers=-1, verified=True),
        published_at=SAID,
        reach=Reach(followers=-5, likes=3, reposts=0),
        brands=("haneul",),
    )
    made = mention(item)
    assert made.url == "https://forum.example/t/7"
    assert made.full_text == "Charged twice\nTwice!\n환불"
    assert made.author == Author(handle="bob\ufffd", verified=True)
    assert made.reach == Reach(likes=3, reposts=0)
    assert (made.published_at, made.seen_at, made.brands) == (SAID, SEEN, ("haneul",))


def test_an_item_that_says_nothing_is_still_a_mention() -> None:
    made = mention(RawItem())
    assert made.keys
    assert (made.title, made.text, made.url, made.script, made.lang) == (None, "", None, "none", None)


def test_a_long_text_is_cut_and_says_so() -> None:
    made = mention(RawItem(text="a" * (MAX_TEXT + 1), title="b" * 600))
    assert (len(made.text), len(made.title or ""), made.truncated) == (MAX_TEXT, 500, True)
    assert not mention(RawItem(text="a" * MAX_TEXT)).truncated


@pytest.mark.parametrize(
    ("claimed", "believed"),
    [
        (SAID, SAID),
        (SAID.astimezone(timezone(timedelta(hours=9))), SAID),
        (SEEN + timedelta(minutes=4), SEEN),
        (SEEN + timedelta(minutes=6), None),
        (datetime(1999, 12, 31, tzinfo=UTC), None),
        (datetime(2026, 11, 21, 10, 0), None),  # noqa: DTZ001  a time without a zone is the point
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=9))), None),
        (None, None),
    ],
)
def test_a_time_that_cannot_be_true_is_unknown(claimed: datetime | None, believed: datetime | None) -> None:
    made = mention(RawItem(text="x", published_at=claimed, found_at=claimed))
    assert (made.published_at, made.found_at) == (believed, believed)


@pytest.mark.parametrize(
    ("claimed", "text", "lang"),
    [
        ("ko-KR", "refund", "ko"),
        ("EN", "refund", "en"),
        (" pt_BR ", "refund", "pt"),
        ("english", "refund", None),
        (None, "refund", None),
        (None, "환불 해줘", "ko"),
        (None, "返金してください", "ja"),
        ("zh", "환불 해줘", "zh"),
    ],
)
def test_the_language_is_what_the_place_says_or_what_only_one_language_is_written_in(
    claimed: str | None, text: str, lang: str | None
) -> None:
    assert mention(RawItem(text=text, lang=claimed)).lang == lang


@pytest.mark.parametrize(
    ("item", "thread"),
    [
        (RawItem(thread="t1", in_reply_to="p9"), "forum|t1"),
        (RawItem(in_reply_to="p9"), "forum|p9"),
        (RawItem(thread="https://x.example/t/1?utm_source=a"), "https://x.example/t/1"),
        (RawItem(), None),
    ],
)
def test_answers_of_one_conversation_share_a_thread(item: RawItem, thread: str | None) -> None:
    assert mention(item).thread_id == thread


# --- when two items are one mention


def test_the_same_native_id_at_one_source_is_one_mention_however_it_was_edited() -> None:
    first = RawItem(native_id="7", url="https://x.example/7", title="Flight delayed", text="fine", published_at=SAID)
    edited = replace(first, title="Flight delayed, smoke in cabin", text="help", published_at=SAID + timedelta(hours=1))
    assert are_one(first, edited)
    assert mention(first).native_key == mention(edited).native_key
    assert mention(first).id == mention(edited).id
    assert mention(first).content_hash != mention(edited).content_hash


def test_the_same_native_id_at_two_sources_is_two_mentions() -> None:
    one = RawItem(native_id="1", url="https://a.example/1", title="A post about something", published_at=SAID)
    other = RawItem(native_id="1", url="https://b.example/1", title="Another post entirely", published_at=SAID)
    assert not are_one(one, other, other_source="b")


def test_an_item_with_a_new_guid_each_time_is_one_mention() -> None:
    one = RawItem(
        native_id="sess-A-1", url="https://x.example/a/1", title="Acme mention 1", text="a", published_at=SAID
    )
    assert are_one(one, replace(one, native_id="sess-B-1"))


def test_one_article_in_two_searches_is_one_mention() -> None:
    """Google wraps one target in a different link for each alert, shows another snippet, and knows no time."""
    wrapped = "https://www.google.com/url?rct=j&url=https://news.example/a&ct=ga&cd={}"
    one = RawItem(native_id="g:1", url=wrapped.format(1), title=TITLE, text="... twice ...")
    other = RawItem(native_id="g:2", url=wrapped.format(2), title=TITLE, text="other words")
    assert are_one(one, other, other_source="second-alert")


def test_reviews_of_one_page_are_as_many_as_their_ids() -> None:
    """Each has its own id and text; address and headline are those of the product, and no time tells them apart."""
    one = RawItem(native_id="1", url="https://shop.example/kettle", title=TITLE, text="leaks")
    other = replace(one, native_id="2", text="lovely")
    page = normalise_page([one, other, replace(other, native_id="3")], source_id="shop", seen_at=SEEN)
    assert [mention.text for mention in page] == ["leaks", "lovely", "lovely"]
    assert len(normalise_page([one, replace(one, native_id="2")], source_id="shop", seen_at=SEEN)) == 1
    dated = [replace(one, published_at=SAID), replace(other, published_at=SAID)]
    assert len(normalise_page(dated, source_id="shop", seen_at=SEEN)) == 1


def test_a_syndicated_article_is_one_mention() -> None:
    one = RawItem(url="https://a.example/story", title=TITLE, text="long", published_at=SAID)
    assert are_one(one, replace(one, url="https://b.example/mirror", text="short"), other_source="b")


@pytest.mark.parametrize(
    ("title", "at"),
    [
        ("Acme again", SAID),
        (TITLE, None),
        (TITLE, datetime(2026, 11, 21, tzinfo=UTC)),
        ("Re: " + TITLE, SAID),
    ],
)
def test_a_title_that_many_posts_share_makes_no_two_posts_one(title: str, at: datetime | None) -> None:
    one = RawItem(url="https://a.example/1", title=title, text="x", published_at=at)
    assert not are_one(one, replace(one, url="https://a.example/2"))


def test_reviews_whose_links_all_lead_to_one_page_stay_apart() -> None:
    review = RawItem(url="https://shop.example/app", title="Bad", text="It crashes")
    assert not are_one(review, replace(review, text="It is slow"))
    assert not are_one(review, replace(review, title="Worse"))
    assert not are_one(review, replace(review, title=None))
    assert len(page(review, replace(review, text="It is slow"), review)) == 2


def test_without_id_and_link_what_was_said_and_by_whom_is_the_identity() -> None:
    item = RawItem(text="Charged twice!", author=Author(handle="bob"))
    assert are_one(item, replace(item, text="CHARGED  twice!"))
    assert not are_one(item, replace(item, author=Author(handle="eve")))
    assert not are_one(item, replace(item, text="Charged thrice!"))


def test_the_scheme_and_www_do_not_make_another_page() -> None:
    one = RawItem(url="http://www.x.example/a/", title=TITLE, text="x")
    assert are_one(one, replace(one, url="https://x.example/a"))


def test_an_untrusted_native_id_is_no_key() -> None:
    made = mention(RawItem(native_id="0", text="a"), native_trusted=False)
    assert made.native_key is None
    assert [key[0] for key in made.keys] == ["x"]


def test_keys_stay_short_whatever_the_id() -> None:
    made = mention(RawItem(native_id="x" * 1_000_000 + "\ud800", text="a"))
    assert max(map(len, made.keys)) < 100
    assert len(made.id) == 16


def test_keys_do_not_depend_on_when_we_look() -> None:
    """A feed whose zone is wrong claims the future today and the past tomorrow."""
    item = RawItem(url="https://x.example/1", title=TITLE, published_at=SEEN + timedelta(hours=9))
    later = normalise(item, source_id="forum", seen_at=SEEN + timedelta(days=1))
    assert mention(item).published_at is None
    assert later.published_at is not None
    assert later.keys == mention(item).keys


# --- pages


def test_a_native_id_that_is_not_unique_in_its_page_is_not_trusted() -> None:
    items = [
        RawItem(native_id="0", url=f"https://news.example/a/{n}", title=f"Acme mention {n}", text=f"case {n}")
        for n in range(20)
    ]
    mentions = page(*items)
    assert len(mentions) == 20
    assert {made.native_key for made in mentions} == {None}
    assert page(*items) == mentions


def test_exact_duplicates_in_a_page_are_one() -> None:
    item = RawItem(native_id="1", url="https://x.example/1", title="Acme", text="a", published_at=SAID)
    (made,) = page(item, item, item)
    assert made.native_key is not None


def test_items_of_a_page_that_share_a_key_become_one_with_the_keys_of_all() -> None:
    one = RawItem(native_id="1", url="https://x.example/1", title=TITLE, text="a", published_at=SAID)
    other = replace(one, native_id="2", url="https://x.example/2")
    (made,) = page(one, other)
    assert set(made.keys) == {*mention(one).keys, *mention(other).keys}
    assert len(made.keys) == len(set(made.keys))


@pytest.mark.parametrize("title", [None, "Acme mention"])
def test_items_without_id_and_link_are_told_apart_by_their_text(title: str | None) -> None:
    items = [RawItem(title=title, text="one"), RawItem(title=title, text="two")]
    assert len(page(*items)) == 2
    assert page(*items) == page(*items)


# --- properties

ITEMS = st.builds(
    RawItem,
    native_id=st.none() | st.text(max_size=5),
    url=st.none() | st.sampled_from(["https://x.example/1", "javascript:x", "https://x.example/2?a=1#c"]),
    title=st.none() | st.text(max_size=40),
    text=st.text(max_size=60),
    markup=st.sampled_from(Markup),
    published_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    author=st.builds(Author, handle=st.none() | st.text(max_size=5)),
)


@given(ITEMS)
def test_every_mention_has_distinct_keys_and_a_stable_id(item: RawItem) -> None:
    made = mention(item)
    assert made.keys
    assert len(made.keys) == len(set(made.keys))
    assert mention(item) == made
    assert (made.native_key is None) == (not item.native_id)


@given(ITEMS)
def test_normalising_a_mention_again_changes_nothing(item: RawItem) -> None:
    made = mention(item)
    again = mention(
        replace(item, title=made.title, text=made.text, url=made.url, author=made.author, markup=Markup.PLAIN)
    )
    assert (again.title, again.text, again.url, again.author, again.content_hash, again.keys) == (
        made.title,
        made.text,
        made.url,
        made.author,
        made.content_hash,
        made.keys,
    )


@given(ITEMS, st.sampled_from(["utm_source=a", "fbclid=1", "utm_x="]))
def test_an_id_ignores_tracking_parameters(item: RawItem, tracking: str) -> None:
    plain = replace(item, native_id=None, url="https://x.example/1?a=1")
    tracked = replace(plain, url=f"https://x.example/1?a=1&{tracking}")
    assert mention(tracked).id == mention(plain).id


@given(st.lists(ITEMS, max_size=8))
def test_the_mentions_of_a_page_share_no_key(items: list[RawItem]) -> None:
    keys = [key for made in page(*items) for key in made.keys]
    assert len(keys) == len(set(keys))
    assert len(page(*items)) <= len(items)
