"""Finds places for the labels of boxes: inside the picture, and not on one another where that can be (write thread)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.overlays.layout import Rect

_MOST_COVERED = 0.2
"""Of a label: one that would share more of its area with others says less than it hides."""


class LabelPlaces:
    """The labels of one frame; whoever asks first has the first choice."""

    def __init__(self, width: int, height: int) -> None:
        """A frame of a width and a height in pixels, without labels."""
        self._frame = (width, height)
        self._taken: list[tuple[int, int, int, int]] = []

    def place(self, box: Rect, width: int, height: int) -> Rect | None:
        """The best place for a label of a width and a height near a box.

        Returns:
            The place, or None where the picture has no room, or other labels have it.
        """
        if width > self._frame[0] or height > self._frame[1]:
            return None
        corners = np.array(self._choices(box, width, height))
        choices = np.hstack([corners, corners + np.array([width, height])])
        shared = _shared_areas(choices, np.array(self._taken).reshape(-1, 4))
        best = int(shared.argmin())
        if shared[best] > _MOST_COVERED * width * height:
            return None
        left, top, right, bottom = choices[best].tolist()
        self._taken.append((left, top, right, bottom))
        return Rect(left, top, width, height)

    def _choices(self, box: Rect, width: int, height: int) -> list[tuple[int, int]]:
        """Left and top of places in the frame, the best first: above the box, in it, below it; at its left or right."""
        lowest, rightmost = self._frame[1] - height, self._frame[0] - width
        bottom = box.top + box.height
        tops = [top for top in (box.top - height, box.top, bottom - height, bottom) if 0 <= top <= lowest]
        # None of these is in the frame where the box is higher than it, or its top is at the lower edge.
        tops = tops or [min(max(box.top, 0), lowest)]
        lefts = (box.left, box.left + box.width - width)
        return [(min(max(left, 0), rightmost), top) for top in tops for left in lefts]


def _shared_areas(choices: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each choice (N, 4) the area that it shares with rectangles (K, 4), both xyxy, as int (N,)."""
    ends = np.minimum(choices[:, None, 2:], others[None, :, 2:])
    starts = np.maximum(choices[:, None, :2], others[None, :, :2])
    return np.asarray((ends - starts).clip(0).prod(axis=2).sum(axis=1))
