"""The ways that tracked objects have lately come: short tails under their boxes (write thread)."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.overlays.layout import Layout
from stream.overlays.theme import Colour, class_colour
from stream.tracking import Tail

_SUBPIXEL_BITS = 3
_MOST_POINTS = 12
"""About so many a tail: strokes cost by their number, and a smooth way needs no more."""


def draw_tails(canvas: NDArray[np.uint8], tails: Iterable[Tail], layout: Layout) -> None:
    """Draw a line a track, in place, in the colour of its class and with a dark rim; thick where it is newest.

    Args:
        canvas: uint8 (H, W, 3), BGR.
        tails: of the frame, in its pixels.
        layout: the frame's sizes of lines.
    """
    line = layout.sizes.line
    for tail in tails:
        colour = class_colour(tail.class_id)
        dark: Colour = (colour[0] // 3, colour[1] // 3, colour[2] // 3)
        # Thinned out from the newest on, which is where the object is.
        chosen = tail.points_xy[:: -max(1, len(tail.points_xy) // _MOST_POINTS)][::-1]
        points = np.rint(chosen * (1 << _SUBPIXEL_BITS)).astype(np.int32, order="C")
        newest = points[len(points) // 2 :]
        for part, shade, thickness in (
            (points, dark, line + 1),
            (newest, dark, line + 2),
            (points, colour, max(1, line - 1)),
            (newest, colour, line),
        ):
            cv2.polylines(canvas, [part], False, shade, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
