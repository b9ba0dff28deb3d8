"""What a mention is found to be about."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.decide.fold import fold
from listener.decide.match import Found, Matcher, literals
from listener.decide.normalise import normalise
from listener.domain.mention import Author, Mention, RawItem, Reach
from listener.domain.policy import Brand, Topic
from listener.domain.query import And, Field, FieldName, Near, Not, Or, Query, Regex, Term
from listener.domain.verdict import Match, Span

SEEN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def term(written: str) -> Term:
    body = written.removeprefix("^")
    return Term(written, fold(body.removesuffix("*")), prefix=body.endswith("*"), word_start=written.startswith("^"))


def any_of(*written: str) -> Or:
    return Or(tuple(term(word) for word in written))


def all_of(*written: str) -> And:
    return And(tuple(term(word) for word in written))


def mention(
    text: str = "", *, brands: tuple[str, ...] = (), title: str | None = None, url: str | None = None
) -> Mention:
    return normalise(RawItem(text=text, title=title, url=url, brands=brands), source_id="forum", seen_at=SEEN)


HANEUL = Brand(
    id="haneul",
    name="Haneul Air",
    query=any_of("haneul air", "haneulair", "하늘항공"),
    exclude=Or((term("haneul bakery"), all_of("채용", "공고"))),
    accounts=("@HaneulAir", "haneulair.example", "@haneul@social.example"),
    rivals=("Bada Air", "바다항공"),
)
BADA = Brand(id="bada", name="Bada Air", query=any_of("bada air", "바다항공"))


def topic(query: Query, *, none: Query | None = None, near: int | None = None, name: str = "safety") -> Topic:
    return Topic(id=name, place=f"topics.{name}", any=query, none=none, near_brand=near)


def found(text: str, *topics: Topic, brands: tuple[str, ...] = ()) -> Found:
    return Matcher([HANEUL, BADA], topics, []).match(mention(text, brands=brands))


def applies(query: Query, given: Mention | str) -> bool:
    told = mention(given) if isinstance(given, str) else given
    return Matcher([], [topic(query)], []).match(told).topics == ("safety",)


# --- brands


def test_a_brand_is_found_by_its_query_with_the_place_in_the_text_as_written() -> None:
    text = "Ｈａｎｅｕｌ\u200b  Air and 하늘 항공"
    made = found(text)
    assert made.brands == ("haneul",)
    assert [(match.term, text[match.span.start : match.span.end]) for match in made.matches if match.span] == [
        ("haneul air", "Ｈａｎｅｕｌ\u200b  Air"),
        ("하늘항공", "하늘 항공"),
    ]
    assert {match.query_id for match in made.matches} == {"brands.haneul"}


@pytest.mark.parametrize("text", ["haneul air and haneul bakery", "하늘항공 채용 신입 공고"])
def test_an_exclude_takes_a_brand_away(text: str) -> None:
    assert found(text) == Found()


def test_half_an_exclude_does_not() -> None:
    assert found("하늘항공 채용").brands == ("haneul",)


def test_a_text_about_nothing_finds_nothing() -> None:
    assert found("lovely weather", topic(any_of("fire"))) == Found()


@pytest.mark.parametrize(
    ("given", "brands"),
    [
        (("haneul",), ("haneul",)),
        (("HANEUL  AIR",), ("haneul",)),
        (("Some app",), ("Some app",)),
        (("Some app", "haneul", "Haneul Air"), ("Some app", "haneul")),
    ],
)
def test_a_brand_that_the_place_is_about_need_not_be_named(given: tuple[str, ...], brands: tuple[str, ...]) -> None:
    made = found("it crashes", brands=given)
    assert made.brands == brands
    assert made.matches == ()


def test_a_brand_both_given_and_named_is_one() -> None:
    assert found("하늘항공 최악", brands=("Haneul Air",)).brands == ("haneul",)


OUTAGE = topic(any_of("outage", "먹통"), none=any_of("drill"), name="outage")


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("Rival Bada Air apologised for a two hour outage. Haneul Air was not affected.", False),
        ("바다항공 앱 먹통이래요. 하늘항공은 잘 됩니다", False),
        ("Haneul Air outage, and I am off to Bada Air.", True),
        ("Bada Air is no better. Haneul Air has an outage again.", True),
        ("Bada Air had an outage. An outage at Haneul Air too, and a drill.", False),
        ("Haneul Air again. An outage, as ever.", True),
    ],
)
def test_what_is_said_of_a_rival_is_not_about_us(text: str, *, ours: bool) -> None:
    """A sentence that names a rival and not the brand is the rival's."""
    rule = Matcher([HANEUL], [OUTAGE], [])
    assert (rule.match(mention(text)).topics == ("outage",)) is ours


