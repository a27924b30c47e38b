"""Pictures that somebody sends: who sends, in which size, and what time it is."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from stream.errors import SourceError
from stream.frame import Frame
from stream.sources import open_source
from stream.sources.pushed import MOST_PIXELS, PushedSource

SECOND_NS = 1_000_000_000


class ScriptedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_ns = 7 * SECOND_NS

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> ScriptedClock:
    return ScriptedClock()


@pytest.fixture
def source(clock: ScriptedClock) -> PushedSource:
    return PushedSource("studio", "a publisher", clock_ns=clock)


def picture(pts: int, size_wh: tuple[int, int] = (4, 2), level: int = 120) -> av.VideoFrame:
    """Grey, dark at its left border."""
    image = np.full((size_wh[1], size_wh[0], 3), level, np.uint8)
    image[:, 0] = 0
    made = av.VideoFrame.from_ndarray(image, format="bgr24")
    made.pts, made.time_base = pts, Fraction(1, 90_000)
    return made


def taken(source: PushedSource, *pictures: av.VideoFrame) -> list[Frame]:
    """Each as the capture thread takes it, when it has come."""
    frames = iter(source)
    found = []
    for one in pictures:
        source.put(one)
        found.append(next(frames))
    return found


def test_pictures_keep_their_times_and_sizes(source: PushedSource) -> None:
    frames = taken(source, picture(0), picture(3000, (1, 1)), picture(6000, (3, 5)))
    assert [(frame.pts, frame.index, frame.size_wh) for frame in frames] == [
        (0, 0, (4, 2)),
        (3000, 1, (1, 1)),
        (6000, 2, (3, 5)),
    ]
    assert frames[0].image[0].tolist() == [[0] * 3, [120] * 3, [120] * 3, [120] * 3]


def test_of_what_nobody_takes_the_newest_is_left_and_the_rest_is_counted(source: PushedSource) -> None:
    for number in range(5):
        source.put(picture(3000 * number))
    assert next(iter(source)).index == 4
    assert source.status.superseded == 4


def test_time_goes_on_over_publishers_by_as_much_as_has_passed(source: PushedSource, clock: ScriptedClock) -> None:
    frames, connected = iter(source), [source.status.is_connected]
    source.put(picture(0))
    first = next(frames)
    connected.append(source.status.is_connected)
    source.sender_left()
    connected.append(source.status.is_connected)
    clock.now_ns += 2 * SECOND_NS
    assert source.status.lost_ns == 2 * SECOND_NS
    # The next one's clock begins anew.
    source.put(picture(0))
    second = next(frames)
    connected.append(source.status.is_connected)
    assert connected == [False, True, False, True]
    assert second.pts - first.pts == 2 * 90_000
    assert (source.status.reconnects, source.status.lost_ns) == (1, 2 * SECOND_NS)


def test_a_mirrored_picture_is_mirrored_before_anybody_sees_it(source: PushedSource) -> None:
    source.is_mirrored = True
    (frame,) = taken(source, picture(0))
    assert frame.image[0].tolist() == [[120] * 3, [120] * 3, [120] * 3, [0] * 3]


def test_what_is_too_large_is_left_out(source: PushedSource) -> None:
    source.put(av.VideoFrame(MOST_PIXELS // 2160 + 2, 2160, "yuv420p"))
    assert not source.status.is_connected


def test_closing_ends_the_frames(source: PushedSource) -> None:
    frames = iter(source)
    source.close()
    source.close()
    source.put(picture(0))
    assert next(frames, None) is None


def test_a_run_that_nobody_can_send_to_says_what_can() -> None:
    with pytest.raises(SourceError, match="mirilla serve"):
        open_source("whip")
