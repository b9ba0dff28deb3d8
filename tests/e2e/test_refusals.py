"""What is wrong with rules.yaml, .env or the database when a command starts: a place, a remedy, exit 78 or 75.

The commands run in this process, by the entry point that the shell calls.
"""

import os
import re
import shutil
import socket
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from listener.cli import main
from listener.store import migrate

pytestmark = pytest.mark.slow

GOOD = """version: 1
brands:
  podopay: {name: Podopay, query: 'podopay OR 포도페이'}
topics:
  outage: {any: [completely down, 먹통], at_least: urgent}
receivers:
  oncall: {notify: [{notifier: console}]}
routes: {receiver: oncall}
"""


class Shell:
    """A folder with rules.yaml, .env and a database, and commands run in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.rules = folder / "rules.yaml"
        self.dotenv = folder / ".env"
        self.database = folder / "listener.db"
        self._patch = monkeypatch
        self._capfd = capfd
        for name in [name for name in os.environ if name.startswith("LISTENER_")]:
            monkeypatch.delenv(name)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("LISTENER_DB", f"sqlite:///{self.database}")
        self.rules.write_text(GOOD, encoding="utf-8")

    def run(self, *arguments: str) -> tuple[int, list[str]]:
        """The exit code, and the lines of stderr that are not the log's."""
        self._patch.setattr("sys.argv", ["listener", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        said = self._capfd.readouterr().err
        assert "Traceback" not in said
        return code, [line for line in said.splitlines() if line.startswith("listener: ")]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    yield Shell(tmp_path, monkeypatch, capfd)
    for path in tmp_path.rglob("*"):
        path.chmod(0o700)


# --- rules.yaml --------------------------------------------------------------------------------------------------------

BOMB = 'a: &a ["lol","lol","lol"]\n' + "".join(
    f"{c}: &{c} [*{p},*{p},*{p}]\n" for p, c in zip("abcdefg", "bcdefgh", strict=True)
)

BROKEN = {
    "half saved": (GOOD[: len(GOOD) // 2], ":6:1: a list in [ ] is not closed"),
    "empty": ("", ":1:1: the file is empty"),
    "white space": (" \n\n", "the file is empty"),
    "a comment": ("# later\n", "the file is empty"),
    "tabs": (GOOD.replace("  podopay", "\tpodopay"), ":3:1: a tab stands where"),
    "an open quote": (GOOD.replace("포도페이'", "포도페이"), ":3:35: a quote is opened here"),
    "an open bracket": (GOOD.replace("먹통]", "먹통"), ":5:"),
    "a key twice": (GOOD.replace("routes:", "brands: {}\nroutes:"), ':8:1: the key "brands" stands here twice'),
    "an unknown key": (GOOD.replace("at_least", "at_leest"), '"at_leest"; did you mean "at_least"?'),
    "a wrong type": (GOOD.replace("urgent}", "urgent, points: lots}"), "topics.outage.points: should be a number"),
    "no as a word": (GOOD.replace("urgent}", "no}"), "topics.outage.at_least: "),
    "minutes as a clock": (GOOD + "respond_within: {urgent: 12:30:45}\n", "respond_within.urgent: "),
    "an octal": (GOOD + "respond_within: {urgent: 010}\n", "respond_within.urgent: "),
    "version by name": (GOOD.replace("version: 1", "version: two"), ":1:10: version: "),
    "another version": (GOOD.replace("version: 1", "version: 99"), "this program reads version 1"),
    "a receiver misspelt": (GOOD.replace("receiver: oncall", "receiver: onkall"), 'did you mean "oncall"?'),
    "a notifier misspelt": (GOOD.replace("notifier: console", "notifier: consol"), 'did you mean "console"?'),
    "an alias": (GOOD.replace("[completely", "[*completely"), "begins with * refers"),
    "an alias bomb": (BOMB, ":1:4: a text that begins with & is a YAML label"),
    "a python tag": (GOOD + "x: !!python/object/apply:os.system ['id']\n", "begins with ! is a YAML label"),
    "a merge key": (GOOD + "<<: {brands: {}}\n", '"<<" cannot be a key'),
    "5000 brackets": ("a: " + "[" * 5000, "deeper than 20 levels"),
    "5000 braces": ("{a: " * 5000, "deeper than 20 levels"),
    "two documents": (GOOD + "---\n" + GOOD, "a second document begins here"),
    "a control character": (GOOD.replace("completely", "compl\x07etely"), ":5:31: a character that cannot be"),
    "a zero": (GOOD.replace("completely", "compl\0etely"), "a character that cannot be"),
    "a list": ("- brands\n- topics\n", ":1:1: "),
    "a word": ("hello", ":1:1: "),
    "a megabyte": (GOOD + "# " + "x" * 1_000_000, "larger than 1,000,000 bytes"),
    "a backward reference": (GOOD.replace("[completely down", r"['/(a)\1/'"), ":5:"),
    "an open expression": (GOOD.replace("[completely down", "['/(a/'"), ":5:"),
    "a look-ahead": (GOOD.replace("[completely down", "['/a(?=b)/'"), ":5:"),
    "a greedy expression": (GOOD.replace("[completely down", "['/((a{1000}){1000}){1000}/'"), ":5:"),
    "an expression of a megabyte": (GOOD.replace("[completely down", f"['/{'a' * 900_000}/'"), ":5:"),
    "an open query": (GOOD.replace("'podopay OR 포도페이'", "'podopay OR ('"), "brands.podopay.query: "),
    "a query that finds nothing": (GOOD.replace("'podopay OR 포도페이'", "'NOT podopay'"), "brands.podopay.query: "),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_rules_are_sentences_with_their_place(shell: Shell, name: str) -> None:
    """Exit 78; each line has the file, a place in it, and what to do; at once, whatever stands in the file."""
    text, said = BROKEN[name]
    shell.rules.write_text(text, encoding="utf-8")
    began = time.process_time()
    code, lines = shell.run("rules", "check", "--file", str(shell.rules))
    assert time.process_time() - began < 5
    assert code == 78
    assert lines
    assert all(re.match(rf"listener: {re.escape(str(shell.rules))}(:\d+:\d+)?: ", line) for line in lines), lines
    assert any(said in line for line in lines), lines
    assert all(len(line) < 1_000 for line in lines)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.unlink(), "there is no such file; copy the shipped one"),
        (_folder, "cannot be read (Is a directory)"),
        (lambda path: path.write_bytes(b"version: 1\n# \xff"), "is not UTF-8; save the file as UTF-8"),
        (lambda path: path.write_bytes(GOOD.encode("utf-16")), "is not UTF-8; save the file as UTF-8"),
        (lambda path: path.write_bytes(GOOD.encode("cp949")), "is not UTF-8; save the file as UTF-8"),
    ],
)
def test_rules_that_are_no_text_are_said_to_be_none(shell: Shell, damage: Callable[[Path], None], said: str) -> None:
    damage(shell.rules)
    code, lines = shell.run("run", "--once")
    assert (code, len(lines)) == (78, 1)
    assert said in lines[0]


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n").encode()])
def test_marks_and_line_ends_of_windows_do_no_harm(shell: Shell, raw: bytes) -> None:
    shell.rules.write_bytes(raw)
    assert shell.run("rules", "check", "--file", str(shell.rules)) == (0, [])


def test_ten_thousand_rules_load_at_once(shell: Shell) -> None:
    """In 2 s of CPU, with all else that the command does."""
    topics = "".join(f"  t{n}: {{any: [word{n}, 단어{n}], points: 5}}\n" for n in range(5_000))
    shell.rules.write_text(GOOD.replace("topics:\n", f"topics:\n{topics}"), encoding="utf-8")
    began = time.process_time()
    assert shell.run("rules", "check", "--file", str(shell.rules)) == (0, [])
    assert time.process_time() - began < 8  # 2 s on a machine that does nothing else; here it shows what is not linear


def test_an_expression_that_costs_others_minutes_costs_nothing(shell: Shell) -> None:
    shell.rules.write_text(GOOD.replace("[completely down", "['/(a+)+$/', '/(x|x)*y/'"), encoding="utf-8")
    began = time.process_time()
    code, _ = shell.run("rules", "explain", "--file", str(shell.rules), "podopay " + "a" * 50_000 + "!" + "x" * 50_000)
    assert code == 0
    assert time.process_time() - began < 5


# --- .env --------------------------------------------------------------------------------------------------------------

NAMES = GOOD.replace(
    "[{notifier: console}]",
    "[{notifier: slack, webhook_env: CHAT_HOOK}, {notifier: webhook, url_env: OTHER_HOOK},"
    " {notifier: email, to: [a@b.example], password_env: MAIL_WORD, username: u}]",
)


@pytest.mark.parametrize(
    "text",
    [None, "", "CHAT_HOOK=\nOTHER_HOOK=''\nMAIL_WORD=   \n", "CHAT_HOOK=changeme\nOTHER_HOOK=<url>\nMAIL_WORD=xxx\n"],
)
def test_every_missing_secret_is_named_at_once(shell: Shell, text: str | None) -> None:
    """No file, an empty one, empty values, placeholders."""
    shell.rules.write_text(NAMES, encoding="utf-8")
    if text is not None:
        shell.dotenv.write_text(text, encoding="utf-8")
        shell.dotenv.chmod(0o600)
    code, lines = shell.run("run", "--once")
    assert code == 78
    assert all(any(name in line for line in lines) for name in ("CHAT_HOOK", "OTHER_HOOK", "MAIL_WORD"))
    assert not [line for line in lines if "changeme" in line or "<url>" in line]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"CHAT_HOOK='open s3cr3t\n", ".env:1: is not NAME=value"),
        (b"\n\nno equals s3cr3t here\n", ".env:3: is not NAME=value"),
        (b"A=1\nCHAT_HOOK=\xffs3cr3t\n", ".env:2: is not UTF-8"),
        ("CHAT_HOOK=s3cr3t\n".encode("utf-16"), ".env:1: is not UTF-8"),
        (b"A=1\nB=\0s3cr3t\n", ".env:2: is not UTF-8"),
        (b"CHAT_HOOK=ftp://s3cr3t.example/x\nOTHER_HOOK=https://x.example/y\nMAIL_WORD=long-word\n", "the value of CHAT_HOOK"),
    ],
)  # fmt: skip
def test_a_broken_env_file_is_named_with_its_line_and_without_its_text(shell: Shell, raw: bytes, said: str) -> None:
    shell.rules.write_text(NAMES, encoding="utf-8")
    shell.dotenv.write_bytes(raw)
    shell.dotenv.chmod(0o600)
    code, lines = shell.run("run", "--once")
    assert code == 78
    assert any(said in line for line in lines), lines
    assert not [line for line in lines if "s3cr3t" in line]