def test_a_rival_that_is_a_brand_of_ours_too_is_ours() -> None:
    assert found("Haneul Air is fine. Bada Air has an outage.", OUTAGE).topics == ("outage",)


def test_rivals_are_those_of_the_brands_found() -> None:
    assert found("Haneul Air beats Bada  air and 바다 항공").rivals == ("Bada Air", "바다항공")
    assert found("바다항공").rivals == ()


# --- our own posts


@pytest.mark.parametrize(
    ("author", "url"),
    [
        (Author(handle="haneulair"), None),
        (Author(handle="@HANEULAIR"), None),
        (Author(handle="haneul@social.example"), None),
        (Author(handle="haneulair.example"), None),
        (Author(handle="press", url="https://www.haneulair.example/team"), None),
        (Author(name="Team"), "https://haneulair.example/blog/1"),
    ],
)
def test_posts_by_our_accounts_and_on_our_sites_are_our_own(author: Author, url: str | None) -> None:
    item = RawItem(text="we are sorry", author=author, url=url)
    assert Matcher([HANEUL], [], []).match(normalise(item, source_id="s", seen_at=SEEN)).own


@pytest.mark.parametrize(
    ("author", "url"),
    [
        (Author(handle="haneulair_fan"), None),
        (Author(handle="bob"), "https://haneulair.example/blog/1"),
        (Author(), "https://forum.haneulair.example/t/1"),
        (Author(name="haneulair"), None),
    ],
)
def test_posts_about_us_by_others_are_not(author: Author, url: str | None) -> None:
    item = RawItem(text="haneul air is late", author=author, url=url)
    assert not Matcher([HANEUL], [], []).match(normalise(item, source_id="s", seen_at=SEEN)).own


# --- the query language


@pytest.mark.parametrize(
    ("query", "text", "holds"),
    [
        (all_of("charged", "twice"), "twice I was charged", True),
        (all_of("charged", "twice"), "charged once", False),
        (And((term("charged"), Not(term("refunded")))), "charged twice", True),
        (And((term("charged"), Not(term("refunded")))), "charged, then refunded", False),
        (Or((all_of("a", "b"), all_of("c", "d"), term("e"))), "d c", True),
        (Or((all_of("a", "b"), all_of("c", "d"), term("e"))), "a d", False),
        (And((any_of("plug", "cable"), any_of("burnt", "melted"))), "the cable has melted", True),
        (Not(term("refunded")), "anything", True),
        (Or((term("x"), Not(term("y")))), "z", True),
        (And(()), "anything", True),
        (Regex(r"order #\d+"), "My ORDER #123 is lost", True),
        (Regex(r"order #\d+"), "my order is lost", False),
        (Regex("z*"), "nothing of it", False),
        (And((term("refund"), Regex(r"\$\d{3,}"))), "refund my $1200", True),
        (And((term("refund"), Regex(r"\$\d{3,}"))), "refund my $12", False),
    ],
)
def test_a_query_is_true_or_not(query: Query, text: str, holds: bool) -> None:
    assert applies(query, text) is holds


