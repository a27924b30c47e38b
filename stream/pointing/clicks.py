"""What a person at a view does about the objects in the picture; made by views, read by the step that follows them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from models.errors import PromptError

NEWEST = 0
"""The number that means the object which was pointed at last; true ones begin at 1."""

Share = tuple[float, float]
"""A place in the picture: shares of its width and height, 0..1, from its top left corner."""


@dataclass(frozen=True, slots=True)
class Point:
    """A click.

    Attributes:
        pts_seconds: of the frame that the person saw.
        place: where.
        is_on: whether the object is there, or is not there.
        number: of the object that is meant, or `NEWEST`; None means a new one.
    """

    pts_seconds: float
    place: Share
    is_on: bool = True
    number: int | None = None

    def __post_init__(self) -> None:
        """Raise PromptError where the place is outside the picture, or nothing is there to be no part of."""
        _check_time(self.pts_seconds)
        _check_place(self.place)
        if not self.is_on and self.number is None:
            raise PromptError("point: say first where the object is, then what is no part of it")


@dataclass(frozen=True, slots=True)
class Box:
    """A box drawn around a new object, between two corners, in any order; see `Point`."""

    pts_seconds: float
    corners: tuple[Share, Share]

    def __post_init__(self) -> None:
        """Raise PromptError where a corner is outside the picture, or the box has no area."""
        _check_time(self.pts_seconds)
        for corner in self.corners:
            _check_place(corner)
        (left, top), (right, bottom) = self.corners
        if left == right or top == bottom:
            raise PromptError("box: it has no area; draw it from one corner of the object to the other")


@dataclass(frozen=True, slots=True)
class Remove:
    """Follow an object no longer."""

    number: int


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back the last point or box that still is there."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Follow nothing any longer."""


Click = Point | Box | Remove | Undo | Clear


def _check_time(pts_seconds: float) -> None:
    if not math.isfinite(pts_seconds):
        raise PromptError(f"point: the frame's time is no number: {pts_seconds}")


def _check_place(place: Share) -> None:
    # Also false for what is no number.
    if not all(0 <= share <= 1 for share in place):
        raise PromptError("point: it is outside the picture; click on the picture itself")
