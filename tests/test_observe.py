"""Log lines that cannot be forged and hold no secret; the words of systemd on real sockets."""

import io
import json
import logging
import os
import socket
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from listener import observe
from listener.observe import (
    LogFormat,
    Redactor,
    json_line,
    printable,
    sd_notify,
    secrets_in,
    set_up_logging,
    watchdog_interval,
)

WEBHOOK = "https://hooks.example/services/T00/B00/s3cr3t-token?key=a b"


@dataclass(frozen=True)
class Wanted:
    """The settings that logging asks for."""

    log_format: LogFormat = "json"
    log_level: str = "info"
    secrets: tuple[SecretStr, ...] = ()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(observe, "redactor", Redactor())
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    for name in ("listener", "connectors"):
        logging.getLogger(name).setLevel(logging.NOTSET)


log = logging.getLogger("listener.test_observe")


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def logged(*secrets: str, log_format: LogFormat = "json") -> io.StringIO:
    stream = io.StringIO()
    set_up_logging(Wanted(log_format=log_format, secrets=tuple(map(SecretStr, secrets))), stream=stream)
    return stream


def fail(message: str, *, cause: Exception | None = None) -> None:
    raise ValueError(message) from cause


# --- JSON lines


def test_a_json_line_has_time_level_event_logger_message_and_extras() -> None:
    stream = logged()
    log.info("source polled", extra={"event": "source_polled", "source": "forum", "new": 3})
    (line,) = lines(stream)
    at = line.pop("at")
    assert at.endswith("Z")
    assert len(at) == len("2026-03-02T09:00:00.000Z")
    assert line == {
        "level": "info",
        "event": "source_polled",
        "logger": "listener.test_observe",
        "message": "source polled",
        "source": "forum",
        "new": 3,
    }


def test_a_line_without_an_event_is_called_log() -> None:
    stream = logged()
    log.warning("plain %s", "words")
    assert (lines(stream)[0]["event"], lines(stream)[0]["message"]) == ("log", "plain words")


@pytest.mark.parametrize(
    "hostile", ['a\n{"level": "info"}', "a\r\nb", "a\u2028b", "a\x85b", "\x1b[2J", "\ud800", "\x00", "환불"]
)
def test_a_json_line_is_one_line_of_ascii_whatever_is_logged(hostile: str) -> None:
    """Not through a logger: pytest would put the text into its report, which a lone surrogate breaks."""
    extras = {"text": hostile, "by": {hostile: [hostile]}}
    record = logging.makeLogRecord({"msg": "got %s", "args": (hostile,), "levelname": "INFO", "name": "x", **extras})
    written = json_line(record)
    assert written.isascii()
    assert written.isprintable()
    assert json.loads(written)["text"] == hostile


def test_extras_that_json_does_not_know_become_text_and_keep_the_line() -> None:
    class Shy:
        def __str__(self) -> str:
            raise RuntimeError

    stream = logged()
    deep: list[Any] = [[[[[["bottom"]]]]]]
    log.info(
        "x",
        extra={
            "nan": float("nan"),
            "half": 0.5,
            "none": None,
            "path": Path("a"),
            "shy": Shy(),
            "deep": deep,
            "set": {1},
        },
    )
    (line,) = lines(stream)
    assert (line["nan"], line["half"], line["none"], line["path"], line["set"]) == ("nan", 0.5, None, "a", [1])
    assert line["shy"] == "<Shy that cannot be shown>"
    assert line["deep"] == [[[["[['bottom']]"]]]]


def test_extras_never_take_the_place_of_our_own_keys() -> None:
    stream = logged()
    log.info("x", extra={"at": "never", "level": "fake", "logger": "fake"})
    (line,) = lines(stream)
    assert (line["level"], line["level_"], line["logger_"], line["at_"]) == ("info", "fake", "fake", "never")


def test_long_values_are_cut_so_that_the_journal_takes_the_line() -> None:
    stream = logged()
    log.info("x" * 100_000, extra={"many": list(range(10_000))})
    (line,) = lines(stream)
    assert line["message"].endswith("… (100000 characters)")
    assert len(line["many"]) == 100
    assert len(stream.getvalue()) < 10_000


def test_an_exception_is_one_field_with_its_causes() -> None:
    stream = logged()
    try:
        fail("second\nforged line", cause=KeyError("first"))
    except ValueError:
        log.exception("failed", extra={"event": "job_failed"})
    (line,) = lines(stream)
    assert "KeyError: 'first'" in line["exception"]
    assert line["exception"].endswith("ValueError: second\nforged line")


