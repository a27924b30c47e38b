"""Tints parts of a picture in the colours of what is there: masks of objects, maps of classes (write thread).

Everything is a table look-up or a blend of OpenCV's over as few pixels as can be: these are the dearest overlays.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.overlays.theme import Colour

_MASK_ALPHA = 0.45
_MAP_ALPHA = 0.5


def tint_mask(canvas: NDArray[np.uint8], mask: NDArray[np.bool_], colour: Colour, line_px: int) -> None:
    """Blend a colour into a mask's pixels, in place, and draw its contours.

    Args:
        canvas: uint8 (H, W, 3), BGR.
        mask: bool (H, W).
        colour: BGR.
        line_px: thickness of the contours.
    """
    bits = mask.view(np.uint8)
    left, top, width, height = cv2.boundingRect(bits)
    if not width:
        return
    part = np.s_[top : top + height, left : left + width]
    view, inside = canvas[part], bits[part]
    cv2.copyTo(cv2.LUT(view, _blend_table(colour)), inside, view)
    contours, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(canvas, contours, -1, colour, line_px, cv2.LINE_AA, offset=(left, top))


def tint_map(
    canvas: NDArray[np.uint8], colour_ids: NDArray[np.uint8], colours: NDArray[np.uint8], clear_id: int, line_px: int
) -> None:
    """Blend each pixel's colour in, in place, and draw the borders between colours.

    Args:
        canvas: uint8 (H, W, 3), BGR.
        colour_ids: uint8 (H, W), indices into `colours`.
        colours: uint8 (256, 3), BGR.
        clear_id: pixels of this id stay as they are.
        line_px: thickness of the borders, on either side.
    """
    painted = cv2.applyColorMap(colour_ids, colours.reshape(256, 1, 3))
    blended = cv2.addWeighted(canvas, 1 - _MAP_ALPHA, painted, _MAP_ALPHA, 0)
    # A border is where the neighbourhood holds two ids; each side keeps its own colour, at full strength.
    side = 2 * line_px + 1
    borders = cv2.morphologyEx(colour_ids, cv2.MORPH_GRADIENT, np.ones((side, side), np.uint8))
    cv2.copyTo(painted, borders, blended)
    cv2.copyTo(blended, np.not_equal(colour_ids, clear_id).view(np.uint8), canvas)


@lru_cache(maxsize=256)
def _blend_table(colour: Colour) -> NDArray[np.uint8]:
    """What becomes of each level under a tint, uint8 (1, 256, 3)."""
    levels = np.arange(256)[None, :, None] * (1 - _MASK_ALPHA) + np.array(colour) * _MASK_ALPHA
    return np.rint(levels).astype(np.uint8)
