"""Rows of a label, a percentage and a bar: what the panels of all classifications share (write thread)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import Classification
from stream.overlays.text import cap_height, draw_text, fit_text, text_width
from stream.overlays.theme import QUIET_TEXT, REGULAR, SEMIBOLD, TEXT, Sizes, class_colour

MAX_ROWS = 5
_TRACK_ALPHA = 0.2


def row_height(sizes: Sizes) -> int:
    """The height in pixels of one row, with the gap below it."""
    return cap_height(sizes.text) + sizes.gap + sizes.bar + _row_gap(sizes)


def _row_gap(sizes: Sizes) -> int:
    # Wider than the gap between a label and its bar, so that the eye joins the right two.
    return 2 * sizes.gap - sizes.gap // 4


def rows_height(count: int, sizes: Sizes) -> int:
    """The height in pixels of a number of rows, without the gap below the last row."""
    return count * row_height(sizes) - _row_gap(sizes) if count else 0


def percent(score: float) -> str:
    """A score 0..1 as people read it: `87%`."""
    return f"{score * 100:.0f}%"


def draw_score_bars(view: NDArray[np.uint8], result: Classification, count: int, top_px: int, sizes: Sizes) -> None:
    """Draw the best classes, one a row, in place on a panel's view uint8 (H, W, 3); a full bar is a score of 1."""
    left, right = sizes.padding, view.shape[1] - sizes.padding
    percent_width = text_width("100%", sizes.text, SEMIBOLD)
    rows = zip(result.class_ids[:count].tolist(), result.labels, result.scores[:count].tolist(), strict=False)
    for row, (class_id, label, score) in enumerate(rows):
        weight, colour = (SEMIBOLD, TEXT) if row == 0 else (REGULAR, QUIET_TEXT)
        top = top_px + row * row_height(sizes)
        shown = fit_text(label, right - left - percent_width - sizes.gap, sizes.text, weight)
        draw_text(view, shown, left, top, sizes.text, colour, weight)
        number = percent(score)
        draw_text(view, number, right - text_width(number, sizes.text, weight), top, sizes.text, colour, weight)
        bar_top = top + cap_height(sizes.text) + sizes.gap
        track = view[bar_top : bar_top + sizes.bar, left:right]
        cv2.convertScaleAbs(track, dst=track, alpha=1 - _TRACK_ALPHA, beta=255 * _TRACK_ALPHA)
        filled = round((right - left) * min(max(score, 0.0), 1.0))
        track[:, :filled] = class_colour(class_id)
