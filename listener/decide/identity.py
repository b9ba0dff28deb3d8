"""Which mentions are the same mention, by keys: two that share one are one.

One key is never enough. Platforms repeat native ids, change them, or have none; links differ for one page and are equal for
many posts. So a mention has up to four keys, and each is built so that it cannot swallow a neighbour:

`n:` the native id, scoped by its source, since ids are unique there at best. Only while it can be trusted
     (`normalise_page`). Feeds with session ids in their guids still get one mention an item, by the next key.
`u:` the link with the title and the claimed time. A link alone would not do: in many feeds of reviews and comments every
     item leads to one page. Where the title is short or missing the text counts too: two reviews called "Bad" are two.
     Where it is long it does not, since the snippets that two searches show of one article differ.
`t:` a title of some length with a claimed time to the second: the same article under another link. Not for a time at
     midnight, which is a day and not a time, and not for answers, whose titles all repeat that of their thread.
`x:` everything that was said, and by whom: only for an item with neither a trusted native id nor a link.

Times in keys are as the platform claims them, before any doubt about them: the doubt depends on when we look.
"""

from datetime import datetime
from hashlib import blake2b

from listener.decide.fold import fold
from listener.decide.urls import address
from listener.domain.mention import Author

__all__ = ["content_hash", "mention_id", "native_key", "shared_keys"]

_LONG_TITLE = 16
_ANSWERS = ("re:", "re ", "[re]", "aw:", "sv:", "답글", "답변:", "답장:")


def native_key(native_id: str, *, source_id: str) -> str:
    """`n:` key: the same for every revision of what the source calls one item."""
    return f"n:{source_id}:{_digest(native_id)}"


def shared_keys(
    *, url: str | None, title: str | None, text: str, claimed_at: datetime | None, author: Author, has_native: bool
) -> tuple[str, ...]:
    """The keys that do not depend on the source, strongest first. Without a native id there is at least one.

    `claimed_at` is in UTC; `url` is canonical.
    """
    headline = fold(title) if title else ""
    telling = len(headline) >= _LONG_TITLE
    when = claimed_at.isoformat(timespec="seconds") if claimed_at else "-"
    keys: list[str] = []
    if url:
        keys.append("u:" + _digest(address(url), headline, "" if telling else fold(text), when))
    if telling and _to_the_second(when) and not headline.startswith(_ANSWERS):
        keys.append("t:" + _digest(headline, when))
    if not url and not has_native:
        keys.append("x:" + _digest(headline, fold(text), fold(author.handle or author.name or "")))
    return tuple(keys)


def mention_id(key: str, *, source_id: str) -> str:
    """16 hexadecimal digits; the same whenever and wherever the mention is read again."""
    return _digest(source_id, key, size=8)


def content_hash(title: str | None, text: str) -> str:
    """A hash of what is said. White space does not count, so an edit changes it and another encoding does not."""
    return _digest(" ".join((title or "").split()), " ".join(text.split()))


def _to_the_second(when: str) -> bool:
    return when != "-" and "T00:00:00" not in when


def _digest(*parts: str, size: int = 16) -> str:
    return blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()