def test_asking_for_an_exception_where_there_is_none_is_harmless() -> None:
    stream = logged()
    log.error("odd", exc_info=True)
    assert "exception" not in lines(stream)[0]


def test_a_wrong_format_does_not_lose_the_line() -> None:
    record = logging.makeLogRecord({"msg": "%d posts", "args": ("many",), "levelname": "INFO", "name": "x"})
    assert json.loads(json_line(record))["message"] == "%d posts ('many',)"


def test_a_stream_that_cannot_be_written_stops_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    stream = logged()
    stream.close()
    log.info("x")
    assert capsys.readouterr() == ("", "")


# --- whose lines


def test_libraries_are_heard_from_warning_on_and_we_from_the_level_asked_for() -> None:
    stream = io.StringIO()
    set_up_logging(Wanted(log_level="debug"), stream=stream)
    logging.getLogger("aiohttp.client").info("GET https://hooks.example/secret")
    logging.getLogger("aiohttp.client").warning("odd")
    log.debug("ours")
    logging.getLogger("connectors.rss").debug("a connector's")
    assert [line["message"] for line in lines(stream)] == ["odd", "ours", "a connector's"]


def test_setting_up_twice_writes_once_and_to_the_last_stream() -> None:
    first, last = logged(), logged()
    log.info("x")
    assert (first.getvalue(), len(lines(last))) == ("", 1)


def test_warnings_of_python_are_log_lines() -> None:
    stream = logged()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("old way", DeprecationWarning, stacklevel=1)
    assert "old way" in lines(stream)[0]["message"]


