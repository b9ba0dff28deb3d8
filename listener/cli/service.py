"""`listener run` and `listener backup`."""

import logging
import os
from pathlib import Path

import click

from listener.settings import Settings, load_settings


@click.command()
@click.option("--once", is_flag=True, help="Poll what is due, deliver what is due, and stop (for cron).")
def run(once: bool) -> None:
    """Run the service in the foreground (systemd does this).

    Reads rules.yaml again when it is saved or on SIGHUP; finishes running work on SIGTERM. Exits 78 if the rules or the
    database cannot be used, 75 if another listener uses the database.
    """
    from listener.app import App, SystemClock, embedder, http_client, open_store
    from listener.daemon import Daemon, run_once, share_heaps
    from listener.observe import set_up_logging
    from listener.store import ProcessLock, migrate

    share_heaps()
    settings = load_settings()
    set_up_logging(settings)
    for warning in settings.warnings:
        logging.getLogger("listener.settings").warning(warning, extra={"event": "settings_warning"})
    with ProcessLock(settings.database).held(), http_client() as http:
        migrate(settings.database)
        app = App(
            settings=settings,
            environment=lambda: load_settings().env,
            store=open_store(settings),
            http=http,
            clock=SystemClock(),
            vectors=embedder(settings),
        )
        if once:
            _report_once(run_once(app))
        elif not Daemon(app).run():
            os._exit(0)  # a thread that cannot be ended would hold us up; its lease runs out and its row is sent again


def _report_once(troubled: int) -> None:
    if troubled:
        raise click.ClickException(f"{troubled} source(s) could not be read; see: listener status")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write a complete copy of the database to FILE while the service runs."""
    from listener.store import backup as copy

    settings: Settings = load_settings()
    copy(settings.database, file)
    click.echo(f"backed up to {file}")
