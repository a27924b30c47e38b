"""A frame as motion and change are looked for in it: small and grey (write thread, infer thread)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def small_grey(image: NDArray[np.uint8], longer_side_px: int) -> NDArray[np.uint8]:
    """A picture uint8 (H, W, 3), BGR, shrunken by the mean of its pixels, never enlarged.

    Args:
        image: the picture.
        longer_side_px: how long the longer side becomes.

    Returns:
        uint8 (h, w), with both sides 1 or more.
    """
    height, width = image.shape[:2]
    scale = min(1.0, longer_side_px / max(width, height))
    small_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Grey first: one channel is averaged instead of three.
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, small_wh, interpolation=cv2.INTER_AREA), np.uint8)
