"""Where things are and what is secret: the environment, `.env` files and systemd credentials as one `Settings`.

A name is looked up in this order: the environment, systemd's credentials (LoadCredential=), `.env` beside rules.yaml, `.env` in
the working folder. Values are never printed: not in an error, not in a `repr`.
"""

import difflib
import io
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, cast, get_args

from dotenv.parser import parse_stream
from pydantic import SecretStr

from listener.domain.errors import ConfigError, Problem

LogFormat = Literal["auto", "human", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
Embedding = Literal["auto", "off"]

_OURS: Final = ("LISTENER_RULES", "LISTENER_DB", "LISTENER_LOG", "LISTENER_LOG_LEVEL", "LISTENER_EMBEDDING")
_TOO_OPEN: Final = 0o037
"""Bits beyond 0640: the group may read, nobody else may do anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the process is told from outside.

    `rules` is the path of rules.yaml (LISTENER_RULES). `database` is a SQLAlchemy URL (LISTENER_DB); a SQLite path in it is
    absolute. `env` is everything that rules.yaml may name with its `*_env` keys. `secrets` are the values that no log line
    may hold as far as they are known here: what `.env` files and credentials say, and the database's URL. `warnings` are
    worth a line in the log. `embedding` "off" leaves the extra `quality` alone even if it is installed.
    """

    rules: Path
    database: str = field(repr=False)
    log_format: LogFormat
    log_level: LogLevel
    env: Mapping[str, str] = field(repr=False)
    secrets: tuple[SecretStr, ...] = ()
    warnings: tuple[str, ...] = ()
    embedding: Embedding = "auto"


def load_settings(environ: Mapping[str, str] | None = None, *, folder: Path = Path()) -> Settings:
    """Read the settings. `folder` is the working folder. Raises `ConfigError` with all that is wrong in one place."""
    environ = dict(os.environ) if environ is None else environ
    near = _read_dotenv(folder / ".env")
    rules = folder / (environ.get("LISTENER_RULES") or near.values.get("LISTENER_RULES") or "rules.yaml")
    beside = _read_dotenv(rules.parent / ".env") if not _same(rules.parent, folder) else _NOTHING
    files = {**near.values, **beside.values, **_credentials(environ)}
    return _settings(rules, {**files, **environ}, files, warnings=near.warnings + beside.warnings)


def _settings(rules: Path, env: Mapping[str, str], files: Mapping[str, str], *, warnings: tuple[str, ...]) -> Settings:
    problems: list[Problem] = []
    log_format = _choice(env, "LISTENER_LOG", ("auto", *get_args(LogFormat)), problems)
    log_level = _choice(env, "LISTENER_LOG_LEVEL", ("info", *get_args(LogLevel)), problems)
    embedding = _choice(env, "LISTENER_EMBEDDING", get_args(Embedding), problems)
    if problems:
        raise ConfigError("settings", tuple(problems))
    database = _database(env, rules.parent)
    hidden = [value for name, value in files.items() if name not in _OURS and value]
    return Settings(
        rules=rules,
        database=database,
        log_format=cast("LogFormat", log_format),
        log_level=cast("LogLevel", log_level),
        env=env,
        secrets=tuple(map(SecretStr, [*hidden, database] if "@" in database else hidden)),
        warnings=warnings,
        embedding=cast("Embedding", embedding),
    )


def _choice(env: Mapping[str, str], name: str, choices: tuple[str, ...], problems: list[Problem]) -> str:
    """The value of `name`, in lower case; the first of `choices` is the default."""
    value = env.get(name, "").strip().lower() or choices[0]
    if value not in choices:
        problems.append(
            Problem(message="is not one of its values", path=name, remedy=f"use {', '.join(dict.fromkeys(choices))}")
        )
    return value


def _database(env: Mapping[str, str], home: Path) -> str:
    """LISTENER_DB; else listener.db in systemd's StateDirectory; else var/listener.db beside rules.yaml.

    A relative path of SQLite counts from the folder of rules.yaml, so that every command finds the same file from anywhere.
    Whether the URL can be used is the store's to say.
    """
    url = env.get("LISTENER_DB", "").strip()
    if not url:
        state = env.get("STATE_DIRECTORY", "").partition(":")[0]
        return _sqlite((Path(state) if state else home / "var") / "listener.db")
    relative = url.removeprefix("sqlite:///")
    if relative in ("", url) or relative.startswith(("/", ":memory:")):
        return url
    return _sqlite(home / relative)


def _sqlite(path: Path) -> str:
    return f"sqlite:///{path.resolve()}"


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


# --- .env


@dataclass(frozen=True, slots=True, kw_only=True)
class _DotEnv:
    values: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


_NOTHING: Final = _DotEnv()


def _read_dotenv(path: Path) -> _DotEnv:
    """What the file says; nothing if there is none. Raises `ConfigError` if it is there and cannot be read or understood.

    A folder of that name is somebody's virtual environment, and a pipe would be waited for: neither is opened.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return (
            _NOTHING  # PermissionError: the folder is closed to us (sudo -u listener, from root's home), not the file
        )
    except OSError as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(mode):
        return _DotEnv(warnings=(f"{path}: is not a regular file; it is ignored",))
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    values, warnings = _parse(path, raw)
    if mode & _TOO_OPEN:
        open_to = Problem(
            message=f"others may read or change it (mode {stat.S_IMODE(mode):04o})",
            remedy="chmod 640 it",
            severity="warning",
        )
        warnings = (open_to, *warnings)
    return _DotEnv(values=values, warnings=tuple(problem.sentence(str(path)) for problem in warnings))


def _unreadable(path: Path, error: OSError) -> ConfigError:
    remedy = "let the user that runs listener read it: chgrp listener .env && chmod 640 .env"
    return ConfigError(str(path), (Problem(message=f"cannot be read ({error.strerror})", remedy=remedy),))


def _parse(path: Path, raw: bytes) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Names and values. No `${NAME}` is replaced: a password may hold a dollar."""
    text = _decode(path, raw).replace("\r\n", "\n").replace("\r", "\n")
    values: dict[str, str] = {}
    errors: list[Problem] = []
    warnings: list[Problem] = []
    for line, name, value in _bindings(text):
        if name is None or value is None:
            remedy = "quote a value with spaces or # in it, and close every quote"
            errors.append(Problem(message="is not NAME=value", line=line, remedy=remedy))
            continue
        if name in values:
            warnings.append(
                Problem(message="is set twice; the last one counts", line=line, path=name, severity="warning")
            )
        values[name] = value
        warnings.extend(_unknown(name, line))
    if errors:
        raise ConfigError(str(path), tuple(errors))
    return values, tuple(warnings)


def _decode(path: Path, raw: bytes) -> str:
    """UTF-8 with or without a mark in front. A zero byte is text in UTF-16, and no path or password may hold one."""
    bad = raw.find(b"\0")
    if bad < 0:
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            bad = error.start
    line = raw.count(b"\n", 0, bad) + 1
    raise ConfigError(str(path), (Problem(message="is not UTF-8", line=line, remedy="save it as UTF-8"),))


def _bindings(text: str) -> Iterator[tuple[int, str | None, str | None]]:
    """Line, name and value of each statement; a name or value of `None` is a statement that cannot be understood."""
    for binding in parse_stream(io.StringIO(text)):
        written = binding.original.string
        statement = written.lstrip()
        if binding.error or (statement and not statement.startswith("#")):
            blank = len(written) - len(statement)
            yield binding.original.line + written.count("\n", 0, blank), binding.key, binding.value


def _unknown(name: str, line: int) -> Iterator[Problem]:
    if name.startswith("LISTENER_") and name not in _OURS:
        close = difflib.get_close_matches(name, _OURS, n=1, cutoff=0.8)
        remedy = f"did you mean {close[0]}?" if close else f"there are {', '.join(_OURS)}"
        yield Problem(message="is no setting of ours", line=line, path=name, remedy=remedy, severity="warning")


# --- systemd


def _credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """Files of CREDENTIALS_DIRECTORY as names and values, without the line break that editors put at the end."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return {}
    try:
        return {
            file.name: file.read_text("utf-8").rstrip("\r\n")
            for file in sorted(Path(folder).iterdir())
            if file.name.isidentifier() and file.is_file()
        }
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem(message="a credential cannot be read as UTF-8 text", remedy="see LoadCredential= in the unit")
        raise ConfigError(folder, (problem,)) from error
