"""The drawings of the built-in session, as pen strokes that this project's authors wrote; none is Quick, Draw! data.

Read by `stream.sources.doodles` while it paints. A drawing fills a box of 100 x 100 units, x to the right and y
downwards; its strokes stand in the order in which a person would draw them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Stroke = NDArray[np.float64]
"""Float64 (N, 2): points along the pen's way, close together."""

_STEP = 1.0
"""Units between the points of a stroke."""


def line(*corners: tuple[float, float]) -> Stroke:
    """Straight from corner to corner."""
    points = np.array(corners, np.float64)
    pieces = [points[:1]]
    for start, end in pairwise(points):
        count = max(1, round(float(np.hypot(*(end - start))) / _STEP))
        pieces.append(start + (end - start) * np.linspace(0, 1, count + 1)[1:, None])
    return np.concatenate(pieces)


def curve(*knots: tuple[float, float]) -> Stroke:
    """Smoothly through the knots (uniform Catmull-Rom)."""
    points = np.array([knots[0], *knots, knots[-1]], np.float64)
    pieces = [points[1:2]]
    for before, start, end, after in zip(points, points[1:], points[2:], points[3:], strict=False):
        count = max(1, round(float(np.hypot(*(end - start))) / _STEP))
        t = np.linspace(0, 1, count + 1)[1:, None]
        bend = 2 * start + (end - before) * t + (2 * before - 5 * start + 4 * end - after) * t**2
        pieces.append((bend + (3 * start - before - 3 * end + after) * t**3) / 2)
    return np.concatenate(pieces)


def arc(x: float, y: float, radius: float, start: float = 0, end: float = 360, squash: float = 1) -> Stroke:
    """Around (x, y) from one angle in degrees to another, 0 to the right, clockwise; `squash` is height over width."""
    count = max(2, round(radius * np.radians(abs(end - start)) / _STEP))
    angles = np.radians(np.linspace(start, end, count + 1))
    return np.column_stack([x + radius * np.cos(angles), y + radius * squash * np.sin(angles)])


def _star() -> list[Stroke]:
    tips = [(50 + 50 * np.sin(angle), 52 - 50 * np.cos(angle)) for angle in np.radians([216, 0, 144, 288, 72, 216])]
    return [line(*tips)]


def _flower() -> list[Stroke]:
    petals = [
        arc(50 + 16 * np.cos(angle), 32 + 16 * np.sin(angle), 11, np.degrees(angle) - 140, np.degrees(angle) + 140)
        for angle in np.radians(np.arange(-90, 270, 60))
    ]
    stem = curve((50, 58), (51, 75), (49, 100))
    leaves = [
        curve((50, 86), (60, 74), (72, 72), (65, 84), (50, 88)),
        curve((50, 92), (38, 80), (28, 79), (36, 90), (50, 95)),
    ]
    return [arc(50, 32, 8, -90, 275), *petals, stem, *leaves]


def _alarm_clock() -> list[Stroke]:
    return [
        arc(50, 56, 36, -90, 272),
        curve((10, 34), (8, 18), (20, 8), (34, 14), (10, 34)),
        curve((90, 34), (92, 18), (80, 8), (66, 14), (90, 34)),
        line((50, 32), (50, 57), (67, 62)),
        line((28, 86), (18, 99)),
        line((72, 86), (82, 99)),
        *[line((50 + 29 * c, 56 + 29 * s), (50 + 34 * c, 56 + 34 * s)) for c, s in ((0, -1), (1, 0), (0, 1), (-1, 0))],
    ]


DRAWINGS: dict[str, list[Stroke]] = {
    "house": [
        line((14, 46), (14, 100), (86, 100), (86, 45)),
        line((4, 50), (50, 6), (96, 49)),
        line((42, 100), (42, 70), (60, 70), (60, 100)),
        line((22, 58), (36, 58), (36, 72), (22, 72), (22, 57)),
        line((68, 58), (80, 58), (80, 72), (67, 72), (68, 58)),
    ],
    "apple": [
        curve(
            (50, 28),
            (38, 20),
            (20, 23),
            (8, 42),
            (11, 68),
            (26, 92),
            (42, 97),
            (51, 93),
            (62, 97),
            (78, 91),
            (91, 66),
            (92, 40),
            (78, 22),
            (61, 21),
            (50, 29),
        ),
        curve((50, 28), (51, 16), (57, 4)),
        curve((53, 18), (62, 6), (78, 6), (70, 17), (54, 19)),
    ],
    "fish": [
        curve((74, 50), (60, 32), (38, 26), (16, 34), (2, 50), (18, 67), (40, 74), (60, 68), (74, 50)),
        line((73, 50), (98, 30), (97, 71), (73, 51)),
        arc(18, 45, 2.5),
        curve((30, 34), (36, 50), (30, 66)),
    ],
    "flower": _flower(),
    "cat": [
        curve((20, 30), (8, 52), (14, 78), (34, 94), (50, 97), (68, 93), (87, 77), (92, 52), (80, 30)),
        line((19, 32), (16, 3), (38, 20)),
        curve((38, 20), (50, 18), (62, 20)),
        line((62, 20), (85, 3), (81, 32)),
        arc(34, 48, 4),
        arc(66, 48, 4),
        line((45, 62), (55, 62), (50, 68), (45, 62)),
        curve((50, 68), (48, 77), (38, 78)),
        curve((50, 68), (52, 77), (62, 78)),
        line((28, 63), (0, 57)),
        line((28, 69), (1, 73)),
        line((72, 63), (100, 56)),
        line((72, 69), (99, 74)),
    ],
    "bicycle": [
        arc(22, 66, 21, -90, 274),
        arc(78, 66, 21, -90, 274),
        line((22, 66), (40, 34), (70, 34), (49, 67), (22, 66)),
        line((49, 67), (37, 26)),
        line((30, 26), (44, 25)),
        line((78, 66), (67, 20)),
        curve((67, 20), (76, 16), (82, 22)),
    ],
    "star": _star(),
    "snowman": [
        arc(50, 19, 15, -90, 272),
        arc(50, 49, 19, -85, 275, 0.85),
        arc(50, 81, 25, -88, 272, 0.75),
        arc(45, 16, 1.4),
        arc(55, 16, 1.4),
        line((50, 20), (60, 23), (50, 24)),
        line((32, 45), (10, 32)),
        line((68, 45), (91, 31)),
        arc(50, 44, 1.2),
        arc(50, 54, 1.2),
    ],
    "eye": [
        curve((0, 52), (22, 29), (50, 21), (78, 29), (100, 51)),
        curve((100, 51), (78, 72), (50, 79), (23, 72), (0, 52)),
        arc(50, 50, 22, -90, 272),
        arc(50, 50, 8, -90, 280),
    ],
    "rainbow": [
        arc(50, 76, 50, 180, 360),
        arc(50, 76, 40, 180, 360),
        arc(50, 76, 30, 180, 360),
        arc(50, 76, 20, 180, 360),
    ],
    "alarm clock": _alarm_clock(),
    "airplane": [
        curve((98, 50), (90, 42), (70, 41), (30, 42), (8, 43)),
        line((8, 43), (0, 22), (10, 23), (24, 42)),
        curve((8, 43), (10, 52), (30, 57), (72, 58), (92, 56), (98, 50)),
        line((58, 42), (40, 12), (50, 12), (74, 41)),
        line((56, 53), (34, 88), (45, 88), (72, 57)),
    ],
}
"""By the class name of the drawing."""
