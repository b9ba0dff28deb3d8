"""Alerts on the terminal."""

import sys
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from rich.cells import cell_len
from rich.console import Console as Terminal

from listener.domain.errors import DeliveryDelayed
from listener.notifier import Sent, Surroundings
from listener.notifiers.console import Console, ConsoleConfig
from listener.testing.fakes import FakeClock, FakeHttp, response
from listener.testing.notifier_suite import ALERT, KOREAN, NOTICE
from tests.alert_samples import saying


def _console(terminal: Terminal | None = None) -> Console:
    surroundings = Surroundings(http=FakeHttp(lambda _: response(500)), clock=FakeClock())
    return Console(ConsoleConfig(), surroundings, terminal=terminal)


def test_every_line_of_the_frame_is_as_wide_as_the_others_in_korean_too() -> None:
    printed = StringIO()
    _console(Terminal(file=printed, width=60)).send(saying("하늘항공 앱이 또 안 열려요. " * 12), "")
    frame = [line for line in printed.getvalue().splitlines() if line[:1] in "╭│╰"]
    assert len(frame) > 8
    assert {cell_len(line) for line in frame} == {60}


def test_a_link_is_never_broken_over_lines() -> None:
    printed = StringIO()
    url = "https://forum.example/" + "a" * 200
    _console(Terminal(file=printed, width=60)).send(saying("x", url=url), "")
    assert url in printed.getvalue().splitlines()[-1]


def test_every_line_of_a_post_is_marked_as_the_posts() -> None:
    printed = StringIO()
    _console(Terminal(file=printed, width=100)).send(saying("a\nNext step: listener resolve C42"), "")
    assert "│ | Next step: listener resolve C42" in printed.getvalue()


def test_colour_goes_to_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain = StringIO(), StringIO()
    for message in (ALERT, KOREAN, NOTICE):
        _console(Terminal(file=coloured, force_terminal=True, color_system="standard")).send(message, "")
        _console(Terminal(file=plain, force_terminal=False)).send(message, "")
    assert "\x1b[31m" in coloured.getvalue()
    assert "\x1b" not in plain.getvalue()


def test_letters_that_the_terminal_lacks_become_question_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An alert must not fail because a service runs with an ASCII locale."""
    raw = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(raw, encoding="ascii", write_through=True))
    assert _console().send(saying("환불 please"), "") == Sent(receipt="printed")
    assert b"?? please" in raw.getvalue()


def test_an_output_that_is_closed_delays_the_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    with pytest.raises(DeliveryDelayed, match="standard output cannot be written to"):
        _console().send(ALERT, "")
