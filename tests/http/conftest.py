"""A hostile server, a client, and an internet between them."""

from collections.abc import Callable, Iterator

import pytest

from listener.domain.errors import TransportError
from listener.http import AiohttpClient
from listener.ports import Request
from tests.http.hostile_server import HostileServer
from tests.http.pretend_internet import PUBLIC, FakeResolver, PretendInternet


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


@pytest.fixture
def client() -> Iterator[AiohttpClient]:
    with AiohttpClient(user_agent="listener-test/1") as client:
        yield client


@pytest.fixture
def internet(server: HostileServer, monkeypatch: pytest.MonkeyPatch) -> PretendInternet:
    """All public addresses lead to the hostile server."""
    internet = PretendInternet(server.port)
    monkeypatch.setattr("listener.http.dial.open_socket", internet.open_socket)
    return internet


@pytest.fixture
def names() -> FakeResolver:
    return FakeResolver({"feed.example": [[PUBLIC]], "other.example": [["93.184.216.35"]]})


@pytest.fixture
def outside(internet: PretendInternet, names: FakeResolver) -> Iterator[AiohttpClient]:
    """A client on the pretended internet."""
    with AiohttpClient(user_agent="listener-test/1", resolver=names) as client:
        yield client


@pytest.fixture
def failure(client: AiohttpClient) -> Callable[[Request], TransportError]:
    def failure_of(request: Request) -> TransportError:
        with pytest.raises(TransportError) as caught:
            client.fetch(request)
        return caught.value

    return failure_of
