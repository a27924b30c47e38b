"""Moves maps of a whole picture, of classes or depths, as the picture itself has moved (write thread)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import UNLABELLED, DepthMap, SegmentationMap

_OUTSIDE = -1e6
"""As a place: farther from the picture than any mean of it with places in the picture comes near."""

_NO_MAP: Any = None
"""Of OpenCV's two maps the second, where the first holds x and y; its stub asks for one."""


class MapWay:
    """Where each pixel of a later frame was on the frame on which a map was found, at the size of the flow."""

    def __init__(self, size_hw: tuple[int, int]) -> None:
        """Nothing has moved.

        Args:
            size_hw: of the flow in pixels.
        """
        self._places = _places(*size_hw)
        self._origins = self._places

    def go(self, back: NDArray[np.float32]) -> None:
        """Go on to a later frame.

        Args:
            back: the flow from that frame back to the one before, float32 (h, w, 2).
        """
        before = self._places + back
        height, width = back.shape[:2]
        origins = cv2.remap(self._origins, before, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        # What has come in over the border was on no frame before.
        outside = ((before < -0.5) | (before > np.array([width, height]) - 0.5)).any(axis=2)
        origins[outside] = _OUTSIDE
        self._origins = np.asarray(origins, np.float32)

    def moved(self, result: SegmentationMap | DepthMap) -> SegmentationMap | DepthMap:
        """A map as it is now; unlabelled, or without a depth, where nothing of it is known."""
        values = result.class_map if isinstance(result, SegmentationMap) else result.values
        height, width = values.shape
        scale = np.array([width / self._places.shape[1], height / self._places.shape[0]], np.float32)
        if np.abs((self._origins - self._places) * scale).max() < 0.5:
            return result
        origins = cv2.resize((self._origins + 0.5) * scale - 0.5, (width, height), interpolation=cv2.INTER_LINEAR)
        unknown = UNLABELLED if isinstance(result, SegmentationMap) else np.nan
        now = cv2.remap(
            values, origins, _NO_MAP, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=float(unknown)
        )
        if isinstance(result, SegmentationMap):
            return replace(result, class_map=np.asarray(now, np.uint16))
        return replace(result, values=np.asarray(now, np.float32))


def _places(height: int, width: int) -> NDArray[np.float32]:
    """Each pixel's own place, float32 (h, w, 2), x first."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([columns, rows], axis=2)
