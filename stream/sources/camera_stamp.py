"""Gives the pictures of a camera their index and time, and sees whether it keeps its promised rate (reader thread)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from stream.frame import Frame

TIME_BASE = Fraction(1, 1_000_000)
"""Seconds a tick."""

SLOW_SHARE = 0.7
MEASURED_SECONDS = 3.0
"""A camera that gives less than this share of the promised rate over this time is said to."""


class FrameStamp:
    """Makes frames of a camera's pictures.

    Attributes:
        promised: the rate in frames a second that the camera says it gives; None where it does not, or was judged.
    """

    def __init__(self) -> None:
        """Before the first picture."""
        self.promised: float | None = None
        self._first_ns: int | None = None
        self._count = 0
        self._last_pts = -1
        self._measured_from: tuple[int, int] | None = None

    def frame(self, image: NDArray[np.uint8], captured_ns: int) -> Frame:
        """The next frame: its time is that of its capture, from the first one on."""
        if self._first_ns is None:
            self._first_ns = captured_ns
        pts = max((captured_ns - self._first_ns) // 1000, self._last_pts + 1)
        frame = Frame(image, pts, TIME_BASE, self._count, captured_ns)
        self._last_pts = pts
        self._count += 1
        return frame

    def interrupted(self) -> None:
        """Measure the rate anew: the camera was gone."""
        self._measured_from = None

    def slow_rate(self, frame: Frame) -> float | None:
        """Once, where the camera does not keep its promise: frames a second as measured."""
        if self._measured_from is None:
            self._measured_from = (frame.index, frame.captured_at_ns)
        first_index, first_ns = self._measured_from
        span_ns = frame.captured_at_ns - first_ns
        if self.promised is None or span_ns < MEASURED_SECONDS * 1e9:
            return None
        measured = (frame.index - first_index) * 1e9 / span_ns
        is_slow, self.promised = measured < SLOW_SHARE * self.promised, None
        return measured if is_slow else None
