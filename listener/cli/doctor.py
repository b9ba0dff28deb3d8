"""`listener doctor`: tries everything for real and says what to do."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click
from rich.console import Console
from rich.text import Text

from listener.domain.errors import ConfigError, ListenerError, StoreBusy


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: what was tried, whether it holds, and a sentence (with a remedy if it does not)."""

    what: str
    ok: bool
    says: str


@click.command()
def doctor() -> None:
    """Check rules, secrets, database, every source and every receiver for real. Tells nobody. Exit 1 if something is wrong."""
    console = Console()
    wrong = 0
    for finding in _examine():
        wrong += not finding.ok
        mark = Text("ok  ", style="green") if finding.ok else Text("BAD ", style="bold red")
        console.print(Text.assemble(mark, (finding.what, "bold"), ": ", finding.says))
    console.print(
        Text(f"{wrong} thing(s) to mend." if wrong else "All is well.", style="bold red" if wrong else "bold green")
    )
    sys.exit(1 if wrong else 0)


def _examine() -> Iterator[Finding]:
    from listener.app import SystemClock, compile_rules, full_ruleset, http_client, read_rules
    from listener.settings import load_settings

    settings = load_settings()
    yield from _database(settings.database)
    try:
        loaded = compile_rules(read_rules(settings.rules), file=str(settings.rules), env=settings.env)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding(what="rules", ok=False, says=problem.sentence(error.file))
        return
    yield Finding(what="rules", ok=True, says=f"{settings.rules} is in order; every secret that it names is set")
    for problem in loaded.warnings:
        yield Finding(what="rules", ok=True, says=f"note: {problem.sentence(str(settings.rules))}")
    with http_client() as http:
        ruleset = full_ruleset(loaded.policy, http=http, clock=SystemClock())
        for source_id, connector in ruleset.connectors.items():
            yield _try(f"source {source_id}", lambda c=connector: c.check() or "can be read")  # type: ignore[misc]
        for channel, notifier in ruleset.notifiers.items():
            yield _try(f"receiver {channel}", notifier.check)


def _database(url: str) -> Iterator[Finding]:
    from listener.store import ProcessLock, SqlStore, migrate

    def ready() -> str:
        try:
            with ProcessLock(url).held():
                migrate(url)
        except StoreBusy as busy:
            return f"in use by the running service ({busy})"
        with SqlStore(url).reading() as uow:
            return f"can be written; {uow.mention_count()} mentions stored"

    yield _try("database", ready)


def _try(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, ok=True, says=check())
    except ListenerError as error:
        return Finding(what=what, ok=False, says=str(error))
