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

_COMMANDS = {
    "run": "listener.cli.service:run",
    "status": "listener.cli.status:status",
    "doctor": "listener.cli.doctor:doctor",
    "queue": "listener.cli.cases:queue",
    "show": "listener.cli.cases:show",
    "ack": "listener.cli.cases:ack",
    "snooze": "listener.cli.cases:snooze",
    "resolve": "listener.cli.cases:resolve",
    "rules": "listener.cli.rules:rules",
    "triage": "listener.cli.triage:triage",
    "sources": "listener.cli.sources:sources",
    "fetch": "listener.cli.fetch:fetch",
    "backup": "listener.cli.service:backup",
    "demo": "listener.cli.demo:demo",
}


class LazyGroup(click.Group):
    """Imports a command only when it is used, so that `listener --help` does not load the database."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or `None` for click's own "no such command"."""
        target = _COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is ours
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="listener")
def cli() -> None:
    """Hear a complaint where it is said, judge it, queue it, tell someone.

    Settings come from the environment and from .env: LISTENER_RULES (rules.yaml), LISTENER_DB (the database).
    """


def main() -> None:
    """Entry point: run a command; turn our own errors into a sentence and an exit code."""
    from listener.domain.errors import ConfigError, ListenerError, StoreBusy, StoreError, UsageError

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
