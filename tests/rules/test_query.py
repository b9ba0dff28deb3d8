"""The query language: what it means, and where and why a query is refused."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.domain.query import And, Field, FieldName, Near, Not, Or, Query, Regex, Term
from listener.rules.query import MAX_BRACKETS, QueryError, check_regex, demands, entry, parse


def t(text: str, *, prefix: bool = False, word_start: bool = False) -> Term:
    return Term(text=text, folded=text.lower(), prefix=prefix, word_start=word_start)


A, B, C = t("a"), t("b"), t("c")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a", A),
        ("a b c", And((A, B, C))),
        ("a AND b c", And((A, B, C))),
        ("a OR b OR c", Or((A, B, C))),
        ("(a OR b) OR c", Or((A, B, C))),
        ("a b OR c", Or((And((A, B)), C))),
        ("a AND (b OR c)", And((A, Or((B, C))))),
        ("(a)(b)", And((A, B))),
        ("a -b", And((A, Not(B)))),
        ("a NOT b", And((A, Not(B)))),
        ("a AND NOT (b OR c)", And((A, Not(Or((B, C)))))),
        ("a NOT NOT b", And((A, B))),
        ("a --b", And((A, B))),
        ('"a b"', t("a b")),
        ("“a b” c", And((t("a b"), C))),
        ('"a"OR"b"', Or((A, B))),
        ("ref*", t("ref", prefix=True)),
        ("^환불", t("환불", word_start=True)),
        ('^"고객 센터"', t("고객 센터", word_start=True)),
        ("^환불*", t("환불", prefix=True, word_start=True)),
        ("a NEAR/5 b", Near(A, B, 5)),
        ("(a OR b) NEAR/5 c", Near(Or((A, B)), C, 5)),
        ("a NEAR/5 b c", And((Near(A, B, 5), C))),
        ("a NOT b NEAR/2 c", And((A, Not(Near(B, C, 2))))),
        ("/x+/", Regex("x+")),
        (r"/a\/b/", Regex("a/b")),
        ("a /x y/ b", And((A, Regex("x y"), B))),
        ("title:foo", Field(FieldName.TITLE, ":", "foo")),
        ('title:"two words"', Field(FieldName.TITLE, ":", "two words")),
        ("a lang:ko", And((A, Field(FieldName.LANG, ":", "ko")))),
        ("site:x.example", Field(FieldName.SITE, ":", "x.example")),
        ("followers>1000", Field(FieldName.FOLLOWERS, ">", "1000", 1000.0)),
        ("a followers >= 10", And((A, Field(FieldName.FOLLOWERS, ">=", "10", 10.0)))),
        ("followers", t("followers")),
        ("@name #tag", And((t("@name"), t("#tag")))),
        ("C++ e-mail and/or", And((t("C++"), t("e-mail"), t("and/or")))),
        ("ANDROID ORANGE NOTE", And((t("ANDROID"), t("ORANGE"), t("NOTE")))),
        ("12:30", t("12:30")),
        ("a\n  OR b", Or((A, B))),
    ],
)
def test_a_query_means_what_it_says(text: str, meant: Query) -> None:
    assert parse(text) == meant


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 1, "the query is empty"),
        ("   ", 1, "the query is empty"),
        ("(a", 1, "this bracket is not closed"),
        ("a b (c OR", 5, "this bracket is not closed"),
        ("a)", 2, "this bracket was never opened"),
        ("()", 2, "a word is expected before this bracket"),
        ("(a OR)", 6, "a word is expected before this bracket"),
        ("a OR", 5, "the query ends where a word is expected"),
        ("NOT", 4, "the query ends where a word is expected"),
        ("OR a", 1, "OR stands where a word or a phrase is expected"),
        ("a AND OR b", 7, "OR stands where a word or a phrase is expected"),
        ('AND"x"', 1, "AND stands where a word or a phrase is expected"),
        ("NEAR/5 a", 1, "NEAR/5 stands where a word or a phrase is expected"),
        ("a NEAR/5 b NEAR/3 c", 12, "NEAR joins two terms"),
        ("a NEAR/0 b", 3, "NEAR/0 is not possible"),
        ("a NEAR/101 b", 3, "NEAR/101 is not possible"),
        ("(a b) NEAR/2 c", 7, "NEAR joins words, phrases, or an OR of them"),
        ("a NEAR/2 /x/", 3, "NEAR joins words, phrases, or an OR of them"),
        ("a NEAR b", 3, "NEAR is not complete"),
        ("a near/3 b", 3, "near/3 is not complete"),
        ('a "b', 3, "this quote is not closed"),
        ("a “b", 3, "this quote is not closed"),
        ('a ""', 3, "there is nothing to look for"),
        ("*", 1, "there is nothing to look for"),
        ("/ab", 1, "this regular expression is not closed"),
        ("a /b(c/", 3, "this regular expression is not accepted (missing ): b(c)"),
        ("/(?=x)/", 1, "this regular expression is not accepted (invalid perl operator: (?=)"),
        ("/" + "x" * 1001 + "/", 1, "this regular expression is not accepted (it is longer than 1000 characters)"),
        ("a - b", 3, "a lone - stands here"),
        ("f*x", 2, "* can only stand at the end of a word"),
        ("a or b", 3, '"or" would be looked for as a word'),
        ("a && b", 3, '"&&" would be looked for as a word'),
        ("https://x.example/a?b=c", 1, "an address must be in quotes"),
        ("a titel:x", 3, '"titel:" is not a field'),
        ("title:", 1, "title: has no value"),
        ("lang:korean", 1, "'korean' is not a language"),
        ("followers>1k", 1, "followers needs a whole number"),
        ("NOT a", 1, "this only says what must not be there, so it would find almost everything"),
        ("a OR -b", 1, "this only says what must not be there, so it would find almost everything"),
        ("a\nOR OR b", 6, "OR stands where a word or a phrase is expected"),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused_at_its_place(text: str, column: int, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.column, caught.value.message) == (column, said)
    assert caught.value.remedy
    assert str(caught.value).startswith(f"{said} at character {column}; ")


@pytest.mark.parametrize(
    "text", ["(" * 3000 + "a" + ")" * 3000, "(a OR " * 3000 + "b" + ")" * 3000, "-(" * 3000 + "a" + ")" * 3000]
)
def test_three_thousand_brackets_are_refused(text: str) -> None:
    with pytest.raises(QueryError, match=f"deeper than {MAX_BRACKETS} levels"):
        parse(text)


@pytest.mark.parametrize("text", ["NOT " * 5000 + "a b", "-" * 5001 + "a b"])
def test_five_thousand_negations_do_no_harm(text: str) -> None:
    assert demands(parse(text))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("charged twice", t("charged twice")),
        ("charged   twice", t("charged twice")),
        ("black and white", t("black and white")),
        ("do NOT buy", t("do NOT buy")),
        ("AND", t("AND")),
        ("R&D", t("R&D")),
        ("why (again)", t("why (again)")),
        ("- dash", t("- dash")),
        ("https://x.example/a", t("https://x.example/a")),
        ('"in quotes"', t("in quotes")),
        ('five" pipe', t('five" pipe')),
        ("/", t("/")),
        ("404", t("404")),
        ("환불 안 돼요", t("환불 안 돼요")),
        ("refund*", t("refund", prefix=True)),
        ("^환불", t("환불", word_start=True)),
        ("/err-[0-9]+/", Regex("err-[0-9]+")),
        ("a OR b", Or((A, B))),
        ("a AND b", And((A, B))),
        ("a NEAR/3 b", Near(A, B, 3)),
        ("a AND lang:ko", And((A, Field(FieldName.LANG, ":", "ko")))),
        ("lang:ko", Field(FieldName.LANG, ":", "ko")),
        ("followers>5", Field(FieldName.FOLLOWERS, ">", "5", 5.0)),
    ],
)
def test_an_entry_of_a_list_is_plain_words_unless_it_has_operators(text: str, meant: Query) -> None:
    assert entry(text) == meant


@pytest.mark.parametrize("text", ["f*x", "*", " ", "a AND (b", "/(/"])
def test_an_entry_can_be_wrong_too(text: str) -> None:
    with pytest.raises(QueryError):
        entry(text)


@given(
    st.lists(
        st.sampled_from(
            ["a", "b*", "^c", '"d e"', "(", ")", "AND", "OR", "NOT", "-", "NEAR/2", "/x/", "lang:ko", "or", "é"]
        )
    )
)
def test_no_query_makes_it_raise_anything_else(words: list[str]) -> None:
    text = " ".join(words)
    try:
        holds = demands(parse(text))
    except QueryError as error:
        holds = 1 <= error.column <= len(text) + 1
    assert holds


def test_a_regex_that_would_need_much_memory_is_refused() -> None:
    assert check_regex("((a{100}){100}){100}") is not None
    assert check_regex(r"(a+)+$") is None


_WORDS = st.sampled_from(
    [
        *(
            "refund",
            "환불",
            "can't",
            "no*",
            "a&b",
            "502",
            "x-y",
            "OR",
            "or",
            "AND",
            "near",
            "not",
            "-x",
            "^a",
            "/a/",
            "l.",
            "*",
        ),
        *('"two words"', '"a OR b"', '"OR"', '" "', '"ᅟ"', "ᅟ", "lang:ko", '"“a"', "", "(a)", "title:x", "a*b"),
    ]
)
_SIDES = st.one_of(_WORDS, st.lists(_WORDS, min_size=1, max_size=3).map(lambda words: f"({' OR '.join(words)})"))


@given(_SIDES, st.sampled_from(["NEAR/5", "NEAR/0", "NEAR/99", "NEAR/100", "NEAR/101", "AND", "OR", "NEAR"]), _SIDES)
def test_an_entry_of_the_usual_form_means_what_the_grammar_says(left: str, sign: str, right: str) -> None:
    """It takes a short cut past the grammar."""
    text = f"{left} {sign} {right}"
    if sign == "NEAR":
        return  # may be plain words

    def told(read: Callable[[str], Query]) -> Query | tuple[str, int]:
        try:
            return read(text)
        except QueryError as error:
            return error.message, error.column

    assert told(entry) == told(parse)


def test_the_short_cut_leaves_it_to_the_grammar_to_say_where() -> None:
    with pytest.raises(QueryError, match="there is nothing to look for at character 7"):
        entry("(a OR \u3164) NEAR/2 b")
