"""Tints parts of a picture in the colours of what is there: masks of objects, maps of classes (write thread).

Everything is one blend of the picture with a painted copy: these are the dearest overlays.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.overlays.theme import Colour

_MASK_ALPHA = 0.45
_MAP_ALPHA = 0.5


def tint_masks(canvas: NDArray[np.uint8], masks: NDArray[np.bool_], colours: Sequence[Colour], line_px: int) -> None:
    """Blend colours into the pixels of masks, in place, and draw their contours.

    Args:
        canvas: uint8 (H, W, 3), BGR.
        masks: bool (N, H, W), the topmost first.
        colours: BGR, one a mask.
        line_px: thickness of the contours.
    """
    painted = canvas.copy()
    outlines = []
    top, left, bottom, right = *canvas.shape[:2], 0, 0
    # Filling an outline is several times as fast as any operation on the pixels of a mask.
    for mask, colour in zip(masks[::-1], colours[::-1], strict=True):
        extent = _extent(mask)
        if extent is not None:
            rows, columns = extent
            inside, offset = mask[extent].view(np.uint8), (columns.start, rows.start)
            contours, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=offset)
            cv2.drawContours(painted, contours, -1, colour, cv2.FILLED)
            outlines.append((contours, colour))
            top, bottom = min(top, rows.start), max(bottom, rows.stop)
            left, right = min(left, columns.start), max(right, columns.stop)
    if not outlines:
        return
    seen = np.s_[top:bottom, left:right]
    cv2.addWeighted(canvas[seen], 1 - _MASK_ALPHA, painted[seen], _MASK_ALPHA, 0, dst=canvas[seen])
    # Not antialiased: that alone would cost more than all the rest.
    for contours, colour in outlines:
        cv2.drawContours(canvas, contours, -1, colour, line_px)


def _extent(mask: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """The rows and columns that hold all of a mask bool (H, W); None where there is nothing.

    A quarter of the time of `cv2.boundingRect`.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[top:bottom].any(axis=0))
    return slice(top, bottom), slice(int(columns[0]), int(columns[-1]) + 1)


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