@pytest.mark.parametrize(
    ("distance", "text", "holds"),
    [
        (1, "battery smoke", True),
        (1, "smoke battery", True),
        (1, "battery and smoke", False),
        (2, "battery and smoke", True),
        (3, "smoke came out of the battery", False),
        (5, "smoke came out of the battery", True),
        (2, "배터리에서 막 연기가", True),
        (1, "배터리에서 막 연기가", False),
        (3, "battery", False),
    ],
)
def test_near_counts_words(distance: int, text: str, holds: bool) -> None:
    query = Near(any_of("battery", "배터리"), any_of("smoke", "연기"), distance)
    assert applies(query, text) is holds


def test_near_finds_the_pairs_that_are_near() -> None:
    text = "smoke. " + "word " * 20 + "battery smoke"
    made = Matcher([], [topic(Near(term("battery"), term("smoke"), 3))], []).match(mention(text))
    assert [match.term for match in made.matches] == ["battery", "smoke"]
    assert all(match.span and match.span.start > 50 for match in made.matches)


LONG = mention("the text", title="환불 Refunds now", url="https://old.forum.example/r/air/1?a=b")
KNOWN = replace(LONG, author=Author(handle="@Bob", name="Bob Lee", followers=1000), lang="ko", brands=("haneul",))


@pytest.mark.parametrize(
    ("field", "holds"),
    [
        (Field(FieldName.TITLE, ":", "refund"), False),
        (Field(FieldName.TITLE, ":", "refund*"), True),
        (Field(FieldName.TITLE, ":", "환불"), True),
        (Field(FieldName.TITLE, ":", "text"), False),
        (Field(FieldName.AUTHOR, ":", "bob"), True),
        (Field(FieldName.AUTHOR, ":", "Bob  LEE"), True),
        (Field(FieldName.AUTHOR, ":", "bo"), False),
        (Field(FieldName.SITE, ":", "forum.example"), True),
        (Field(FieldName.SITE, ":", "www.forum.example/r/air"), True),
        (Field(FieldName.SITE, ":", "forum.example/r/sea"), False),
        (Field(FieldName.SITE, ":", "rum.example"), False),
        (Field(FieldName.SOURCE, ":", "forum"), True),
        (Field(FieldName.SOURCE, ":", "for"), False),
        (Field(FieldName.LANG, ":", "ko"), True),
        (Field(FieldName.LANG, ":", "en"), False),
        (Field(FieldName.BRAND, ":", "haneul"), True),
        (Field(FieldName.BRAND, ":", "bada"), False),
        (Field(FieldName.FOLLOWERS, ">", "999", 999), True),
        (Field(FieldName.FOLLOWERS, ">", "1000", 1000), False),
        (Field(FieldName.FOLLOWERS, ">=", "1000", 1000), True),
        (Field(FieldName.FOLLOWERS, "<", "1001", 1001), True),
        (Field(FieldName.FOLLOWERS, "<=", "999", 999), False),
        (Field(FieldName.FOLLOWERS, "=", "1000", 1000), True),
    ],
)
def test_fields_look_at_what_the_mention_is(field: Field, holds: bool) -> None:
    assert applies(field, KNOWN) is holds


def test_followers_may_stand_with_the_reach_and_unknown_is_no_number() -> None:
    more = Field(FieldName.FOLLOWERS, ">=", "0", 0)
    assert applies(more, replace(LONG, reach=Reach(followers=0)))
    assert not applies(more, LONG)


def test_a_field_is_a_match_without_a_place() -> None:
    made = Matcher([], [topic(And((term("text"), Field(FieldName.LANG, ":", "ko"))))], []).match(KNOWN)
    assert made.matches == (
        Match(query_id="topics.safety", term="lang:ko", span=None),
        Match(query_id="topics.safety", term="text", span=Span(start=19, end=23)),
    )


def test_a_topic_can_ask_for_a_brand_that_was_found() -> None:
    query = And((term("late"), Field(FieldName.BRAND, ":", "haneul")))
    assert found("haneul air is late", topic(query)).topics == ("safety",)
    assert found("bada air is late", topic(query)).topics == ()


# --- topics

