"""What the service says of itself: log lines that cannot be forged and hold no secret, and the words of systemd.

A log line is an event: `log.info("source polled", extra={"event": "source_polled", "source": "forum", "new": 3})`.
On a terminal it is a line for people; anywhere else it is one JSON object in ASCII,
`{"at", "level", "event", "logger", "message", ...extra}`.
"""

import contextlib
import json
import logging
import math
import os
import re
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, Literal, Protocol, TextIO
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, SecretStr
from rich.console import Console
from rich.text import Text

LogFormat = Literal["auto", "human", "json"]

LONGEST_STRING: Final = 4_000
"""Characters of one value in a log line; journald cuts a line at 48 KiB (LineMax=), which would break the JSON."""

_LONGEST_TRACE: Final = 16_000
_SHORTEST_SECRET: Final = 6
_SHORTEST_PART: Final = 12
_DEPTH: Final = 4
_MOST_ITEMS: Final = 100
_MASK: Final = "***"


class LogSettings(Protocol):
    """What logging needs of the settings. `log_level` is a name of the standard library's levels, in any case."""

    @property
    def log_format(self) -> LogFormat: ...
    @property
    def log_level(self) -> str: ...
    @property
    def secrets(self) -> Sequence[SecretStr]: ...


def set_up_logging(settings: LogSettings, *, stream: TextIO | None = None) -> None:
    """Send all logs to `stream` (standard error), and nothing of a secret with them. May be called again; the last one counts.

    "auto" is for people on a terminal and JSON elsewhere (under systemd, in a pipe).
    """
    out = sys.stderr if stream is None else stream
    redactor.keep(settings.secrets)
    human = settings.log_format == "human" or (settings.log_format == "auto" and out.isatty())
    handler = _Lines(_human_writer(out) if human else _json_writer(out))
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, _Lines)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)  # other people's libraries; some of them log whole URLs at INFO
    for ours in ("listener", "connectors"):
        logging.getLogger(ours).setLevel(settings.log_level.upper())
    logging.captureWarnings(True)


# --- secrets


class Redactor:
    """Replaces known secrets in text. A secret is known as it is, percent-encoded, as `repr` and JSON write it, and, if it
    is a URL, by the parts that make it secret: path with query, user name with password. Values of fewer than six
    characters are left alone: masking them would shred the text and hide little.
    """

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None

    def keep(self, secrets: Iterable[SecretStr]) -> None:
        """Add secrets; those known before stay known, since old log lines may still be on their way."""
        spellings = {form for secret in secrets for form in _spellings(secret.get_secret_value())}
        known = self._known | spellings
        if known == self._known:
            return
        # Longest first, so that a secret which contains another one is masked whole.
        pattern = re.compile("|".join(map(re.escape, sorted(known, key=len, reverse=True))))
        self._known, self._pattern = known, pattern

    def __call__(self, text: str) -> str:
        """The text without the known secrets."""
        pattern = self._pattern
        return text if pattern is None else pattern.sub(_MASK, text)


redactor: Final = Redactor()
"""The process's own; a reload of rules.yaml may call `redactor.keep` for the secrets that came with it."""


def secrets_in(value: Any) -> Iterator[SecretStr]:
    """Every secret in the configurations of connectors and notifiers: `redactor.keep(secrets_in(all_configs))`."""
    if isinstance(value, SecretStr):
        yield value
    elif isinstance(value, BaseModel):
        for _, each in value:
            yield from secrets_in(each)
    elif isinstance(value, Mapping):
        yield from secrets_in(list(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from secrets_in(each)


def _spellings(secret: str) -> set[str]:
    """Every form in which the secret could turn up in a log line."""
    parts = {secret}
    with contextlib.suppress(ValueError):  # "http://[" is no URL; then it is an opaque secret
        url = urlsplit(secret)
        if url.scheme and url.netloc:
            tail = url.path + (f"?{url.query}" if url.query else "")
            login = url.netloc.rpartition("@")[0]
            parts |= {part for part in (tail, url.query) if len(part) >= _SHORTEST_PART}
            parts |= {login, login.partition(":")[2]}
    forms = {
        form
        for part in parts
        for form in (part, quote(part, safe=""), quote(part), unquote(part), repr(part)[1:-1], json.dumps(part)[1:-1])
    }
    return {form for form in forms if len(form) >= _SHORTEST_SECRET}


# --- lines

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "event"}


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in record.__dict__.items() if name not in _STANDARD}


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args!r}"  # a wrong %-format must not lose the line


def _event(record: logging.LogRecord) -> str:
    return str(record.__dict__.get("event", "log"))


