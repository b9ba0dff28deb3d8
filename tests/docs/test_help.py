"""The README shows what the program says of itself; the page of sources what the connectors say of themselves."""

import re
import subprocess
import sys
from pathlib import Path

from click import Context
from click.testing import CliRunner

from listener.cli import cli
from listener.cli.sources import page

ROOT = Path(__file__).parents[2]


def test_the_readme_shows_the_help_as_it_is() -> None:
    """Mend the README (or the help) in the same change."""
    shown = CliRunner().invoke(cli, ["--help"], prog_name="listener", terminal_width=110, max_content_width=110)
    assert shown.exit_code == 0
    assert shown.output.strip() in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    """The list is written out in `listener.cli`, so that showing it imports no command."""
    shown = CliRunner().invoke(cli, ["--help"], terminal_width=500, max_content_width=500).output
    for name in cli.list_commands(Context(cli)):
        command = cli.get_command(Context(cli), name)
        assert command is not None
        assert re.search(rf"^  {name} +{re.escape(command.get_short_help_str(limit=500))}$", shown, re.MULTILINE)


def test_showing_the_help_imports_no_command() -> None:
    seen = "import sys, listener.cli; listener.cli.cli(['--help'], standalone_mode=False); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True).stdout
    assert not {"pydantic", "rich", "sqlalchemy", "feedparser"} & set(shown.split())


def test_the_page_of_sources_is_what_the_connectors_say() -> None:
    """Write it anew with: make docs."""
    assert (ROOT / "docs" / "sources.md").read_text(encoding="utf-8") == page()