FIRE = topic(
    any_of("fire", "smoke", "화재", "연기"), none=any_of("on fire sale", "this playlist is fire", "불 난 거 아님")
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("the plug is on fire", True),
        ("everything on fire sale today", False),
        ("this playlist is fire", False),
        ("smoke, but everything is on fire sale", False),
        ("everything on fire sale. The plug is on fire!", True),
        ("everything on fire sale\nbut there is smoke", True),
        ("on fire sale at 3.50 with smoke", False),
        ("연기 나는데 불 난 거 아님", False),
        ("불 난 거 아님ㅋㅋ 근데 연기 나요", True),
    ],
)
def test_a_harmless_phrase_hides_what_shares_its_sentence(text: str, holds: bool) -> None:
    assert bool(found(text, FIRE).topics) is holds


def test_what_is_hidden_is_no_reason() -> None:
    made = found("fire on fire sale. real smoke", FIRE)
    assert [match.term for match in made.matches] == ["smoke"]


def test_hiding_one_part_of_an_and_hides_the_topic() -> None:
    both = topic(all_of("smoke", "battery"), none=term("smoke test"))
    assert found("battery is flat. smoke test passed", both).topics == ()
    assert found("battery and smoke. smoke test passed", both).topics == ("safety",)


@pytest.mark.parametrize("none", [Field(FieldName.LANG, ":", "ko"), Or((term("x"), Field(FieldName.LANG, ":", "ko")))])
def test_a_none_without_a_place_hides_everything(none: Query) -> None:
    korean = topic(any_of("화재", "fire"), none=none)
    assert found("화재 났어요", korean).topics == ()
    assert found("there is a fire", korean).topics == ("safety",)


def test_a_negation_sees_hidden_text_too() -> None:
    query = And((term("fire"), Not(term("drill"))))
    drill = topic(query, none=term("drill today"))
    assert found("a fire. drill today", drill).topics == ()


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("haneul air cabin on fire", True),
        ("fire aboard haneul air", True),
        ("haneul air was lovely as always and the new playlist that they play aboard is fire", False),
        ("fire", False),
        ("하늘항공 기내에서 화재", True),
    ],
)
def test_near_brand_asks_for_the_brand_close_by(text: str, holds: bool) -> None:
    near = topic(any_of("fire", "화재"), near=5)
    assert bool(found(text, near).topics) is holds


def test_where_the_place_is_about_the_brand_all_its_text_is_near() -> None:
    assert found("it caught fire", topic(term("fire"), near=5), brands=("haneul",)).topics == ("safety",)


def test_near_brand_and_none_work_together() -> None:
    both = topic(any_of("fire", "smoke"), none=term("fire sale"), near=3)
    assert found("haneul air fire sale! smoke at haneul air", both).topics == ("safety",)
    assert found("haneul air fire sale! and far away from all of it: smoke", both).topics == ()


def test_topics_and_intents_come_in_the_order_of_the_file() -> None:
    matcher = Matcher(
        [HANEUL],
        [topic(term("b"), name="one"), topic(term("c"), name="two"), topic(term("a"), name="three")],
        [Topic(id="leave", place="intents.leave", any=term("bye"))],
    )
    made = matcher.match(mention("bye a b haneulair"))
    assert (made.topics, made.intents, made.brands) == (("one", "three"), ("leave",), ("haneul",))
    assert [match.query_id for match in made.matches] == [
        "brands.haneul",
        "topics.one",
        "topics.three",
        "intents.leave",
    ]


def test_a_hostile_text_does_not_fill_the_verdict() -> None:
    made = found("fire " * 13_000, FIRE)
    assert len(made.matches) == 50


def test_a_regex_stops_after_many_hits() -> None:
    made = Matcher([], [topic(Regex("[a-z]"))], []).match(mention("a" * 5_000))
    assert len(made.matches) == 50


# --- evasion

ACME = Brand(id="acme", name="Acme", query=any_of("acme", "애크미"))


