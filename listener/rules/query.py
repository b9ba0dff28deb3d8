"""The query language: text -> `domain.query.Query`, or a `QueryError` that says where, what was expected and what to write.

Words that stand side by side must all be there, as in a search box. `NEAR` binds closest, then `NOT`, then `AND`, then `OR`.
"""

import re
from typing import Any, cast

import re2
from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from listener.decide.fold import fold
from listener.domain.errors import ListenerError
from listener.domain.query import And, Field, FieldName, Near, Not, Or, Query, Regex, Term

MAX_BRACKETS = 40
MAX_NEAR = 100
MAX_REGEX = 1000

_GRAMMAR = r"""
start: _or
_or: any_of | _and
any_of: _and (_OR _and)+
_and: all_of | _not
all_of: _not (_AND? _not)+
_not: negation | _near
negation: (_NOT | _MINUS) _not
_near: near | _atom
near: _atom NEAR _atom
_atom: phrase | regex | field | count | word | _LPAR _or _RPAR
phrase: PHRASE
regex: REGEX
field: FIELD
count: COUNT
word: WORD

_LPAR: "("
_RPAR: ")"
_AND.9: /AND(?![^\s()"“”„])/
_OR.9: /OR(?![^\s()"“”„])/
_NOT.9: /NOT(?![^\s()"“”„])/
NEAR.9: /NEAR\/[0-9]{1,9}(?![^\s()"“”„])/
_MINUS.9: /-(?=\S)/
PHRASE.8: /\^?["“”„][^"“”„]*["“”„]/
FIELD.7: /(?:title|author|site|source|lang|brand):(?:"[^"]*"|[^\s()"]*)/
COUNT.7: /followers\s*(?:>=|<=|>|<|=)\s*[^\s()]*/
REGEX.7: /\/(?:\\.|[^\/\\])+\//
WORD: /[^\s()"“”„\/\-][^\s()"“”„]*/
%ignore /\s+/
"""


class QueryError(ListenerError):
    """A query that cannot be read. `column` counts characters from 1; `remedy` says what to write."""

    def __init__(self, message: str, *, column: int, remedy: str) -> None:
        self.message = message
        self.column = column
        self.remedy = remedy
        super().__init__(f"{message} at character {column}; {remedy}")


def parse(text: str) -> Query:
    """Read a query. Raises `QueryError`."""
    query = _tree(text)
    if not demands(query):
        raise QueryError(
            "this only says what must not be there, so it would find almost everything",
            column=1,
            remedy="add a word that must be there",
        )
    return query


def entry(text: str) -> Query:
    """Read one entry of a list such as `any: [...]`: words in order, without operators, so that nobody needs quotes.

    `prefix*`, `^start` and `/regex/` work; an entry with AND, OR or NEAR/n between words, or with a field such as
    `lang:`, is read as a query. Raises `QueryError`.
    """
    if _SIMPLE.fullmatch(text):
        return term(text)
    if _IS_QUERY.search(text):
        return _usual(text) or parse(text)
    if len(text) > 2 and text.startswith("/") and text.endswith("/"):
        return _regex(text, 1)
    if text.startswith('"') and text.endswith('"') and '"' not in text[1:-1]:
        return term(text[1:-1])
    return _marked_term(text, 1)


# The ordinary entry, ninety-nine of a hundred: letters, digits, blanks and marks that mean nothing here.
_SIMPLE = re.compile(r"(?:(?!AND\b|OR\b|NEAR\b)[\w'&.,!?@#-]+(?: |\Z))+")
_IS_QUERY = re.compile(r"\s(?:AND|OR)\s|\sNEAR/\d|(?:^|\s)(?:title|author|site|source|lang|brand):\S|followers\s*[<>=]")


# A query is nearly always of this form: (a OR "b c" OR d*) NEAR/5 (e OR f). With AND between, too.
_WORD = r"(?!(?i:and|or|not|near)\b)\w[\w'&.-]*\*?"
_ITEM = rf'(?:{_WORD}|"\w[^"“”„]*")'
_SIDE = rf"(?:{_ITEM}|\({_ITEM}(?: OR {_ITEM})*\))"
_USUAL = re.compile(rf"({_SIDE}) (?:NEAR/([1-9][0-9]?)|AND) ({_SIDE})")
_TOKEN = re.compile(r'"[^"]*"|[^\s()]+')


def _usual(text: str) -> Query | None:
    """What the grammar makes of the usual form, at a tenth of its cost: packs hold hundreds of these. `None` for others."""
    found = _USUAL.fullmatch(text)
    if found is None:
        return None
    try:
        left, right = _side(found[1]), _side(found[3])
    except QueryError:
        return None  # the grammar knows at which character
    return Near(left, right, int(found[2])) if found[2] else And((left, right))


