"""One picture of several: each model's overlay on its own copy of the frame, under a bar with its name and time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.results import Detections, Result
from stream.overlays.drawing import Painter
from stream.overlays.text import cap_height, draw_text, fit_text, text_width
from stream.overlays.theme import DARK, QUIET_TEXT, SEMIBOLD, TEXT, Sizes, sizes_for


@dataclass(frozen=True, slots=True)
class Half:
    """What one model contributes: its name, what it said of the frame, and how long its graph took."""

    title: str
    result: Result
    inference_ms: float


class SideBySide:
    """Composes frames; the painter is kept from one to the next."""

    def __init__(self) -> None:
        """Find the overlays."""
        self._painter = Painter()

    def compose(self, image: NDArray[np.uint8], halves: Sequence[Half]) -> NDArray[np.uint8]:
        """A new picture uint8 (rows * (bar + H), columns * W with gaps, 3), BGR: two in a row, four in two rows.

        Args:
            image: uint8 (H, W, 3), BGR, the frame.
            halves: at least one.
        """
        height, width = image.shape[:2]
        sizes = sizes_for(width, height)
        bar, gap = _bar_height(sizes), max(2, sizes.line)
        rows, columns = _grid(len(halves))
        picture = np.empty((rows * (bar + height + gap) - gap, columns * (width + gap) - gap, 3), np.uint8)
        picture[:] = DARK
        for index, half in enumerate(halves):
            row, column = divmod(index, columns)
            top, left = row * (bar + height + gap), column * (width + gap)
            _draw_bar(picture[top : top + bar, left : left + width], half, sizes)
            canvas = image.copy()
            self._painter.paint(canvas, {half.title: half.result})
            picture[top + bar : top + bar + height, left : left + width] = canvas
        return picture


def side_by_side_wh(size_wh: tuple[int, int], count: int) -> tuple[int, int]:
    """Width and height of the picture that `compose` makes of frames of a size, for `count` models."""
    width, height = size_wh
    sizes = sizes_for(width, height)
    gap = max(2, sizes.line)
    rows, columns = _grid(count)
    return columns * (width + gap) - gap, rows * (_bar_height(sizes) + height + gap) - gap


def _grid(count: int) -> tuple[int, int]:
    columns = math.ceil(math.sqrt(count))
    return math.ceil(count / columns), columns


def _bar_height(sizes: Sizes) -> int:
    return cap_height(sizes.text) + 2 * sizes.padding


def _draw_bar(view: NDArray[np.uint8], half: Half, sizes: Sizes) -> None:
    count = f"{len(half.result)} found, " if isinstance(half.result, Detections) else ""
    note = f"{count}{half.inference_ms:.1f} ms"
    room = view.shape[1] - 2 * sizes.padding
    note = fit_text(note, room, sizes.small)
    note_width = text_width(note, sizes.small)
    title = fit_text(half.title, room - note_width - sizes.padding, sizes.text, SEMIBOLD)
    draw_text(view, title, sizes.padding, sizes.padding, sizes.text, TEXT, SEMIBOLD)
    top = sizes.padding + cap_height(sizes.text) - cap_height(sizes.small)
    draw_text(view, note, view.shape[1] - sizes.padding - note_width, top, sizes.small, QUIET_TEXT)
