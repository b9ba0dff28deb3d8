"""TLS: who is trusted, and a readable cause where nobody is."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from listener.domain.errors import Fault, TransportError
from listener.http import AiohttpClient
from listener.ports import Request
from tests.http.hostile_server import FEED, HostileServer


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture
def client(authority: trustme.CA) -> Iterator[AiohttpClient]:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with AiohttpClient(user_agent="t", ssl_context=context) as client:
        yield client


def _server(certificate: trustme.LeafCert) -> HostileServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return HostileServer(tls=context)


def _refusal(client: AiohttpClient, url: str) -> TransportError:
    with pytest.raises(TransportError) as caught:
        client.fetch(Request(url=url, allow_private=True, deadline=5))
    assert caught.value.fault is Fault.TLS
    assert not caught.value.ambiguous
    assert "s3cret" not in str(caught.value)
    return caught.value


def test_a_trusted_certificate_is_trusted_and_the_connection_kept(client: AiohttpClient, authority: trustme.CA) -> None:
    with _server(authority.issue_cert("localhost", "127.0.0.1")) as server:
        for host in ("localhost", "127.0.0.1", "127.0.0.1"):
            assert client.fetch(Request(url=server.url("/ok", host=host), allow_private=True)).body == FEED
        assert server.connections == 2


def test_an_expired_certificate(client: AiohttpClient, authority: trustme.CA) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with _server(
        authority.issue_cert("localhost", not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=yesterday)
    ) as server:
        assert "its certificate has expired" in str(_refusal(client, server.url("/s3cret", host="localhost")))
        assert server.hits == []


def test_a_certificate_for_another_host(client: AiohttpClient, authority: trustme.CA) -> None:
    with _server(authority.issue_cert("other.example")) as server:
        assert "is for another host name" in str(_refusal(client, server.url("/s3cret", host="localhost")))
        assert "is for another IP address" in str(_refusal(client, server.url("/s3cret")))


def test_a_certificate_that_nobody_vouches_for(authority: trustme.CA) -> None:
    with _server(authority.issue_cert("localhost")) as server, AiohttpClient(user_agent="t") as stranger:
        assert "an authority that this machine does not know" in str(
            _refusal(stranger, server.url("/s3cret", host="localhost"))
        )


def test_a_certificate_signed_by_itself(client: AiohttpClient, tmp_path: Path) -> None:
    """An authority's own certificate is signed by itself."""
    stranger = trustme.CA(key_type=trustme.KeyType.ECDSA)
    pem = tmp_path / "self.pem"
    pem.write_bytes(stranger.private_key_pem.bytes() + stranger.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with HostileServer(tls=context) as server:
        assert "is signed by itself" in str(_refusal(client, server.url("/s3cret", host="localhost")))


def test_a_host_that_does_not_speak_tls(client: AiohttpClient) -> None:
    with HostileServer() as server:
        error = _refusal(client, server.url("/s3cret").replace("http:", "https:"))
        assert "no TLS connection" in str(error)
        assert "check that the host speaks https" in str(error)


def test_a_tls_body_cut_short_is_truncated(client: AiohttpClient, authority: trustme.CA) -> None:
    with _server(authority.issue_cert("127.0.0.1")) as server, pytest.raises(TransportError) as caught:
        client.fetch(Request(url=server.url("/short_length"), allow_private=True))
    assert caught.value.fault is Fault.TRUNCATED


def test_a_host_that_wants_to_know_who_we_are(client: AiohttpClient, authority: trustme.CA) -> None:
    """With TLS 1.3 the refusal comes only after our side of the handshake is done and the request written."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with HostileServer(tls=context) as server, pytest.raises(TransportError, match="certificate required") as caught:
        client.fetch(Request(url=server.url("/ok"), allow_private=True, deadline=5))
    assert caught.value.fault is Fault.TLS


def test_a_host_that_hangs_up_during_the_handshake(client: AiohttpClient) -> None:
    with HostileServer(slam=True) as server, pytest.raises(TransportError, match="no connection") as caught:
        client.fetch(Request(url=server.url("/ok").replace("http:", "https:"), allow_private=True, deadline=5))
    assert caught.value.fault is Fault.CONNECT
