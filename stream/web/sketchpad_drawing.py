"""What is drawn on one sketchpad, as a value: every stroke of the pen makes a new one.

Made on the loop's thread; the worker that guesses and the capture thread of a shared sketchpad read it as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

SIDE = 1000.0
"""The sheet is a square of so many units, y downwards, whatever its size on a screen."""

WIDEST = 100.0
MOST_STROKES = 500
MOST_POINTS = 20_000
MOST_STROKE_POINTS = 4000
"""What simplifying a stroke costs grows with the square of its points: 15 ms for so many, at worst."""

Points = NDArray[np.float32]
"""(N, 3): x, y, and how wide the pen is there, in units."""


class DrawingError(Exception):
    """A drawing has become too large."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Strokes by their number, in the order in which they were begun.

    Attributes:
        strokes: each as the pieces in which it came; none of them is empty.
        point_count: of all strokes.
    """

    strokes: Mapping[int, tuple[Points, ...]] = field(default_factory=dict)
    point_count: int = 0

    def with_points(self, stroke: int, points: Points) -> Drawing:
        """The drawing with points added to a stroke, which begins where there is none of this number.

        Raises:
            DrawingError: it is full, or the stroke is.
        """
        pieces = self.strokes.get(stroke, ())
        count = self.point_count + len(points)
        if stroke not in self.strokes and len(self.strokes) >= MOST_STROKES:
            raise DrawingError(f"a drawing has at most {MOST_STROKES} strokes")
        if count > MOST_POINTS:
            raise DrawingError(f"a drawing has at most {MOST_POINTS} points")
        if sum(map(len, pieces)) + len(points) > MOST_STROKE_POINTS:
            raise DrawingError(f"a stroke has at most {MOST_STROKE_POINTS} points")
        return Drawing({**self.strokes, stroke: (*pieces, points)}, count)

    def without(self, strokes: Collection[int]) -> Drawing:
        """The drawing less some strokes; numbers that it has not are passed over."""
        kept = {number: pieces for number, pieces in self.strokes.items() if number not in strokes}
        return Drawing(kept, sum(len(piece) for pieces in kept.values() for piece in pieces))

    def lines(self) -> Iterator[Points]:
        """Every stroke as one array, in the order of their numbers: a stroke that was erased may have come back."""
        for number in sorted(self.strokes):
            yield np.concatenate(self.strokes[number])

    def paths(self) -> list[NDArray[np.float32]]:
        """Every stroke as float32 (N, 2), as models read them."""
        return [points[:, :2] for points in self.lines()]
