"""The command line: one thin function a command, output by rich. Every error is one sentence and an exit code."""

import importlib
import sys

import click

from listener import __version__

# Exit codes, after sysexits.h where it has one.
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_STORE_BUSY = 75
EXIT_CONFIG = 78

# Where each command is, and the first sentence of its help, so that `listener --help` need not import it.
_COMMANDS = {
    "run": ("listener.cli.service:run", "Run the service in the foreground (systemd does this)."),
    "status": ("listener.cli.status:status", "Show how the service is: sources, lag, queue, outbox, notices."),
    "doctor": (
        "listener.cli.doctor:doctor",
        "Check rules, secrets, database, every source and every receiver for real.",
    ),
    "queue": (
        "listener.cli.cases:queue",
        "Show the triage queue: open cases by severity, then by the customer's time left.",
    ),
    "show": (
        "listener.cli.cases:show",
        "Show a case: its posts, the reasons, who was told and who was not, and what happened when.",
    ),
    "ack": ("listener.cli.cases:ack", "Say that you have the case: nobody else needs to."),
    "snooze": ("listener.cli.cases:snooze", "Let the case rest; it comes back to the queue by itself."),
    "resolve": ("listener.cli.cases:resolve", "Say that the case is over, and what it was."),
    "rules": ("listener.cli.rules:rules", "Check, explain and try rules.yaml."),
    "triage": (
        "listener.cli.triage:triage",
        "Judge posts: JSON lines on stdin (id, text, ...), one JSON line each on stdout, in order.",
    ),
    "evaluate": (
        "listener.cli.evaluate:evaluate",
        "Measure your rules against posts that you have labelled: recall, precision, the worst mistakes.",
    ),
    "calibrate": (
        "listener.cli.calibrate:calibrate",
        "Fit the thresholds for urgent and high to what your team found its cases to be.",
    ),
    "sources": (
        "listener.cli.sources:sources",
        "Print what every connector hears, needs and hides, and its settings (docs/sources.md).",
    ),
    "fetch": ("listener.cli.fetch:fetch", "Print the items of one poll as JSON lines."),
    "backup": ("listener.cli.service:backup", "Write a complete copy of the database to FILE while the service runs."),
    "demo": (
        "listener.cli.demo:demo",
        "Watch complaints travel from a small internet on loopback to a chat and a mailbox.",
    ),
}


class LazyGroup(click.Group):
    """Imports a command only when it is used, and none to show the list of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or `None` for click's own "no such command"."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="listener")
def cli() -> None:
    """Hear a complaint where it is said, judge it, queue it, tell someone.

    Settings come from the environment and from .env: LISTENER_RULES (rules.yaml), LISTENER_DB (the database).
    """


def main() -> None:
    """Entry point: run a command; turn our own errors into a sentence and an exit code."""
    from listener.cli.lines import open_streams_to_all_text
    from listener.domain.errors import ConfigError, ListenerError, StoreBusy, StoreError, UsageError

    open_streams_to_all_text()
    codes = (
        (ConfigError, EXIT_CONFIG),
        (StoreBusy, EXIT_STORE_BUSY),
        (StoreError, EXIT_CONFIG),
        (UsageError, EXIT_USAGE),
    )
    try:
        cli()
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone (`listener queue | head`): not an error, and nobody to tell
        sys.exit(0)
    except ListenerError as error:
        for line in str(error).splitlines():
            click.echo(f"listener: {line}", err=True)
        sys.exit(next((code for kind, code in codes if isinstance(error, kind)), EXIT_FAILED))
