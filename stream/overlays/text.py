"""Antialiased Unicode text: how wide it is, how it is cut to fit, and drawing it (write thread).

OpenCV's own fonts hold Latin, Cyrillic, Greek, Arabic, Chinese, Japanese and Korean; it keeps glyphs once rendered, so
that drawing a line costs some microseconds; only widths, asked for many times a frame, are kept here.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.overlays.theme import REGULAR, Colour

_FONT = cv2.FontFace("sans")
ELLIPSIS = "…"


@lru_cache(maxsize=4096)
def text_width(text: str, size_px: int, weight: int = REGULAR) -> int:
    """The width in pixels that a line of text takes, including the space after its last letter."""
    _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), _FONT, size_px, weight)
    return int(width)


@lru_cache(maxsize=4096)
def fit_text(text: str, max_width_px: int, size_px: int, weight: int = REGULAR) -> str:
    """One line of text, cut and ended by an ellipsis where it is wider than allowed; empty where nothing fits."""
    # Decomposed accents and line breaks would be drawn over their neighbours; lone surrogates cannot be drawn at all.
    printable = text.encode("utf-8", "replace").decode("utf-8")
    line = " ".join(unicodedata.normalize("NFC", printable).split())
    if text_width(line, size_px, weight) <= max_width_px:
        return line
    fits, too_long = 0, len(line)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if text_width(line[:middle].rstrip() + ELLIPSIS, size_px, weight) <= max_width_px:
            fits = middle
        else:
            too_long = middle
    return line[:fits].rstrip() + ELLIPSIS if fits else ""


@lru_cache(maxsize=4096)
def fit_size(text: str, max_width_px: int, largest_px: int, smallest_px: int, weight: int = REGULAR) -> int:
    """The largest size at which a text is not wider than allowed, and the smallest where none is."""
    sizes = range(largest_px, smallest_px, -1)
    return next((size for size in sizes if text_width(text, size, weight) <= max_width_px), smallest_px)


def draw_text(
    canvas: NDArray[np.uint8],
    text: str,
    left_px: int,
    top_px: int,
    size_px: int,
    colour: Colour,
    weight: int = REGULAR,
) -> None:
    """Draw one line in place on a canvas uint8 (H, W, 3); what falls outside the canvas is clipped.

    Args:
        canvas: the picture, or a rectangle's view of it.
        text: one line, as `fit_text` gives it.
        left_px: where the line begins.
        top_px: the top of the capital letters.
        size_px: the height of the font.
        colour: BGR.
        weight: 100 (thin) to 900 (black).
    """
    cv2.putText(canvas, text, (left_px, top_px + cap_height(size_px)), colour, _FONT, size_px, weight)


def cap_height(size_px: int) -> int:
    """The height of capital letters and digits in pixels, from their top to the baseline."""
    return round(size_px * 0.75)
