"""The speed of recorded material that somebody looks at: its own (write thread)."""

from __future__ import annotations

from collections.abc import Callable

_LAG_SECONDS = 0.25


class Pace:
    """When recorded frames are due, at the speed of their own time line."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Count from the first frame.

        Args:
            clock: seconds that only go forward.
        """
        self._clock = clock
        self._began: tuple[float, float] | None = None

    def reset(self) -> None:
        """Count from the next frame: the stream was held up."""
        self._began = None

    def seconds_until(self, pts_seconds: float) -> float:
        """Seconds until a frame of this time is due; a stream that lags is not hurried afterwards."""
        now = self._clock()
        if self._began is not None:
            left = self._began[0] + pts_seconds - self._began[1] - now
            if left > -_LAG_SECONDS:
                return left
        self._began = (now, pts_seconds)
        return 0.0
