"""The query language as values: what the parser makes and the matcher evaluates.

Terms are kept as written (`text`) beside the folded form (`folded`, made by `decide.fold`) that is compared.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Term:
    """A word, phrase, handle or prefix.

    Latin terms match whole words (`prefix` frees the end); Hangul, Kana, Han and Thai terms match anywhere unless
    `word_start` (written `^term`) binds them to the start of a word.
    """

    text: str
    folded: str
    prefix: bool = False
    word_start: bool = False


@dataclass(frozen=True, slots=True)
class Regex:
    """A user's regular expression in RE2's syntax, tried on the folded text; `pattern` is as written."""

    pattern: str


class FieldName(StrEnum):
    """What a field test looks at."""

    TITLE = "title"
    AUTHOR = "author"
    SITE = "site"
    SOURCE = "source"
    LANG = "lang"
    BRAND = "brand"
    FOLLOWERS = "followers"


@dataclass(frozen=True, slots=True)
class Field:
    """`lang:ko`, `site:example.com`, `followers>1000`. `op` is ":" for words and one of > >= < <= = for numbers."""

    name: FieldName
    op: str
    value: str
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """`left` within `distance` words of `right`, in either order. Both sides are terms or ORs of terms."""

    left: "Query"
    right: "Query"
    distance: int


@dataclass(frozen=True, slots=True)
class And:
    """Every part matches."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part matches."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not match."""

    part: "Query"


Query = Term | Regex | Field | Near | And | Or | Not
