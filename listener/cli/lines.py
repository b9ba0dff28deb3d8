"""What programs read from us: JSON lines, and streams that can carry every text."""

import json
import re
import sys
from io import TextIOWrapper
from typing import Any

# Legal inside of a JSON string, and the end of a line to many readers (Python's `splitlines` is one).
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")

_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False)


def json_line(value: Any) -> str:
    """The value as one line of JSON without its end; letters of all scripts as they are."""
    line = _ENCODER.encode(value)
    return line if line.isascii() else _LINE_ENDS.sub(lambda end: f"\\u{ord(end.group()):04x}", line)


def open_streams_to_all_text() -> None:
    """Let no letter of a post end a command.

    Into a file or a pipe goes UTF-8, whatever the locale. A terminal gets what it can show and escapes for the rest; so
    does half a character (a lone surrogate), which in a JSON string is its very escape.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")
