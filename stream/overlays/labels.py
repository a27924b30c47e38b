"""Finds places for the labels of boxes: inside the picture, and not on one another where that can be (write thread)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

from stream.overlays.layout import Rect

_MOST_COVERED = 0.2
"""Of a label: one that would share more of its area with others says less than it hides."""


class LabelPlaces:
    """The labels of one frame; whoever asks first has the first choice."""

    def __init__(self, width: int, height: int) -> None:
        """A frame of a width and a height in pixels, without labels."""
        self._frame = (width, height)
        # Top, left, bottom, right, in rising order, so that only labels at a like height are looked at: a numpy call
        # costs more than the few that are.
        self._taken: list[tuple[int, int, int, int]] = []
        self._tallest = 0

    def place(self, box: Rect, width: int, height: int) -> Rect | None:
        """The best place for a label of a width and a height near a box.

        Returns:
            The place, or None where the picture has no room, or other labels have it.
        """
        if width > self._frame[0] or height > self._frame[1]:
            return None
        best, least_shared = (0, 0), width * height
        for left, top in self._choices(box, width, height):
            shared = self._shared_px(left, top, left + width, top + height)
            if shared < least_shared:
                best, least_shared = (left, top), shared
            if not shared:
                break
        if least_shared > _MOST_COVERED * width * height:
            return None
        left, top = best
        insort(self._taken, (top, left, top + height, left + width))
        self._tallest = max(self._tallest, height)
        return Rect(left, top, width, height)

    def _choices(self, box: Rect, width: int, height: int) -> Iterator[tuple[int, int]]:
        """Left and top of places in the frame, the best first: above the box, in it, below it; at its left or right."""
        lowest, rightmost = self._frame[1] - height, self._frame[0] - width
        bottom = box.top + box.height
        tops = [top for top in (box.top - height, box.top, bottom - height, bottom) if 0 <= top <= lowest]
        # None of these is in the frame where the box is higher than it, or its top is at the lower edge.
        tops = tops or [min(max(box.top, 0), lowest)]
        lefts = [min(max(left, 0), rightmost) for left in (box.left, box.left + box.width - width)]
        return ((left, top) for top in tops for left in lefts)

    def _shared_px(self, left: int, top: int, right: int, bottom: int) -> int:
        """The sum of the areas that a place shares with each label."""
        first = bisect_right(self._taken, (top - self._tallest,))
        last = bisect_left(self._taken, (bottom,))
        shared = 0
        for other_top, other_left, other_bottom, other_right in self._taken[first:last]:
            if other_left < right and left < other_right and top < other_bottom:
                across = min(right, other_right) - max(left, other_left)
                shared += across * (min(bottom, other_bottom) - max(top, other_top))
        return shared
