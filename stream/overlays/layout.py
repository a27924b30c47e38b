"""Where panels lie in one frame: results stack down the right side, the HUD lies at the bottom, none on another.

`stream.overlays.drawing` makes one layout a frame; overlays ask it for places (write thread).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.overlays.theme import Sizes, sizes_for


class Rect(NamedTuple):
    """A rectangle of whole pixels inside a picture."""

    left: int
    top: int
    width: int
    height: int

    def view(self, canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The rectangle's part of a canvas, uint8 (height, width, 3): drawing on it draws on the canvas."""
        return canvas[self.top : self.top + self.height, self.left : self.left + self.width]


class Layout:
    """Gives away the free places of one frame.

    Attributes:
        sizes: of text, lines and gaps in this frame, in pixels.
        width: of the frame between its margins, in pixels; 0 or less where margins leave nothing.
    """

    def __init__(self, width: int, height: int) -> None:
        """An empty frame of a width and a height in pixels."""
        self.sizes: Sizes = sizes_for(width, height)
        margin = self.sizes.margin
        self.width = width - 2 * margin
        self._bottom = height - margin
        self._column_right = width - margin
        self._column_left = self._column_right
        self._next_top = margin
        self._side_bottom = margin

    def place_at_bottom(self, width: int, height: int) -> Rect | None:
        """A place at the bottom left, above what lies there and below every side panel; None where it does not fit."""
        if width > self.width or self._bottom - height < self._side_bottom:
            return None
        place = Rect(self.sizes.margin, self._bottom - height, width, height)
        self._bottom = place.top - self.sizes.margin
        return place

    def place_at_side(self, width: int, heights: Sequence[int]) -> Rect | None:
        """The next place down the right side, at the first height that fits, in this column or in the next to its left.

        Args:
            width: of the panel in pixels.
            heights: the panel's possible heights in pixels, the best first.

        Returns:
            The place, or None where the panel does not fit at any height.
        """
        margin = self.sizes.margin
        places = ((self._column_right, self._next_top), (self._column_left - margin, margin))
        for height in heights:
            for right, top in places:
                if right - width >= margin and top + height <= self._bottom:
                    if right != self._column_right:
                        self._column_right = self._column_left = right
                    self._column_left = min(self._column_left, right - width)
                    self._next_top = top + height + margin
                    self._side_bottom = max(self._side_bottom, self._next_top)
                    return Rect(right - width, top, width, height)
        return None
