"""When a live picture stops waiting for the models, and when it waits again."""

from __future__ import annotations

import pytest

from stream.picture_timing import PictureTiming, Timing


@pytest.mark.parametrize(
    ("wanted", "is_live", "look_ms", "source_fps", "expected"),
    [
        ("auto", True, [10.0] * 9, 30.0, False),  # the model keeps up
        ("auto", True, [50.0] * 9, 30.0, True),  # it misses every other frame
        ("auto", True, [50.0] * 3, 30.0, True),
        ("auto", True, [50.0] * 2, 30.0, False),  # too early to say
        ("auto", True, [50.0] * 9, None, False),  # the source's rate is not known yet
        ("auto", True, [10.0] * 8 + [900.0], 30.0, False),  # one slow look is no slow model
        ("auto", True, [50.0] * 9 + [25.0] * 9, 30.0, True),  # three quarters of an interval: not safe
        ("auto", True, [50.0] * 9 + [10.0] * 5, 30.0, False),  # fast again
        ("auto", False, [50.0] * 9, 30.0, False),  # a recording waits
        ("exact", True, [50.0] * 9, 30.0, False),  # as the user wants it
        ("latest", True, [1.0] * 9, 30.0, True),
        ("latest", False, [], None, True),
    ],
)
def test_a_picture_waits_as_long_as_the_models_keep_up(
    wanted: Timing, is_live: bool, look_ms: list[float], source_fps: float | None, expected: bool
) -> None:
    timing = PictureTiming(wanted, is_live=is_live)
    for milliseconds in look_ms:
        timing.looked(milliseconds / 1000, source_fps)
    assert timing.is_latest is expected
