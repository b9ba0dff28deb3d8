"""A hostile server, and the real client and clock that notifiers use."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from listener.http import AiohttpClient
from listener.notifier import Surroundings
from tests.http.hostile_server import HostileServer


class RealClock:
    """The time of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


@pytest.fixture
def real() -> Iterator[Surroundings]:
    """The real client on real sockets."""
    with AiohttpClient(user_agent="listener-test/1") as client:
        yield Surroundings(http=client, clock=RealClock())
