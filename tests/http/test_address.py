"""Which addresses the wall lets through."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.domain.errors import Fault, TransportError
from listener.http import guard
from listener.http.address import parse_address

LOOPBACK_SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1", "0X7F.0.0.1", "0177.0.0.1",
    "017700000001", "127.0.0.1.", "::1", "[::1]", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "[::ffff:7f00:1]",
]  # fmt: skip
PRIVATE = ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1"]
NEVER = [
    "169.254.169.254", "169.254.0.1", "0xa9fea9fe", "::ffff:169.254.169.254", "fe80::1", "fe80::1%lo", "fd00:ec2::254",
    "fd20:ce::254", "100.100.100.200", "168.63.129.16", "0.0.0.0", "0", "0.0.0.8", "::", "224.0.0.1", "239.255.255.250",
    "ff02::1", "255.255.255.255", "240.0.0.1", "192.0.0.8", "192.0.0.192", "192.0.2.1", "198.51.100.1", "203.0.113.1",
    "198.18.0.1", "192.88.99.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1", "64:ff9b:1::7f00:1",
    "2002:7f00:1::", "2002:808:808::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "3fff::1", "::127.0.0.1",
    "::8.8.8.8", "fec0::1", "100::1", "4000::1", "", "localhost", "feed.example", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 x",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "93.184.216.34", "134744072", "0x08.8.8.8", "2606:4700:4700::1111", "2001:4860:4860::8888",
    "::ffff:8.8.8.8", "64:ff9b::808:808",
]  # fmt: skip


def _refused(address: str, *, allow_private: bool) -> bool:
    try:
        guard(address, allow_private=allow_private)
    except TransportError as error:
        return error.fault is Fault.BLOCKED_ADDRESS
    return False


@pytest.mark.parametrize("address", LOOPBACK_SPELLINGS + PRIVATE)
def test_inside_addresses_need_leave_in_any_spelling(address: str) -> None:
    assert _refused(address, allow_private=False)
    assert not _refused(address, allow_private=True)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_reached(address: str) -> None:
    assert _refused(address, allow_private=False)
    assert _refused(address, allow_private=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert not _refused(address, allow_private=False)


def test_a_refusal_says_what_to_do() -> None:
    with pytest.raises(TransportError, match=r"10\.0\.0\.1 is inside a private network; if that is meant"):
        guard("10.0.0.1", allow_private=False)
    with pytest.raises(TransportError, match="must not be reached"):
        guard("169.254.169.254", allow_private=False)


ipv4 = st.ip_addresses(v=4)
ipv6 = st.ip_addresses(v=6)
special = st.sampled_from(
    [
        ipaddress.ip_network(n)
        for n in ("127.0.0.0/8", "10.0.0.0/8", "169.254.0.0/16", "fe80::/10", "fc00::/7", "ff00::/8")
    ]
).flatmap(lambda net: st.integers(int(net[0]), int(net[-1])).map(type(net[0])))


@given(ipv4 | ipv6 | special)
def test_what_the_registries_call_not_global_is_never_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """Nothing gets through that the standard library knows not to be global, but for IPv4 inside IPv6."""
    inner = getattr(address, "ipv4_mapped", None) or address
    if not inner.is_global or inner.is_multicast:
        assert _refused(str(address), allow_private=False)


@given(ipv4 | ipv6 | special)
def test_leave_for_private_addresses_only_ever_adds(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if _refused(str(address), allow_private=True):
        assert _refused(str(address), allow_private=False)


@given(ipv4 | special.filter(lambda a: a.version == 4), st.booleans())
def test_every_spelling_of_an_address_is_judged_alike(address: ipaddress.IPv4Address, allow_private: bool) -> None:
    value = int(address)
    a, b, c, d = address.packed
    spellings = [f"{value}", f"{value:#x}", f"0{value:o}", f"{a}.{value & 0xFFFFFF}", f"{a}.{b}.{value & 0xFFFF}",
                 f"{a:#x}.0{b:o}.{c}.{d:#x}", f"::ffff:{address}"]  # fmt: skip
    verdicts = {_refused(spelling, allow_private=allow_private) for spelling in [str(address), *spellings]}
    assert len(verdicts) == 1


@given(st.text(max_size=40))
def test_no_text_makes_it_stumble(text: str) -> None:
    parsed = parse_address(text)
    assert _refused(text, allow_private=False) or parsed is not None
