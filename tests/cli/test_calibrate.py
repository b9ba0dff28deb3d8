"""`listener calibrate`: what people found their cases to be becomes thresholds, if they want that."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from listener.casework import Outcome, resolve
from listener.cli import cli
from listener.cli.calibrate import apply_thresholds
from listener.cli.in_place import replace_file
from listener.decide.measure import held_out
from listener.domain.case import Disposition
from listener.domain.errors import ConfigError, UsageError
from listener.domain.mention import Author, Mention, Reach
from listener.domain.verdict import Reason, Severity
from listener.store import SqlStore, migrate
from tests.cli.scores import FLOORED, rules, text
from tests.store.build import case, mention, verdict

REAL = Outcome(disposition=Disposition.REAL)
NOISE = Outcome(disposition=Disposition.NOISE)
DUPLICATE = Outcome(disposition=Disposition.DUPLICATE)


def meant(severity: Severity) -> Outcome:
    return Outcome(disposition=Disposition.WRONG_SEVERITY, meant=severity)


def plain_mention(name: str, post: str, at: datetime) -> Mention:
    """A mention that scores what its text says."""
    unheard = {"author": Author(handle=f"@{name}"), "reach": Reach(), "title": None}
    return mention(name, text=post, lang="ja", script="kana", brands=("nook",), seen_at=at, **unheard)


class Desk:
    """A team that resolves cases: in a real database, with a real rules.yaml."""

    def __init__(self, folder: Path) -> None:
        self.rules = folder / "rules.yaml"
        self.rules.write_bytes(rules().encode())
        self.url = f"sqlite:///{folder}/listener.db"
        migrate(self.url)
        self.store = SqlStore(self.url)
        self.now = datetime.now(UTC)
        self.count = 0

    def resolved(self, post: str, severity: Severity, outcome: Outcome, *, days_ago: float = 5) -> str:
        """One more case, with the name that it got."""
        self.count += 1
        name, at = f"m{self.count}", self.now - timedelta(days=days_ago)
        said = plain_mention(name, post, at)
        with self.store.writing() as uow:
            uow.add_mention(said, verdict(name))
            opened = uow.add_case(case(name, severity=severity, opened_at=at + timedelta(hours=self.count)), keys=())
            uow.attach(opened.id, name, keys=(), shingles=())
        return resolve(self.store, opened.id, who="kim", outcome=outcome, now=at + timedelta(days=1)).name

    def noisy(self, count: int = 20) -> None:
        """Posts that score 71 to 76 are noise, or high at most; from 85 on they are real."""
        for number in range(count):
            outcome = NOISE if number % 2 else meant(Severity.HIGH)
            self.resolved(text(71 + number % 6), Severity.URGENT, outcome)
            self.resolved(text(85 + number % 10), Severity.URGENT, REAL)
            self.resolved(text(50 + number % 10), Severity.HIGH, REAL)

    def calibrate(self, *arguments: str) -> Result:
        env = {"LISTENER_RULES": str(self.rules), "LISTENER_DB": self.url, "COLUMNS": "120"}
        return CliRunner().invoke(cli, ["calibrate", *arguments], env=env)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.chdir(tmp_path)
    made = Desk(tmp_path)
    yield made
    made.store.close()


def test_too_few_cases_say_how_many_are_missing(desk: Desk) -> None:
    for outcome in (REAL, NOISE, DUPLICATE, meant(Severity.HIGH)):
        desk.resolved(text(80), Severity.URGENT, outcome)
    done = desk.calibrate()
    assert done.exit_code == 1
    assert (
        "3 cases that were resolved in the last 90d say how severe they were: 1 real, 1 noise, 1 wrong" in done.output
    )
    assert "27 more are needed (30 in all); resolve cases with --as real" in done.stderr


def test_only_recent_cases_count(desk: Desk) -> None:
    desk.resolved(text(80), Severity.URGENT, REAL, days_ago=40)
    desk.resolved(text(80), Severity.URGENT, REAL, days_ago=3)
    assert desk.calibrate("--since", "30d").output.startswith("1 cases")
    assert desk.calibrate("--since", "12w").output.startswith("2 cases")
    assert isinstance(desk.calibrate("--since", "soon").exception, UsageError)


def test_before_and_after_are_shown_on_cases_held_out_and_nothing_is_written(desk: Desk) -> None:
    desk.noisy()
    before = desk.rules.read_bytes()
    done = desk.calibrate()
    assert done.exit_code == 0, done.output
    kept = sum(held_out(f"C{number}") for number in range(1, 61))
    assert f"{60 - kept} of them teach; {kept} are held out" in done.output
    assert "scoring.severity.urgent: 70 -> " in done.output
    assert "before: 70/45" in done.output
    assert "Alerts a day among these cases: urgent " in done.output
    assert "Nothing was written" in done.output
    assert desk.rules.read_bytes() == before


def test_applied_thresholds_change_one_number_and_keep_every_other_byte(desk: Desk) -> None:
    desk.noisy()
    desk.rules.chmod(0o640)
    before = desk.rules.read_bytes()
    done = desk.calibrate("--apply")
    assert done.exit_code == 0, done.output
    after = desk.rules.read_bytes()
    found = {number for number in range(77, 86) if after == before.replace(b"urgent: 70  ", b"urgent: %d  " % number)}
    assert len(found) == 1
    assert f"rules.yaml is changed: urgent {found.pop()}. A running service" in done.output
    assert stat.S_IMODE(desk.rules.stat().st_mode) == 0o640
    assert [path.name for path in desk.rules.parent.iterdir() if path.name.startswith(".rules")] == []
    assert "there is nothing to write" in desk.calibrate("--apply").output


def test_misses_lower_a_threshold(desk: Desk) -> None:
    """A case that was called high and should have been urgent."""
    for number in range(20):
        desk.resolved(text(60 + number % 5), Severity.HIGH, meant(Severity.URGENT))
        desk.resolved(text(30 + number % 5), Severity.NORMAL, REAL)
    desk.calibrate("--apply")
    assert any(f"urgent: {number}     # Kim" in desk.rules.read_text(encoding="utf-8") for number in range(46, 61))


def test_thresholds_that_fit_stay(desk: Desk) -> None:
    for number in range(15):
        desk.resolved(text(80 + number), Severity.URGENT, REAL)
        desk.resolved(text(50 + number), Severity.HIGH, REAL)
        desk.resolved(text(20 + number), Severity.NORMAL, REAL)
    before = desk.rules.read_bytes()
    done = desk.calibrate("--apply")
    assert done.exit_code == 0
    assert "The thresholds fit as they are" in done.output
    assert desk.rules.read_bytes() == before


def test_what_a_rule_lifts_is_that_rules_matter(desk: Desk) -> None:
    """No threshold can mend an `at_least`; the rule is named."""
    for _ in range(32):
        desk.resolved(FLOORED, Severity.URGENT, NOISE)
    done = desk.calibrate()
    assert "which no threshold changes: topics.outage (32)" in " ".join(done.output.split())
    assert "scoring.severity.urgent stays: 0 case(s) that its threshold decides should have been urgent" in done.output
    assert "Neither threshold can be fitted yet: there is nothing to write" in done.output


def test_what_does_worse_on_cases_held_out_is_not_written(desk: Desk) -> None:
    """The part that teaches says noise up to 76; the part that tests says that the same scores are real."""
    for number in range(1, 81):
        kind = number % 2
        if not kind:
            desk.resolved(text(90), Severity.URGENT, REAL)
        else:
            desk.resolved(text(72), Severity.URGENT, REAL if held_out(f"C{number}") else NOISE)
    before = desk.rules.read_bytes()
    done = desk.calibrate("--apply")
    assert done.exit_code == 1
    assert "do worse than the old ones, so nothing was written" in done.stderr
    assert desk.rules.read_bytes() == before


def test_cases_are_judged_by_the_rules_in_force(desk: Desk) -> None:
    """Scores of older rules say nothing of thresholds that will stand among today's points; history stays as it was."""
    for number in range(1, 33):
        name = desk.resolved(text(80), Severity.URGENT, REAL)
        assert name == f"C{number}"
        repeat = Reason(code="repeat_complaint", text="again", points=10.0, rule="scoring.author.repeat_complaint")
        again = replace(verdict(f"m{number}"), reasons=(repeat,), score=3)
        with desk.store.writing() as uow:
            uow.add_revision(f"m{number}", plain_mention(f"m{number}", text(80), desk.now), again)
    shown = desk.calibrate().output
    assert "1.00 of" in shown


