"""The labels of boxes: inside the picture, and not on one another where that can be (write thread)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.results import Detections
from stream.overlays.layout import Rect
from stream.overlays.region import fill_tag
from stream.overlays.score_bars import percent
from stream.overlays.text import cap_height, fit_text, text_width
from stream.overlays.theme import SEMIBOLD, Colour, Sizes

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


def object_texts(result: Detections) -> list[tuple[str, str]]:
    """For each object its name, and what is said after it and never cut: track and score."""
    tracks = [""] * len(result) if result.track_ids is None else [f" #{track_id}" for track_id in result.track_ids]
    scores = result.scores.tolist()
    return [
        (label, f"{track} {percent(score)}") for label, track, score in zip(result.labels, tracks, scores, strict=True)
    ]


def draw_labels(
    canvas: NDArray[np.uint8],
    texts: list[tuple[str, str]],
    boxes_xyxy: NDArray[np.int64],
    colours: list[Colour],
    sizes: Sizes,
) -> None:
    """Draw a label a box, in place; those for which there is no room are left out.

    Args:
        canvas: uint8 (H, W, 3), BGR.
        texts: what may be cut, and what is said after it and never cut; who comes first has the first choice.
        boxes_xyxy: int64 (N, 4), what is named.
        colours: BGR, one a label.
        sizes: of the canvas.
    """
    height, width = canvas.shape[:2]
    places = LabelPlaces(width, height)
    padding = max(2, sizes.gap // 2)
    # Descenders and accents need more than the height of capitals.
    tag_height = cap_height(sizes.small) + 2 * padding + 2
    widest = min(sizes.panel_width, width) - 2 * padding
    tags = []
    for (label, note), (left, top, right, bottom), colour in zip(texts, boxes_xyxy.tolist(), colours, strict=True):
        shown = fit_text(label, widest - text_width(note, sizes.small, SEMIBOLD), sizes.small, SEMIBOLD)
        if not shown:
            continue
        tag_width = text_width(shown + note, sizes.small, SEMIBOLD) + 2 * padding
        place = places.place(Rect(left, top, right - left, bottom - top), tag_width, tag_height)
        if place is not None:
            tags.append((shown + note, place, colour))
    for text, place, colour in reversed(tags):
        fill_tag(canvas, text, place, colour, sizes.small, sizes.radius // 3)
