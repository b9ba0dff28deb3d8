"""`listener queue`, `show`, `ack`, `snooze`, `resolve`: what people do with cases."""

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from listener import casework
from listener.cli.lines import json_line
from listener.domain.case import Case, CaseEvent, CaseState, Disposition
from listener.domain.errors import UsageError
from listener.domain.mention import Mention
from listener.domain.notification import Notification
from listener.domain.verdict import Severity, Verdict

if TYPE_CHECKING:
    from listener.store import SqlStore


def _store() -> "SqlStore":
    from listener.app import open_store
    from listener.settings import load_settings

    return open_store(load_settings())


def _now() -> datetime:
    return datetime.now(UTC)


_who = click.option("--by", "who", default=getpass.getuser, show_default="your login", help="Who does it.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--severity", type=click.Choice([str(s) for s in Severity]), help="Only this band.")
@click.option(
    "--state", type=click.Choice([str(s) for s in CaseState if s is not CaseState.RESOLVED]), help="Only this state."
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most.")
def queue(as_json: bool, severity: str | None, state: str | None, limit: int) -> None:
    """Show the triage queue: open cases by severity, then by the customer's time left."""
    from listener.display import print_queue

    with _store().reading() as uow:
        cases = uow.triage_queue(
            limit=limit,
            severity=Severity(severity) if severity else None,
            state=CaseState(state) if state else None,
        )
        counts = uow.open_case_counts()
        dead = uow.dead_letters(limit=5)
    if as_json:
        for case in cases:
            click.echo(json_line(_case_json(case)))
        return
    print_queue(cases, counts, dead, now=_now())


@click.command()
@click.argument("case")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(case: str, as_json: bool) -> None:
    """Show a case: its posts, the reasons, who was told and who was not, and what happened when."""
    from listener.display import print_case

    number = casework.case_id(case)
    with _store().reading() as uow:
        found = uow.case(number)
        if found is None:
            raise UsageError(f"there is no case C{number}; see: listener queue")
        mentions = uow.case_mentions(number)
        verdict = uow.verdict(found.lead_mention_id)
        events = uow.events(number)
        rows = uow.notifications_of_case(number)
    if as_json:
        click.echo(json_line(_whole_json(found, mentions, verdict, events, rows)))
        return
    print_case(found, mentions, verdict, events, rows, now=_now())


@click.command()
@click.argument("case")
@_who
def ack(case: str, who: str) -> None:
    """Say that you have the case: nobody else needs to."""
    taken = casework.acknowledge(_store(), casework.case_id(case), who=who, now=_now())
    click.echo(f"{taken.name} is yours, {who}: {_plain(taken.title)}")


@click.command()
@click.argument("case")
@click.option("--for", "period", required=True, help="How long: 30m, 2h, 1d.")
@_who
def snooze(case: str, period: str, who: str) -> None:
    """Let the case rest; it comes back to the queue by itself."""
    now = _now()
    rested = casework.snooze(_store(), casework.case_id(case), who=who, until=now + casework.duration(period), now=now)
    click.echo(f"{rested.name} rests until {rested.snoozed_until:%Y-%m-%d %H:%M} UTC")


@click.command()
@click.argument("case")
@click.option(
    "--as",
    "disposition",
    type=click.Choice([str(d) for d in Disposition]),
    default="real",
    show_default=True,
    help="What it was.",
)
@click.option(
    "--severity", type=click.Choice([str(s) for s in Severity]), help="With wrong_severity: what it should have been."
)
@click.option("--note", help="A sentence for the timeline.")
@_who
def resolve(case: str, disposition: str, severity: str | None, note: str | None, who: str) -> None:
    """Say that the case is over, and what it was. `listener calibrate` learns from it."""
    outcome = casework.Outcome(
        disposition=Disposition(disposition), meant=Severity(severity) if severity else None, note=note
    )
    over = casework.resolve(_store(), casework.case_id(case), who=who, outcome=outcome, now=_now())
    click.echo(f"{over.name} is resolved as {over.disposition}: {_plain(over.title)}")


def _plain(text: str) -> str:
    from listener.decide.defang import one_line

    return one_line(text)


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _case_json(case: Case) -> dict[str, Any]:
    return {
        "case": case.name,
        "state": case.state,
        "severity": case.severity,
        "score": case.score,
        "brands": case.brands,
        "topics": case.topics,
        "title": case.title,
        "mentions": case.mention_count,
        "review": case.review,
        "owner": case.owner,
        "said_at": _time(case.said_at),
        "respond_by": _time(case.respond_by),
        "snoozed_until": _time(case.snoozed_until),
        "disposition": case.disposition,
        "meant": case.meant,
    }


def _whole_json(
    case: Case,
    mentions: tuple[Mention, ...],
    verdict: Verdict | None,
    events: tuple[CaseEvent, ...],
    rows: tuple[Notification, ...],
) -> dict[str, Any]:
    return {
        **_case_json(case),
        "posts": [
            {
                "id": one.id,
                "source": one.source_id,
                "author": one.author.handle or one.author.name,
                "url": one.url,
                "said_at": _time(one.said_at),
                "title": one.title,
                "text": one.text,
            }
            for one in mentions
        ],
        "reasons": [
            {"code": r.code, "text": r.text, "points": r.points, "rule": r.rule}
            for r in (verdict.reasons if verdict else ())
        ],
        "timeline": [{"at": _time(e.at), "what": e.kind, "who": e.who, "detail": e.detail} for e in events],
        "notifications": [
            {
                "channel": n.channel,
                "target": n.target,
                "why": n.why,
                "state": n.state,
                "attempts": n.attempts,
                "error": n.error,
            }
            for n in rows
        ],
    }