def test_the_alerts_of_cases_of_one_instant_have_no_rate(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(30):
        desk.count += 1
        name = f"m{desk.count}"
        with desk.store.writing() as uow:
            uow.add_mention(plain_mention(name, text(80), desk.now), verdict(name))
            opened = uow.add_case(case(name, opened_at=desk.now), keys=())
        resolve(desk.store, opened.id, who="kim", outcome=REAL, now=desk.now)
    assert "cannot be told: the cases were all opened at once" in desk.calibrate().output


def test_a_layout_that_cannot_be_edited_is_left_alone_and_said_how_to_write(desk: Desk) -> None:
    """Without scoring.severity in the file, the defaults are in force and there is no number to edit."""
    desk.noisy()
    text_ = desk.rules.read_text(encoding="utf-8")
    start, end = text_.index("  severity:\n"), text_.index("receivers:")
    desk.rules.write_text(text_[:start] + text_[end:], encoding="utf-8")
    before = desk.rules.read_bytes()
    done = desk.calibrate("--apply")
    assert isinstance(done.exception, UsageError), done.output
    assert "scoring.severity is not written in the file, so nothing was written; write it yourself" in str(
        done.exception
    )
    assert desk.rules.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text[: text.index("scoring:")] + text[text.index("receivers:") :], "scoring is not written"),
        (lambda text: text.replace("urgent: 70", "urgent: 0x46"), None),
    ],
)
def test_thresholds_are_written_only_where_numbers_stand(
    desk: Desk, change: Callable[[str], str], says: str | None
) -> None:
    desk.rules.write_text(change(desk.rules.read_text(encoding="utf-8")), encoding="utf-8")
    before = desk.rules.read_bytes()
    if says is None:
        apply_thresholds(desk.rules, {"urgent": 80.0}, before=desk.rules.read_bytes())
        assert desk.rules.read_bytes() == before.replace(b"0x46", b"80")
        return
    with pytest.raises(UsageError, match=says) as refused:
        apply_thresholds(desk.rules, {"urgent": 80.0}, before=desk.rules.read_bytes())
    assert str(refused.value).endswith("write it yourself:\nscoring:\n  severity:\n    urgent: 80")
    assert desk.rules.read_bytes() == before


