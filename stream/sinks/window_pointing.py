"""What a mouse on the window's picture means: clicks on objects, and boxes around them (thread of the window)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from models.errors import PromptError
from stream.controls import Controls
from stream.pointing.clicks import NEWEST, Box, Clear, Click, Point, Share, Undo

_DRAG_PX = 8
"""A pointer that goes further while its button is held draws a box."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """What a mouse did between pressing and letting go.

    Attributes:
        start_xy, end_xy: in pixels of the picture.
        is_beside: whether it was the right button, or Shift was held: what is there is no part of the object.
    """

    start_xy: tuple[int, int]
    end_xy: tuple[int, int]
    is_beside: bool


class WindowPointing:
    """Which object the next click is about: the first click begins one, further ones make it plainer."""

    def __init__(self) -> None:
        """The first click begins an object."""
        self._is_new = True

    def anew(self, controls: Controls) -> None:
        """Let the next click begin another object."""
        if controls.pointed_objects is None:
            controls.tell("no model of this stream answers clicks: run it with --model slim-sam", is_warning=True)
            return
        self._is_new = True
        controls.tell("click on another object")

    def undo(self, controls: Controls) -> None:
        """Take the last click back."""
        _give(controls, Undo)

    def clear(self, controls: Controls) -> None:
        """Follow nothing any longer."""
        if _give(controls, Clear):
            self._is_new = True

    def stroke(self, stroke: Stroke, pts_seconds: float, size_wh: tuple[int, int], controls: Controls) -> None:
        """Point at what a mouse was pressed on, or around which it drew a box.

        Args:
            stroke: what the mouse did.
            pts_seconds: of the frame that was on the screen.
            size_wh: of its picture.
            controls: of the stream.
        """
        if controls.pointed_objects is None:
            # Who has no such model clicks on a window for other reasons.
            return
        start, end = _share(stroke.start_xy, size_wh), _share(stroke.end_xy, size_wh)
        if math.dist(stroke.start_xy, stroke.end_xy) > _DRAG_PX:
            is_given = _give(controls, lambda: Box(pts_seconds, (start, end)))
        else:
            number = None if self._is_new else NEWEST
            is_given = _give(controls, lambda: Point(pts_seconds, start, not stroke.is_beside, number))
        self._is_new = self._is_new and not is_given


def _give(controls: Controls, make: Callable[[], Click]) -> bool:
    try:
        controls.click(make())
    except PromptError as error:
        controls.tell(str(error), is_warning=True)
        return False
    return True


def _share(place_xy: tuple[int, int], size_wh: tuple[int, int]) -> Share:
    across, down = ((pixel + 0.5) / side for pixel, side in zip(place_xy, size_wh, strict=True))
    return across, down
