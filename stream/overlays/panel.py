"""The ground of every panel: translucent, dark, with round corners. Called by overlays on the write thread.

Only the panel's own pixels are touched: a blend of the whole frame would cost more than all the rest of an overlay.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.overlays.layout import Rect
from stream.overlays.theme import PANEL_ALPHA, PANEL_LEVEL, Colour


def draw_panel(canvas: NDArray[np.uint8], place: Rect, radius_px: int) -> NDArray[np.uint8]:
    """Darken a place of the canvas, in place, and return its view, uint8 (height, width, 3), to draw on."""
    view = place.view(canvas)
    radius = _radius_within(view, radius_px)
    corners = _corner_views(view, radius)
    before = [corner.copy() for corner in corners]
    cv2.convertScaleAbs(view, dst=view, alpha=1 - PANEL_ALPHA, beta=PANEL_LEVEL * PANEL_ALPHA)
    for corner, picture, (inside, outside) in zip(corners, before, _corner_weights(radius), strict=True):
        cv2.blendLinear(corner, picture, inside, outside, dst=corner)
    return view


def fill_round(view: NDArray[np.uint8], colour: Colour, radius_px: int) -> None:
    """Fill a view uint8 (H, W, 3) of the canvas with a colour, in place, but for what lies outside round corners."""
    height, width = view.shape[:2]
    radius = _radius_within(view, radius_px)
    # Crowded pictures have a hundred of these: nothing is saved and put back, no pixel is filled twice.
    cv2.rectangle(view, (radius, 0, width - 2 * radius, height), colour, cv2.FILLED)
    if not radius:
        return
    sides = (view[:, :radius], view[:, width - radius :])
    patch = _patch(colour, height, radius)
    for side, (inside, outside) in zip(sides, _side_weights(height, radius), strict=True):
        cv2.blendLinear(patch, side, inside, outside, dst=side)


def _radius_within(view: NDArray[np.uint8], radius_px: int) -> int:
    return min(radius_px, *(int(side) // 2 for side in view.shape[:2]))


def _corner_views(view: NDArray[np.uint8], radius: int) -> list[NDArray[np.uint8]]:
    if not radius:
        return []
    return [view[:radius, :radius], view[:radius, -radius:], view[-radius:, :radius], view[-radius:, -radius:]]


@lru_cache(maxsize=256)
def _patch(colour: Colour, height: int, width: int) -> NDArray[np.uint8]:
    """One colour, uint8 (height, width, 3)."""
    return np.full((height, width, 3), colour, np.uint8)


@lru_cache(maxsize=16)
def _side_weights(height: int, radius: int) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """As `_corner_weights`, for the left and the right side of a round rectangle, float32 (height, radius)."""
    straight = np.ones((height - 2 * radius, radius), np.float32)
    weights = [inside for inside, _ in _corner_weights(radius)]
    insides = [np.vstack([weights[side], straight, weights[side + 2]]) for side in (0, 1)]
    return [(inside, 1 - inside) for inside in insides]


@lru_cache(maxsize=16)
def _corner_weights(radius: int) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """For each corner, how much of a pixel lies inside the round and outside of it, float32 (radius, radius)."""
    if not radius:
        return []
    to_centre = radius - 0.5 - np.arange(radius, dtype=np.float32)
    distance = np.hypot(to_centre[:, None], to_centre[None, :])
    top_left = np.clip(radius + 0.5 - distance, 0, 1).astype(np.float32)
    insides = [top_left, top_left[:, ::-1], top_left[::-1], top_left[::-1, ::-1]]
    return [(np.ascontiguousarray(inside), np.ascontiguousarray(1 - inside)) for inside in insides]
