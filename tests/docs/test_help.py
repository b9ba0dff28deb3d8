"""The README shows what the program says of itself; the page of sources what the connectors say of themselves."""

from pathlib import Path

from click.testing import CliRunner

from listener.cli import cli
from listener.cli.sources import page

ROOT = Path(__file__).parents[2]


def test_the_readme_shows_the_help_as_it_is() -> None:
    """Mend the README (or the help) in the same change."""
    shown = CliRunner().invoke(cli, ["--help"], prog_name="listener", terminal_width=110, max_content_width=110)
    assert shown.exit_code == 0
    assert shown.output.strip() in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_page_of_sources_is_what_the_connectors_say() -> None:
    """Write it anew with: make docs."""
    assert (ROOT / "docs" / "sources.md").read_text(encoding="utf-8") == page()
