"""The strict reader: values by YAML 1.2, a place for everything, and words instead of tracebacks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.rules.yaml_text import MAX_BYTES, MAX_DEPTH, Group, Listing, Plain, Scalar, masked, plain, read


def value(text: str) -> Plain:
    root = read(text).root
    assert root is not None
    return plain(root)


def said(text: str) -> list[str]:
    return [problem.sentence("f").removeprefix("f:") for problem in read(text).problems]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("12:30", "12:30"), ("no", "no"), ("on", "on"), ("off", "off"), ("010", 10), ("1_000", "1_000"), ("0o17", 15),
     ("0x1F", 31), ("1.10", 1.1), (".5", 0.5), ("1e3", 1000.0), ("-4", -4), ("+3", 3), ("true", True), ("FALSE", False),
     ("~", None),
     ("null", None), ("2026-03-02", "2026-03-02"), ("1.2.3", "1.2.3"), (".inf", ".inf"), ("- ", [None]), ("'5'", "5"),
     ('"true"', "true"), ("9" * 40, "9" * 40), ("환불", "환불"), ("+", "+"), ("1e999", "1e999")],
)  # fmt: skip
def test_a_scalar_means_what_yaml_1_2_says(written: str, meant: Plain) -> None:
    assert value(f"a: {written}\n" if written != "- " else "- \n") in ({"a": meant}, meant)


@pytest.mark.parametrize("written", ["010", "1.10", "+3", "0x1F"])
def test_a_number_remembers_how_it_was_written(written: str) -> None:
    read_value = value(f"[{written}]")
    assert isinstance(read_value, list)
    assert getattr(read_value[0], "text", None) == written


def test_a_key_is_text_whatever_it_looks_like() -> None:
    assert value("404: a\ntrue: b\n~: c\n") == {"404": "a", "true": "b", "~": "c"}


def test_every_node_knows_its_place() -> None:
    root = read("a:\n  - x\n  - {b: 'y'}\n").root
    assert isinstance(root, Group)
    items = root.items["a"]
    assert isinstance(items, Listing)
    inner = items.items[1]
    assert isinstance(inner, Group)
    leaf = inner.items["b"]
    assert (items.items[0].line, items.items[0].column) == (2, 5)
    assert inner.keys["b"] == (3, 6)
    assert isinstance(leaf, Scalar)
    assert (leaf.line, leaf.column, leaf.offset) == (3, 9, 1)


def test_a_value_that_is_not_written_letter_for_letter_has_no_offset() -> None:
    root = read('a: "x\\ty"\nb: >-\n  two\n  lines\n').root
    assert isinstance(root, Group)
    assert [node.offset for node in root.items.values() if isinstance(node, Scalar)] == [None, None]


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    assert value("\ufeffa: 1\r\nb: 2\r\n") == {"a": 1, "b": 2}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "~"])
def test_an_empty_file_is_said_to_be_empty(text: str) -> None:
    assert said(text) == ['1:1: the file is empty; the shortest file that works is "version: 1"']


LABEL = "is a YAML label, which is not supported; if you mean the text, put it in quotes"
ALIAS = "refers to another place in the file, which is not supported; if you mean the text, put it in quotes"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2\n", '2:1: the key "a" stands here twice, first on line 1; keep one of them'),
        ("a: &x 1\n", f"1:4: a text that begins with & {LABEL}"),
        ("a: !!str 1\n", f"1:4: a text that begins with ! {LABEL}"),
        ("a: !x {b: 1}\n", f"1:4: a text that begins with ! {LABEL}"),
        ("a: *x\n", f'1:4: a text that begins with * {ALIAS}: "*x"'),
        ("<<: {a: 1}\n", '1:1: "<<" cannot be a key; write the keys out'),
        ("? [a]\n: {b: 1}\n", "1:3: a key must be one word; put text with brackets or braces in quotes"),
        ("? *a\n: b\n", f'1:3: a text that begins with * {ALIAS}: "*a"'),
    ],
)  # fmt: skip
def test_what_yaml_allows_and_we_do_not_is_said_and_the_rest_is_read(text: str, problem: str) -> None:
    reading = read(text)
    assert said(text) == [problem]
    assert reading.root is not None


def test_all_such_problems_are_told_at_once() -> None:
    assert len(said("a: *x\nb: &y 1\nb: 2\nc: !z 3\n")) == 4


def test_the_first_of_two_equal_keys_is_kept() -> None:
    assert value("a: 1\na: {b: [2]}\nc: 3\n") == {"a": 1, "c": 3}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n\tb: 1\n", "2:1: a tab stands where only spaces may; indent with spaces"),
        ("a: @name\n", '1:4: a text that begins with @ must be in quotes; write "@name"'),
        ("a: [%x, b]\n", '1:5: a text that begins with % must be in quotes; write "%x"'),
        ('q: "a b" OR c\n', "1:10: text goes on after a closing quote; put the whole value in single quotes: '\"a b\" OR c'"),
        ("a: 'x\nb: 2\n", "1:4: a quote is opened here and never closed; close it with the same quote"),
        ("a: b: c\n", '1:5: there is a ": " where no key can be; put the text in quotes, or indent the line like its '
                      'neighbours'),
        ("a: 1\nb\nc: 2\n", "3:1: a key without its colon; write \"key: value\", or put the text in quotes"),
        ("a: [1, 2\nb: 3\n", "2:2: a list in [ ] is not closed, or a comma is missing; look at the line and at the one before"),
        ("a: {b: 1\n", "2:1: a group in { } is not closed, or a comma is missing; look at the line and at the one before"),
        ("a:\n  - 1\n  b: 2\n", "3:3: this line does not continue the list above it; indent it like its neighbours"),
        ("a:\n  - 1\n b: 2\n", "3:2: this line does not continue the group above it; indent it like its neighbours"),
        ("a: *\n", '1:5: a text that begins with * or & must be in quotes; write "*text"'),
        ('a: "x\\qy"\n', "1:6: a backslash in double quotes means something else; use single quotes"),
        ("a: [#x, b]\n", "2:1: a value is missing before this place; put a text that begins with # or : in quotes"),
        ("  a: 1\nb: 2\n", "2:1: this line is indented less than the first one; begin every section at the start of its line"),
        ("a: 1\n---\nb: 2\n", '2:1: a second document begins here ("---"); remove the line'),
        ("a: 1\nb: x\x07y\n", "2:5: a character that cannot be in a text file (a control character or half of one); "
                              "delete it, and save the file as UTF-8"),
        ("a: \ud800\n", "1:4: a character that cannot be in a text file (a control character or half of one); "
                        "delete it, and save the file as UTF-8"),
        ("%FOO bar\n---\na: 1\n",
         "1:5: cannot be read as YAML (found unknown directive name); look at this line and at the one before"),
    ],
)  # fmt: skip
def test_what_is_no_yaml_is_explained_at_its_place(text: str, problem: str) -> None:
    reading = read(text)
    assert said(text) == [problem]
    assert reading.root is None


def test_what_was_wrong_before_a_stop_is_told_too() -> None:
    assert len(said("a: *x\nb: [\n")) == 2


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 5000, "- " * 5000, "[" * (MAX_DEPTH + 1)])
def test_a_pit_of_brackets_is_refused_without_recursion(text: str) -> None:
    assert "go deeper than 20 levels" in said(text)[0]


def test_the_deepest_that_is_allowed_is_read() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH).problems == ()


@pytest.mark.parametrize("text", ["a" * (MAX_BYTES + 1), "환" * (MAX_BYTES // 3 + 1)])
def test_a_file_beyond_the_limit_is_refused_before_it_is_read(text: str) -> None:
    assert said(text) == [" the file is larger than 1,000,000 bytes; split it up"]


def test_an_alias_bomb_has_no_effect() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(10)
    )
    assert len(said(bomb)) == 31


def test_a_line_that_may_hold_a_secret_is_masked() -> None:
    assert masked('password: "abc') == "password: ***"
    assert masked("x" * 100) == "x" * 79 + "…"
    assert [problem.excerpt for problem in read('a:\n  webhook: "https://x/y" z\n').problems] == ["webhook: ***"]


@given(st.text(alphabet=st.sampled_from(list("ab:-[]{},'\"#&*!|>%@ \n\t\\?~1.é환")), max_size=60))
def test_no_text_makes_it_raise(text: str) -> None:
    reading = read(text)
    assert (reading.root is None) <= bool(reading.problems)
    assert all(problem.line for problem in reading.problems)
