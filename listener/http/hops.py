"""Where an exchange goes: which URLs may be asked, where a redirect leads, and what may be told to another host. Pure."""

import base64
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from yarl import URL

from listener.domain.errors import Fault, TransportError
from listener.http.address import guard, parse_address

_SCHEMES = ("http", "https")
_PERMANENT = frozenset((301, 308))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
SAFE_METHODS = frozenset(("GET", "HEAD"))
"""Methods that change nothing, so that asking again does no harm."""
# A header that is not on this list may hold a key (`X-Api-Key`, `Client-Secret`): a list of what is harmless can not
# miss one, a list of what is secret can.
_HARMLESS = frozenset(
    (
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "if-modified-since",
        "if-none-match",
        "user-agent",
    )
)


def redact(url: str) -> str:
    """The part of a URL that holds no secret: `https://hooks.slack.com/…`. Never raises."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "(unreadable URL)"
    if not host:
        return f"{parts.scheme[:20]}:…" if parts.scheme else "(URL without a host)"
    shown = f"[{host}]" if ":" in host else host
    shown = "".join(c if c.isprintable() else "\ufffd" for c in shown[:253])
    return f"{parts.scheme[:20]}://{shown}{f':{port}' if port is not None else ''}/…"


@lru_cache(maxsize=4096)
def destination(url: str | URL, *, allow_private: bool) -> URL:
    """The URL to ask, its host in canonical form and without a fragment. Remembered, because polls repeat themselves.

    Raises `TransportError`: BAD_SCHEME unless it is an http or https URL with a host, BLOCKED_ADDRESS if its host is a
    literal address (in any spelling) that must not be reached.
    """
    try:
        parsed = URL(url).with_fragment(None)
        host = parsed.host
    except ValueError:
        raise TransportError(Fault.BAD_SCHEME, "the URL cannot be read; correct it") from None
    if parsed.scheme not in _SCHEMES:
        raise TransportError(Fault.BAD_SCHEME, f"{parsed.scheme[:20]!r} is neither http nor https; only those are read")
    if not host or any(c.isspace() for c in host):
        raise TransportError(Fault.BAD_SCHEME, "the URL names no host; correct it")
    address = parse_address(host)
    if address is None:
        return parsed
    guard(str(address), allow_private=allow_private)
    return parsed.with_host(str(address))


def without_credentials(url: URL, headers: Mapping[str, str]) -> tuple[URL, dict[str, str]]:
    """Move `user:password@` from the URL into an Authorization header, so that no URL that we show holds it."""
    lowered = {name.lower(): value for name, value in headers.items()}
    if url.raw_user is None and url.raw_password is None:
        return url, lowered
    pair = f"{unquote(url.raw_user or '')}:{unquote(url.raw_password or '')}"
    lowered.setdefault("authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    return url.with_user(None), lowered


def is_redirect(method: str, status: int) -> bool:
    """Whether to follow. A request that changes something is never sent again: its 3xx is the answer."""
    return status in _REDIRECTS and method in SAFE_METHODS


def is_permanent(status: int) -> bool:
    """Whether this redirect tells us to remember its target."""
    return status in _PERMANENT


def next_hop(here: URL, location: str | None, *, allow_private: bool) -> tuple[URL, bool]:
    """The URL that a redirect leads to, and whether private addresses are still allowed there.

    Raises `TransportError` as `destination` does, and REDIRECTS if it names none. Credentials in the target are dropped:
    they are the redirecting server's, not ours.
    """
    if not location:
        raise TransportError(Fault.REDIRECTS, "it redirects without saying where to")
    try:
        target = here.join(URL(location)).with_fragment(None)
        leave = allow_private and keeps_leave(here, target, location)
    except ValueError:
        raise TransportError(Fault.BAD_SCHEME, "it redirects to what is not a URL") from None
    target = destination(target, allow_private=leave)
    return (target.with_user(None) if target.raw_user is not None else target), leave


def keeps_leave(old: URL, new: URL, location: str) -> bool:
    """Whether the leave to enter a private network, which the owner gave for one URL, extends over this redirect.

    It does for a path on the same host, and for the same host by its name. It does not for a redirect that spells out
    an inside address, be it the same: a server that may choose addresses is how strangers get inside.
    """
    if not _same_place(old, new):
        return False
    spelt_out = bool(urlsplit(location).netloc)
    host = (new.host or "").rstrip(".")
    return not spelt_out or not (parse_address(host) or host == "localhost" or host.endswith(".localhost"))


def headers_for(old: URL, new: URL, headers: dict[str, str]) -> dict[str, str]:
    """The request headers that may follow a redirect: all of them to the same place, only harmless ones elsewhere."""
    if _same_place(old, new):
        return headers
    return {name: value for name, value in headers.items() if name in _HARMLESS}


def _same_place(old: URL, new: URL) -> bool:
    """Same host, and the same door or the usual step from http to https."""
    if old.host != new.host:
        return False
    upgrade = (old.scheme, old.port, new.scheme, new.port) == ("http", 80, "https", 443)
    return upgrade or (old.scheme, old.port) == (new.scheme, new.port)
