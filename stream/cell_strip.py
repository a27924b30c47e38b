"""Bits as a strip of black and white cells that a program reads off a picture, after codecs and scaling.

The test picture's frame number (`stream.sources.pattern`) and the latency watermark (`stream.watermark`) are such.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

HEAD, TAIL = (1, 0), (0, 1)
"""Every strip begins and ends with them."""

SURE_BLACK, SURE_WHITE = 80, 175
"""Grey levels between which a cell counts as unreadable: something lies over it, or it is no strip at all."""


def cell_count(bit_count: int) -> int:
    """How many cells a strip of so many bits has."""
    return len(HEAD) + bit_count + len(TAIL)


def draw_cells(strip: NDArray[np.uint8], bits: Sequence[int]) -> None:
    """Fill a strip uint8 (H, W, 3), which spans the picture's width, with bits from left to right: white for 1."""
    cells = (*HEAD, *bits, *TAIL)
    for (left, right), cell in zip(_cell_edges(strip.shape[1], len(cells)), cells, strict=True):
        strip[:, left:right] = 255 * cell


def read_cells(strip: NDArray[np.uint8], bit_count: int) -> list[int] | None:
    """The bits of a strip, or None where none can be read.

    Args:
        strip: uint8 (H, W, 3), BGR, the full width of the picture.
        bit_count: how many bits there are.
    """
    height, width = strip.shape[:2]
    count = cell_count(bit_count)
    middle = strip[height // 4 : height - height // 4]
    if not middle.size or width < count:
        return None
    levels = cv2.cvtColor(middle, cv2.COLOR_BGR2GRAY).mean(axis=0)
    # The middle half of each cell: codecs and scaling smear its borders.
    means = [
        float(levels[a + (b - a) // 4 : max(b - (b - a) // 4, a + 1)].mean()) for a, b in _cell_edges(width, count)
    ]
    if any(SURE_BLACK < mean < SURE_WHITE for mean in means):
        return None
    cells = [int(mean >= SURE_WHITE) for mean in means]
    if (*cells[: len(HEAD)], *cells[-len(TAIL) :]) != (*HEAD, *TAIL):
        return None
    return cells[len(HEAD) : -len(TAIL)]


def _cell_edges(width: int, count: int) -> list[tuple[int, int]]:
    """Every cell's first column, and the first one after it."""
    borders = [round(width * cell / count) for cell in range(count + 1)]
    return list(itertools.pairwise(borders))