def test_logs_go_to_standard_error_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output belongs to the commands: `listener triage` writes nothing but its answers there."""
    set_up_logging(Wanted())
    log.info("x")
    captured = capsys.readouterr()
    assert (captured.out, json.loads(captured.err)["message"]) == ("", "x")


# --- for people


def test_auto_is_for_people_on_a_terminal_and_json_elsewhere() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    set_up_logging(Wanted(log_format="auto"), stream=terminal)
    log.info("hello")
    set_up_logging(Wanted(log_format="auto"), stream=pipe)
    log.info("hello")
    assert "hello" in terminal.getvalue()
    assert "{" not in terminal.getvalue()
    assert lines(pipe)[0]["message"] == "hello"


def test_a_line_for_people_has_time_level_message_and_extras() -> None:
    stream = logged(log_format="human")
    log.warning("source failed", extra={"event": "source_failed", "source": "forum", "after": 2, "by": {"a": "b"}})
    clock, level, rest = stream.getvalue().rstrip("\n").split(maxsplit=2)
    assert (len(clock), level) == (8, "WARNING")
    assert rest == 'source failed  source=forum after=2 by={"a": "b"}'


def test_a_line_for_people_keeps_korean_and_shows_controls_and_markup_as_they_are() -> None:
    stream = logged(log_format="human")
    log.info("환불 [red]x[/] :smile: \x1b[2J\n09:00:00 ERROR forged \u202e%s", "x" * 300)
    (line,) = stream.getvalue().splitlines()
    assert r"환불 [red]x[/] :smile: \x1b[2J\n09:00:00 ERROR forged \u202ex" in line


def test_a_traceback_for_people_is_indented_so_that_it_forges_no_line() -> None:
    stream = logged(log_format="human")
    try:
        fail("bad\n09:00:00 ERROR forged")
    except ValueError:
        log.exception("failed")
    first, *below = stream.getvalue().splitlines()
    assert first.endswith("failed")
    assert below[-1].strip() == "09:00:00 ERROR forged"
    assert all(line.startswith("    ") for line in below)


@given(st.text())
def test_printable_text_has_no_control_and_keeps_what_can_be_seen(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    if text.isprintable():
        assert shown == text


# --- secrets


@pytest.mark.parametrize("log_format", ["json", "human"])
def test_no_secret_leaves_in_messages_extras_or_exceptions(log_format: LogFormat) -> None:
    stream = logged(WEBHOOK, 'pa"ss\\wörd', "짧은비밀번호", log_format=log_format)
    secrets = {"deep": [{WEBHOOK: 'pa"ss\\wörd'}], "p": Path("x/짧은비밀번호")}
    try:
        fail(f"POST {WEBHOOK} failed")
    except ValueError:
        log.exception("cannot send to %s", WEBHOOK, extra=secrets)
    log.info("path /services/T00/B00/s3cr3t-token?key=a b and %r", {"auth": 'pa"ss\\wörd', "ko": "짧은비밀번호"})
    log.info("https%3A%2F%2Fhooks.example%2Fservices%2FT00%2FB00%2Fs3cr3t-token%3Fkey%3Da%20b")
    written = stream.getvalue()
    plain = written + "".join(str(json.loads(line)) for line in written.splitlines() if line.startswith("{"))
    for part in ("s3cr3t", "ss\\wörd", "wörd", "w\\u00f6rd", "짧은", "\\uc9e7"):
        assert part not in plain
    assert plain.count("***") >= 6


def test_a_login_in_a_url_is_a_secret_by_itself() -> None:
    redact = Redactor()
    redact.keep([SecretStr("postgresql://listener:hunter22@db.example/listener")])
    assert redact("login as listener with hunter22 at db.example") == "login as listener with *** at db.example"


def test_a_secret_is_masked_before_a_long_value_is_cut() -> None:
    stream = logged("s3cr3t-token")
    log.info("%ss3cr3t-token", "x" * (observe.LONGEST_STRING - 6))
    assert "s3cr" not in stream.getvalue()


def test_a_secret_that_holds_another_is_masked_whole() -> None:
    redact = Redactor()
    redact.keep([SecretStr("abcdef"), SecretStr("abcdefghij")])
    assert redact("[abcdefghij] [abcdef]") == "[***] [***]"


def test_short_values_are_left_alone() -> None:
    """Masking "true" or "587" everywhere would shred the log and hide little."""
    redact = Redactor()
    redact.keep([SecretStr("true"), SecretStr("")])
    assert redact("true: 587") == "true: 587"


def test_what_only_looks_like_a_url_is_a_secret_all_the_same() -> None:
    redact = Redactor()
    redact.keep([SecretStr("http://[broken")])
    assert redact("at http://[broken.") == "at ***."


def test_secrets_of_a_later_reload_are_added_and_the_old_ones_stay() -> None:
    redact = Redactor()
    redact.keep([SecretStr("first-secret")])
    redact.keep([SecretStr("second-secret")])
    redact.keep([SecretStr("second-secret")])
    assert redact("first-secret second-secret") == "*** ***"


def test_the_secrets_of_configurations_are_found_however_deep() -> None:
    class Login(BaseModel):
        user: str = "oncall"
        password: SecretStr = SecretStr("one")

    class Config(BaseModel):
        url: SecretStr | None = SecretStr("two")
        login: Login = Login()
        headers: dict[str, SecretStr] = {"X-Key": SecretStr("three")}
        more: tuple[Login, ...] = (Login(password=SecretStr("four")),)
        none: SecretStr | None = None

    assert [secret.get_secret_value() for secret in secrets_in([Config()])] == ["two", "one", "three", "four"]


# --- systemd


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
        peer.settimeout(20)
        peer.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield peer


def test_systemd_is_told_all_assignments_in_one_datagram(systemd: socket.socket) -> None:
    assert sd_notify("READY=1", "STATUS=listening to 3 sources, 환불")
    assert systemd.recv(4096).decode() == "READY=1\nSTATUS=listening to 3 sources, 환불"


def test_a_status_cannot_smuggle_in_another_assignment(systemd: socket.socket) -> None:
    assert sd_notify("STATUS=forum\nSTOPPING=1\r\nMAINPID=1")
    assert systemd.recv(4096) == b"STATUS=forum STOPPING=1 MAINPID=1"


def test_reloading_carries_the_monotonic_time_that_systemd_asks_for(systemd: socket.socket) -> None:
    assert sd_notify("RELOADING=1")
    first, second = systemd.recv(4096).decode().split("\n")
    name, _, microseconds = second.partition("=")
    assert (first, name) == ("RELOADING=1", "MONOTONIC_USEC")
    assert microseconds.isdigit()


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket_is_reached_too(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"listener-test-{os.getpid()}-{threading.get_ident()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
        peer.settimeout(20)
        peer.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        assert sd_notify("WATCHDOG=1")
        assert peer.recv(4096) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", [None, "", "relative", "/nobody/listens/here", "/" + "x" * 300])
def test_without_systemd_nothing_happens(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert not sd_notify("READY=1")


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [
        ("60000000", None, 60.0),
        ("500000", "me", 0.5),
        ("60000000", "1", None),
        (None, None, None),
        ("", None, None),
        ("0", None, None),
        ("-5", None, None),
        ("soon", None, None),
    ],
)
def test_the_watchdog_s_interval_is_for_this_process_only(
    usec: str | None, pid: str | None, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", str(os.getpid()) if pid == "me" else pid)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert watchdog_interval() == seconds
