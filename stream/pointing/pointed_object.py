"""One object that somebody pointed at: what was said of it, and where it has got to (infer thread)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.prompts import Box, ObjectPrompt
from models.prompts import Point as PixelPoint
from stream.frame import Frame
from stream.pointing.clicks import Share

_MISSES_TO_BE_LOST = 3
_LEAST_IOU = 0.2
_LEAST_SCORE = 0.5
"""A mask has to be so sure, and have so much in common with where the object was thought to be, to be the object."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point that somebody set.

    Attributes:
        place_xy: in pixels of the frame on which the object holds.
        is_on: whether it is on the object.
        serial: rises from one to the next, over all objects.
    """

    place_xy: PixelPoint
    is_on: bool
    serial: int


@dataclass(frozen=True, slots=True, eq=False)
class PointedObject:
    """An object as it is on one frame; every change makes a new one.

    Attributes:
        number: from 1.
        frame: on which marks, box and mask hold.
        marks: the points.
        box_xyxy: that somebody drew, in pixels; None where nobody did.
        serial: of the box, as marks have one.
        mask: bool (H, W); None before the model was asked.
        score: the IoU with the true mask that the model predicts.
        misses: how often in a row the model did not find it again.
        is_asked: whether the marks say something that the mask does not show yet.
        is_lost: whether it is looked for no longer.
    """

    number: int
    frame: Frame
    marks: tuple[Mark, ...] = ()
    box_xyxy: Box | None = None
    serial: int = 0
    mask: NDArray[np.bool_] | None = field(default=None, repr=False)
    score: float = 0.0
    misses: int = 0
    is_asked: bool = True
    is_lost: bool = False

    @property
    def newest_serial(self) -> int:
        """Of the last thing that was said of it."""
        return max([self.serial, *(mark.serial for mark in self.marks)])

    def with_mark(self, mark: Mark) -> PointedObject:
        """The same with one more point; an object that was lost begins anew with it."""
        if self.is_lost:
            return PointedObject(self.number, self.frame, (mark,))
        return replace(self, marks=(*self.marks, mark), is_asked=True, misses=0)

    def without(self, serial: int) -> PointedObject | None:
        """The same without a point or the box; None where then nothing says where it is."""
        marks = tuple(mark for mark in self.marks if mark.serial != serial)
        box = None if self.serial == serial else self.box_xyxy
        if box is None and not any(mark.is_on for mark in marks):
            return None
        return replace(self, marks=marks, box_xyxy=box, is_asked=True)

    def moved(self, frame: Frame, shift_xy: tuple[float, float], mask: NDArray[np.bool_] | None) -> PointedObject:
        """The same on another frame, so many pixels further."""
        size = frame.size_wh
        marks = tuple(replace(mark, place_xy=_within(mark.place_xy, shift_xy, size)) for mark in self.marks)
        box = self.box_xyxy
        if box is not None:
            (left, top), (right, bottom) = (_within(corner, shift_xy, size) for corner in (box[:2], box[2:]))
            box = (left, top, right, bottom) if left < right and top < bottom else None
        return replace(self, frame=frame, marks=marks, box_xyxy=box, mask=mask)

    def prompt(self, *, takes_boxes: bool) -> ObjectPrompt | None:
        """What the model is asked: what was said, or where the object has got to; None where that is nowhere."""
        if self.is_asked or self.mask is None:
            return _prompt(self.marks, self.box_xyxy)
        if not self.mask.any():
            return None
        # Of an object that turns, some points have come off it.
        fitting = [mark for mark in self.marks if self._is_in_mask(mark) == mark.is_on]
        if not any(mark.is_on for mark in fitting):
            fitting.append(Mark(_innermost(self.mask), is_on=True, serial=0))
        return _prompt(fitting, _box_of(self.mask) if takes_boxes else None)

    def answered(self, mask: NDArray[np.bool_], score: float) -> PointedObject:
        """The same with what the model says; where it cannot be the object, where it was thought to be still holds."""
        if self.is_asked or self.mask is None:
            return replace(self, mask=mask, score=score, misses=0, is_asked=False)
        if score >= _LEAST_SCORE and _iou(mask, self.mask) >= _LEAST_IOU:
            return replace(self, mask=mask, score=score, misses=0)
        return self.missed()

    def missed(self) -> PointedObject:
        """The same, not found again once more; after the third time it is lost."""
        misses = self.misses + 1
        return replace(self, misses=misses) if misses < _MISSES_TO_BE_LOST else self.lost()

    def lost(self) -> PointedObject:
        """The same, looked for no longer."""
        return replace(self, mask=None, marks=(), box_xyxy=None, is_asked=False, is_lost=True)

    def _is_in_mask(self, mark: Mark) -> bool:
        column, row = (round(value) for value in mark.place_xy)
        return self.mask is not None and bool(self.mask[row, column])


def pixel_of(place: Share, size_wh: tuple[int, int]) -> PixelPoint:
    """The place in pixels of a picture; pixel centres have whole coordinates."""
    return _within((place[0] * size_wh[0] - 0.5, place[1] * size_wh[1] - 0.5), (0.0, 0.0), size_wh)


def _within(place_xy: PixelPoint, shift_xy: tuple[float, float], size_wh: tuple[int, int]) -> PixelPoint:
    """A place after a shift, kept in the picture."""
    x, y = (min(max(v + s, 0.0), side - 1.0) for v, s, side in zip(place_xy, shift_xy, size_wh, strict=True))
    return x, y


def _prompt(marks: Sequence[Mark], box_xyxy: Box | None) -> ObjectPrompt | None:
    on, beside = (tuple(mark.place_xy for mark in marks if mark.is_on is wanted) for wanted in (True, False))
    return ObjectPrompt(on, beside, box_xyxy) if on or box_xyxy is not None else None


def _innermost(mask: NDArray[np.bool_]) -> PixelPoint:
    """The place in a mask that is furthest from its edge; the picture's border is one."""
    inside = cv2.copyMakeBorder(mask.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=[0])
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(column), float(row)


def _box_of(mask: NDArray[np.bool_]) -> Box:
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return float(left), float(top), float(left + width), float(top + height)


def _iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    union = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / union if union else 0.0
