"""A recording as a camera: every frame when it is due by the clock, none held up, none drifting."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest

from stream.frame import Frame, SourceInfo
from stream.sources.paced import PacedSource
from stream.sources.source import Source
from tests.stream.doubles import TIME_BASE, ScriptedClock, make_frame


class Recording(Source):
    """Frames with given ticks, each of which takes a while to decode."""

    def __init__(self, ticks: list[int], clock: ScriptedClock, decode_seconds: float) -> None:
        self.info = SourceInfo("recording", 64, 48, Fraction(25), TIME_BASE, frame_count=len(ticks))
        self.closed = False
        self._ticks = ticks
        self._clock = clock
        self._decode_seconds = decode_seconds

    def __iter__(self) -> Iterator[Frame]:
        for index, pts in enumerate(self._ticks):
            self._clock.advance(self._decode_seconds)
            image = make_frame(index).image
            yield Frame(image, pts, TIME_BASE, index, self._clock())

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("ticks", "decode_seconds", "expected"),
    [
        ([0, 1, 2, 3], 0.01, [0.0, 0.04, 0.08, 0.12]),  # 25 frames a second
        ([100, 101, 110], 0.01, [0.0, 0.04, 0.4]),  # does not begin at 0; the rate varies
        ([0, 1, 2, 3], 0.06, [0.0, 0.06, 0.12, 0.18]),  # slower to decode than to play: late, and none is dropped here
        ([0, 5, 10], 0.15, [0.0, 0.2, 0.4]),
    ],
)
def test_frames_come_when_they_are_due(ticks: list[int], decode_seconds: float, expected: list[float]) -> None:
    clock = ScriptedClock()
    recording = Recording(ticks, clock, decode_seconds)
    source = PacedSource(recording, clock_ns=clock, wait=clock.advance)
    frames = list(source)
    first_ns = frames[0].captured_at_ns
    assert [(frame.captured_at_ns - first_ns) / 1e9 for frame in frames] == pytest.approx(expected)
    assert [frame.pts for frame in frames] == ticks
    assert source.info.is_live


def test_closing_ends_the_waiting() -> None:
    clock = ScriptedClock()
    recording = Recording([0, 1_000_000], clock, 0.0)
    source = PacedSource(recording, clock_ns=clock)
    frames = iter(source)
    assert next(frames).pts == 0
    source.close()
    assert next(frames, None) is None  # due in eleven hours
    assert recording.closed