def _side(text: str) -> Query:
    items = [item for item in _TOKEN.findall(text) if item != "OR"]
    terms = tuple(term(item[1:-1]) if item.startswith('"') else _marked_term(item, 1) for item in items)
    return terms[0] if len(terms) == 1 else Or(terms)


def term(text: str, *, prefix: bool = False, word_start: bool = False, column: int = 1) -> Term:
    """Words in order as a `Term`. Raises `QueryError` if folding leaves nothing to look for."""
    written = " ".join(text.split())
    folded = fold(written)
    if not folded or folded.isspace():
        raise QueryError("there is nothing to look for", column=column, remedy="write a word")
    return Term(text=written, folded=folded, prefix=prefix, word_start=word_start)


def demands(query: Query) -> bool:
    """Whether the query asks for something that must be there. Depth is bounded by `MAX_BRACKETS`."""
    if isinstance(query, Not):
        return False
    if isinstance(query, And):
        return any(demands(part) for part in query.parts)
    if isinstance(query, Or):
        return all(demands(part) for part in query.parts)
    return True


def check_regex(pattern: str) -> str | None:
    """What RE2 has against a pattern, or `None`."""
    if len(pattern) > MAX_REGEX:
        return f"it is longer than {MAX_REGEX} characters"
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "it cannot be read"
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return None


def _regex(text: str, column: int) -> Regex:
    pattern = text[1:-1].replace("\\/", "/")
    reason = check_regex(pattern)
    if reason is not None:
        raise QueryError(
            f"this regular expression is not accepted ({reason})",
            column=column,
            remedy="use RE2's syntax, without look-ahead or back-references",
        )
    return Regex(pattern)


def _marked_term(text: str, column: int) -> Term:
    """A word or words that may carry `^` in front and `*` behind."""
    body = text.removeprefix("^")
    prefix = body.endswith("*")
    body = body.removesuffix("*")
    if "*" in body:
        raise QueryError(
            "* can only stand at the end of a word", column=column + text.index("*"), remedy='write "word*"'
        )
    return term(body, prefix=prefix, word_start=text.startswith("^"), column=column)


def _tree(text: str) -> Query:
    """Run the parser step by step, so that a pit of brackets is refused before anything recursive sees it."""
    opened: list[int] = []
    parser = _PARSER.parse_interactive(text)
    try:
        for token in parser.iter_parse():
            _follow(token, opened)
            if len(opened) > MAX_BRACKETS:
                message = f"brackets go deeper than {MAX_BRACKETS} levels"
                raise QueryError(message, column=_at(token), remedy="write it with fewer brackets")
        result = parser.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedToken as error:
        raise _unexpected(error.token, opened, text) from None
    except UnexpectedCharacters as error:
        raise _unreadable(text, (error.pos_in_stream or 0) + 1) from None
    return cast(Query, result)


def _at(token: Token) -> int:
    """The token's first character, counted from 1 through the whole query; lark's columns begin anew with each line."""
    return (token.start_pos or 0) + 1


def _follow(token: Token, opened: list[int]) -> None:
    """Keep the columns of the brackets that are open, before the parser sees the token."""
    if token.type == "_LPAR":
        opened.append(_at(token))
    elif token.type == "_RPAR":
        if not opened:
            raise QueryError("this bracket was never opened", column=_at(token), remedy='remove ")"')
        opened.pop()


def _unexpected(token: Token, opened: list[int], text: str) -> QueryError:
    kind, column = token.type, _at(token)
    if kind == "$END" and opened:
        return QueryError("this bracket is not closed", column=opened[-1], remedy='add ")"')
    if kind == "$END" and not text.strip():
        return QueryError("the query is empty", column=1, remedy="write a word")
    if kind == "$END":
        return QueryError("the query ends where a word is expected", column=len(text) + 1, remedy="add a word")
    if kind == "_RPAR":
        return QueryError(
            "a word is expected before this bracket", column=column, remedy="write it, or remove the brackets"
        )
    if kind == "NEAR" and re.search(r"NEAR/\d+\s+\S+\s*\Z", text[: token.start_pos]):
        return QueryError("NEAR joins two terms", column=column, remedy="write a NEAR/5 b AND b NEAR/5 c")
    remedy = f'put a word before it, or write "{token}" in quotes to look for the word itself'
    return QueryError(f"{token} stands where a word or a phrase is expected", column=column, remedy=remedy)


