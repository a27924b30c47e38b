"""What somebody says of one object in a picture: points on it, points beside it, a box around it.

Made by the command from its options, and by viewers from clicks; `models.prompted_model` answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import PromptError

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class ObjectPrompt:
    """One object, in pixels of the picture; pixel centres have whole coordinates.

    Attributes:
        points_xy: on the object.
        negative_xy: not on it.
        box_xyxy: around it: left, top, right, bottom; None where there is none.
    """

    points_xy: tuple[Point, ...] = ()
    negative_xy: tuple[Point, ...] = ()
    box_xyxy: Box | None = None

    def __post_init__(self) -> None:
        """Raise PromptError where nothing is on the object, a coordinate is no number, or the box has no area."""
        if not self.points_xy and self.box_xyxy is None:
            raise PromptError("prompt: an object needs a point on it or a box around it; points beside it do not do")
        numbers = [number for point in (*self.points_xy, *self.negative_xy) for number in point]
        for number in (*numbers, *(self.box_xyxy or ())):
            if not math.isfinite(number):
                raise PromptError(f"prompt: expected coordinates in pixels, got {number}; mend it")
        if self.box_xyxy is not None:
            left, top, right, bottom = self.box_xyxy
            if left >= right or top >= bottom:
                raise PromptError(
                    f"prompt: the box {_shown(self.box_xyxy)} has no area; give x1,y1,x2,y2 with x1 below x2 and "
                    "y1 below y2"
                )

    def check_within(self, size_wh: tuple[int, int]) -> None:
        """Raise PromptError where a point or the box is not in a picture of a width and a height in pixels."""
        width, height = size_wh
        for x, y in (*self.points_xy, *self.negative_xy):
            if not (0 <= x < width and 0 <= y < height):
                raise PromptError(
                    f"prompt: the point {_shown((x, y))} is outside the picture; give 0 to {width - 1}, "
                    f"0 to {height - 1}"
                )
        if self.box_xyxy is not None:
            left, top, right, bottom = self.box_xyxy
            if left < 0 or top < 0 or right > width or bottom > height:
                raise PromptError(
                    f"prompt: the box {_shown(self.box_xyxy)} reaches out of the picture; keep it within "
                    f"0,0,{width},{height}"
                )

    @property
    def all_points_xy(self) -> NDArray[np.float64]:
        """Float64 (N, 2): the points on the object, then those beside it."""
        return np.array([*self.points_xy, *self.negative_xy], np.float64).reshape(-1, 2)

    @property
    def point_labels(self) -> NDArray[np.int64]:
        """Int64 (N,): 1 for a point on the object, 0 for one beside it."""
        return np.array([1] * len(self.points_xy) + [0] * len(self.negative_xy), np.int64)

    @property
    def boxes_xyxy(self) -> NDArray[np.float64]:
        """Float64 (M, 4): the box, where there is one."""
        return np.array([] if self.box_xyxy is None else [self.box_xyxy], np.float64).reshape(-1, 4)


def _shown(numbers: tuple[float, ...]) -> str:
    return ",".join(f"{number:g}" for number in numbers)