# --- the database ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "listener.db"
    migrate(f"sqlite:///{path}")
    return path


def _scribble(database: Path) -> None:
    database.write_bytes(b"this is no database at all, but somebody's letter\n" * 200)


def _scribble_header(database: Path) -> None:
    with database.open("r+b") as file:
        file.write(b"\0" * 64)


def _scribble_schema(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 900)


def _newer(database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as db:  # closing also empties the WAL into the file
        db.execute("update alembic_version set version_num = '9999'")


@pytest.mark.parametrize("damage", [_scribble, _scribble_header, _scribble_schema, _newer])
def test_a_database_that_cannot_be_trusted_is_left_alone(
    shell: Shell, template: Path, damage: Callable[[Path], None]
) -> None:
    """Exit 78 with a sentence; what is there stays there, for whoever restores it."""
    shutil.copy(template, shell.database)
    damage(shell.database)
    before = shell.database.read_bytes()
    code, lines = shell.run("run", "--once")
    assert (code, len(lines)) == (78, 1), lines
    assert shell.database.read_bytes() == before


def test_a_folder_in_place_of_the_database_is_said_to_be_one(shell: Shell) -> None:
    shell.database.mkdir()
    code, lines = shell.run("run", "--once")
    assert (code, len(lines)) == (78, 1), lines


@pytest.mark.parametrize("url", ["mysql://u:s3cr3t@x.example/db", "nonsense", "sqlite://", "sqlite:///:memory:"])
def test_an_address_that_is_no_database_of_ours_is_refused(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("LISTENER_DB", url)
    code, lines = shell.run("run", "--once")
    assert (code, len(lines)) == (78, 1), lines
    assert "s3cr3t" not in lines[0]


def test_a_postgresql_that_does_not_answer_is_a_sentence(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        monkeypatch.setenv("LISTENER_DB", f"postgresql://u:s3cr3t@127.0.0.1:{door.getsockname()[1]}/x")
        code, lines = shell.run("run", "--once")
    assert (code in (75, 78), len(lines)) == (True, 1), lines
    assert "s3cr3t" not in lines[0]


def test_a_database_that_another_holds_for_long_is_busy(
    shell: Shell, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 75: systemd tries again, and nothing is lost."""
    monkeypatch.setattr("listener.store.connect.BUSY_SECONDS", 0.2)
    shutil.copy(template, shell.database)
    holder = sqlite3.connect(shell.database, isolation_level=None)
    holder.execute("begin exclusive")
    code, lines = shell.run("run", "--once")
    holder.close()
    assert (code, len(lines)) == (75, 1), lines


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_database_that_may_only_be_read_is_said_to_be_so(shell: Shell, template: Path) -> None:
    shutil.copy(template, shell.database)
    shell.database.chmod(stat.S_IRUSR)
    shell.folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    code, lines = shell.run("run", "--once")
    shell.folder.chmod(0o700)
    assert (code, len(lines)) == (78, 1), lines
