"""Prints alerts on the terminal in which the daemon runs."""

from typing import TYPE_CHECKING, ClassVar

from listener.domain.errors import DeliveryDelayed
from listener.notifier import Limits, Message, NotifierConfig, Sent, Surroundings

if TYPE_CHECKING:
    from rich.console import Console as Terminal


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

    def __init__(
        self, config: ConsoleConfig, surroundings: Surroundings, *, terminal: "Terminal | None" = None
    ) -> None:
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
        from listener.notifiers._frame import print_alert, standard_output  # noqa: PLC0415 - it loads rich

        try:
            print_alert(message, self._terminal or standard_output(), self.limits)
        except (OSError, ValueError) as error:  # a broken pipe, a full disk; a file that is closed
            raise DeliveryDelayed(f"standard output cannot be written to ({type(error).__name__})") from error
        return Sent(receipt="printed")
