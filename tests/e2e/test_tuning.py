"""The installed program measures itself and is tuned while it runs."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener.domain.case import Case, CaseState, Disposition
from listener.domain.mention import Author, Mention, Reach
from listener.domain.verdict import Severity
from listener.store import SqlStore, migrate
from tests.cli.scores import FLOORED, rules, text
from tests.e2e.loopback import Program
from tests.store.build import case, mention, verdict

pytestmark = pytest.mark.slow


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Rules in which a post scores what it says, and no sources."""
    made = Program(tmp_path, "http://127.0.0.1:9")
    made.rules.write_text(rules(), encoding="utf-8")
    return made


def said(name: str, score: int) -> Mention:
    return replace(
        mention(name, text=text(score), lang="ja", script="kana", brands=("nook",), title=None),
        author=Author(handle=f"@{name}"),
        reach=Reach(),
    )


def over(name: str, meant: Severity | None, opened_at: datetime) -> Case:
    return case(
        name,
        severity=Severity.URGENT,
        state=CaseState.RESOLVED,
        disposition=Disposition.WRONG_SEVERITY if meant else Disposition.REAL,
        meant=meant,
        opened_at=opened_at,
        resolved_at=opened_at + timedelta(hours=1),
    )


def fill(program: Program) -> None:
    """Sixty resolved cases: what scores up to 75 should have been high, what scores more was urgent indeed."""
    url, now = f"sqlite:///{program.database}", datetime.now(UTC)
    migrate(url)
    store = SqlStore(url)
    with store.writing() as uow:
        for number in range(60):
            score = 71 + number % 5 if number % 2 else 80 + number % 15
            meant = Severity.HIGH if number % 2 else None
            uow.add_mention(said(f"m{number}", score), verdict(f"m{number}"))
            uow.add_case(over(f"m{number}", meant, now - timedelta(hours=10 * number + 2)), keys=())
    store.close()


def test_thresholds_are_fitted_and_the_running_service_takes_them_over(program: Program) -> None:
    """From `resolve` to the policy in force: nobody restarts anything, and not a byte but the number changes."""
    fill(program)
    before = program.rules.read_text(encoding="utf-8")
    with program.running():
        first = program.until("rules_loaded")
        shown = program.call("calibrate")
        assert (shown.returncode, program.rules.read_text(encoding="utf-8")) == (0, before), shown.stderr
        done = program.call("calibrate", "--apply")
        assert done.returncode == 0, done.stderr
        second = program.until("rules_loaded", count=2)
    assert first["ruleset"] != second["ruleset"]
    number = done.stdout.partition("is changed: urgent ")[2].partition(".")[0]
    assert 75 < int(number) <= 80
    assert program.rules.read_text(encoding="utf-8") == before.replace("urgent: 70 ", f"urgent: {number} ")


def test_a_wrong_severity_is_said_on_the_command_line(program: Program) -> None:
    migrate(f"sqlite:///{program.database}")
    store = SqlStore(f"sqlite:///{program.database}")
    with store.writing() as uow:
        uow.add_mention(said("m1", 80), verdict("m1"))
        uow.add_case(case("m1", severity=Severity.URGENT), keys=())
    store.close()
    for arguments, says in (
        (("--as", "wrong_severity"), "say which severity it should have had"),
        (("--as", "noise", "--severity", "low"), "leave it out"),
        (("--as", "wrong_severity", "--severity", "urgent"), "C1 is urgent already"),
    ):
        refused = program.call("resolve", "C1", *arguments)
        assert (refused.returncode, says in refused.stderr) == (2, True), refused.stderr
    assert program.call("resolve", "C1", "--as", "wrong_severity", "--severity", "high").returncode == 0
    assert json.loads(program.call("show", "C1", "--json").stdout)["meant"] == "high"
    few = program.call("calibrate")
    assert (few.returncode, "29 more are needed" in few.stderr) == (1, True)


@pytest.mark.parametrize(
    ("lines", "code", "says"),
    [
        ([{"id": "1", "text": FLOORED, "severity": "urgent"}], 0, ""),
        ([{"id": "1", "text": FLOORED, "severity": "urgent"}, {"id": "2", "severity": "?"}], 1, "line 2: severity"),
        ([{"id": "1", "text": FLOORED}], 2, "carries a label"),
    ],
)
def test_evaluate_ends_with_a_code_and_a_sentence(
    program: Program, lines: list[dict[str, str]], code: int, says: str
) -> None:
    labelled = program.folder / "labelled.jsonl"
    labelled.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    done = program.call("evaluate", labelled.name)
    assert (done.returncode, says in done.stderr, "Traceback" in done.stderr) == (code, True, False), done.stderr
    assert ("1.00 of 1" in done.stdout) == (code < 2)
