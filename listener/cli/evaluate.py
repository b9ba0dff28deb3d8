"""`listener evaluate`: how well the rules and models judge posts that people have labelled."""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.console import Console
from rich.text import Text

from listener.cli.lines import json_line
from listener.cli.measured import (
    confusion_table,
    hits_json,
    sentiment_json,
    sentiment_table,
    severity_json,
    severity_table,
    share,
)
from listener.cli.triage import Post, item_of, parse
from listener.decide.defang import cut, one_line
from listener.decide.measure import (
    Cuts,
    Graded,
    RecallCut,
    Scored,
    SentimentReport,
    SeverityReport,
    cut_for_recall,
    gravity,
    sentiment_report,
    severity_report,
    unlifted,
    urgent_at,
)
from listener.domain.errors import UsageError
from listener.domain.verdict import Label, Severity, Verdict

if TYPE_CHECKING:
    from listener.pipeline import Triage
    from listener.ruleset import Ruleset


class LabelledPost(Post):
    """A line of `listener triage` with what people say of it."""

    severity: Severity | None = None
    label: Literal["negative", "neutral", "positive"] | None = None
    sentiment_to_brand: Literal["negative", "neutral", "positive"] | None = None

    @property
    def sentiment(self) -> Label | None:
        """The label; the one that is towards the brand counts first."""
        found = self.sentiment_to_brand or self.label
        return Label(found) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A labelled post beside the verdict on it. `text` is the post's beginning, made harmless, on one line."""

    id: str
    lang: str
    text: str
    published_at: datetime | None
    severity: Severity | None
    sentiment: Label | None
    verdict: Verdict
    scored: Scored


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The posts of one language, or all; `None` where none of them has such a label."""

    name: str
    severity: SeverityReport | None
    sentiment: SentimentReport | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What a recall costs: over the posts that carry a time. `now` and `then` count urgent verdicts and would-be ones.

    `high` is the threshold for high, below which that for urgent cannot be.
    """

    wanted: float
    reached: RecallCut
    high: float
    dated: int
    days: float
    now: int
    then: int

    @property
    def known(self) -> bool:
        """Can a rate be told? One post, or posts of one instant, make none."""
        return self.days > 0

    def a_day(self, count: int) -> float | None:
        """So many a day."""
        return count / self.days if self.known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All that is shown. `wrong_severity` and `wrong_sentiment` hold the worst mistakes, the worst first."""

    ruleset: str
    posts: int
    groups: tuple[Group, ...]
    pace: Pace | None
    wrong_severity: tuple[Judged, ...]
    wrong_sentiment: tuple[Judged, ...]


@click.command()
@click.argument("labelled", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rules", "rules_file", type=click.Path(path_type=Path), help="Instead of the configured rules.yaml.")
@click.option(
    "--recall",
    default=0.9,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True),
    help="Say which threshold finds this share of the urgent ones, and what that costs.",
)
@click.option("--worst", default=10, show_default=True, type=click.IntRange(0, 1000), help="How many mistakes to show.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def evaluate(labelled: Path, rules_file: Path | None, recall: float, worst: int, as_json: bool) -> None:
    """Measure your rules against posts that you have labelled: recall, precision, the worst mistakes.

    LABELLED holds lines as `listener triage` reads them (may be .gz), each with severity (urgent, high, normal, low), label
    or sentiment_to_brand (negative, neutral, positive). See docs/evaluate.md.
    """
    from listener.cli.offline import offline_ruleset

    ruleset = offline_ruleset(rules_file)
    bad: list[int] = []
    judged = [_judged(ruleset, engine, post) for engine, post in _posts(ruleset, labelled, bad)]
    if not any(one.severity or one.sentiment for one in judged):
        remedy = 'add "severity", or "label": "negative", to its lines (see docs/evaluate.md)'
        raise UsageError(f"no line of {labelled.name} that can be read carries a label; {remedy}")
    found = evaluation(judged, ruleset, recall=recall, worst=worst)
    if as_json:
        click.echo(json_line(_json(found, bad)))
    else:
        _print(found)
    if bad:
        raise click.ClickException(f"{len(bad)} line(s) could not be read; the others were measured")


def _posts(ruleset: "Ruleset", path: Path, bad: list[int]) -> Iterator[tuple["Triage", LabelledPost]]:
    """The posts of the file with the engine that judges them; lines that cannot be read are said and added to `bad`."""
    from listener.pipeline import Triage

    engine = Triage(ruleset)
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            yield engine, parse(line, number, LabelledPost)
        except UsageError as error:
            bad.append(number)
            click.echo(f"listener: {error}", err=True)


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file that may be gzipped, whatever its name says. Raises `UsageError` if it breaks off."""
    with path.open("rb") as start:
        packed = start.read(2) == b"\x1f\x8b"
    opened = gzip.open if packed else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", errors="replace") as lines:
            yield from lines
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UsageError(f"{path.name} is damaged: it cannot be unpacked to its end; make or fetch it again") from error