def test_a_mark_at_the_beginning_and_windows_lines_stay(desk: Desk) -> None:
    content = b"\xef\xbb\xbf" + rules().replace("\n", "\r\n").encode()
    desk.rules.write_bytes(content)
    apply_thresholds(desk.rules, {"urgent": 81.0, "high": 46.0}, before=desk.rules.read_bytes())
    wanted = content.replace(b"urgent: 70 ", b"urgent: 81 ").replace(b"high: 45\r", b"high: 46\r")
    assert desk.rules.read_bytes() == wanted


def test_thresholds_that_would_not_load_are_not_written(desk: Desk) -> None:
    before = desk.rules.read_bytes()
    with pytest.raises(ConfigError, match="bands overlap"):
        apply_thresholds(desk.rules, {"urgent": 30.0}, before=desk.rules.read_bytes())
    assert desk.rules.read_bytes() == before


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_bytes(b"old")
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    replace_file(tmp_path / "link.yaml", before=b"old", after=b"new")
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_bytes() == b"new"


def test_what_somebody_else_saved_meanwhile_is_kept(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_bytes(b"theirs")
    with pytest.raises(UsageError, match="changed by somebody else"):
        replace_file(tmp_path / "rules.yaml", before=b"old", after=b"ours")
    assert (tmp_path / "rules.yaml").read_bytes() == b"theirs"


def test_a_file_that_cannot_be_replaced_is_one_sentence_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last step fails, as on a full or read-only disk."""
    rules_file = tmp_path / "rules.yaml"
    rules_file.write_bytes(b"old")

    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(UsageError, match=r"cannot be written \(No space left on device\)"):
        replace_file(rules_file, before=b"old", after=b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["rules.yaml"]
    assert rules_file.read_bytes() == b"old"
