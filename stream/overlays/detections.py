"""What is drawn for detections: masks, boxes over them, and a label a box (write thread)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.results import Detections
from stream.overlays.labels import draw_labels, object_texts, whole_pixels
from stream.overlays.layout import Layout, Rect
from stream.overlays.overlay import Overlay, OverlayKind
from stream.overlays.theme import Colour, class_colour
from stream.overlays.tinting import tint_masks


class DetectionsOverlay(Overlay[Detections]):
    """Masks and boxes in the colours of their classes; the likeliest objects lie on top, and choose labels first."""

    def draw_areas(self, canvas: NDArray[np.uint8], result: Detections, layout: Layout) -> None:
        """Draw the masks, where there are any."""
        if result.masks is not None:
            tint_masks(canvas, result.masks, _colours(result), max(1, layout.sizes.line // 2))

    def draw_marks(self, canvas: NDArray[np.uint8], result: Detections, layout: Layout) -> None:
        """Draw boxes and labels; nothing where there are no objects."""
        colours = _colours(result)
        sizes = layout.sizes
        boxes = [whole_pixels(box) for box in result.boxes_xyxy]
        # Around a mask with contours, a box only has to hold its label.
        line, rim = (sizes.line, max(1, sizes.line // 4)) if result.masks is None else (max(1, sizes.line // 3), 0)
        for box, colour in zip(boxes[::-1], colours[::-1], strict=True):
            _draw_box(canvas, box, colour, line, rim)
        draw_labels(canvas, object_texts(result), boxes, colours, sizes)


def _colours(result: Detections) -> list[Colour]:
    return [class_colour(class_id) for class_id in result.class_ids.tolist()]


def _draw_box(canvas: NDArray[np.uint8], box: Rect, colour: Colour, line: int, rim: int) -> None:
    """Draw a box whose lines lie within it; a dark rim keeps them visible on a ground of any colour."""
    height, width = canvas.shape[:2]
    # Whatever a box is, a line of it is in the picture.
    left, top = min(max(box.left, 0), width - 1), min(max(box.top, 0), height - 1)
    right = max(left + 1, min(box.left + box.width, width))
    bottom = max(top + 1, min(box.top + box.height, height))
    if rim:
        dark: Colour = (colour[0] // 3, colour[1] // 3, colour[2] // 3)
        _fill_frame(canvas[max(0, top - rim) : bottom + rim, max(0, left - rim) : right + rim], dark, rim)
        # Not below 0, from where slices count back from the other end.
        _fill_frame(canvas[top + line : max(0, bottom - line), left + line : max(0, right - line)], dark, rim)
    _fill_frame(canvas[top:bottom, left:right], colour, line)


def _fill_frame(view: NDArray[np.uint8], colour: Colour, line: int) -> None:
    # Not cv2.rectangle: a line of an even thickness would lie half outside.
    for edge in (view[:line], view[-line:], view[:, :line], view[:, -line:]):
        edge[:] = colour


OVERLAY = OverlayKind(result_type=Detections, make=DetectionsOverlay)
