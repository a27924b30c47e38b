"""Marks around a region of the picture: corner brackets, and a tag that names it (write thread)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.overlays.layout import Rect
from stream.overlays.panel import fill_round
from stream.overlays.text import cap_height, draw_text, fit_text, text_width
from stream.overlays.theme import DARK, SEMIBOLD, Colour, Sizes


def draw_brackets(canvas: NDArray[np.uint8], region_xyxy: NDArray[np.float32], colour: Colour, sizes: Sizes) -> Rect:
    """Draw four corner brackets around a region, in place, with some air, and return the box they span.

    Args:
        canvas: uint8 (H, W, 3), BGR.
        region_xyxy: float32 (4,), in pixels of the canvas; clipped to it.
        colour: of the brackets; a dark rim keeps them visible on paper of any colour.
        sizes: of the canvas.
    """
    height, width = canvas.shape[:2]
    air = np.array([-1, -1, 1, 1]) * (sizes.gap + sizes.line)
    limit = np.array([width, height, width, height])
    x1, y1, x2, y2 = (int(value) for value in np.clip(np.rint(region_xyxy) + air, 0, limit))
    box = Rect(x1, y1, x2 - x1, y2 - y1)
    rim = max(1, sizes.line // 4)
    rim_colour: Colour = (colour[0] // 3, colour[1] // 3, colour[2] // 3)
    strokes = _bracket_strokes(box, 2 * sizes.text, sizes.line)
    for left, top, stroke_width, stroke_height in strokes:
        outer = (left - rim, top - rim, stroke_width + 2 * rim, stroke_height + 2 * rim)
        cv2.rectangle(canvas, outer, rim_colour, cv2.FILLED)
    for stroke in strokes:
        cv2.rectangle(canvas, stroke, colour, cv2.FILLED)
    return box


def _bracket_strokes(box: Rect, longest_arm: int, line: int) -> list[Rect]:
    """The eight strokes of the brackets, just inside a box; shorter where the box is small."""
    arm = min(longest_arm, max(box.width, box.height) // 4)
    across, down = min(arm, box.width // 2), min(arm, box.height // 2)
    right, bottom = box.left + box.width, box.top + box.height
    strokes = []
    for top in (box.top, bottom - line):
        strokes += [Rect(box.left, top, across, line), Rect(right - across, top, across, line)]
    for left in (box.left, right - line):
        strokes += [Rect(left, box.top, line, down), Rect(left, bottom - down, line, down)]
    return strokes


def draw_tag(canvas: NDArray[np.uint8], label: str, note: str, box: Rect, colour: Colour, sizes: Sizes) -> None:
    """Draw a filled tag above a box, or below it where there is no room above; nothing on a canvas too small.

    Args:
        canvas: uint8 (H, W, 3), BGR.
        label: what the box holds; cut where it is long.
        note: shown whole after the label: `87%`.
        box: what is named.
        colour: of the tag; the text on it is dark.
        sizes: of the canvas.
    """
    height, width = canvas.shape[:2]
    padding = sizes.gap
    note_width = text_width(f" {note}", sizes.text, SEMIBOLD)
    room = min(sizes.panel_width, width) - 2 * padding - note_width
    shown = fit_text(label, room, sizes.text, SEMIBOLD)
    tag_height = cap_height(sizes.text) + 2 * padding
    if not shown or tag_height > height:
        return
    text = f"{shown} {note}"
    tag_width = text_width(text, sizes.text, SEMIBOLD) + 2 * padding
    above, below = box.top - padding - tag_height, box.top + box.height + padding
    top = above if above >= 0 else min(below, height - tag_height)
    place = Rect(max(0, min(box.left, width - tag_width)), top, tag_width, tag_height)
    fill_tag(canvas, text, place, colour, sizes.text, sizes.radius // 2)


def fill_tag(canvas: NDArray[np.uint8], text: str, place: Rect, colour: Colour, size_px: int, radius_px: int) -> None:
    """Fill a place of the canvas, in place, with a colour and a line of dark text in the middle."""
    view = place.view(canvas)
    fill_round(view, colour, radius_px)
    left = (place.width - text_width(text, size_px, SEMIBOLD)) // 2
    draw_text(view, text, left, (place.height - cap_height(size_px)) // 2, size_px, DARK, SEMIBOLD)
