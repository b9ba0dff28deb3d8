"""Every notifier in the folder passes the inherited suite with its recording: one module and one recording are all it takes."""

from pathlib import Path

import pytest

from listener.notifier import Notifier
from listener.registry import notifiers
from listener.testing.notifier_suite import NotifierSuite, Recording

RECORDINGS = Path(__file__).parents[1] / "recordings" / "notifiers"
DOCS = Path(__file__).parents[2] / "docs" / "notify.md"
NOTIFIERS = notifiers()


class TestEveryNotifier(NotifierSuite):
    @pytest.fixture(params=sorted(NOTIFIERS))
    def notifier(self, request: pytest.FixtureRequest) -> type[Notifier]:
        found: type[Notifier] = NOTIFIERS[request.param]
        return found

    @pytest.fixture
    def recording(self, notifier: type[Notifier]) -> Recording:
        return Recording.read(RECORDINGS / f"{notifier.name}.yaml")


def test_every_recording_belongs_to_a_notifier() -> None:
    """A recording that nothing plays is a test that does not run."""
    assert {path.stem for path in RECORDINGS.glob("*.yaml")} == set(NOTIFIERS)


@pytest.mark.parametrize("name", sorted(NOTIFIERS))
def test_every_key_is_explained_in_the_docs(name: str) -> None:
    """docs/notify.md has a section for each notifier that names each of its keys."""
    section = DOCS.read_text(encoding="utf-8").split(f"\n## `{name}`", 1)[1].split("\n## ", 1)[0]
    for key, field in NOTIFIERS[name].Config.model_fields.items():
        assert f"`{field.alias or key}`" in section
