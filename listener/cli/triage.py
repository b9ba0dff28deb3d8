"""`listener triage`: the very pipeline of the daemon on JSON lines, without network and database."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import click
from pydantic import BaseModel, ConfigDict, ValidationError

from listener.cli.lines import json_line
from listener.domain.errors import UsageError
from listener.domain.mention import Author, RawItem, Reach


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


@click.command()
@click.option("--rules", "rules_file", type=click.Path(path_type=Path), help="Instead of the configured rules.yaml.")
def triage(rules_file: Path | None) -> None:
    """Judge posts: JSON lines on stdin (id, text, ...), one JSON line each on stdout, in order.

    Fields read: id, text, title, url, author, followers, likes, replies, reposts, published_at, lang, source_kind, brand.
    A post with a brand counts as found for it; a post without one that names no brand is judged all the same.
    """
    from listener.cli.offline import offline_ruleset
    from listener.pipeline import Triage

    engine = Triage(offline_ruleset(rules_file))
    bad = 0
    for number, line in enumerate(_lines(sys.stdin), start=1):
        if not line.strip():
            continue
        try:
            post = _parse(line, number)
        except UsageError as error:
            bad += 1
            click.echo(f"listener: {error}", err=True)
            continue
        verdict = engine.judge(_item(post), now=datetime.now(UTC))
        sys.stdout.write(json_line(_output(post.id, verdict)) + "\n")
    if bad:
        raise click.ClickException(f"{bad} line(s) could not be read; the others were judged")


def _lines(stream: TextIO) -> TextIO:
    stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[attr-defined]
    return stream


def _parse(line: str, number: int) -> Post:
    try:
        return Post.model_validate(json.loads(line))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the line"
        raise UsageError(f"line {number}: {place}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"line {number}: not a JSON object") from error


def _item(post: Post) -> RawItem:
    return RawItem(
        native_id=post.id,
        url=post.url,
        title=post.title,
        text=post.text or "",
        author=Author(handle=post.author, followers=_count(post.followers)),
        published_at=_aware(post.published_at),
        lang=post.lang,
        reach=Reach(
            followers=_count(post.followers),
            likes=_count(post.likes),
            replies=_count(post.replies),
            reposts=_count(post.reposts),
        ),
        brands=(post.brand,) if post.brand else (),
    )


def _count(number: float | None) -> int | None:
    return max(int(number), 0) if number is not None and number < 1e15 else None


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
