"""The last frames of a stream, so that a click can mean the one that its viewer saw.

Filled on the capture thread, read on the infer thread.
"""

from __future__ import annotations

import threading
from collections import deque

from stream.frame import Frame

_SECONDS = 3.0
_MOST_BYTES = 256 * 1024 * 1024
_AT_MOST_OFF_SECONDS = 0.5
"""A time stamp that has been through a browser is not exact; one that is further off means no frame that is here."""


class FrameMemory:
    """Frames of the last three seconds, and never more than 256 MB of them."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._lock = threading.Lock()
        self._frames: deque[Frame] = deque()
        self._bytes = 0

    def note(self, frame: Frame) -> None:
        """Remember a frame; the oldest are forgotten."""
        with self._lock:
            self._frames.append(frame)
            self._bytes += frame.image.nbytes
            while len(self._frames) > 1 and (
                self._bytes > _MOST_BYTES or frame.pts_seconds - self._frames[0].pts_seconds > _SECONDS
            ):
                self._bytes -= self._frames.popleft().image.nbytes

    def at(self, pts_seconds: float) -> Frame | None:
        """The frame that is nearest to a time; None where that time is over, or has not come."""
        with self._lock:
            nearest = min(self._frames, key=lambda frame: abs(frame.pts_seconds - pts_seconds), default=None)
        if nearest is None or abs(nearest.pts_seconds - pts_seconds) > _AT_MOST_OFF_SECONDS:
            return None
        return nearest

    def between(self, first: Frame, last: Frame) -> list[Frame]:
        """The frames after one and before another."""
        with self._lock:
            return [frame for frame in self._frames if first.index < frame.index < last.index]
