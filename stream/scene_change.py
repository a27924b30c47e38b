"""Whether a frame shows anything that the last inferred one did not: `skip_unchanged` (infer thread)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frame import Frame
from stream.grey_view import small_grey

_SMALL_LONGER_SIDE_PX = 320
_BLOCK_PX = 8
_MOST_CHANGE = 10.0
"""Grey levels, of 255, by which the mean of a block may differ."""
_MOST_SKIPPED_SECONDS = 2.0


class SceneChange:
    """Compares each frame with the last one that the model looked at.

    The measure: both are shrunken and grey, which averages a camera's noise away; the mean absolute difference is taken
    in blocks of 8x8, so that something small counts as much as something large; the largest block decides. What slowly
    adds up is seen, because the comparison is with the frame that the model saw, and after two seconds it looks anyway.
    """

    def __init__(self) -> None:
        """Nothing has been looked at."""
        self._seen: NDArray[np.uint8] | None = None
        self._seen_seconds = 0.0

    def is_unchanged(self, frame: Frame) -> bool:
        """Whether the model may be skipped; where it may not, the frame is what later ones are compared with."""
        grey = small_grey(frame.image, _SMALL_LONGER_SIDE_PX)
        age_seconds = frame.pts_seconds - self._seen_seconds
        if (
            self._seen is not None
            and self._seen.shape == grey.shape
            and 0 <= age_seconds < _MOST_SKIPPED_SECONDS
            and largest_block_change(self._seen, grey) <= _MOST_CHANGE
        ):
            return True
        self._seen, self._seen_seconds = grey, frame.pts_seconds
        return False


def largest_block_change(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """The largest mean absolute difference of two grey pictures uint8 (H, W) in any block of 8x8, in grey levels."""
    difference = cv2.absdiff(before, after)
    means = cv2.blur(difference, (_BLOCK_PX, _BLOCK_PX), borderType=cv2.BORDER_REPLICATE)
    return float(means.max())
