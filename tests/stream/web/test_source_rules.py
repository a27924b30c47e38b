from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence

import pytest

from stream.web.source_rules import RefusedError, SourceRules
from stream.web_settings import AllowedSources


@pytest.mark.parametrize(
    ("ip", "networks", "expected"),
    [
        ("93.184.216.34", (), True),
        ("2606:2800:220:1::1", (), True),
        # This machine, under all its names.
        ("127.0.0.1", (), False),
        ("127.8.9.10", (), False),
        ("0.0.0.0", (), False),
        ("::1", (), False),
        ("::", (), False),
        ("::ffff:127.0.0.1", (), False),
        ("::127.0.0.1", (), False),
        # Link-local: a cloud's metadata among them.
        ("169.254.169.254", (), False),
        ("fe80::1", (), False),
        # Private networks, carriers' networks, documentation.
        ("10.0.0.1", (), False),
        ("172.16.0.1", (), False),
        ("192.168.1.10", (), False),
        ("100.64.0.1", (), False),
        ("fd00:ec2::254", (), False),
        ("192.0.2.1", (), False),
        ("::ffff:192.168.1.10", (), False),
        # Everybody at once, and nobody yet.
        ("224.0.0.1", (), False),
        ("ff02::1", (), False),
        ("255.255.255.255", (), False),
        ("240.0.0.1", (), False),
        # An address of IPv4 within one of IPv6: 10.0.0.1 by NAT64 and 6to4.
        ("64:ff9b::a00:1", (), False),
        ("2002:a00:1::1", (), False),
        # What was allowed, and only that.
        ("192.168.1.10", ("192.168.1.0/24",), True),
        ("::ffff:192.168.1.10", ("192.168.1.0/24",), True),
        ("192.168.2.10", ("192.168.1.0/24",), False),
        ("127.0.0.1", ("127.0.0.0/8",), True),
        ("fd00::2", ("fd00::/8",), True),
    ],
)
def test_which_networks_may_be_reached(ip: str, networks: tuple[str, ...], expected: bool) -> None:
    assert SourceRules(AllowedSources(networks=networks)).admits(ipaddress.ip_address(ip)) is expected


@pytest.mark.parametrize(
    "address",
    [
        "clip.mp4",
        "/etc/passwd",
        "file:///etc/passwd",
        "0",
        "webcam:Front",
        "pattern",
        "concat:http://a|http://b",
        "gopher://example.org/",
        "ftp://example.org/clip.mp4",
        "tcp://example.org:80",
        "udp://239.0.0.1:1234",
        "http:///clip.mp4",
        "http://",
        "http://exa mple.org/",
        "http://example.org/\r\nX: y",
        "rtsp://user:pass/word@example.org/",
        f"http://example.org/{'x' * 3000}",
    ],
)
def test_only_addresses_of_the_network_are_taken(address: str) -> None:
    with pytest.raises(RefusedError):
        SourceRules(AllowedSources()).check(address)


@pytest.mark.parametrize("address", ["http://example.org/a.mp4", "RTSP://u:p@cam.example:8554/live", "https://[::1]/"])
def test_addresses_of_the_network_are_taken_if_their_protocol_is(address: str) -> None:
    SourceRules(AllowedSources()).check(address)
    with pytest.raises(RefusedError, match="rtsps"):
        SourceRules(AllowedSources(protocols=("rtsps",))).check(address)


def resolved(*found: str | Exception) -> str:
    async def look_up(_host: str, _port: int) -> Sequence[str]:
        if isinstance(found[0], Exception):
            raise found[0]
        return [str(one) for one in found]

    return asyncio.run(SourceRules(AllowedSources(), look_up).resolved("cam.example", 80))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (("93.184.216.34",), "93.184.216.34"),
        # The connection goes to the one that may be reached.
        (("10.0.0.1", "93.184.216.34"), "93.184.216.34"),
        (("10.0.0.1", "fe80::1%eth0"), None),
        ((), None),
        ((OSError("no such host"),), None),
        ((UnicodeError("label too long"),), None),
    ],
)
def test_a_name_is_as_good_as_where_it_leads(found: tuple[str | Exception, ...], expected: str | None) -> None:
    if not found or expected is None:
        with pytest.raises(RefusedError):
            resolved(*found) if found else asyncio.run(nobody())
    else:
        assert resolved(*found) == expected


async def nobody() -> str:
    async def look_up(_host: str, _port: int) -> Sequence[str]:
        return []

    return await SourceRules(AllowedSources(), look_up).resolved("cam.example", 80)