def _trace(record: logging.LogRecord) -> str | None:
    """The traceback with its causes, without secrets, cut in front: the end says what happened."""
    if record.exc_info is None or record.exc_info[0] is None:
        return None
    return redactor(logging.Formatter().formatException(record.exc_info))[-_LONGEST_TRACE:]


def _plain(value: Any, depth: int = 0) -> Any:
    """A value that JSON can say, without secrets, bounded in length and depth. What JSON does not know becomes text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth < _DEPTH and isinstance(value, Mapping):
        return {_text(key): _plain(each, depth + 1) for key, each in islice(value.items(), _MOST_ITEMS)}
    if depth < _DEPTH and isinstance(value, list | tuple | set | frozenset):
        return [_plain(each, depth + 1) for each in islice(value, _MOST_ITEMS)]
    return _text(value)


def _text(value: object) -> str:
    """Redacted before it is cut, so that no half of a secret is left."""
    try:
        return _cut(redactor(str(value)))
    except Exception:  # noqa: BLE001 - anybody's __str__ may raise anything, and the line must not be lost
        return f"<{type(value).__name__} that cannot be shown>"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_STRING else f"{text[:LONGEST_STRING]}… ({len(text)} characters)"


def json_line(record: logging.LogRecord) -> str:
    """The record as one line of ASCII JSON. An extra that has the name of one of our keys gets a `_` behind it."""
    line: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "event": _plain(_event(record)),
        "logger": record.name,
        "message": _plain(_message(record)),
    }
    for name, value in _extra(record).items():
        line[f"{name}_" if name in line else name] = _plain(value)
    trace = _trace(record)
    if trace is not None:
        line["exception"] = trace
    return json.dumps(line, ensure_ascii=True, allow_nan=False)


_LEVEL_STYLES: Final = {"WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold reverse red"}


def human_line(record: logging.LogRecord) -> Text:
    """The record for a terminal: time, level, message, extras. A traceback follows, indented, so that it forges no line."""
    at = datetime.fromtimestamp(record.created).astimezone()
    extras = " ".join(f"{name}={_shown(value)}" for name, value in _extra(record).items())
    line = Text.assemble(
        (f"{at:%H:%M:%S} ", "dim"),
        (f"{record.levelname:<8}", _LEVEL_STYLES.get(record.levelname, "")),
        printable(_cut(redactor(_message(record)))),
        (f"  {extras}" if extras else "", "dim"),
    )
    for below in (_trace(record) or "").splitlines():
        line.append(f"\n    {printable(below)}", style="dim")
    return line


def _shown(value: Any) -> str:
    plain = _plain(value)
    return printable(plain) if isinstance(plain, str) else printable(json.dumps(plain, ensure_ascii=False))


def printable(text: str) -> str:
    r"""The text with everything that is not a visible character or a plain space as an escape (`\n`, `\x1b`, `\u202e`)."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


class _Lines(logging.Handler):
    """Gives each record to `write`. Whatever the stream does (closed pipe, full disk), the work goes on."""

    def __init__(self, write: Callable[[logging.LogRecord], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        # logging's own answer to an error prints the raw record, secrets and line breaks included
        with contextlib.suppress(OSError, ValueError):
            self._write(record)


def _json_writer(stream: TextIO) -> Callable[[logging.LogRecord], None]:
    def write(record: logging.LogRecord) -> None:
        stream.write(json_line(record) + "\n")
        stream.flush()

    return write


def _human_writer(stream: TextIO) -> Callable[[logging.LogRecord], None]:
    """`Text` is printed as it is: no markup, no emoji codes, no highlighting of what a post says."""
    console = Console(file=stream, highlight=False, emoji=False, markup=False, soft_wrap=True)
    return lambda record: console.print(human_line(record))


# --- systemd


def sd_notify(*assignments: str) -> bool:
    """Tell systemd: `sd_notify("READY=1", "STATUS=listening to 12 sources")`. False if it does not listen.

    "RELOADING=1" gets the time that it must carry. Line breaks in a value would begin another assignment; they become
    spaces. Protocol: sd_notify(3).
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@"):
        return False
    lines = [" ".join(each.splitlines()) for each in assignments]
    if "RELOADING=1" in lines:
        lines.append(f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as peer:
            peer.settimeout(1.0)
            peer.sendto("\n".join(lines).encode("utf-8", "replace"), address)
    except OSError:  # systemd is gone or being restarted; it is told again with the next beat
        return False
    return True


def watchdog_interval() -> float | None:
    """Seconds within which systemd wants WATCHDOG=1, or `None` if it does not watch this process. Beat at half of it."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        seconds = int(os.environ.get("WATCHDOG_USEC", "")) / 1_000_000
    except ValueError:
        return None
    return seconds if seconds > 0 else None
