"""Every connector in the folder passes the inherited suite with its recording: that is all it takes to add one."""

from pathlib import Path

import pytest

from listener.connector import Connector
from listener.registry import connectors
from listener.testing.connector_suite import ConnectorSuite, Recording

RECORDINGS = Path(__file__).parents[1] / "recordings" / "connectors"
CONNECTORS = connectors()


class TestEveryConnector(ConnectorSuite):
    @pytest.fixture(params=sorted(CONNECTORS))
    def connector(self, request: pytest.FixtureRequest) -> type[Connector]:
        found: type[Connector] = CONNECTORS[request.param]
        return found

    @pytest.fixture
    def recording(self, connector: type[Connector]) -> Recording:
        return Recording.read(RECORDINGS / f"{connector.name}.yaml")


def test_every_connector_has_a_recording_and_every_recording_a_connector() -> None:
    """A connector without a recording is not tested; a recording that nothing plays is a test that does not run."""
    assert {path.stem for path in RECORDINGS.glob("*.yaml")} == set(CONNECTORS)
