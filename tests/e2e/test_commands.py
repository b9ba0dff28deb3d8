"""The commands that people type, against a database that a real run filled."""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.loopback import LISTENER, RULES, Program, loopback

pytestmark = pytest.mark.slow


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """A program that has heard one urgent English and one urgent Korean complaint."""
    with loopback() as place:
        place.items = [
            ("1", "Podopay is completely down [bold]for[/bold] \x1b[31mme"),
            ("2", "포도페이 지금 먹통이에요"),
        ]
        program = Program(tmp_path, place.url)
        assert program.call("run", "--once").returncode == 0
        yield program


def test_the_queue_can_be_read_by_people_and_by_programs(program: Program) -> None:
    """Markup and control characters of posts are shown, not obeyed."""
    shown = program.call("queue", COLUMNS="200")
    assert "C1" in shown.stdout
    assert "[bold]" in shown.stdout
    assert "\x1b[31m" not in shown.stdout
    cases = [json.loads(line) for line in program.call("queue", "--json").stdout.splitlines()]
    assert {case["case"] for case in cases} == {"C1", "C2"}
    assert {case["severity"] for case in cases} == {"urgent"}
    assert program.call("queue", "--severity", "low", "--json").stdout == ""


def test_a_case_shows_its_post_its_reasons_and_who_was_told(program: Program) -> None:
    """Top to bottom."""
    shown = program.call("show", "c1").stdout
    for part in ("completely down", "topics.outage", "oncall/0:webhook", "opened"):
        assert part in shown
    whole = json.loads(program.call("show", "C2", "--json").stdout)
    assert whole["posts"][0]["text"] or whole["posts"][0]["title"]
    assert [row["state"] for row in whole["notifications"]] == ["sent"]


def test_a_case_is_taken_rested_and_ended(program: Program) -> None:
    """Each command says what it did; the timeline keeps it."""
    assert "yours, kim" in program.call("ack", "C1", "--by", "kim").stdout
    assert "rests until" in program.call("snooze", "C1", "--for", "2h", "--by", "kim").stdout
    assert "resolved as noise" in program.call("resolve", "C1", "--as", "noise", "--by", "kim").stdout
    kinds = [event["what"] for event in json.loads(program.call("show", "C1", "--json").stdout)["timeline"]]
    assert kinds[-3:] == ["acknowledged", "snoozed", "resolved"]
    again = program.call("ack", "C1")
    assert (again.returncode, "resolved already" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("show", "C99"), 2, "no case C99"),
        (("show", "nonsense"), 2, "not a case"),
        (("snooze", "C1", "--for", "soon"), 2, "not a duration"),
        (("snooze", "C1"), 2, "--for"),
        (("frobnicate",), 2, "No such command"),
        (("rules", "check", "--file", "missing.yaml"), 78, "no such file"),
        (("rules", "route", "severity"), 2, "not a label"),
        (("fetch", "--connector", "nowhere", "--url", "http://x.example/"), 2, "no connector"),
    ],
)
def test_a_wrong_call_is_one_sentence(program: Program, arguments: tuple[str, ...], code: int, says: str) -> None:
    """With an exit code and never a traceback."""
    done = program.call(*arguments)
    assert (done.returncode, says in done.stderr, "Traceback" in done.stderr) == (code, True, False), done.stderr


def test_rules_can_be_asked(program: Program) -> None:
    """check, explain, route, schema, sample."""
    assert "1 brands" in program.call("rules", "check").stdout
    told = program.call("rules", "explain", "포도페이 먹통")
    assert "topics.outage" in told.stdout
    assert "unknown" in program.call("rules", "explain", "Podopay ei toimi, maksoin kahdesti").stdout
    assert program.call("rules", "route", "severity=urgent", "--expect", "oncall").returncode == 0
    assert program.call("rules", "route", "severity=urgent", "--expect", "finance").returncode == 1
    assert json.loads(program.call("rules", "schema").stdout)["type"] == "object"
    (program.folder / "own.yaml").write_text(program.call("rules", "sample").stdout, encoding="utf-8")
    assert program.call("rules", "check", "--file", "own.yaml").returncode == 0


def test_triage_answers_line_by_line_in_order(program: Program) -> None:
    """With a brand, with a match, with neither; a bad line is said and does not stop the others."""
    posts = [
        {"id": "a", "text": "it is completely down", "brand": "Some Shop"},
        {"id": "b", "text": "포도페이 먹통"},
        {"id": "c", "text": "I love sunny days"},
        {"id": "d", "text": "en saa rahojani takaisin, maksoin kahdesti"},
        {"id": 7, "text": None, "title": "Podopay", "likes": 1e300, "published_at": "2026-03-01T00:00:00", "extra": 1},
    ]
    lines = [json.dumps(posts[0]), "{nonsense", *(json.dumps(post) for post in posts[1:]), "", "[1]"]
    done = program.call("triage", stdin="\n".join(lines))
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [verdict["id"] for verdict in verdicts] == ["a", "b", "c", "d", "7"]
    assert [verdict["about_brand"] for verdict in verdicts] == ["Some Shop", "podopay", None, None, "podopay"]
    assert [verdict["severity"] for verdict in verdicts][:2] == ["urgent", "urgent"]
    assert (verdicts[3]["label"], verdicts[3]["p_negative"]) == ("unknown", None)
    assert verdicts[2]["label"] == "positive"
    assert done.returncode == 1
    assert "line 2" in done.stderr