def _unreadable(text: str, column: int) -> QueryError:
    sign = text[column - 1]
    if sign in '"“”„':
        return QueryError("this quote is not closed", column=column, remedy="add the closing quote")
    if sign == "/":
        return QueryError(
            "this regular expression is not closed", column=column, remedy="end it with /, or put the text in quotes"
        )
    return QueryError("a lone - stands here", column=column, remedy="write -word without a blank, or NOT word")


class _ToQuery(Transformer[Token, Any]):
    """Builds the values bottom-up while the parser reads."""

    @v_args(inline=True)
    def start(self, query: Query) -> Query:
        return query

    def any_of(self, parts: list[Any]) -> Query:
        return Or(_flat(parts, Or))

    def all_of(self, parts: list[Any]) -> Query:
        return And(_flat(parts, And))

    def negation(self, parts: list[Any]) -> Query:
        part = parts[0]
        return part.part if isinstance(part, Not) else Not(part)

    def near(self, parts: list[Any]) -> Query:
        left, sign, right = parts
        distance = int(sign.split("/")[1])
        if not 1 <= distance <= MAX_NEAR:
            raise QueryError(
                f"NEAR/{distance} is not possible", column=_at(sign), remedy=f"write NEAR/1 to NEAR/{MAX_NEAR}"
            )
        if not (_is_terms(left) and _is_terms(right)):
            remedy = 'write (a OR "b c") NEAR/5 d, with several words in quotes'
            raise QueryError("NEAR joins words, phrases, or an OR of them", column=_at(sign), remedy=remedy)
        return Near(left, right, distance)

    @v_args(inline=True)
    def phrase(self, token: Token) -> Query:
        return term(token.removeprefix("^")[1:-1], word_start=token.startswith("^"), column=_at(token))

    @v_args(inline=True)
    def regex(self, token: Token) -> Query:
        return _regex(token, _at(token))

    @v_args(inline=True)
    def field(self, token: Token) -> Query:
        name, _, value = token.partition(":")
        value = value.strip('"').strip()
        if not value:
            raise QueryError(
                f"{name}: has no value", column=_at(token), remedy=f"write {name}:something without a blank"
            )
        if name == "lang" and not re.fullmatch(r"[a-z]{2,3}", value):
            raise QueryError(
                f"{value[:20]!r} is not a language", column=_at(token), remedy="write its code, like lang:ko"
            )
        return Field(FieldName(name), ":", value)

    @v_args(inline=True)
    def count(self, token: Token) -> Query:
        found = re.fullmatch(r"followers\s*(>=|<=|>|<|=)\s*([0-9]{1,12})", token)
        if found is None:
            raise QueryError("followers needs a whole number", column=_at(token), remedy="write followers>1000")
        return Field(FieldName.FOLLOWERS, found[1], found[2], float(found[2]))

    @v_args(inline=True)
    def word(self, token: Token) -> Query:
        trap = _trap(token)
        if trap is not None:
            raise QueryError(trap[0], column=_at(token), remedy=trap[1])
        return _marked_term(token, _at(token))


_FOREIGN = {"and": "AND", "or": "OR", "not": "NOT", "&&": "AND", "||": "OR", "|": "OR", "&": "AND", "!": "NOT"}


def _trap(word: str) -> tuple[str, str] | None:
    """Words that most likely mean something else than the word itself: better asked than misread."""
    meant = _FOREIGN.get(word.lower())
    if meant is not None:
        return (
            f'"{word}" would be looked for as a word',
            f'write {meant} in capitals to join terms, or "{word}" in quotes',
        )
    if re.match(r"near\b", word, re.IGNORECASE):
        return f"{word} is not complete", 'write NEAR/5 with a number of words, or "near" in quotes'
    if "://" in word:
        return "an address must be in quotes", f'write "{word}", or site: and the name of the site'
    field = re.match(r"([a-zA-Z]+):", word)
    if field is not None:
        names = ", ".join(name.value + ":" for name in FieldName if name is not FieldName.FOLLOWERS)
        return f'"{field[1]}:" is not a field', f"the fields are {names}; to look for the text, put it in quotes"
    return None


def _flat(parts: list[Any], kind: type[And] | type[Or]) -> tuple[Query, ...]:
    flat: list[Query] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return tuple(flat)


def _is_terms(query: Query) -> bool:
    return isinstance(query, Term) or (isinstance(query, Or) and all(isinstance(part, Term) for part in query.parts))


_PARSER = Lark(_GRAMMAR, parser="lalr", lexer="basic", transformer=_ToQuery())
