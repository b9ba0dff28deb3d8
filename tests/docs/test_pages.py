"""Pages for the person who runs it say what the code does; a new event or dependency without a word there fails here."""

import re
import tomllib
from pathlib import Path

import pytest

from listener.domain.errors import Fault

ROOT = Path(__file__).resolve().parents[2]
OPERATE = (ROOT / "docs" / "operate.md").read_text()
ADRS = sorted((ROOT / "docs" / "adr").glob("*.md"))


def name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found
    return found[0].lower()


def events() -> set[str]:
    sources = [path.read_text() for folder in ("listener", "connectors") for path in (ROOT / folder).rglob("*.py")]
    return {event for text in sources for event in re.findall(r"""["']event["']: ["'](\w+)["']""", text)}


def test_every_event_of_the_log_is_explained() -> None:
    table = OPERATE.partition("## The log")[2]
    missing = {event for event in events() | {"job_failed", "job_delayed"} if f"`{event}`" not in table}
    assert not missing


def test_every_class_of_fault_is_explained() -> None:
    table = OPERATE.partition("## Classes of fault")[2].partition("## The log")[0]
    assert not {fault for fault in Fault if not re.search(rf"\b{fault}\b", table)}


def test_every_dependency_is_argued_once_in_each_of_its_groups() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *(line for extra in project["project"]["optional-dependencies"].values() for line in extra),
        *(line for group in project["dependency-groups"].values() for line in group),
    ]
    page = (ROOT / "docs" / "dependencies.md").read_text().partition("## Not taken")[0]
    argued = [
        name.lower() for name in re.findall(r"^\| ([\w.-]+)[^|]*\| [^|]+ \| [^|]+ \| [^|]+ \|$", page, re.MULTILINE)
    ]
    assert sorted(name for name in argued if name != "package") == sorted(map(name_of, wanted))


@pytest.mark.parametrize("page", ADRS, ids=lambda page: page.stem)
def test_an_adr_has_its_number_and_its_three_parts(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.name[:4]}: ")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert len(text.split()) < 600


def test_adrs_are_numbered_without_a_gap() -> None:
    assert [page.name[:4] for page in ADRS] == [f"{number:04}" for number in range(1, len(ADRS) + 1)]


PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "systemd" / "README.md"]


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
