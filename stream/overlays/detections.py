"""What is drawn for detections: masks, boxes over them, and a label a box (write thread)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import Detections
from stream.overlays.labels import draw_labels, object_texts
from stream.overlays.layout import Layout
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
        boxes_xyxy = np.rint(result.boxes_xyxy).astype(np.int64)
        # Around a mask with contours, a box only has to hold its label.
        line, rim = (sizes.line, max(1, sizes.line // 4)) if result.masks is None else (max(1, sizes.line // 3), 0)
        draw_boxes(canvas, boxes_xyxy, colours, line, rim)
        draw_labels(canvas, object_texts(result), boxes_xyxy, colours, sizes)


def _colours(result: Detections) -> list[Colour]:
    return [class_colour(class_id) for class_id in result.class_ids.tolist()]


def draw_boxes(
    canvas: NDArray[np.uint8], boxes_xyxy: NDArray[np.int64], colours: list[Colour], line: int, rim: int
) -> None:
    """Draw boxes whose lines lie within them, the first on top; a dark rim keeps them visible on any ground."""
    height, width = canvas.shape[:2]
    # Whatever a box is, a line of it is in the picture.
    starts = np.clip(boxes_xyxy[:, :2], 0, (width - 1, height - 1))
    ends = np.clip(boxes_xyxy[:, 2:], starts + 1, (width, height))
    frames = np.hstack([starts, ends])
    # One dark frame below, wide enough to show on both sides of the line.
    rims = _frame_outlines(frames + np.array([-rim, -rim, rim, rim]), line + 2 * rim)
    lines = _frame_outlines(frames, line)
    for rim_outlines, line_outlines, colour in zip(rims[::-1], lines[::-1], colours[::-1], strict=True):
        if rim:
            cv2.fillPoly(canvas, rim_outlines, (colour[0] // 3, colour[1] // 3, colour[2] // 3))
        cv2.fillPoly(canvas, line_outlines, colour)


def _frame_outlines(boxes_xyxy: NDArray[np.int64], line: int) -> list[list[NDArray[np.int32]]]:
    """For each box the outlines (4, 2) between which its frame is filled; no inner one where the frame fills the box.

    A line of an even thickness drawn along the box would lie half outside, and edges drawn one by one take longer.
    """
    # Outlines are filled, too.
    outer = boxes_xyxy - np.array([0, 0, 1, 1])
    inner = boxes_xyxy + np.array([line - 1, line - 1, -line, -line])
    is_hollow = np.all(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2] > 2 * line, axis=1)
    corners = [box[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2).astype(np.int32) for box in (outer, inner)]
    return [list(pair[: 1 + hollow]) for *pair, hollow in zip(*corners, is_hollow.tolist(), strict=True)]


OVERLAY = OverlayKind(result_type=Detections, make=DetectionsOverlay)