_SHOWN = 240


def _judged(ruleset: "Ruleset", engine: "Triage", post: LabelledPost) -> Judged:
    now, item = datetime.now(UTC), item_of(post)
    verdict = engine.judge(item, now=now)
    mention = engine.read(item, now=now)
    return Judged(
        id=post.id,
        lang=mention.lang or f"{mention.script} script",
        text=cut(one_line(mention.full_text), _SHOWN),
        published_at=item.published_at,
        severity=post.severity,
        sentiment=post.sentiment,
        verdict=verdict,
        scored=unlifted(verdict, ruleset.policy),
    )


# --- measuring ---------------------------------------------------------------------------------------------------------


def evaluation(judged: Sequence[Judged], ruleset: "Ruleset", *, recall: float, worst: int) -> Evaluation:
    """Everything that can be said of these posts."""
    by_language: dict[str, list[Judged]] = {}
    for one in judged:
        by_language.setdefault(one.lang, []).append(one)
    groups = [_group("all", judged)]
    if len(by_language) > 1:
        ordered = sorted(by_language.items(), key=lambda pair: (-len(pair[1]), pair[0]))
        groups += [_group(name, posts) for name, posts in ordered]
    return Evaluation(
        ruleset=ruleset.policy.digest,
        posts=len(judged),
        groups=tuple(groups),
        pace=_pace(judged, Cuts.of(ruleset.policy.scoring.severity), recall),
        wrong_severity=tuple(sorted(filter(_severity_error, judged), key=_severity_error, reverse=True)[:worst]),
        wrong_sentiment=tuple(sorted(filter(_sentiment_error, judged), key=_sentiment_error, reverse=True)[:worst]),
    )


def _group(name: str, posts: Iterable[Judged]) -> Group:
    posts = list(posts)
    severities = [(one.severity, one.verdict.severity) for one in posts if one.severity]
    sentiments = [
        (one.sentiment, one.verdict.judgement.sentiment.label, one.verdict.judgement.sentiment.p_negative)
        for one in posts
        if one.sentiment
    ]
    return Group(
        name=name,
        severity=severity_report(severities) if severities else None,
        sentiment=sentiment_report(sentiments) if sentiments else None,
    )


def _pace(judged: Sequence[Judged], cuts: Cuts, recall: float) -> Pace | None:
    """`None` if no post is labelled urgent."""
    reached = cut_for_recall([Graded(scored=one.scored, truth=one.severity) for one in judged if one.severity], recall)
    if reached is None:
        return None
    dated = [(one.published_at, one.scored) for one in judged if one.published_at]
    times = [at for at, _ in dated]
    return Pace(
        wanted=recall,
        reached=reached,
        high=cuts.high,
        dated=len(dated),
        days=(max(times) - min(times)).total_seconds() / 86400 if times else 0.0,
        now=sum(one.severity(cuts) is Severity.URGENT for _, one in dated),
        then=sum(urgent_at(one, reached.cut) for _, one in dated),
    )


def _severity_error(one: Judged) -> tuple[float, ...]:
    """How bad; of two that are as bad, the one whose score is further off. Empty if it is right or not labelled."""
    if one.severity is None or one.severity is one.verdict.severity:
        return ()
    too_low = one.severity.rank > one.verdict.severity.rank
    return gravity(one.severity, one.verdict.severity), float(-one.verdict.score if too_low else one.verdict.score)


def _sentiment_error(one: Judged) -> tuple[float, ...]:
    """How sure the model is of what is wrong. Empty if it is right, not labelled, or could not be judged."""
    sentiment = one.verdict.judgement.sentiment
    if one.sentiment is None or sentiment.p_negative is None:
        return ()
    negative, said = one.sentiment is Label.NEGATIVE, sentiment.label is Label.NEGATIVE
    if negative is said:
        return ()
    return (1.0 - sentiment.p_negative if negative else sentiment.p_negative,)


# --- showing -----------------------------------------------------------------------------------------------------------


_FEW = 20
"""Labelled posts below which a language gets a line in the tables and no table of its own."""