@pytest.mark.parametrize(
    "text",
    [
        "\u0430\u0441me is terrible",
        "A\u200bc\u200bm\u200be is ter\u200drible",
        "𝐀𝐜𝐦𝐞 is terrible",
        "Acme\ufe0f is terrible",
        "Acme’s is terrible",
        unicodedata.normalize("NFD", "애크미 사기"),
        "ＡＣＭＥ!",
        "Ａ\u0301cme",
    ],
)
def test_spellings_that_hide_from_a_filter_are_found(text: str) -> None:
    assert Matcher([ACME], [], []).match(mention(text)).brands == ("acme",)


@pytest.mark.parametrize("text", ["Acmeville is terrible", "pacmed ok", "ACME\u0301XYZ", "macmelon"])
def test_another_word_is_not_found(text: str) -> None:
    assert Matcher([ACME], [], []).match(mention(text)).brands == ()


# --- literals


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        (any_of("haneul air", "하늘항공", "haneul air"), ("haneul air", "하늘항공")),
        (And((any_of("a", "b"), term("nook"), Not(term("c")))), ("nook",)),
        (Near(any_of("a", "b"), any_of("c"), 3), ("c",)),
        (Or((term("a"), Regex("x"), all_of("b", "c"))), ("a", "b")),
        (And((Field(FieldName.LANG, ":", "ko"), term("a"))), ("a",)),
        (Field(FieldName.TITLE, ":", "refund*"), ("refund",)),
        (Regex("x"), ()),
        (And((Regex("x"), Not(term("a")))), ()),
    ],
)
def test_literals_are_words_that_a_platform_can_search_for(query: Query, terms: tuple[str, ...]) -> None:
    assert literals(query) == terms


# --- properties

WORD = st.sampled_from(
    ["fire", "smoke", "haneul air", "하늘 항공", "화재", "fire sale", "é", ".", "word", "\n", "ㅋㅋ", "½"]
)
TEXT = st.lists(WORD, max_size=12).map(" ".join)
LEAF = st.sampled_from(["fire", "smoke", "하늘항공", "화재", "fire sale", "wor*"]).map(term)
QUERY: st.SearchStrategy[Query] = st.recursive(
    LEAF,
    lambda part: st.one_of(
        st.lists(part, min_size=1, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(part, min_size=1, max_size=3).map(lambda parts: Or(tuple(parts))),
        part.map(Not),
        st.builds(Near, LEAF, LEAF, st.integers(1, 4)),
    ),
    max_leaves=6,
)


def plainly(query: Query, text: str) -> bool:
    """The meaning of a query, asked node by node."""
    if isinstance(query, And):
        return all(plainly(part, text) for part in query.parts)
    if isinstance(query, Or):
        return any(plainly(part, text) for part in query.parts)
    if isinstance(query, Not):
        return not plainly(query.part, text)
    return applies(query, text)


@given(QUERY, TEXT)
def test_leaving_out_queries_without_a_chance_changes_no_answer(query: Query, text: str) -> None:
    assert applies(query, text) == plainly(query, text)


@given(TEXT, st.sampled_from([FIRE, replace(FIRE, near_brand=2), replace(FIRE, none=None)]))
def test_every_place_reads_as_its_term(text: str, rule: Topic) -> None:
    told = mention(text, title="Fire and 하늘항공")
    made = Matcher([HANEUL], [rule], []).match(told)
    for match in made.matches:
        assert match.span is not None
        written = told.full_text[match.span.start : match.span.end]
        assert fold(written).replace(" ", "") == fold(match.term).replace(" ", "")


@given(TEXT)
def test_a_none_never_adds_a_topic(text: str) -> None:
    if found(text, FIRE).topics:
        assert found(text, replace(FIRE, none=None)).topics


@given(QUERY, TEXT)
def test_a_text_for_which_a_query_is_true_has_one_of_its_literals(query: Query, text: str) -> None:
    if (words := literals(query)) and not has_negation(query) and applies(query, text):
        assert applies(any_of(*words), text)


def has_negation(query: Query) -> bool:
    return isinstance(query, Not) or any(has_negation(part) for part in getattr(query, "parts", ()))
