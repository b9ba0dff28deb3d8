"""`listener rules`: check, explain, route, schema, sample."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from listener.domain.errors import UsageError

if TYPE_CHECKING:
    from listener.decide.route import Labels, Visited
    from listener.domain.policy import Policy
    from listener.domain.verdict import Verdict

_file = click.option("--file", "file", type=click.Path(path_type=Path), help="Instead of the configured rules.yaml.")


@click.group()
def rules() -> None:
    """Check, explain and try rules.yaml."""


@rules.command()
@_file
@click.option("--secrets", is_flag=True, help="Also ask that every secret it names is set.")
def check(file: Path | None, secrets: bool) -> None:
    """Check the file and run every example in it. Exit 78 with all problems, 1 if an example fails."""
    from listener.app import compile_rules, judging_ruleset, read_rules
    from listener.cli.offline import offline_rules, rules_path
    from listener.rules.selftest import run_examples
    from listener.settings import load_settings

    path = rules_path(file)
    loaded = (
        compile_rules(read_rules(path), file=str(path), env=load_settings().env) if secrets else offline_rules(file)
    )
    for problem in loaded.warnings:
        click.echo(f"warning: {problem.sentence(str(path))}", err=True)
    failures = run_examples(loaded.policy, judging_ruleset(loaded.policy).matcher)
    for failure in failures:
        click.echo(failure.problem(loaded.places).sentence(str(path)), err=True)
    policy = loaded.policy
    topics = (*policy.topics, *policy.intents)
    examples = sum(len(topic.examples.match) + len(topic.examples.ignore) for topic in topics)
    click.echo(
        f"{path}: {len(policy.brands)} brands, {len(policy.sources)} sources, {len(topics)} topics and intents, "
        f"{len(policy.receivers)} receivers; {examples - len(failures)} of {examples} examples hold"
    )
    sys.exit(1 if failures else 0)


@rules.command()
@click.argument("text")
@_file
@click.option("--title", help="The post's title.")
@click.option("--lang", help="Its language, as the platform would say (ko, en).")
@click.option("--brand", help="A brand that it counts as found for.")
@click.option("--source", default="explain", show_default=True, help="The source that it would come from.")
@click.option("--author", help="Its author.")
@click.option("--followers", type=int, help="The author's followers.")
def explain(  # noqa: PLR0913, PLR0917 - one option each
    text: str,
    file: Path | None,
    title: str | None,
    lang: str | None,
    brand: str | None,
    source: str,
    author: str | None,
    followers: int | None,
) -> None:
    """Say what would become of a post with this TEXT: every reason with its points, and who would be told."""
    from listener.cli.offline import offline_ruleset
    from listener.decide.route import labels
    from listener.domain.mention import Author, RawItem, Reach
    from listener.pipeline import Triage

    ruleset = offline_ruleset(file)
    item = RawItem(
        native_id="explain",
        title=title,
        text=text,
        lang=lang,
        author=Author(handle=author, followers=followers),
        reach=Reach(followers=followers),
        brands=(brand,) if brand else (),
    )
    engine = Triage(ruleset, source_id=source)
    mention = engine.read(item, now=datetime.now(UTC))
    verdict = engine.judge(item, now=datetime.now(UTC))
    _print_verdict(mention.full_text, verdict)
    _print_trace(ruleset.policy, labels(verdict, mention))


def _print_verdict(text: str, verdict: "Verdict") -> None:
    from listener.display import hostile, reasons_table, severity_text

    console = Console()
    shown = hostile(text, limit=len(text))
    for match in verdict.matches:
        if match.span is not None:
            shown.stylize("bold reverse", match.span.start, match.span.end)
    console.print(shown)
    about = ", ".join(verdict.brands) or "no brand of yours (judged all the same)"
    console.print(
        Text.assemble("Severity: ", severity_text(verdict.severity), f"  score {verdict.score}  about {about}")
    )
    if verdict.judgement.sentiment.why:
        console.print(Text(f"Sentiment: {verdict.judgement.sentiment.label}: {verdict.judgement.sentiment.why}"))
    console.print(reasons_table(verdict))


def _print_trace(policy: "Policy", labels: "Labels") -> None:
    from listener.decide.route import trace

    table = Table(title="Who would be told", title_justify="left")
    for header in ("Route", "Receiver", "Answer"):
        table.add_column(header)
    for visited in trace(policy, labels):
        table.add_row(
            "  " * visited.depth + visited.route.place, visited.route.receiver or "none", Text(_answer(visited))
        )
    Console().print(table)


def _answer(visited: "Visited") -> str:
    route = visited.route
    if visited.failed is not None:
        return f"no: it asks for {visited.failed}"
    if not visited.reached:
        return "passes it on to a route below"
    if route.digest is not None:
        return f'waits in the queue for the digest "{route.digest}"'
    if route.receiver is None:
        return "nobody is told, on purpose"
    return f"told after {route.group_wait.total_seconds():.0f} s"


@rules.command()
@click.argument("label", nargs=-1, metavar="LABEL=VALUE...")
@_file
@click.option("--expect", help="Comma-separated receivers; exit 1 if others would be told.")
def route(label: tuple[str, ...], file: Path | None, expect: str | None) -> None:
    """Say who would be told of a mention with these labels: severity=urgent topic=billing."""
    from listener.cli.offline import offline_rules
    from listener.decide.route import walk

    policy = offline_rules(file).policy
    reached = walk(policy.route, _labels(label))
    receivers = [one.receiver or "none" for one in reached]
    for one in reached:
        click.echo(f"{one.receiver or 'none'}\t{one.place}")
    if expect is not None and sorted(receivers) != sorted(name.strip() for name in expect.split(",")):
        raise click.ClickException(f"expected {expect}, got {','.join(receivers)}")


def _labels(pairs: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"{pair!r} is not a label; write for example severity=urgent")
        found[name] = (*found.get(name, ()), value)
    return found


@rules.command()
@click.option("--check", "against", type=click.Path(path_type=Path), help="Exit 1 if this file is not the schema.")
def schema(against: Path | None) -> None:
    """Print the JSON Schema of rules.yaml, for editors."""
    from listener.registry import connectors, notifiers
    from listener.rules.schema import json_schema

    text = json.dumps(
        json_schema(
            {name: kind.Config for name, kind in connectors().items()},
            {name: kind.Config for name, kind in notifiers().items()},
        ),
        indent=2,
        ensure_ascii=False,
    )
    if against is None:
        click.echo(text)
    elif not against.exists() or against.read_text(encoding="utf-8").rstrip() != text:
        raise click.ClickException(f"{against} is stale; write it anew with: make schema")


@rules.command()
@click.option("--pack", help="Print this pack instead, as `include` names it.")
def sample(pack: str | None) -> None:
    """Print the rules.yaml that we ship, to begin with."""
    from listener.app import shipped
    from listener.rules.packs import SHIPPED
    from listener.rules.problems import one_of

    if pack is not None and pack not in SHIPPED:
        raise UsageError(f"there is no pack {pack!r}; {one_of(pack, SHIPPED)}")
    click.echo(shipped("rules.yaml") if pack is None else SHIPPED[pack], nl=False)
