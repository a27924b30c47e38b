"""What is drawn for a depth map: near is bright, far is dark, and a scale says which is which (write thread)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import DepthMap
from stream.overlays.layout import Layout, Rect
from stream.overlays.overlay import Overlay, OverlayKind
from stream.overlays.panel import draw_panel
from stream.overlays.text import cap_height, draw_text, fit_text, text_width
from stream.overlays.theme import QUIET_TEXT, TEXT

# Perceptually uniform, and its lightness alone tells near from far.
_COLOUR_MAP = cv2.COLORMAP_INFERNO
_FARTHEST_LEVEL = 28
"""Of 255: what is darker is nearly black, where neither depth nor picture can be seen."""
_ALPHA = 0.85
_WHOLE_FROM_METRES = 10


class DepthOverlay(Overlay[DepthMap]):
    """The picture in the colours of its depths, itself just visible beneath; what is unknown stays as it is."""

    def draw_areas(self, canvas: NDArray[np.uint8], result: DepthMap, layout: Layout) -> None:  # noqa: ARG002 - Overlay
        """Draw the map."""
        if shown_range(result) is None:
            return
        colours = depth_colours(result)
        painted = cv2.addWeighted(canvas, 1 - _ALPHA, colours, _ALPHA, 0)
        cv2.copyTo(painted, np.isfinite(result.values).view(np.uint8), canvas)

    def draw_panel(self, canvas: NDArray[np.uint8], result: DepthMap, title: str, layout: Layout) -> None:
        """Draw the scale, with metres where the model gives them; none where nothing is known, or no room."""
        span = shown_range(result)
        if span is None:
            return
        sizes = layout.sizes
        bar_top = sizes.padding + cap_height(sizes.small) + 2 * sizes.gap
        names_top = bar_top + sizes.text + 2 * sizes.gap
        height = names_top + cap_height(sizes.small) + sizes.padding
        place = layout.place_at_side(min(sizes.panel_width, layout.width), [height])
        if place is None:
            return
        view = draw_panel(canvas, place, sizes.radius)
        room = place.width - 2 * sizes.padding
        if room <= 0:
            return
        draw_text(view, fit_text(title, room, sizes.small), sizes.padding, sizes.padding, sizes.small, QUIET_TEXT)
        _fill_scale(Rect(sizes.padding, bar_top, room, sizes.text).view(view))
        near, far = ("near", "far") if result.unit is None else _in_metres(*span)
        draw_text(view, fit_text(near, room // 2, sizes.small), sizes.padding, names_top, sizes.small, TEXT)
        shown = fit_text(far, room // 2, sizes.small)
        left = place.width - sizes.padding - text_width(shown, sizes.small)
        draw_text(view, shown, left, names_top, sizes.small, TEXT)


def shown_range(result: DepthMap) -> tuple[float, float] | None:
    """Lowest and highest value that colours tell apart; None where nothing is known."""
    return result.shown_range or result.own_range()


def depth_colours(result: DepthMap) -> NDArray[np.uint8]:
    """The colours of a map, uint8 (H, W, 3), BGR: bright is near; without a meaning where the depth is unknown."""
    span = shown_range(result)
    if span is None:
        return np.zeros((*result.values.shape, 3), np.uint8)
    farthest, nearest = span if result.kind == "inverse" else span[::-1]
    step = (255 - _FARTHEST_LEVEL) / (nearest - farthest)
    shown = np.clip(result.values, np.float32(span[0]), np.float32(span[1]))
    levels = cv2.convertScaleAbs(shown, alpha=step, beta=_FARTHEST_LEVEL - farthest * step)
    return np.asarray(cv2.applyColorMap(levels, _COLOUR_MAP), np.uint8)


def _fill_scale(view: NDArray[np.uint8]) -> None:
    levels = np.linspace(255, _FARTHEST_LEVEL, view.shape[1]).astype(np.uint8)[None]
    view[:] = cv2.applyColorMap(levels, _COLOUR_MAP)


def _in_metres(nearest: float, farthest: float) -> tuple[str, str]:
    near, far = (f"{metres:.{0 if metres >= _WHOLE_FROM_METRES else 1}f} m" for metres in (nearest, farthest))
    return f"near {near}", f"far {far}"


OVERLAY = OverlayKind(result_type=DepthMap, make=DepthOverlay)