def test_triage_takes_rules_without_brands_and_sources(program: Program) -> None:
    """Only topics and scoring."""
    (program.folder / "bare.yaml").write_text("version: 1\nbrands: {}\nsources: {}\n", encoding="utf-8")
    done = program.call("triage", "--rules", "bare.yaml", stdin='{"id": "1", "text": "terrible, awful service"}\n')
    assert json.loads(done.stdout)["label"] == "negative"
    assert done.returncode == 0


def test_a_backup_holds_everything_and_overwrites_nothing(program: Program) -> None:
    """`listener backup FILE`."""
    target = program.folder / "copy.db"
    assert program.call("backup", str(target)).returncode == 0
    again = program.call("backup", str(target))
    assert again.returncode != 0
    assert "Traceback" not in again.stderr
    shown = program.call("queue", "--json", LISTENER_DB=f"sqlite:///{target}")
    assert len(shown.stdout.splitlines()) == 2


def test_doctor_tries_everything_for_real(program: Program) -> None:
    """All is well, until the feed is not."""
    done = program.call("doctor")
    assert done.returncode == 0, done.stdout
    assert "source forum" in done.stdout
    rules = program.rules.read_text(encoding="utf-8")
    program.rules.write_text(
        rules.replace("/feed", "/feed").replace("url_env: HOOK", "url_env: MISSING"), encoding="utf-8"
    )
    done = program.call("doctor")
    assert done.returncode == 1
    assert "MISSING" in done.stdout


def test_fetch_prints_items_or_the_class_of_the_fault(program: Program) -> None:
    """Exit 0 and JSON lines, or exit 1 and one line."""
    with loopback() as place:
        place.items = [("1", "Podopay"), ("2", "포도페이")]
        done = program.call("fetch", "--connector", "rss", "--url", f"{place.url}/feed", "--allow-private", "--json")
        assert [json.loads(line)["title"] for line in done.stdout.splitlines()] == ["Podopay", "포도페이"]
        guarded = program.call("fetch", "--url", f"{place.url}/feed")
        assert (guarded.returncode, guarded.stderr.startswith("BLOCKED_ADDRESS: ")) == (1, True)
        place.feed_status = 410
        gone = program.call("fetch", "--url", f"{place.url}/feed", "--allow-private")
        assert (gone.returncode, gone.stderr.startswith("GONE: "), len(gone.stderr.splitlines())) == (1, True, 1)


def test_fetch_reads_any_connector(program: Program) -> None:
    """Settings by --set, searches by --query; what a connector needs and was not given is said."""
    folder = program.folder / "spool"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"id": "1", "text": "hello"}\nnonsense\n', encoding="utf-8")
    done = program.call("fetch", "--connector", "spool", "--set", f"path={folder}")
    assert json.loads(done.stdout)["text"] == "hello"
    assert "a.jsonl:2" in done.stderr
    assert "url" in program.call("fetch").stderr
    assert "KEY=VALUE" in program.call("fetch", "--set", "nonsense").stderr
    assert (
        program.call("fetch", "--connector", "hackernews", "--url", "http://127.0.0.1:9", "--query", "x").returncode
        == 1
    )


def test_status_watches_until_it_is_interrupted(program: Program) -> None:
    """On a terminal; Ctrl-C is a clean end."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [LISTENER, "status", "--watch"], cwd=program.folder, env=program.env(TERM="xterm"), stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    patience = threading.Timer(30, process.kill)
    patience.start()
    seen = b""
    while b"Sources" not in seen:
        seen += os.read(ours, 65536)
    process.send_signal(signal.SIGINT)
    while _more(ours):
        pass
    assert process.wait(timeout=20) == 0
    patience.cancel()


def _more(terminal: int) -> bool:
    """Read on, so that the other side is not held up; False when it has closed."""
    try:
        return os.read(terminal, 65536) != b""
    except OSError:
        return False


def test_status_tells_a_stopped_service_and_what_waits(program: Program) -> None:
    """The last sign of life, dead letters, waiting alerts."""
    assert "running" in program.call("status").stdout
    with loopback() as place:
        place.items = [("9", "Podopay is completely down, number nine, with other words in it")]
        place.reply = lambda _nth: 400
        program.rules.write_text(RULES.format(url=place.url), encoding="utf-8")
        (program.folder / ".env").write_text(f"HOOK={place.url}/hook\n", encoding="utf-8")
        program.call("run", "--once")
    assert "failed" in program.call("status").stdout
    assert "Not delivered" in program.call("queue").stdout
    with sqlite3.connect(program.database) as db:
        db.execute("update memory set value = '2020-01-01T00:00:00+00:00' where name = 'tick'")
    assert "not running" in program.call("status").stdout


def test_commands_on_a_database_that_was_never_made_say_so(tmp_path: Path) -> None:
    """One sentence, and no file is made by looking."""
    program = Program(tmp_path, "http://127.0.0.1:9")
    done = program.call("queue")
    assert (done.returncode, "Traceback" in done.stderr, program.database.exists()) == (78, False, False)
    assert "listener run" in done.stderr
