"""What went wrong with an exchange, as one of our faults and a sentence that holds no secret.

The texts of aiohttp's errors hold whole URLs, and the path of a webhook is a password: nothing here passes them on.
"""

import os
import socket
import ssl

import aiohttp
from aiohttp import http_exceptions

from listener.domain.errors import Fault, TransportError
from listener.http.dial import BlockedError
from listener.http.trip import Trip

EXPECTED = (TransportError, aiohttp.ClientError, http_exceptions.HttpProcessingError, OSError)
"""What an exchange may end with (`TimeoutError` is an OSError); anything else is a bug and stays loud."""

# Codes of OpenSSL's X509_verify_cert_error_string(3).
_CERTIFICATE = {
    9: "is not valid yet; check the clock of this machine",
    10: "has expired; ask its owner to renew it",
    18: "is signed by itself; install its authority on this machine if you trust it",
    19: "comes from an authority that signed itself; install that authority on this machine if you trust it",
    20: "comes from an authority that this machine does not know; install that authority if you trust it",
    21: "comes without the certificates that lead to its authority; ask its owner to send the whole chain",
    23: "was revoked; do not use this address",
    62: "is for another host name; check the address",
    64: "is for another IP address; check the address",
}


def explain(error: Exception, trip: Trip) -> TransportError:
    """The transport error for what the trip, aiohttp or the system raised."""
    return trip.failure(*_diagnose(error, answering=trip.status is not None))


def _diagnose(error: Exception, *, answering: bool) -> tuple[Fault, str]:
    if isinstance(error, TransportError):
        return error.fault, str(error)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
        return _connecting(error)
    if isinstance(error, TimeoutError):
        return Fault.TIMEOUT, "no connection in time; the host may be down"
    if answering:
        return Fault.TRUNCATED, "the answer ended before it was complete"
    return _asking(error)


def _connecting(error: aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError) -> tuple[Fault, str]:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Fault.TLS, _certificate(error.certificate_error)
    cause = error.os_error
    if isinstance(cause, BlockedError):
        return cause.refusal.fault, str(cause.refusal)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Fault.DNS, _naming(cause)
    if isinstance(cause, ssl.SSLError):
        return Fault.TLS, f"no TLS connection ({_words(cause.reason)}); check that the host speaks https at this port"
    return Fault.CONNECT, f"no connection ({_errno(cause)}); check the host and the port"


def _certificate(cause: Exception) -> str:
    code = getattr(cause, "verify_code", 0)
    why = _words(getattr(cause, "verify_message", None))
    return f"its certificate {_CERTIFICATE.get(code, f'cannot be trusted ({why})')}"


def _naming(cause: OSError) -> str:
    if cause.errno == socket.EAI_AGAIN:
        return "the name server does not answer; the network of this machine may be down"
    return "no such host; check the spelling"


def _asking(error: Exception) -> tuple[Fault, str]:
    """Between the connection and the status line."""
    if isinstance(error.__cause__, ssl.SSLError):
        return Fault.TLS, f"the TLS connection was refused ({_words(error.__cause__.reason)})"
    if isinstance(error, aiohttp.ClientConnectionError):
        return Fault.CONNECT, "the connection was closed without an answer"
    return Fault.PROTOCOL, "the answer is not HTTP that can be read, or its headers are too large"


def _errno(error: OSError) -> str:
    if error.errno is None:  # asyncio's own, when the other side hangs up during the TLS handshake
        return "it was closed at once"
    return os.strerror(error.errno).lower()


def _words(reason: str | None) -> str:
    return (reason or "no reason given").replace("_", " ").lower()
