"""`listener triage`: the very pipeline of the daemon on JSON lines, without network and database."""

import gc
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click
from pydantic import BaseModel, ConfigDict, ValidationError

from listener.cli.lines import json_line
from listener.domain.errors import UsageError
from listener.domain.mention import Author, RawItem, Reach

if TYPE_CHECKING:
    from listener.cli.fan_out import Chunk
    from listener.pipeline import Triage


class Post(BaseModel):
    """One input line. Fields that we do not know are ignored: labelled data carries its labels."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    id: str
    text: str | None = None
    title: str | None = None
    url: str | None = None
    author: str | None = None
    followers: float | None = None
    likes: float | None = None
    replies: float | None = None
    reposts: float | None = None
    published_at: datetime | None = None
    lang: str | None = None
    source_kind: str | None = None
    brand: str | None = None


AnyPost = TypeVar("AnyPost", bound=Post)


@click.command()
@click.option("--rules", "rules_file", type=click.Path(path_type=Path), help="Instead of the configured rules.yaml.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes for long inputs.  [default: one a core, at most 8]")
def triage(rules_file: Path | None, jobs: int | None) -> None:
    """Judge posts: JSON lines on stdin (id, text, ...), one JSON line each on stdout, in order.

    Fields read: id, text, title, url, author, followers, likes, replies, reposts, published_at, lang, source_kind, brand.
    A post with a brand counts as found for it; a post without one that names no brand is judged all the same.
    """
    from listener.cli.fan_out import chunks, cores, fan_out
    from listener.cli.offline import may_fork, offline_ruleset
    from listener.pipeline import Triage

    engine = Triage(offline_ruleset(rules_file))
    jobs = (jobs or cores()) if may_fork() else 1
    gc.freeze()  # the rules live as long as we do: no need to look through them for garbage after every few posts
    bad = 0
    for answered in fan_out(partial(_answer, engine), chunks(sys.stdin.buffer), jobs=jobs):
        sys.stdout.write(answered.lines)
        sys.stdout.flush()
        for fault in answered.faults:
            click.echo(f"listener: {fault}", err=True)
        bad += len(answered.faults)
    if bad:
        raise click.ClickException(f"{bad} line(s) could not be read; the others were judged")


class _Answered(NamedTuple):
    """Verdicts as JSON lines, and a sentence for each line that could not be read."""

    lines: str
    faults: list[str]


def _answer(engine: "Triage", chunk: "Chunk") -> _Answered:
    verdicts: list[str] = []
    faults: list[str] = []
    for number, line in enumerate(chunk.lines, start=chunk.first):
        if not line.strip():
            continue
        try:
            post = parse(line, number, Post)
        except UsageError as error:
            faults.append(str(error))
            continue
        verdict = engine.judge(item_of(post), now=datetime.now(UTC))
        verdicts.append(json_line(_output(post.id, verdict)) + "\n")
    return _Answered("".join(verdicts), faults)


def parse(line: str | bytes, number: int, kind: type[AnyPost]) -> AnyPost:
    """The line as a post. Raises `UsageError` with the number of the line and what is wrong with it."""
    try:
        return kind.model_validate_json(line)
    except ValidationError:
        text = line if isinstance(line, str) else line.decode("utf-8-sig", "replace")
        return _parse_with_care(text, number, kind)


def _parse_with_care(line: str, number: int, kind: type[AnyPost]) -> AnyPost:
    """Takes what the fast way does not (half a surrogate pair, a byte that is not UTF-8), or says what is wrong."""
    try:
        return kind.model_validate(json.loads(line))
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            raise UsageError(f"line {number}: not a JSON object") from error
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"line {number}: {place}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"line {number}: not a JSON object") from error


def item_of(post: Post) -> RawItem:
    """The post as a platform would have given it."""
    return RawItem(
        native_id=post.id,
        url=post.url,
        title=post.title,
        text=post.text or "",
        author=_author(post),
        published_at=_aware(post.published_at),
        lang=post.lang,
        reach=_reach(post),
        brands=(post.brand,) if post.brand else (),
    )


# Most posts come without these, and two objects made for nothing are two microseconds.
_NOBODY, _UNKNOWN_REACH = Author(), Reach()


def _author(post: Post) -> Author:
    if post.author is None and post.followers is None:
        return _NOBODY
    return Author(handle=post.author, followers=_count(post.followers))


def _reach(post: Post) -> Reach:
    if post.followers is post.likes is post.replies is post.reposts is None:
        return _UNKNOWN_REACH
    return Reach(
        followers=_count(post.followers),
        likes=_count(post.likes),
        replies=_count(post.replies),
        reposts=_count(post.reposts),
    )


def _count(number: float | None) -> int | None:
    """A whole number of people; what cannot be one (-3, NaN, Infinity) is not known."""
    return int(number) if number is not None and 0 <= number < 1e15 else None


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _output(post_id: str, verdict: Any) -> Mapping[str, Any]:
    sentiment = verdict.judgement.sentiment
    return {
        "id": post_id,
        "severity": verdict.severity,
        "score": verdict.score,
        "label": sentiment.label,
        "p_negative": None if sentiment.p_negative is None else round(sentiment.p_negative, 4),
        "about_brand": verdict.brands[0] if verdict.brands else None,
        "topics": verdict.judgement.topics,
        "intents": verdict.judgement.intents,
        "review": verdict.review,
        "reasons": [{"code": r.code, "text": r.text, "points": r.points, "rule": r.rule} for r in verdict.reasons],
    }
