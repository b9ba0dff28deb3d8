"""How the console draws an alert. Apart, because rich takes a tenth of a second to load and most commands print no alert."""

import sys

from rich import box
from rich.console import Console as Terminal
from rich.panel import Panel
from rich.text import Text

from listener.decide.defang import clean, cut, one_line
from listener.decide.layout import Block, Part, blocks, shown_link
from listener.domain.message import Message
from listener.domain.verdict import Severity
from listener.notifier import Limits

__all__ = ["print_alert", "standard_output"]

_COLOURS = {Severity.URGENT: "red", Severity.HIGH: "yellow", Severity.NORMAL: "cyan", Severity.LOW: "white"}


def standard_output() -> Terminal:
    """The terminal as it is now: standard output may be another file by now (a log that was rotated, a test)."""
    return Terminal(file=sys.stdout, highlight=False, emoji=False, markup=False)


def print_alert(message: Message, terminal: Terminal, limits: Limits) -> None:
    """Print it in a frame, with the link below, where no line breaks it."""
    terminal.print(_panel(message, terminal.encoding, limits))
    address = shown_link(message)
    if address is not None:
        terminal.print(Text(f"  {address.url}"), soft_wrap=True)


def _panel(message: Message, encoding: str, limits: Limits) -> Panel:
    body = Text(_neutral(message.headline, encoding, limit=limits.max_title, line=True), style="bold")
    for block in blocks(message):
        body.append("\n")
        body.append_text(_block(block, encoding, limits.max_body))
    colour = _COLOURS.get(message.severity, "magenta") if message.severity else "magenta"
    return Panel(body, box=box.ROUNDED, border_style=colour, highlight=False)


def _block(block: Block, encoding: str, limit: int) -> Text:
    shown = _neutral(block.shown(), encoding, limit=limit)
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
