"""The parts of a message in the order in which people read them. Every sink shows these parts; only their form differs."""

from dataclasses import dataclass
from enum import StrEnum

from listener.decide.defang import Link, clean, link, one_line
from listener.domain.message import Message


class Part(StrEnum):
    """What a block is. POST is the only one that a sink quotes, so that a post can not pass for our own words."""

    STATUS = "status"
    BODY = "body"
    POST = "post"
    ORIGIN = "origin"
    WHY = "why"
    DO = "do"
    AVOID = "avoid"
    HOW = "how"
    REPEAT = "repeat"


_HEADINGS = {Part.WHY: "Why", Part.DO: "Do", Part.AVOID: "Avoid", Part.HOW: "Next step"}
_KEPT_AS_WRITTEN = (Part.BODY, Part.POST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One part. Its lines are as hostile as the post; those of BODY and POST may hold line breaks."""

    part: Part
    lines: tuple[str, ...]

    @property
    def heading(self) -> str | None:
        """The word before it, if it needs one."""
        return _HEADINGS.get(self.part)

    def shown(self, bullet: str = "- ") -> str:
        """As plain text: one line after its heading, several as bullets below it."""
        if self.part in _KEPT_AS_WRITTEN:
            return clean("\n".join(self.lines))
        lines = [one_line(line) for line in self.lines]
        if self.heading is None or len(lines) == 1:
            return (f"{self.heading}: " if self.heading else "") + "\n".join(lines)
        return f"\n{bullet}".join((f"{self.heading}:", *lines))


def blocks(message: Message) -> tuple[Block, ...]:
    """All parts that have something to say."""
    post = message.post
    do = message.do + ((f"Settle it by {message.handle_by}",) if message.handle_by else ())
    every = (
        Block(part=Part.STATUS, lines=_line(" · ".join(_status(message)))),
        Block(part=Part.BODY, lines=_line(message.body)),
        Block(part=Part.POST, lines=tuple(text for text in (post.title, post.text) if text) if post else ()),
        Block(part=Part.ORIGIN, lines=_line(" · ".join(_origin(message)))),
        Block(part=Part.WHY, lines=message.reasons),
        Block(part=Part.DO, lines=do),
        Block(part=Part.AVOID, lines=message.avoid),
        Block(part=Part.HOW, lines=_line(message.how or "")),
        Block(part=Part.REPEAT, lines=_line(REPEAT if message.possible_repeat else "")),
    )
    return tuple(block for block in every if block.lines)


REPEAT = "You may have had this before: an earlier attempt to tell you ended without an answer."


def shown_link(message: Message) -> Link | None:
    """The link to the post, if it has one that may be shown."""
    return link(message.post.url) if message.post else None


def _line(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _status(message: Message) -> list[str]:
    age = message.post.age if message.post else None
    count = f"{message.mention_count:,} posts" if message.mention_count > 1 else None
    return [part for part in (message.case_name, message.clock, age, count) if part]


def _origin(message: Message) -> list[str]:
    if message.post is None:
        return []
    return [part for part in (message.post.author, message.post.reach, message.post.source) if part]
