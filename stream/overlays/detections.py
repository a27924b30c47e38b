"""What is drawn for detections: masks, boxes over them, and a label a box (write thread)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.results import Detections
from stream.overlays.labels import LabelPlaces
from stream.overlays.layout import Layout, Rect
from stream.overlays.overlay import Overlay, OverlayKind
from stream.overlays.region import fill_tag
from stream.overlays.score_bars import percent
from stream.overlays.text import cap_height, fit_text, text_width
from stream.overlays.theme import SEMIBOLD, Colour, Sizes, class_colour
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
        boxes = [_whole_pixels(box) for box in result.boxes_xyxy]
        # Around a mask with contours, a box only has to hold its label.
        line, rim = (sizes.line, max(1, sizes.line // 4)) if result.masks is None else (max(1, sizes.line // 3), 0)
        for box, colour in zip(boxes[::-1], colours[::-1], strict=True):
            draw_box(canvas, box, colour, line, rim)
        _draw_labels(canvas, _texts(result), boxes, colours, sizes)


def _colours(result: Detections) -> list[Colour]:
    return [class_colour(class_id) for class_id in result.class_ids.tolist()]


def _whole_pixels(box_xyxy: NDArray[np.float32]) -> Rect:
    left, top, right, bottom = (round(float(value)) for value in box_xyxy)
    return Rect(left, top, right - left, bottom - top)


def draw_box(canvas: NDArray[np.uint8], box: Rect, colour: Colour, line: int, rim: int) -> None:
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


def _texts(result: Detections) -> list[tuple[str, str]]:
    """For each object its name, and what is said after it and never cut: track and score."""
    tracks = [""] * len(result) if result.track_ids is None else [f" #{track_id}" for track_id in result.track_ids]
    scores = result.scores.tolist()
    return [
        (label, f"{track} {percent(score)}") for label, track, score in zip(result.labels, tracks, scores, strict=True)
    ]


def _draw_labels(
    canvas: NDArray[np.uint8],
    texts: list[tuple[str, str]],
    boxes: list[Rect],
    colours: list[Colour],
    sizes: Sizes,
) -> None:
    height, width = canvas.shape[:2]
    places = LabelPlaces(width, height)
    padding = max(2, sizes.gap // 2)
    # Descenders and accents need more than the height of capitals.
    tag_height = cap_height(sizes.small) + 2 * padding + 2
    widest = min(sizes.panel_width, width) - 2 * padding
    tags = []
    for (label, note), box, colour in zip(texts, boxes, colours, strict=True):
        shown = fit_text(label, widest - text_width(note, sizes.small, SEMIBOLD), sizes.small, SEMIBOLD)
        if not shown:
            continue
        tag_width = text_width(shown + note, sizes.small, SEMIBOLD) + 2 * padding
        place = places.place(box, tag_width, tag_height)
        if place is not None:
            tags.append((shown + note, place, colour))
    for text, place, colour in reversed(tags):
        fill_tag(canvas, text, place, colour, sizes.small, sizes.radius // 3)


OVERLAY = OverlayKind(result_type=Detections, make=DetectionsOverlay)
