"""A service for each test."""

from pathlib import Path

import pytest

from tests.pipeline.world import Service


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A service with an empty database."""
    return Service(tmp_path)
