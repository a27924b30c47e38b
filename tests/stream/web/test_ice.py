from __future__ import annotations

import ipaddress
import re
from typing import Any

import pytest

from stream.config import WebSettings, check_settings
from stream.errors import ConfigError
from stream.web.ice import IceServers
from stream.web.machine import LocalAddress, is_allowed
from stream.web_settings import IceServer, InterfaceRules


def test_credentials_are_made_of_the_secret_as_coturn_reads_them() -> None:
    server = IceServer(urls=("turn:turn.example:3478",), secret="logen", lifetime_seconds=3600)
    (entry,) = IceServers([server], clock=lambda: 1_700_000_000.9).entries()
    assert entry.username == "1700003600:mirilla"
    # printf 1700003600:mirilla | openssl dgst -sha1 -hmac logen -binary | base64
    assert entry.credential == "isx+UbX5HVL4NdmOKNXg7cmFWiY="


def test_browsers_players_and_aiortc_are_told_the_same() -> None:
    given = [
        IceServer(urls=("stun:stun.example",)),
        IceServer(urls=("turn:a.example?transport=udp", "turns:a.example"), username='a "user"', credential="b\\c"),
    ]
    servers = IceServers(given)
    assert [entry.model_dump(exclude_none=True) for entry in servers.entries()] == [
        {"urls": ["stun:stun.example"]},
        {
            "urls": ["turn:a.example?transport=udp", "turns:a.example"],
            "username": 'a "user"',
            "credential": "b\\c",
        },
    ]
    # The form of RFC 9725, 4.6; quotes and backslashes as in RFC 9110, 5.6.4.
    credentials = r'username="a \"user\""; credential="b\\c"; credential-type="password"'
    assert servers.links() == [
        '<stun:stun.example>; rel="ice-server"',
        f'<turn:a.example?transport=udp>; rel="ice-server"; {credentials}',
        f'<turns:a.example>; rel="ice-server"; {credentials}',
    ]
    assert [(one.urls, one.username) for one in servers.for_aiortc()] == [
        (["stun:stun.example"], None),
        (["turn:a.example?transport=udp", "turns:a.example"], 'a "user"'),
    ]


def test_without_servers_nobody_outside_is_asked() -> None:
    assert IceServers().for_aiortc() == []
    assert IceServers().links() == []


def checked(**web: Any) -> WebSettings:
    return check_settings({"streams": {"one": {"source": "pattern", "sinks": ["null"]}}, "web": web}, "test").web


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        ("stun.example", ("web.ice_servers", "stun:HOST")),
        ("http://stun.example", ("web.ice_servers", "stun:HOST")),
        ("stuns:stun.example", ("web.ice_servers", "stun:HOST")),
        ([{"urls": "turn:turn.example?transport=sctp", "secret": "x"}], ("web.ice_servers", "transport=udp")),
        ([{"urls": "turn:turn.example"}], ("web.ice_servers.0", "username and credential, or secret")),
        ([{"urls": "turn:turn.example", "username": "a"}], ("web.ice_servers.0", "give both")),
        (
            [{"urls": "turn:turn.example", "username": "a", "credential": "b", "secret": "c"}],
            ("web.ice_servers.0", "not both"),
        ),
        ([{"urls": []}], ("web.ice_servers.0.urls", "at least one")),
    ],
)
def test_servers_that_nobody_could_use_are_said_in_a_line(servers: Any, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        checked(ice_servers=[servers] if isinstance(servers, str) else servers)
    message = str(caught.value)
    assert not re.search(r"\n|Value error", message)
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("servers", "urls"),
    [
        (["stun:stun.example:3478"], [["stun:stun.example:3478"]]),
        ([["stun:a.example", "stun:b.example"]], [["stun:a.example", "stun:b.example"]]),
        ([], []),
    ],
)
def test_a_server_without_credentials_is_written_as_its_address(servers: Any, urls: list[list[str]]) -> None:
    entries = IceServers(checked(ice_servers=servers).ice_servers).entries()
    assert [(entry.urls, entry.username, entry.credential) for entry in entries] == [(one, None, None) for one in urls]


@pytest.mark.parametrize(
    ("allow", "deny", "interface", "ip", "expected"),
    [
        ((), (), "eth0", "192.0.2.1", True),
        (("eth0",), (), "eth0", "192.0.2.1", True),
        (("eth0",), (), "eth1", "192.0.2.1", False),
        (("eth*",), (), "eth1", "192.0.2.1", True),
        (("192.0.2.0/24",), (), "eth1", "192.0.2.1", True),
        (("192.0.2.0/24",), (), "eth1", "198.51.100.1", False),
        # A single address, and one of the other family.
        (("2001:db8::1",), (), "eth0", "2001:db8::1", True),
        (("192.0.2.0/24",), (), "eth0", "2001:db8::1", False),
        ((), ("docker*", "tun0"), "docker0", "172.17.0.1", False),
        ((), ("docker*", "tun0"), "eth0", "192.0.2.1", True),
        # What is denied is denied, whatever else allows it.
        (("10.0.0.0/8",), ("tun*",), "tun0", "10.8.0.2", False),
    ],
)
def test_which_addresses_carry_video(
    allow: tuple[str, ...], deny: tuple[str, ...], interface: str, ip: str, expected: bool
) -> None:
    rules = InterfaceRules(allow=allow, deny=deny)
    assert is_allowed(rules, LocalAddress(interface, ipaddress.ip_address(ip))) is expected
