"""docs/evaluate.md shows what the commands print: its example file can be measured, and every heading it shows is there."""

import re
from pathlib import Path

from click.testing import CliRunner

from listener.cli import cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "evaluate.md").read_text(encoding="utf-8")


def shown(command: str) -> str:
    found = re.search(rf"\$ listener {command}[^\n]*\n(.*?)\n```", PAGE, re.DOTALL)
    assert found
    return found[1]


def test_the_example_file_gives_the_tables_that_the_page_shows(tmp_path: Path) -> None:
    """Figures move with the models; headings, languages and counts of posts do not."""
    lines = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert lines
    labelled = tmp_path / "labelled.jsonl"
    labelled.write_text(lines[1], encoding="utf-8")
    done = CliRunner().invoke(
        cli,
        ["evaluate", str(labelled), "--rules", str(ROOT / "rules.yaml"), "--worst", "1"],
        env={"COLUMNS": "100"},
    )
    assert done.exit_code == 0, done.output

    def frame(output: str) -> list[str]:
        return re.findall(
            r"^ ?(?:Severity|Negative|Language|Urgent|To find|all +\d+|en +\d+|ko +\d+)\b", output, re.MULTILINE
        )

    assert frame(done.output) == frame(shown("evaluate"))
    assert len(frame(done.output)) >= 10


def test_options_that_the_page_names_are_options_of_the_commands() -> None:
    runner = CliRunner()
    known = {
        option
        for command in ("evaluate", "calibrate", "resolve", "rules")
        for option in re.findall(r"--[a-z]+", runner.invoke(cli, [command, "--help"]).output)
    }
    assert set(re.findall(r"(?<!-)--[a-z]+\b", PAGE)) <= known
