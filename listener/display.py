"""Tables and panels of the command line. Text from posts is shown as `Text`, never parsed as markup."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from listener.decide.defang import clean, one_line
from listener.decide.render import duration
from listener.domain.case import Case, CaseEvent
from listener.domain.mention import Mention
from listener.domain.notification import Notification
from listener.domain.verdict import Severity, Verdict

STYLES = {
    Severity.URGENT: "bold white on red",
    Severity.HIGH: "bold yellow",
    Severity.NORMAL: "cyan",
    Severity.LOW: "dim",
}


def severity_text(severity: Severity) -> Text:
    """The band in its colour; the word itself carries the meaning."""
    return Text(str(severity), style=STYLES[severity])


def hostile(text: str, *, limit: int = 500) -> Text:
    """A post's text as it is, with what could move the cursor or turn the line taken out."""
    shown = clean(text)
    return Text(shown if len(shown) <= limit else shown[:limit] + "…")


def clock(case: Case, now: datetime) -> Text:
    """What is left of the customer's time."""
    if case.respond_by is None:
        return Text("-", style="dim")
    left = case.respond_by - now
    return (
        Text(f"{duration(abs(left))} over", style="bold red")
        if left < timedelta(0)
        else Text(f"{duration(abs(left))} left")
    )


def queue_table(cases: Sequence[Case], *, now: datetime) -> Table:
    """The triage queue, first things first."""
    table = Table(expand=True, title="Triage queue", title_justify="left")
    for header, options in (
        ("Case", {"no_wrap": True}),
        ("Severity", {"no_wrap": True}),
        ("Score", {"justify": "right"}),
        ("Clock", {"no_wrap": True}),
        ("State", {"no_wrap": True}),
        ("Posts", {"justify": "right"}),
        ("About", {}),
        ("What", {"ratio": 1}),
    ):
        table.add_column(header, **options)
    for case in cases:
        about = "/".join((*case.brands, *case.topics[:2]))
        state = f"{case.state}" + (f" ({case.owner})" if case.owner else "") + (", review" if case.review else "")
        table.add_row(
            case.name,
            severity_text(case.severity),
            str(case.score),
            clock(case, now),
            Text(state),
            str(case.mention_count),
            Text(about),
            Text(one_line(case.title), overflow="ellipsis", no_wrap=True),
        )
    return table


def print_queue(
    cases: Sequence[Case], counts: Mapping[Severity, int], dead: Sequence[Notification], *, now: datetime
) -> None:
    """The queue, what it holds in all, and what could not be delivered."""
    console = Console()
    if cases:
        console.print(queue_table(cases, now=now))
    total = ", ".join(f"{counts[s]} {s}" for s in Severity if counts.get(s))
    console.print(Text(f"Open: {total}" if total else "Nothing is open."))
    if dead:
        console.print(dead_table(dead))


def dead_table(dead: Iterable[Notification]) -> Table:
    """Notifications that were given up."""
    table = Table(title="Not delivered", title_justify="left", title_style="bold red")
    for header in ("Case", "Channel", "Target", "Why", "Attempts", "Error"):
        table.add_column(header)
    for row in dead:
        case = f"C{row.case_id}" if row.case_id is not None else "notice"
        table.add_row(case, row.channel, row.target, str(row.why), str(row.attempts), Text(row.error or ""))
    return table


def print_case(
    case: Case,
    mentions: Sequence[Mention],
    verdict: Verdict | None,
    events: Sequence[CaseEvent],
    rows: Sequence[Notification],
    *,
    now: datetime,
) -> None:
    """Everything that is known of a case, top to bottom."""
    console = Console()
    head = Text.assemble(
        (f"{case.name} ", "bold"),
        severity_text(case.severity),
        f"  score {case.score}  {case.state}  ",
        clock(case, now),
    )
    parts: list[RenderableType] = [head, Text(one_line(case.title), style="bold")]
    if case.owner:
        parts.append(Text(f"Owner: {case.owner}"))
    if case.review:
        parts.append(Text("Review: nobody could judge this text; a person has to read it.", style="yellow"))
    console.print(Panel(Group(*parts)))
    console.print(reasons_table(verdict) if verdict else Text("No verdict is stored.", style="red"))
    for mention in mentions:
        console.print(post_panel(mention, now=now))
    console.print(timeline_table(events))
    if rows:
        console.print(notifications_table(rows))


def reasons_table(verdict: Verdict) -> Table:
    """Why: every reason with its points and its place in rules.yaml."""
    sentiment = verdict.judgement.sentiment
    table = Table(title=f"Why {verdict.severity} (score {verdict.score})", title_justify="left")
    table.add_column("Points", justify="right")
    table.add_column("Reason")
    table.add_column("Rule", style="dim")
    for reason in verdict.reasons:
        table.add_row(f"{reason.points:+.0f}" if reason.points else "", Text(clean(reason.text)), Text(reason.rule))
    table.caption = f"sentiment: {sentiment.label} by {sentiment.model}; ruleset {verdict.ruleset[:12]}"
    return table


def post_panel(mention: Mention, *, now: datetime) -> Panel:
    """One post, neutralised."""
    author = one_line(mention.author.handle or mention.author.name or "somebody")
    age = f"{duration(now - mention.said_at)} ago"
    body = [Text(one_line(mention.title), style="bold")] if mention.title else []
    body.append(hostile(mention.text, limit=1500))
    if mention.url:
        body.append(Text(mention.url, style="blue"))
    title = Text(f"{author} on {mention.source_id}, {age}")
    return Panel(Group(*body), title=title, title_align="left")


def timeline_table(events: Sequence[CaseEvent]) -> Table:
    """What happened, when, by whom."""
    table = Table(title="Timeline (UTC)", title_justify="left")
    for header in ("When", "What", "Detail"):
        table.add_column(header)
    for event in events:
        table.add_row(f"{event.at:%m-%d %H:%M:%S}", str(event.kind), Text(clean(event.detail)))
    return table


def notifications_table(rows: Sequence[Notification]) -> Table:
    """Who was told."""
    table = Table(title="Notifications", title_justify="left")
    for header in ("Channel", "Target", "Why", "State", "Attempts", "Error"):
        table.add_column(header)
    for row in rows:
        table.add_row(row.channel, row.target, str(row.why), str(row.state), str(row.attempts), Text(row.error or ""))
    return table
