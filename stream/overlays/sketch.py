"""What is drawn for a guess at a drawing: brackets around it, and a panel with what the network saw (write thread)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import SketchGuess
from stream.overlays.layout import Layout, Rect
from stream.overlays.overlay import Overlay, OverlayKind
from stream.overlays.panel import draw_panel
from stream.overlays.region import draw_brackets, draw_tag
from stream.overlays.score_bars import MAX_ROWS, draw_score_bars, percent, rows_height
from stream.overlays.text import cap_height, draw_text, fit_size, fit_text
from stream.overlays.theme import LIGHT_LINE, QUIET_TEXT, SEMIBOLD, TEXT, Sizes, class_colour


class SketchOverlay(Overlay[SketchGuess]):
    """Brackets and a name on the drawing; a panel with the drawing as the network saw it and up to five bars."""

    def draw_marks(self, canvas: NDArray[np.uint8], result: SketchGuess, layout: Layout) -> None:
        """Draw the brackets and the best guess; nothing where no drawing was found."""
        if result.region_xyxy is None or not len(result):
            return
        colour = class_colour(int(result.class_ids[0]))
        box = draw_brackets(canvas, result.region_xyxy, colour, layout.sizes)
        draw_tag(canvas, result.labels[0], percent(float(result.scores[0])), box, colour, layout.sizes)

    def draw_panel(self, canvas: NDArray[np.uint8], result: SketchGuess, title: str, layout: Layout) -> None:
        """Draw the panel; a quiet one where no drawing was found, none where there is no room."""
        sizes = layout.sizes
        width = min(sizes.panel_width, layout.width)
        if not len(result):
            _draw_quiet_panel(canvas, title, width, layout)
            return
        header = sizes.padding + sizes.thumbnail
        heights = {
            header + bool(count) * 2 * sizes.gap + rows_height(count, sizes) + sizes.padding: count
            for count in range(min(len(result), MAX_ROWS), -1, -1)
        }
        place = layout.place_at_side(width, list(heights))
        if place is None:
            return
        view = draw_panel(canvas, place, sizes.radius)
        _draw_header(view, result, title, sizes)
        draw_score_bars(view, result, heights[place.height], header + 2 * sizes.gap, sizes)


def _draw_quiet_panel(canvas: NDArray[np.uint8], title: str, width: int, layout: Layout) -> None:
    sizes = layout.sizes
    text_top = sizes.padding + cap_height(sizes.small) + sizes.gap
    place = layout.place_at_side(width, [text_top + cap_height(sizes.text) + sizes.padding])
    if place is None:
        return
    view = draw_panel(canvas, place, sizes.radius)
    room = width - 2 * sizes.padding
    draw_text(view, fit_text(title, room, sizes.small), sizes.padding, sizes.padding, sizes.small, QUIET_TEXT)
    draw_text(view, fit_text("no drawing", room, sizes.text), sizes.padding, text_top, sizes.text, QUIET_TEXT)


def _draw_header(view: NDArray[np.uint8], result: SketchGuess, title: str, sizes: Sizes) -> None:
    """The thumbnail, and beside it the model's name, the best guess and how sure the model is."""
    left = top = sizes.padding
    if result.drawing is not None and left + sizes.thumbnail + left <= view.shape[1]:
        _draw_thumbnail(Rect(left, top, sizes.thumbnail, sizes.thumbnail).view(view), result.drawing)
        left += sizes.thumbnail + sizes.padding
    room = view.shape[1] - sizes.padding - left
    draw_text(view, fit_text(title, room, sizes.small), left, top, sizes.small, QUIET_TEXT)
    size = fit_size(result.labels[0], room, sizes.large, sizes.text, SEMIBOLD)
    guess = fit_text(result.labels[0], room, size, SEMIBOLD)
    guess_top = top + (sizes.thumbnail - cap_height(size)) // 2
    draw_text(view, guess, left, guess_top, size, TEXT, SEMIBOLD)
    number_top = top + sizes.thumbnail - cap_height(sizes.text)
    colour = class_colour(int(result.class_ids[0]))
    draw_text(view, percent(float(result.scores[0])), left, number_top, sizes.text, colour, SEMIBOLD)


def _draw_thumbnail(view: NDArray[np.uint8], drawing: NDArray[np.uint8]) -> None:
    # Nearest: the pixels are shown as the network has them, not smoothed to look better.
    enlarged = cv2.resize(drawing, view.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    cv2.cvtColor(enlarged, cv2.COLOR_GRAY2BGR, dst=view)
    cv2.rectangle(view, (0, 0, view.shape[1], view.shape[0]), LIGHT_LINE, 1)


OVERLAY = OverlayKind(result_type=SketchGuess, make=SketchOverlay)
