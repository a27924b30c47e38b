"""What is drawn for a segmentation map: every pixel tinted by its class, and a legend by area (write thread)."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import UNLABELLED, SegmentationMap
from stream.overlays.layout import Layout, Rect
from stream.overlays.overlay import Overlay, OverlayKind
from stream.overlays.panel import draw_panel, fill_round
from stream.overlays.text import cap_height, draw_text, fit_text, text_width
from stream.overlays.theme import QUIET_TEXT, SEMIBOLD, TEXT, Sizes, class_colour
from stream.overlays.tinting import tint_map

_MOST_ROWS = 8
_CLEAR_ID = 255
_BACKGROUND = ("background", "__background__")


class SegmentationOverlay(Overlay[SegmentationMap]):
    """A tint over all that is something; what is background or unlabelled stays as it is."""

    def draw_areas(self, canvas: NDArray[np.uint8], result: SegmentationMap, layout: Layout) -> None:
        """Draw the map."""
        ids, colours = _colour_table(result.class_names)
        # Saturates: what is unlabelled becomes 255, the clear id.
        colour_ids = cv2.convertScaleAbs(result.class_map) if ids is None else cv2.LUT(result.class_map, ids)
        tint_map(canvas, np.asarray(colour_ids, np.uint8), colours, _CLEAR_ID, max(1, layout.sizes.line // 2))

    def draw_panel(self, canvas: NDArray[np.uint8], result: SegmentationMap, title: str, layout: Layout) -> None:
        """Draw the legend: the largest classes with their share; none where there is nothing, or no room."""
        shares = [
            (class_id, area) for class_id, area in result.shares() if not is_background(result.class_names[class_id])
        ]
        sizes = layout.sizes
        rows_top = sizes.padding + cap_height(sizes.small) + 2 * sizes.gap
        heights = {
            rows_top + count * _row_height(sizes) - 2 * sizes.gap + sizes.padding: count
            for count in range(min(len(shares), _MOST_ROWS), 0, -1)
        }
        place = layout.place_at_side(min(sizes.panel_width, layout.width), list(heights))
        if place is None:
            return
        view = draw_panel(canvas, place, sizes.radius)
        shown = fit_text(title, place.width - 2 * sizes.padding, sizes.small)
        draw_text(view, shown, sizes.padding, sizes.padding, sizes.small, QUIET_TEXT)
        for row, (class_id, area) in enumerate(shares[: heights[place.height]]):
            top = rows_top + row * _row_height(sizes)
            _draw_row(view, class_id, result.class_names[class_id], area, top, sizes)


def _draw_row(view: NDArray[np.uint8], class_id: int, label: str, area: float, top: int, sizes: Sizes) -> None:
    side = cap_height(sizes.text)
    swatch = Rect(sizes.padding, top, side, side).view(view)
    fill_round(swatch, class_colour(class_id), sizes.radius // 3)
    share = f"{area:.0%}" if area >= 0.01 else "<1%"
    right = view.shape[1] - sizes.padding
    left = sizes.padding + side + sizes.gap
    room = right - left - text_width("100%", sizes.text, SEMIBOLD) - sizes.gap
    draw_text(view, fit_text(label, room, sizes.text), left, top, sizes.text, TEXT)
    draw_text(view, share, right - text_width(share, sizes.text, SEMIBOLD), top, sizes.text, QUIET_TEXT, SEMIBOLD)


def _row_height(sizes: Sizes) -> int:
    return cap_height(sizes.text) + 2 * sizes.gap


def is_background(name: str) -> bool:
    """Whether a class of this name is what is left when all things are taken away, and so is not tinted."""
    return name.lower() in _BACKGROUND


@lru_cache(maxsize=8)
def _colour_table(class_names: tuple[str, ...]) -> tuple[NDArray[np.uint8] | None, NDArray[np.uint8]]:
    """From a class to its colour's id, and from a colour's id to its colour.

    Returns:
        uint8 (65536,), or None where the class is the id, and uint8 (256, 3), BGR.
    """
    colours = np.array([class_colour(class_id) for class_id in range(256)], np.uint8)
    background = [class_id for class_id, name in enumerate(class_names) if is_background(name)]
    if not background and len(class_names) <= _CLEAR_ID:
        return None, colours
    ids = np.arange(UNLABELLED + 1) % _CLEAR_ID
    ids[[*background, UNLABELLED]] = _CLEAR_ID
    return ids.astype(np.uint8), colours


OVERLAY = OverlayKind(result_type=SegmentationMap, make=SegmentationOverlay)
