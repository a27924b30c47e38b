"""How many requests an address may send: a token bucket each, in a table that does not grow (loop's thread)."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from stream.web.access import is_loopback

MOST_ADDRESSES = 4096
"""That are remembered; who was seen longest ago is forgotten."""

_IPV6_PREFIX = 64
"""What one subscriber has; whoever wants has all its addresses."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an address may ask.

    Attributes:
        per_second: what it gets back each second.
        burst: what it may have saved.
    """

    per_second: float
    burst: float


NEIGHBOURS = Allowance(40, 200)
"""A household behind one address: the page asks about five times in ten seconds, and for twenty files at first."""

THIS_MACHINE = Allowance(200, 1000)
"""Tests, measurements, and a proxy behind which everybody stands."""

COSTS_OF_CHANGES = 5.0
"""Of a request that changes something, beside 1 of one that reads: an offer makes a connection."""


class RateLimit:
    """The buckets of all addresses."""

    def __init__(
        self,
        neighbours: Allowance = NEIGHBOURS,
        this_machine: Allowance = THIS_MACHINE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Every address has its whole burst.

        Args:
            neighbours: what an address of another machine may ask.
            this_machine: what a loopback address may ask.
            clock: seconds.
        """
        self._neighbours = neighbours
        self._this_machine = this_machine
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self.refused = 0

    def wait_seconds(self, address: str, *, changes: bool) -> int:
        """Take a request's cost from an address.

        Args:
            address: of the client.
            changes: whether the request changes something.

        Returns:
            0, or where the address has too little left, the seconds after which it may try again.
        """
        key, now = _subscriber(address), self._clock()
        allowance = self._this_machine if is_loopback(key) else self._neighbours
        cost = COSTS_OF_CHANGES if changes else 1.0
        left, at = self._buckets.pop(key, (allowance.burst, now))
        left = min(allowance.burst, left + (now - at) * allowance.per_second)
        is_refused = left < cost
        self._buckets[key] = (left if is_refused else left - cost, now)
        while len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        self.refused += is_refused
        return math.ceil((cost - left) / allowance.per_second) if is_refused else 0

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._buckets)


def _subscriber(address: str) -> str:
    """Who is behind an address: itself, or its network where it is one of IPv6."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4 or ip.is_loopback:
        return str(ip)
    # Who listens on `::` hears from IPv4, too.
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network(f"{ip}/{_IPV6_PREFIX}", strict=False))
