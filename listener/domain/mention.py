"""What a place gave us (`RawItem`) and what we make of it (`Mention`)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Markup(StrEnum):
    """How the text of a raw item is written."""

    PLAIN = "plain"
    HTML = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who wrote it, as far as the place tells."""

    handle: str | None = None
    name: str | None = None
    url: str | None = None
    followers: int | None = None
    verified: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far it spread when we saw it. `None` means that the place does not say; 0 means that it says zero."""

    followers: int | None = None
    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    views: int | None = None

    @property
    def reactions(self) -> int | None:
        """Likes, reposts and replies together; `None` if none of them is known."""
        known = [n for n in (self.likes, self.reposts, self.replies) if n is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawItem:
    """One item as the platform gave it: untrusted, unmeasured, perhaps partial.

    `native_id`, `url`, `title` and `text` may hold anything that the internet can write. `published_at` is the claim of
    the platform; `found_at` is when an intermediary (Google Alerts) found it. `brands` names brands that the place itself
    is about (an app's review page): the item counts as found for them even if its text does not name them.
    """

    native_id: str | None = None
    url: str | None = None
    title: str | None = None
    text: str = ""
    markup: Markup = Markup.PLAIN
    author: Author = field(default_factory=Author)
    published_at: datetime | None = None
    found_at: datetime | None = None
    lang: str | None = None
    reach: Reach = field(default_factory=Reach)
    in_reply_to: str | None = None
    thread: str | None = None
    brands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """An item in readable, bounded, comparable form.

    `text` and `title` are NFC without control characters, at most `normalise.MAX_TEXT` characters (`truncated` says so).
    `lang` is a BCP 47 primary tag or `None`; `script` is the dominant writing ("latin", "hangul", ...).
    `keys` identify it: two mentions that share a key are one mention. `native_key` is the one key that the source itself
    vouches for; an item that comes again under it with another `content_hash` is an edit.
    `thread_id` groups the answers of one conversation. `url` is the link for people, `http` or `https` only.
    """

    id: str
    source_id: str
    native_key: str | None
    keys: tuple[str, ...]
    content_hash: str
    url: str | None
    title: str | None
    text: str
    author: Author
    lang: str | None
    script: str
    reach: Reach
    published_at: datetime | None
    found_at: datetime | None
    seen_at: datetime
    thread_id: str | None
    brands: tuple[str, ...] = ()
    truncated: bool = False

    @property
    def full_text(self) -> str:
        """Title and text as one readable text; what the matcher and the models read."""
        if self.title and self.text:
            return f"{self.title}\n{self.text}"
        return self.title or self.text

    @property
    def said_at(self) -> datetime:
        """When the customer's clock began: the published time, or the first time that anyone saw it."""
        return self.published_at or self.found_at or self.seen_at
