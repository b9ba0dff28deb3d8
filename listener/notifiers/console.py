"""Prints alerts on the terminal in which the daemon runs."""

import sys
from typing import ClassVar

from rich import box
from rich.console import Console as Terminal
from rich.panel import Panel
from rich.text import Text

from listener.decide.defang import clean, cut, one_line
from listener.decide.layout import Block, Part, blocks, shown_link
from listener.domain.errors import DeliveryDelayed
from listener.domain.verdict import Severity
from listener.notifier import Limits, Message, NotifierConfig, Sent, Surroundings

_COLOURS = {Severity.URGENT: "red", Severity.HIGH: "yellow", Severity.NORMAL: "cyan", Severity.LOW: "white"}


class ConsoleConfig(NotifierConfig):
    """Nothing to configure."""


class Console:
    """Prints each alert to standard output, in colour on a terminal and in plain text elsewhere.

    For trying rules out, for the demo, and for a service whose output is collected (`journalctl -u listener`). Nobody is
    called by it: give an urgent route a receiver that rings.
    """

    name: ClassVar[str] = "console"
    Config: ClassVar[type[NotifierConfig]] = ConsoleConfig
    limits: ClassVar[Limits] = Limits(max_title=200, max_body=4_000, per_minute=6_000, markup="terminal")

    def __init__(self, config: ConsoleConfig, surroundings: Surroundings, *, terminal: Terminal | None = None) -> None:
        self._terminal = terminal

    @property
    def targets(self) -> tuple[str, ...]:
        """One: the terminal."""
        return ("",)

    def check(self) -> str:
        """There is always a standard output."""
        return "prints to standard output"

    def send(self, message: Message, target: str) -> Sent:
        """Print it. A closed output delays it."""
        # Made anew each time: standard output may be another file by now (a log that was rotated, a test).
        terminal = self._terminal or Terminal(file=sys.stdout, highlight=False, emoji=False, markup=False)
        panel, address = _panel(message, terminal.encoding), shown_link(message)
        try:
            terminal.print(panel)
            if address is not None:
                terminal.print(Text(f"  {address.url}"), soft_wrap=True)
        except (OSError, ValueError) as error:  # a broken pipe, a full disk; a file that is closed
            raise DeliveryDelayed(f"standard output cannot be written to ({type(error).__name__})") from error
        return Sent(receipt="printed")


def _panel(message: Message, encoding: str) -> Panel:
    body = Text(_neutral(message.headline, encoding, limit=Console.limits.max_title, line=True), style="bold")
    for block in blocks(message):
        body.append("\n")
        body.append_text(_block(block, encoding))
    colour = _COLOURS.get(message.severity, "magenta") if message.severity else "magenta"
    return Panel(body, box=box.ROUNDED, border_style=colour, highlight=False)


def _block(block: Block, encoding: str) -> Text:
    shown = _neutral(block.shown(), encoding, limit=Console.limits.max_body)
    if block.part is Part.POST:
        # Its own bar, so that a post can not draw lines that look like ours.
        return Text("\n".join(f"| {line}" for line in shown.split("\n")))
    return Text(shown, style="dim" if block.part is Part.ORIGIN else "")


def _neutral(text: str, encoding: str, *, limit: int, line: bool = False) -> str:
    """What a terminal shows and never obeys: no controls, no reordering; `Text` takes no markup from it.

    Letters that the terminal's encoding lacks become "?", because an alert must not fail for them.
    """
    shown = cut(one_line(text) if line else clean(text), limit)
    return shown.encode(encoding, "replace").decode(encoding)
