"""The ground of every panel: translucent, dark, with round corners. Called by overlays on the write thread.

Only the panel's own pixels are touched: a blend of the whole frame would cost more than all the rest of an overlay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.overlays.layout import Rect
from stream.overlays.theme import PANEL_ALPHA, PANEL_LEVEL


def draw_panel(canvas: NDArray[np.uint8], place: Rect, radius_px: int) -> NDArray[np.uint8]:
    """Darken a place of the canvas, in place, and return its view, uint8 (height, width, 3), to draw on."""
    view = place.view(canvas)
    with round_corners(view, radius_px):
        cv2.convertScaleAbs(view, dst=view, alpha=1 - PANEL_ALPHA, beta=PANEL_LEVEL * PANEL_ALPHA)
    return view


@contextmanager
def round_corners(view: NDArray[np.uint8], radius_px: int) -> Iterator[None]:
    """What is filled within the block, in place on a view uint8 (H, W, 3), leaves the picture outside round corners."""
    radius = min(radius_px, view.shape[0] // 2, view.shape[1] // 2)
    corners = _corner_views(view, radius)
    before = [corner.copy() for corner in corners]
    yield
    for corner, picture, (inside, outside) in zip(corners, before, _corner_weights(radius), strict=True):
        cv2.blendLinear(corner, picture, inside, outside, dst=corner)


def _corner_views(view: NDArray[np.uint8], radius: int) -> list[NDArray[np.uint8]]:
    if not radius:
        return []
    return [view[:radius, :radius], view[:radius, -radius:], view[-radius:, :radius], view[-radius:, -radius:]]


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
