"""Which addresses may be added as streams: by their protocol, and by where their host's name leads (loop's thread).

A name is looked up by us and the connection made to the very address that was checked, so that a name that leads
elsewhere the next moment (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

from stream.sources.address import has_unescaped_credentials, host_of
from stream.web.machine import IpAddress
from stream.web_settings import AllowedSources

LONGEST_ADDRESS = 2000
LOOKUP_SECONDS = 5.0

_CARRIERS = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "2002::/16", "2001::/32", "::/96"))
"""Networks of IPv6 whose addresses carry one of IPv4, to which a gateway goes on: NAT64, 6to4, Teredo, the oldest."""

LookUp = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host."""


class RefusedError(Exception):
    """An address may not be reached; says why, in words for the person who gave it."""


class SourceRules:
    """What a configuration allows."""

    def __init__(self, allowed: AllowedSources, look_up: LookUp | None = None) -> None:
        """Know the rules.

        Args:
            allowed: the configuration.
            look_up: finds the addresses of a host; the system's resolver where it is None.
        """
        self._protocols = allowed.protocols
        self._networks = [ipaddress.ip_network(text, strict=False) for text in allowed.networks]
        self._look_up = look_up or _system_look_up

    def check(self, address: str) -> None:
        """See whether a text is the address of something that may be added, as far as it tells itself.

        Raises:
            RefusedError: it is none.
        """
        scheme, separator, _ = address.partition("://")
        if not separator or scheme.lower() not in self._protocols:
            raise RefusedError(f"only addresses of {', '.join(self._protocols)} may be added")
        if len(address) > LONGEST_ADDRESS or not address.isprintable() or " " in address:
            raise RefusedError("this is no address: it is too long, or has spaces in it")
        if not host_of(address) or has_unescaped_credentials(address):
            raise RefusedError("this address names no host, or its user or password needs escaping")

    def admits(self, ip: IpAddress) -> bool:
        """Whether an address may be reached: one of the public internet, or of a network that was allowed."""
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        if any(ip in network for network in self._networks):
            return True
        is_carrier = any(ip in network for network in _CARRIERS)
        return ip.is_global and not (ip.is_multicast or ip.is_reserved or is_carrier)

    async def resolved(self, host: str, port: int) -> str:
        """The address to connect to for a host.

        Raises:
            RefusedError: there is none, or none that may be reached.
        """
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                found = await self._look_up(host, port)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise RefusedError(f"there is no host called {host[:100]}") from error
        for text in found:
            if self.admits(ipaddress.ip_address(text.partition("%")[0])):
                return text
        raise RefusedError(
            f"{host[:100]} is in a network that may not be reached; web.allow_sources.networks allows it"
        )


async def _system_look_up(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
