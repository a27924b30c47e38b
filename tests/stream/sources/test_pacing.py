"""When a playlist's pictures are due: exact figures on a scripted clock."""

from __future__ import annotations

from stream.sources.pacing import Pacer


def test_a_segment_that_comes_at_once_is_spread_over_its_time() -> None:
    pacer = Pacer()
    # 4 pictures a second, all there at 100 s
    assert [pacer.wait_seconds(media, 100.0) for media in (7.0, 7.25, 7.5, 7.75)] == [0.0, 0.25, 0.5, 0.75]
    # who waited for the last one gets the next segment's first a quarter of a second later
    assert pacer.wait_seconds(8.0, 100.75) == 0.25


def test_a_picture_that_is_a_little_late_is_shown_and_the_next_catches_up() -> None:
    pacer = Pacer()
    assert pacer.wait_seconds(0.0, 100.0) == 0.0
    assert pacer.wait_seconds(1.0, 101.5) == 0.0
    assert pacer.wait_seconds(2.0, 101.75) == 0.25


def test_after_a_stall_time_goes_on_from_the_late_picture() -> None:
    pacer = Pacer()
    assert pacer.wait_seconds(0.0, 100.0) == 0.0
    assert pacer.wait_seconds(1.0, 104.0) == 0.0
    # not in a burst that makes up for three seconds
    assert pacer.wait_seconds(1.5, 104.0) == 0.5


def test_after_a_jump_of_the_clock_nothing_waits_for_it() -> None:
    pacer = Pacer()
    assert pacer.wait_seconds(0.0, 100.0) == 0.0
    assert pacer.wait_seconds(3600.0, 100.25) == 0.0
    assert pacer.wait_seconds(3600.5, 100.25) == 0.5
    assert pacer.wait_seconds(5.0, 101.0) == 0.0
