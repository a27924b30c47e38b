"""Which depths the colours of a stream span, steady from frame to frame (infer thread).

A map's own lowest and highest depth change with every frame, and with them all colours would flicker.
"""

from __future__ import annotations

import math
from dataclasses import replace

from models.results import DepthMap

_SETTLES_IN_SECONDS = 1.0
"""After which 63 % of a change are followed."""
_SAME_SCENE = 0.3
"""Of the range that two frames cover together: where they share less, the scene has changed."""


class DepthRange:
    """The range of one model's maps in one stream."""

    def __init__(self) -> None:
        """Nothing has been seen yet."""
        self._range: tuple[float, float] | None = None
        self._seen_seconds = 0.0

    def update(self, result: DepthMap, pts_seconds: float) -> DepthMap:
        """The map with the range to show it in: it follows the map's own slowly, and at once where the scene changes.

        Args:
            result: of the newest frame.
            pts_seconds: the frame's presentation time.
        """
        own = result.own_range()
        if own is not None:
            passed = max(0.0, pts_seconds - self._seen_seconds)
            self._range = _followed(self._range, own, 1 - math.exp(-passed / _SETTLES_IN_SECONDS))
        self._seen_seconds = pts_seconds
        return replace(result, shown_range=self._range)


def _followed(before: tuple[float, float] | None, own: tuple[float, float], share: float) -> tuple[float, float]:
    if before is None:
        return own
    common = min(before[1], own[1]) - max(before[0], own[0])
    together = max(before[1], own[1]) - min(before[0], own[0])
    if common < _SAME_SCENE * together:
        return own
    return before[0] + share * (own[0] - before[0]), before[1] + share * (own[1] - before[1])
