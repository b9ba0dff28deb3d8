"""`listener demo`."""

import sys

import click


@click.command()
@click.option("--keep", is_flag=True, help="Leave everything running at the end, until Ctrl-C.")
@click.option("--svg", type=click.Path(), help="Write a picture of the last screen to this file.")
def demo(keep: bool, svg: str | None) -> None:
    """Watch complaints travel from a small internet on loopback to a chat and a mailbox."""
    from listener.demo import play

    sys.exit(play(keep=keep, svg=svg))
