"""What has been counted: lines and zones on the picture, and a panel with the numbers (write thread)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.counting import Counts, LineCount, Point
from stream.overlays.layout import Layout, Rect
from stream.overlays.panel import draw_panel
from stream.overlays.region import fill_tag
from stream.overlays.text import cap_height, draw_text, fit_text, text_width
from stream.overlays.theme import DARK, QUIET_TEXT, SEMIBOLD, TEXT, WARNING, Colour, Sizes

_COLOUR: Colour = WARNING
_MOST_ROWS = 10


class Row(NamedTuple):
    """A row of the panel: what was counted, and how many."""

    caption: str
    value: str


def count_rows(counts: Counts) -> Iterator[Row]:
    """The rows of a panel: lines and zones as they are named, then the labels with the most objects first."""
    for name, line in counts.lines.items():
        yield Row(name, f"in {line.inwards}  out {line.outwards}")
    for name, zone in counts.zones.items():
        yield Row(name, f"{zone.present} inside")
    ever = counts.present if counts.unique is None else counts.unique
    for label in sorted(ever, key=lambda known: -ever[known]):
        in_all = "" if counts.unique is None else f" now, {ever[label]} in all"
        yield Row(label, f"{counts.present.get(label, 0)}{in_all}")


def draw_count_marks(canvas: NDArray[np.uint8], counts: Counts, layout: Layout) -> None:
    """Draw lines, with an arrow to the side that counts as in, and outlines of zones, with their names, in place."""
    sizes = layout.sizes
    for name, zone in counts.zones.items():
        corners = np.array([_to_pixels(corner, canvas) for corner in zone.corners], np.int32)
        _draw_way(canvas, corners, True, sizes.line)
        _draw_name(canvas, name, corners[0], sizes)
    for name, line in counts.lines.items():
        ends = np.array([_to_pixels(line.start, canvas), _to_pixels(line.end, canvas)], np.int32)
        _draw_way(canvas, ends, False, sizes.line)
        _draw_arrow(canvas, line, sizes)
        _draw_name(canvas, name, ends[0], sizes)


def draw_count_panel(canvas: NDArray[np.uint8], counts: Counts, title: str, layout: Layout) -> None:
    """Draw the numbers in place; nothing where there are none, or no room."""
    rows = list(count_rows(counts))[:_MOST_ROWS]
    sizes = layout.sizes
    rows_top = sizes.padding + cap_height(sizes.small) + 2 * sizes.gap
    pitch = cap_height(sizes.text) + 2 * sizes.gap
    heights = {rows_top + count * pitch - 2 * sizes.gap + sizes.padding: count for count in range(len(rows), 0, -1)}
    place = layout.place_at_side(min(sizes.panel_width, layout.width), list(heights))
    if place is None:
        return
    view = draw_panel(canvas, place, sizes.radius)
    room = place.width - 2 * sizes.padding
    heading = fit_text(f"{title}: counted", room, sizes.small)
    draw_text(view, heading, sizes.padding, sizes.padding, sizes.small, QUIET_TEXT)
    for index, row in enumerate(rows[: heights[place.height]]):
        top = rows_top + index * pitch
        value_width = text_width(row.value, sizes.text, SEMIBOLD)
        caption = fit_text(row.caption, room - value_width - sizes.gap, sizes.text)
        draw_text(view, caption, sizes.padding, top, sizes.text, TEXT)
        draw_text(view, row.value, place.width - sizes.padding - value_width, top, sizes.text, TEXT, SEMIBOLD)


def _draw_arrow(canvas: NDArray[np.uint8], line: LineCount, sizes: Sizes) -> None:
    """An arrow from the line's middle to the right of someone who walks from its start to its end."""
    start, end = (np.array(_to_pixels(point, canvas), np.float64) for point in (line.start, line.end))
    middle, along = (start + end) / 2, end - start
    length = float(np.hypot(*along))
    if length < 1:
        return
    tip = middle + np.array([-along[1], along[0]]) / length * 2 * sizes.text
    ends = [(round(float(x)), round(float(y))) for x, y in (middle, tip)]
    for colour, thickness in ((DARK, sizes.line + 2), (_COLOUR, sizes.line)):
        cv2.arrowedLine(canvas, ends[0], ends[1], colour, thickness, cv2.LINE_AA, tipLength=0.4)


def _draw_name(canvas: NDArray[np.uint8], name: str, point: NDArray[np.int32], sizes: Sizes) -> None:
    """The name in a tag at a point, moved into the picture; none where it does not fit."""
    padding = max(2, sizes.gap // 2)
    shown = fit_text(name, sizes.panel_width // 2, sizes.small, SEMIBOLD)
    width, height = text_width(shown, sizes.small, SEMIBOLD) + 2 * padding, cap_height(sizes.small) + 2 * padding + 2
    free_width, free_height = canvas.shape[1] - width, canvas.shape[0] - height
    if not shown or free_width < 0 or free_height < 0:
        return
    place = Rect(min(int(point[0]), free_width), min(int(point[1]), free_height), width, height)
    fill_tag(canvas, shown, place, _COLOUR, sizes.small, sizes.radius // 3)


def _draw_way(canvas: NDArray[np.uint8], points: NDArray[np.int32], is_closed: bool, line_px: int) -> None:
    for colour, thickness in ((DARK, line_px + 2), (_COLOUR, line_px)):
        cv2.polylines(canvas, [points], is_closed, colour, thickness, cv2.LINE_AA)


def _to_pixels(point: Point, canvas: NDArray[np.uint8]) -> tuple[int, int]:
    height, width = canvas.shape[:2]
    return round(point[0] * (width - 1)), round(point[1] * (height - 1))
