"""What somebody pointed at, drawn: plus signs on the object, minus signs beside it, its box."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.prompts import ObjectPrompt, Point
from stream.overlays.detections import draw_boxes
from stream.overlays.theme import DARK, TEXT, Colour, Sizes, class_colour

_SHIFT = 4
"""Bits of a coordinate behind the point, for antialiased lines."""


def draw_prompts(
    canvas: NDArray[np.uint8], prompts: Sequence[ObjectPrompt], sizes: Sizes, *, scale: float = 1.0
) -> None:
    """Draw the points and boxes of objects in the objects' colours, in place.

    Args:
        canvas: uint8 (H, W, 3), BGR.
        prompts: one an object.
        sizes: of the canvas.
        scale: of the canvas to the picture that the prompts speak of.
    """
    for number, prompt in enumerate(prompts):
        colour = class_colour(number)
        if prompt.box_xyxy is not None:
            box = np.rint(np.multiply(prompt.box_xyxy, scale)).astype(np.int64)[None]
            draw_boxes(canvas, box, [colour], sizes.line, max(1, sizes.line // 4))
        for point in prompt.negative_xy:
            _draw_point(canvas, point, scale, sizes, DARK, colour, is_on=False)
        for point in prompt.points_xy:
            _draw_point(canvas, point, scale, sizes, colour, DARK, is_on=True)


def draw_grid(canvas: NDArray[np.uint8], points_xy: NDArray[np.float64], scale: float) -> None:
    """Draw points (N, 2) as dots, in place; `scale` as above."""
    for point in points_xy:
        centre = _fixed((point + 0.5) * scale - 0.5)
        cv2.circle(canvas, centre, 3 << _SHIFT, DARK, cv2.FILLED, cv2.LINE_AA, _SHIFT)
        cv2.circle(canvas, centre, 2 << _SHIFT, TEXT, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _draw_point(
    canvas: NDArray[np.uint8],
    point: Point,
    scale: float,
    sizes: Sizes,
    ground: Colour,
    sign: Colour,
    *,
    is_on: bool,
) -> None:
    centre = (np.array(point) + 0.5) * scale - 0.5
    radius, arm = 0.45 * sizes.text, 0.24 * sizes.text
    # A light rim around a dark one: to be seen on any ground.
    for rim, colour in ((2.5, DARK), (1.5, TEXT), (0.0, ground)):
        reach = round((radius + rim) * (1 << _SHIFT))
        cv2.circle(canvas, _fixed(centre), reach, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)
    for along in (np.array([arm, 0.0]), np.array([0.0, arm]))[: 2 if is_on else 1]:
        thickness = max(1, sizes.line // 2)
        cv2.line(canvas, _fixed(centre - along), _fixed(centre + along), sign, thickness, cv2.LINE_AA, _SHIFT)


def _fixed(point: NDArray[np.float64]) -> tuple[int, int]:
    """A point in pixels as OpenCV takes it with `_SHIFT`."""
    x, y = np.rint(point * (1 << _SHIFT)).astype(int).tolist()
    return x, y
