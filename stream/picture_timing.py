"""Whether a picture waits for the models' answer on it, or goes on with the newest answer there is.

Told by the infer thread how long the models take, asked by the capture thread where each frame goes.
"""

from __future__ import annotations

import statistics
from collections import deque
from typing import Literal

Timing = Literal["auto", "exact", "latest"]
"""`exact`: a picture is shown with what was inferred on it. `latest`: it never waits, and the newest results are
carried to it. `auto`: exact, but latest for live sources that are faster than the models."""

_LOOKS = 9
_LEAST_LOOKS = 3
_BACK_AT = 0.7
"""Of the source's interval: so far must the models' time fall before pictures wait for them again."""


class PictureTiming:
    """Decides for one stream."""

    def __init__(self, wanted: Timing, *, is_live: bool, is_latest: bool = False) -> None:
        """Begin with exact pictures, unless the user wants the latest.

        Args:
            wanted: what the user asked for.
            is_live: whether frames come by the clock.
            is_latest: whether to begin with the latest where nobody wants either.
        """
        self._is_automatic = wanted == "auto" and is_live
        self._looks_seconds: deque[float] = deque(maxlen=_LOOKS)
        self.is_latest = wanted == "latest" or (self._is_automatic and is_latest)

    def looked(self, seconds: float, source_fps: float | None) -> None:
        """Note that the models have looked at a frame, and decide anew.

        Args:
            seconds: how long all that ran took together.
            source_fps: frames a second that the source gives; None where that is not known yet.
        """
        self._looks_seconds.append(seconds)
        if not self._is_automatic or not source_fps or len(self._looks_seconds) < _LEAST_LOOKS:
            return
        frames_missed = statistics.median(self._looks_seconds) * source_fps
        self.is_latest = frames_missed > (_BACK_AT if self.is_latest else 1.0)
