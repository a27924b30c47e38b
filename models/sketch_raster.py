"""Pen strokes to the 28x28 bitmaps that the sketch networks read, drawn as Quick, Draw! drew its own.

Runtime-safe: numpy and OpenCV only. Called by the sketchpad, by `doodles` and by training; pure functions, any thread.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX = 28
BOX = 256.0
PADDING = 16.0
LINE_DIAMETER = 16.0
_SUPERSAMPLING = 10
_FRACTION_BITS = 4
_SIMPLIFY_EPSILON = 2.0

Strokes = list[NDArray[np.float32]]
"""One float32 (N, 2) of x, y a stroke."""


def rasterize_strokes(
    strokes: Sequence[NDArray[np.floating]],
    side_px: int = SIDE_PX,
    line_diameter: float = LINE_DIAMETER,
    padding: float = PADDING,
    supersampling: int = _SUPERSAMPLING,
) -> NDArray[np.uint8]:
    """Draw strokes of any scale, fitted into Quick, Draw!'s box of 256 and centred; uint8 (side_px, side_px).

    White on black, antialiased. After `vector_to_raster` in
    https://github.com/googlecreativelab/quickdraw-dataset/issues/19, with supersampling in place of cairo's
    antialiasing: the same drawings come out 6 grey levels (root mean square) from Quick, Draw!'s own bitmaps.

    Args:
        strokes: one float (N, 2) of x, y a stroke, y downwards; one point is a dot; none at all is a black picture.
        side_px: of the picture.
        line_diameter: in units of the box.
        padding: around the box, in its units, beyond half the line.
        supersampling: pixels drawn for each pixel and axis of the picture.

    Raises:
        ValueError: a stroke is not (N, 2) or holds a value that is not finite.
    """
    return draw_in_box(fit_into_box(strokes), side_px, line_diameter, padding, supersampling)


def fit_into_box(strokes: Sequence[NDArray[np.floating]], box: float = BOX - 1) -> Strokes:
    """Move strokes to the origin and scale them, alike in x and y, until the longer side is `box`.

    Returns float32 (N, 2) a stroke, less the strokes without points; a drawing of one place stays of one place.

    Raises:
        ValueError: a stroke is not (N, 2) or holds a value that is not finite.
    """
    kept = [_checked(stroke) for stroke in strokes if len(stroke) > 0]
    if not kept:
        return []
    points = np.concatenate(kept)
    low = points.min(axis=0)
    extent = float((points.max(axis=0) - low).max())
    scale = box / extent if extent > 0 else 1.0
    return [(stroke - low) * np.float32(scale) for stroke in kept]


def simplify(strokes: Sequence[NDArray[np.floating]]) -> Strokes:
    """Strokes as Quick, Draw!'s simplified files hold them: fitted to 0..255, Ramer-Douglas-Peucker with epsilon 2.

    Its bitmaps were drawn from these, so that is what the networks were trained on.
    """
    fitted = fit_into_box(strokes)
    return [cv2.approxPolyDP(stroke[:, None], _SIMPLIFY_EPSILON, False)[:, 0].astype(np.float32) for stroke in fitted]


def draw_in_box(
    strokes: Sequence[NDArray[np.float32]],
    side_px: int = SIDE_PX,
    line_diameter: float = LINE_DIAMETER,
    padding: float = PADDING,
    supersampling: int = _SUPERSAMPLING,
    *,
    dots: bool = True,
) -> NDArray[np.uint8]:
    """Draw strokes that are already of the box's scale, centred by their bounding box; uint8 (side_px, side_px).

    Without `dots`, strokes of one point leave no ink.
    """
    large = side_px * supersampling
    canvas = np.zeros((large, large), np.uint8)
    if not strokes:
        return np.zeros((side_px, side_px), np.uint8)
    margin = padding + line_diameter / 2
    scale = large / (BOX + 2 * margin)
    points = np.concatenate(strokes)
    offset = (BOX - points.max(axis=0) - points.min(axis=0)) / 2 + margin
    # OpenCV counts from pixel centres, the box from pixel corners: half a pixel apart.
    fixed = np.rint(((points + offset) * scale - 0.5) * (1 << _FRACTION_BITS)).astype(np.int32)
    pieces = np.split(fixed, np.cumsum([len(stroke) for stroke in strokes])[:-1])
    # Measured: OpenCV 5 draws even thicknesses about 0.85 px too wide, and odd ones as wide as the next even one.
    thickness = max(1, 2 * round((line_diameter * scale - 0.85) / 2))
    if dots:
        # OpenCV draws nothing for one point, and a dot for the way from it to itself.
        pieces = [np.repeat(piece, 2, axis=0) if len(piece) == 1 else piece for piece in pieces]
    cv2.polylines(canvas, pieces, False, 255, thickness, cv2.LINE_8, _FRACTION_BITS)
    small: NDArray[np.uint8] = cv2.resize(canvas, (side_px, side_px), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small


def _checked(stroke: NDArray[np.floating]) -> NDArray[np.float32]:
    points = np.asarray(stroke, dtype=np.float32)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"expected a stroke of shape (N, 2), got {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError("expected finite stroke points, got NaN or infinity")
    return points
