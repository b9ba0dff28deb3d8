"""Which addresses we may connect to: the wall between a URL that somebody else wrote and our own network."""

import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from listener.domain.errors import Fault, TransportError

_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# `is_global` of the standard library says True for these (3.11), although nobody's public server lives there: protocol
# assignments, the anycast address of 6to4 relays, Teredo and its neighbours, 6to4, documentation. The last but one is
# Azure's metadata service, which has a public address. Source: IANA special-purpose address registries.
_NEVER = tuple(
    ip_network(net)
    for net in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "168.63.129.16/32",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)
# What `allow_private` opens: loopback, RFC 1918, shared address space (VPNs use it), unique local addresses.
_PRIVATE = tuple(
    ip_network(net)
    for net in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "::1/128",
        "fc00::/7",
    )
)
# Metadata services inside those ranges hand out credentials to whoever asks: Alibaba, AWS, Google.
_METADATA = frozenset(ip_address(a) for a in ("100.100.100.200", "fd00:ec2::254", "fd20:ce::254"))
_LEGACY_IPV4 = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}", re.IGNORECASE)


def parse_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a literal host stands for, in any spelling that a C library takes; `None` for a name.

    `2130706433`, `0x7f.1`, `0177.0.0.1` and `127.1` are 127.0.0.1. Brackets and a final dot are ignored.
    """
    text = host.strip("[]").rstrip(".")
    try:
        return ip_address(text)
    except ValueError:
        pass
    if not _LEGACY_IPV4.fullmatch(text):
        return None
    try:
        return IPv4Address(socket.inet_aton(text))
    except OSError:
        return None


def guard(address: str, *, allow_private: bool) -> None:
    """Raise `TransportError(BLOCKED_ADDRESS)` unless a connection may be opened to `address`.

    Public addresses pass. `allow_private` lets loopback and private networks pass too, but never a metadata service,
    link-local, multicast or unspecified address. Addresses that carry an IPv4 address inside are judged by that one;
    what is no address at all is refused.
    """
    parsed = parse_address(address)
    if parsed is None or not _may_connect(parsed, allow_private=allow_private):
        raise TransportError(Fault.BLOCKED_ADDRESS, _refusal(parsed, allow_private=allow_private))


def _refusal(parsed: IPv4Address | IPv6Address | None, *, allow_private: bool) -> str:
    if parsed is not None and not allow_private and _may_connect(parsed, allow_private=True):
        return f"{parsed} is inside a private network; if that is meant, configure this very URL with private allowed"
    return f"{parsed or 'this host'} is an address that must not be reached; check where the URL leads"


def _may_connect(address: IPv4Address | IPv6Address, *, allow_private: bool) -> bool:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _may_connect(address.ipv4_mapped, allow_private=allow_private)
        if address in _NAT64:
            # RFC 6052 forbids private addresses in this prefix, so `allow_private` does not apply.
            return _is_public(IPv4Address(address.packed[-4:]))
    return _is_public(address) or (allow_private and _is_private(address))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in net for net in _NEVER)


def _is_private(address: IPv4Address | IPv6Address) -> bool:
    return address not in _METADATA and any(address in net for net in _PRIVATE)
