"""Times that only go forward: over reconnections, jumps and wraps, with exact figures."""

from __future__ import annotations

from fractions import Fraction

import pytest

from stream.sources.timeline import Timeline

TB = Fraction(1, 90_000)
MS = 1_000_000
FRAME = 3600  # 40 ms


def test_a_first_connection_keeps_the_streams_own_times_whatever_the_arrivals() -> None:
    timeline = Timeline(TB)
    # a burst, then a stall
    arrivals_ms = [1000, 1000, 1001, 3500, 3510]
    times = [126_000 + FRAME * number for number in range(5)]
    got = [timeline.pts_of(ticks, TB, ms * MS) for ticks, ms in zip(times, arrivals_ms, strict=True)]
    assert got == times


@pytest.mark.parametrize(
    ("again", "again_base"),
    [
        # the server counts from its start again
        (0, TB),
        # or from anywhere
        (500_000_000, TB),
        # the same time line went on while nobody looked
        (126_000 + FRAME + 90_000 * 2, TB),
        # another container counts milliseconds
        (12, Fraction(1, 1000)),
    ],
)
def test_after_a_reconnection_the_gap_is_as_long_as_it_was(again: int, again_base: Fraction) -> None:
    timeline = Timeline(TB)
    timeline.pts_of(126_000, TB, 0)
    last = timeline.pts_of(126_000 + FRAME, TB, 40 * MS)
    timeline.reconnected()
    first = timeline.pts_of(again, again_base, 2540 * MS)
    assert first - last == 2.5 * 90_000
    # then the new clock counts, not the arrivals
    second = timeline.pts_of(again + round(Fraction(1, 25) / again_base), again_base, 2541 * MS)
    assert second - first == FRAME


def test_a_stream_without_a_clock_has_the_times_of_its_arrivals_from_0() -> None:
    timeline = Timeline(TB)
    arrivals_ms = [5000, 5100, 5250, 5251]
    got = [timeline.pts_of(None, TB, ms * MS) for ms in arrivals_ms]
    assert got == [0, 9000, 22_500, 22_590]
    timeline.reconnected()
    assert timeline.pts_of(None, TB, 8251 * MS) == 22_590 + 3 * 90_000


@pytest.mark.parametrize("bits", [32, 33])
def test_a_clock_that_wraps_goes_on_to_the_tick(bits: int) -> None:
    timeline = Timeline(TB)
    start = (1 << bits) - 2 * FRAME
    times = [start, start + FRAME, 0, FRAME]
    # arrivals are off by some milliseconds, times are not
    got = [timeline.pts_of(ticks, TB, (40 * number + number % 3) * MS) for number, ticks in enumerate(times)]
    assert got == [start, start + FRAME, start + 2 * FRAME, start + 3 * FRAME]


@pytest.mark.parametrize("jump", [-90_000 * 60, 90_000 * 60])
def test_a_clock_that_is_set_anew_goes_on_by_the_arrivals(jump: int) -> None:
    timeline = Timeline(TB)
    last = timeline.pts_of(9_000_000, TB, 0)
    first = timeline.pts_of(9_000_000 + jump, TB, 50 * MS)
    assert first - last == 4500
    assert timeline.pts_of(9_000_000 + jump + FRAME, TB, 90 * MS) - first == FRAME


def test_a_long_pause_that_the_clock_counted_too_is_no_jump() -> None:
    timeline = Timeline(TB)
    timeline.pts_of(0, TB, 0)
    assert timeline.pts_of(90_000 * 60, TB, 60_003 * MS) == 90_000 * 60


def test_a_time_that_repeats_or_steps_back_a_little_comes_a_tick_later_and_nothing_is_shifted() -> None:
    timeline = Timeline(TB)
    times = [0, FRAME, FRAME, FRAME - 10, 2 * FRAME]
    got = [timeline.pts_of(ticks, TB, 40 * number * MS) for number, ticks in enumerate(times)]
    assert got == [0, FRAME, FRAME + 1, FRAME + 2, 2 * FRAME]


def test_two_pictures_that_arrive_together_after_a_reconnection_still_differ() -> None:
    timeline = Timeline(TB)
    last = timeline.pts_of(0, TB, 5 * MS)
    timeline.reconnected()
    assert timeline.pts_of(0, TB, 5 * MS) == last + 1
