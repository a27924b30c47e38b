"""What this machine is called, and where others in its network reach it (any thread)."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

import ifaddr

from stream.web_settings import InterfaceRules

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """An address of this machine.

    Attributes:
        interface: its name: `eth0`.
        ip: without a scope.
    """

    interface: str
    ip: IpAddress


def local_addresses() -> list[LocalAddress]:
    """All addresses of this machine but link-local ones of IPv6, which nobody can write in an address line."""
    found = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            ip = ipaddress.ip_address(entry.ip if isinstance(entry.ip, str) else entry.ip[0])
            if not (ip.version == 6 and ip.is_link_local):
                found.append(LocalAddress(entry.nice_name, ip))
    return found


def is_allowed(rules: InterfaceRules, address: LocalAddress) -> bool:
    """Whether video may travel over an address."""
    if any(_means(rule, address) for rule in rules.deny):
        return False
    return not rules.allow or any(_means(rule, address) for rule in rules.allow)


def machine_names() -> list[str]:
    """What others in the network may call this machine: its name, and the same under mDNS's `.local`."""
    name = socket.gethostname().lower().rstrip(".")
    short = name.partition(".")[0]
    # Certificates hold names in ASCII only, of at most so many characters (RFC 5280, RFC 1035).
    usable = [one for one in (name, short) if one.isascii() and 0 < len(one) <= 64]
    return list(dict.fromkeys(known for one in usable for known in (one, f"{short}.local")))


def reachable_host(host: str) -> str:
    """What others in the network write in their address line for a server that listens on `host`.

    Where it listens on all addresses, it is the one over which this machine reaches the rest of the world, or any other
    where there is no such way.
    """
    try:
        is_any = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host
    if not is_any:
        return host
    return str(next(_by_likelihood(), host))


def in_address(host: str) -> str:
    """A host as it stands in a URL: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _by_likelihood() -> Iterator[IpAddress]:
    for family, far in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                # Sends nothing: it only asks the system which way it would take.
                probe.connect((far, 9))
            except OSError:
                continue
            ip = ipaddress.ip_address(probe.getsockname()[0])
            if not ip.is_loopback and not ip.is_link_local:
                yield ip
    yield from (address.ip for address in local_addresses() if not address.ip.is_loopback)


def _means(rule: str, address: LocalAddress) -> bool:
    try:
        return address.ip in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return fnmatchcase(address.interface, rule)
