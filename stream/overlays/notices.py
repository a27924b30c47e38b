"""What a view says to the person before it, on the picture: short notices, and the list of keys (caller's thread)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stream.overlays.layout import Rect
from stream.overlays.panel import draw_panel
from stream.overlays.text import cap_height, draw_text, fit_text, text_width
from stream.overlays.theme import QUIET_TEXT, SEMIBOLD, TEXT, Colour, sizes_for


def draw_notices(canvas: NDArray[np.uint8], notices: Sequence[tuple[str, Colour]]) -> None:
    """Draw short lines down the top left corner in place; what does not fit is left out.

    Args:
        canvas: uint8 (H, W, 3), BGR.
        notices: text and its colour, the topmost first.
    """
    height, width = canvas.shape[:2]
    sizes = sizes_for(width, height)
    line_height = cap_height(sizes.text) + 2 * sizes.padding
    top = sizes.margin
    for text, colour in notices:
        room = width - 2 * (sizes.margin + sizes.padding)
        line = fit_text(text, room, sizes.text, SEMIBOLD)
        if not line or top + line_height > height - sizes.margin:
            return
        place = Rect(sizes.margin, top, text_width(line, sizes.text, SEMIBOLD) + 2 * sizes.padding, line_height)
        view = draw_panel(canvas, place, sizes.radius)
        draw_text(view, line, sizes.padding, sizes.padding, sizes.text, colour, SEMIBOLD)
        top += line_height + sizes.gap


def draw_help(
    canvas: NDArray[np.uint8], rows: Sequence[tuple[str, str]], further_rows: Sequence[tuple[str, str]] = ()
) -> None:
    """Draw a table of keys and what they do over the middle, in place; nothing where it does not fit.

    Args:
        canvas: uint8 (H, W, 3), BGR.
        rows: the key as it is called, and what it does.
        further_rows: below them, where there is room.
    """
    if not _draw_table(canvas, [*rows, *further_rows]):
        _draw_table(canvas, rows)


def _draw_table(canvas: NDArray[np.uint8], rows: Sequence[tuple[str, str]]) -> bool:
    height, width = canvas.shape[:2]
    sizes = sizes_for(width, height)
    pitch = cap_height(sizes.text) + 2 * sizes.gap
    key_width = max(text_width(key, sizes.text, SEMIBOLD) for key, _ in rows) + sizes.text
    panel_width = key_width + max(text_width(says, sizes.text) for _, says in rows) + 2 * sizes.padding
    panel_height = len(rows) * pitch - 2 * sizes.gap + 2 * sizes.padding
    if panel_width > width or panel_height > height:
        return False
    place = Rect((width - panel_width) // 2, (height - panel_height) // 2, panel_width, panel_height)
    view = draw_panel(canvas, place, sizes.radius)
    for index, (key, says) in enumerate(rows):
        top = sizes.padding + index * pitch
        draw_text(view, key, sizes.padding, top, sizes.text, TEXT, SEMIBOLD)
        draw_text(view, says, sizes.padding + key_width, top, sizes.text, QUIET_TEXT)
    return True
