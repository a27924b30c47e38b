"""How long a lost source is waited for: exact figures, by hand."""

from __future__ import annotations

import pytest

from stream.sources.backoff import LONGEST_SECONDS, first_wait_seconds, patience_seconds, wait_seconds


@pytest.mark.parametrize(
    ("attempt", "chance", "expected"),
    [
        # the first retries are quick: 1/4 s, then half as long again each time
        (1, 1.0, 0.25),
        (2, 1.0, 0.375),
        (3, 1.0, 0.5625),
        (4, 1.0, 0.84375),
        # chance takes away up to a half
        (1, 0.0, 0.125),
        (1, 0.5, 0.1875),
        (4, 0.0, 0.421875),
        # 0.25 * 1.5^11 = 21.6; the next would be 32.4
        (12, 1.0, 21.624389648437500),
        (13, 1.0, 30.0),
        (13, 0.0, 15.0),
        # for ever
        (1_000_000, 1.0, 30.0),
    ],
)
def test_waits_grow_to_half_a_minute(attempt: int, chance: float, expected: float) -> None:
    assert wait_seconds(attempt, chance) == expected


def test_a_source_that_was_gone_for_five_seconds_is_back_within_three() -> None:
    waited = 0.0
    for attempt in range(1, 100):
        wait = wait_seconds(attempt, 1.0)
        if waited > 5:
            break
        # It may come back right after an attempt: then the next wait is what it costs.
        assert wait < 3
        assert wait <= waited / 2 + 0.25
        waited += wait
    assert wait_seconds(99, 1.0) == LONGEST_SECONDS


@pytest.mark.parametrize(
    ("attempt", "usual", "most", "expected"),
    [
        # a quick camera gets two seconds three times, then half as long again
        (1, 0.4, 10.0, 2.0),
        (3, 0.4, 10.0, 2.0),
        (4, 0.4, 10.0, 3.0),
        (5, 0.4, 10.0, 4.5),
        # a slow one twice its time
        (1, 1.5, 10.0, 3.0),
        (4, 1.5, 10.0, 4.5),
        # never more than the user allows
        (1, 6.0, 10.0, 10.0),
        (1, 0.4, 1.0, 1.0),
        (1_000_000, 0.4, 10.0, 10.0),
    ],
)
def test_patience_grows_from_what_the_camera_needs(attempt: int, usual: float, most: float, expected: float) -> None:
    assert patience_seconds(attempt, usual, most) == expected


@pytest.mark.parametrize(
    ("life", "chance", "expected"),
    [
        # it lived: quick
        (60.0, 1.0, 0.25),
        (1.0, 0.0, 0.125),
        # it gave one picture and ended: no more than a call a second
        (0.0, 1.0, 1.0),
        (0.0, 0.0, 1.0),
        (0.5, 1.0, 0.5),
        (0.9, 1.0, 0.25),
    ],
)
def test_a_server_that_ends_every_connection_at_once_is_not_called_all_the_time(
    life: float, chance: float, expected: float
) -> None:
    assert first_wait_seconds(life, chance) == expected
