from __future__ import annotations

import pytest

from stream.web.rate_limit import MOST_ADDRESSES, Allowance, RateLimit


class ScriptedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> ScriptedClock:
    return ScriptedClock()


@pytest.fixture
def limit(clock: ScriptedClock) -> RateLimit:
    """Neighbours save ten and get two a second; this machine saves twenty and gets ten a second."""
    return RateLimit(Allowance(2, 10), Allowance(10, 20), clock)


def passed(limit: RateLimit, address: str, times: int, *, changes: bool = False) -> int:
    return sum(limit.wait_seconds(address, changes=changes) == 0 for _ in range(times))


@pytest.mark.parametrize(
    ("address", "changes", "expected"),
    [
        ("192.0.2.1", False, 10),
        # What changes something costs five.
        ("192.0.2.1", True, 2),
        ("127.0.0.1", False, 20),
        ("127.8.9.10", False, 20),
        ("::1", False, 20),
        # As a socket for both families tells an address of IPv4.
        ("::ffff:127.0.0.1", False, 20),
        ("::ffff:192.0.2.1", False, 10),
        ("fe80::1%eth0", False, 10),
        # A socket that has no addresses.
        ("", False, 10),
    ],
)
def test_an_address_may_spend_what_it_has_saved(limit: RateLimit, address: str, changes: bool, expected: int) -> None:
    assert passed(limit, address, 50, changes=changes) == expected
    assert limit.refused == 50 - expected


def test_what_was_spent_comes_back_with_time_up_to_what_may_be_saved(limit: RateLimit, clock: ScriptedClock) -> None:
    assert passed(limit, "192.0.2.1", 11) == 10
    # Half of one is back after a quarter of a second: one more takes a second, rounded up.
    clock.now += 0.25
    assert limit.wait_seconds("192.0.2.1", changes=False) == 1
    assert limit.wait_seconds("192.0.2.1", changes=True) == 3
    clock.now += 3
    assert passed(limit, "192.0.2.1", 50) == 6
    clock.now += 3600
    assert passed(limit, "192.0.2.1", 50) == 10


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        # A subscriber of IPv6 has a network of 64 bits.
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
    ],
)
def test_who_shares_what_is_saved(limit: RateLimit, one: str, other: str, share: bool) -> None:
    assert passed(limit, one, 10) == 10
    assert (passed(limit, other, 1) == 0) is share


def test_the_table_does_not_grow_and_who_asks_most_is_remembered(limit: RateLimit) -> None:
    assert passed(limit, "192.0.2.1", 10) == 10
    for number in range(2 * MOST_ADDRESSES):
        limit.wait_seconds(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", changes=False)
        if number % 1000 == 0:
            assert limit.wait_seconds("192.0.2.1", changes=False) > 0
    assert len(limit) == MOST_ADDRESSES
