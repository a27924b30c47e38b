"""The panel of a classification: the best classes of the whole picture as bars (write thread)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.results import Classification
from stream.overlays.layout import Layout
from stream.overlays.overlay import Overlay, OverlayKind
from stream.overlays.panel import draw_panel
from stream.overlays.score_bars import MAX_ROWS, draw_score_bars, rows_height
from stream.overlays.text import cap_height, draw_text, fit_text
from stream.overlays.theme import QUIET_TEXT


class ClassificationOverlay(Overlay[Classification]):
    """A panel with the model's name and up to five bars; fewer where the picture is low."""

    def draw_panel(self, canvas: NDArray[np.uint8], result: Classification, title: str, layout: Layout) -> None:
        """Draw the panel; nothing where there are no classes or no room."""
        sizes = layout.sizes
        bars_top = sizes.padding + cap_height(sizes.small) + 2 * sizes.gap
        heights = {
            bars_top + rows_height(count, sizes) + sizes.padding: count
            for count in range(min(len(result), MAX_ROWS), 0, -1)
        }
        place = layout.place_at_side(min(sizes.panel_width, layout.width), list(heights))
        if place is None:
            return
        view = draw_panel(canvas, place, sizes.radius)
        shown = fit_text(title, place.width - 2 * sizes.padding, sizes.small)
        draw_text(view, shown, sizes.padding, sizes.padding, sizes.small, QUIET_TEXT)
        draw_score_bars(view, result, heights[place.height], bars_top, sizes)


OVERLAY = OverlayKind(result_type=Classification, make=ClassificationOverlay)
