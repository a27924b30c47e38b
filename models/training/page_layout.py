"""Where on a sheet drawings lie, how they are turned, and what looks like handwriting between them.

Called by `models/training/pages.py`. A sheet is `aspect` wide and 1 high.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.training.page_drawings import Drawing


def cells_of(count: int, aspect: float, random: np.random.Generator) -> list[tuple[NDArray[np.float64], float]]:
    """Places for so many drawings on a sheet: centre, and half the side of the square that they may fill."""
    if count == 0:
        return []
    columns = max(1, round(np.sqrt(count * aspect) * float(np.exp(random.normal(0, 0.15)))))
    rows = -(-count // columns)
    cell = np.array([aspect / columns, 1 / rows])
    taken = random.permutation(columns * rows)[:count]
    reach = float(cell.min()) / 2
    alike = random.uniform(0.35, 0.95)
    places = []
    for number in taken:
        size = reach * (alike if random.random() < 0.5 else random.uniform(0.3, 0.98))
        room = cell / 2 - size
        middle = (np.array([number % columns, number // columns]) + 0.5) * cell
        places.append((middle + random.uniform(-1, 1, 2) * room * 0.9, size))
    return places


def placed(
    drawing: Drawing, centre: NDArray[np.float64], reach: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """3x3 from the drawing's box to the sheet: turned a little, mirrored at times, stretched a little."""
    turn = random.normal(0, 0.15)
    stretch = np.exp(random.normal(0, 0.08, 2)) * [random.choice([-1, 1]), 1]
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * stretch
    box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.asarray(drawing.size_wh) / 2
    # What is turned fills more: it is made smaller so that it keeps to its cell.
    scale = reach / max(float(np.abs(box @ linear.T).max()), 1e-6)
    place = np.eye(3)
    place[:2, :2] = linear * scale
    place[:2, 2] = centre - place[:2, :2] @ (np.asarray(drawing.size_wh) / 2)
    return place


def scribble(size: float, length: float, random: np.random.Generator) -> list[NDArray[np.float32]]:
    """Words as loops of the pen: float32 (N, 2) each, in units of the sheet."""
    words, x = [], 0.0
    while x < length:
        letters = int(random.integers(2, 9))
        t = np.linspace(0, letters * 2 * np.pi, letters * 8)
        tall = np.repeat(random.choice([0.5, 0.5, 0.5, 1.0], letters), 8)
        across = x + t / (2 * np.pi) * size * 0.6 + size * 0.3 * np.cos(t + random.uniform(0, 6))
        down = size * tall * np.sin(t * random.choice([0.5, 1.0, 1.0])) * random.uniform(0.5, 0.8)
        words.append(np.stack([across, down], axis=1).astype(np.float32))
        x = float(across.max()) + size * 0.6
    return words