def _print(found: Evaluation) -> None:
    console = Console()
    severities = [(group.name, group.severity) for group in found.groups if group.severity]
    sentiments = [(group.name, group.sentiment) for group in found.groups if group.sentiment]
    if severities:
        console.print(severity_table(severities, title="Severity", first="Language"))
        for name, report in severities:
            if name == "all" or report.n >= _FEW:
                console.print(confusion_table(name, report))
        console.print(Text(pace_sentence(found.pace)))
    if sentiments:
        console.print(sentiment_table(sentiments))
    _print_mistakes(console, "Worst mistakes of severity", found.wrong_severity, severity_mistake)
    _print_mistakes(console, "Worst mistakes of sentiment", found.wrong_sentiment, sentiment_mistake)


def pace_sentence(pace: Pace | None) -> str:
    """What the wanted recall means in thresholds and alerts."""
    if pace is None:
        return "No post is labelled urgent, so no threshold can be told for a recall of urgent ones."
    hits = pace.reached.hits
    how = "the rules with at_least: urgent reach that alone, whatever the threshold"
    if pace.reached.cut is not None:
        how = f"scoring.severity.urgent would have to be {pace.reached.cut} or lower"
        if pace.reached.cut <= pace.high:
            how += f" (not above that for high, {pace.high:g}: mend the rules instead, see the worst mistakes)"
    found = f"To find {pace.wanted:.0%} of the urgent posts, {how}: recall {share(hits.recall, hits.truly)}, "
    return f"{found}precision {share(hits.precision, hits.said)}. {_rate_sentence(pace)}"


def _rate_sentence(pace: Pace) -> str:
    if not pace.known:
        return "How many alerts a day that means cannot be told: the lines carry no published_at (or all the same one)."
    return (
        f"At the rate of this file ({pace.dated} dated posts in {pace.days:.1f} days) that is {pace.a_day(pace.then):.1f} "
        f"urgent alerts a day; with your rules as they are it is {pace.a_day(pace.now):.1f}."
    )


def _print_mistakes(console: Console, title: str, worst: Iterable[Judged], what: Callable[[Judged], str]) -> None:
    for number, one in enumerate(worst, start=1):
        if number == 1:
            console.print(Text(f"\n{title}", style="bold"))
        name = f"{cut(one_line(one.id), 60)} ({one.lang})"
        console.print(Text.assemble(f"{number}. {name}: ", (what(one), "yellow"), f"\n   {one.text}"))
        for reason in top_reasons(one.verdict):
            console.print(Text(f"     {reason}", style="dim"))


def severity_mistake(one: Judged) -> str:
    """`should be low, was urgent with score 74`."""
    return f"should be {one.severity}, was {one.verdict.severity} with score {one.verdict.score}"


def sentiment_mistake(one: Judged) -> str:
    """`should be negative, was positive with p_negative 0.07`."""
    sentiment = one.verdict.judgement.sentiment
    return f"should be {one.sentiment}, was {sentiment.label} with p_negative {sentiment.p_negative:.2f}"


_REASONS = 3


def top_reasons(verdict: Verdict) -> tuple[str, ...]:
    """The reasons with the most points, as text that is safe to show: they quote words of the post."""
    ordered = sorted(verdict.reasons, key=lambda reason: -abs(reason.points))[:_REASONS]
    return tuple(f"{reason.points:+.0f} {cut(one_line(reason.text), 160)} [{reason.rule}]" for reason in ordered)


def _json(found: Evaluation, bad: Sequence[int]) -> Mapping[str, Any]:
    return {
        "ruleset": found.ruleset,
        "posts": found.posts,
        "bad_lines": list(bad),
        "languages": {
            group.name: {
                "severity": severity_json(group.severity) if group.severity else None,
                "sentiment": sentiment_json(group.sentiment) if group.sentiment else None,
            }
            for group in found.groups
        },
        "for_recall": _pace_json(found.pace) if found.pace else None,
        "worst": {
            "severity": [_mistake_json(one) for one in found.wrong_severity],
            "sentiment": [_mistake_json(one) for one in found.wrong_sentiment],
        },
    }


def _pace_json(pace: Pace) -> Mapping[str, Any]:
    return {
        "wanted": pace.wanted,
        "threshold": pace.reached.cut,
        **hits_json(pace.reached.hits),
        "dated_posts": pace.dated,
        "days": round(pace.days, 3),
        "urgent_a_day_now": pace.a_day(pace.now),
        "urgent_a_day_then": pace.a_day(pace.then),
    }


def _mistake_json(one: Judged) -> Mapping[str, Any]:
    sentiment = one.verdict.judgement.sentiment
    return {
        "id": one.id,
        "lang": one.lang,
        "text": one.text,
        "severity": {"truth": one.severity, "verdict": one.verdict.severity, "score": one.verdict.score},
        "sentiment": {"truth": one.sentiment, "verdict": sentiment.label, "p_negative": sentiment.p_negative},
        "reasons": list(top_reasons(one.verdict)),
    }
