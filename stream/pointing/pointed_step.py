"""A model of the SAM family in the frame loop: answers clicks, and follows the objects that they meant.

Views leave clicks on any thread. The infer thread asks the model: about a click on the frame that its viewer saw, then,
with nothing new to answer, about the newest frame, where optical flow says that the objects have got to. Between two
answers the write thread moves the masks with the picture, as it does with every slow model.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.detections import Detections
from models.errors import PromptError
from models.model import StageTimer
from models.prompted_model import TASK, Embedding, masked_objects
from models.prompts import ObjectPrompt
from stream.counting import Counts
from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.model_step import Seen
from stream.motion import Carrier, shifts_between
from stream.pointing.clicks import NEWEST, Box, Clear, Click, Point, Remove, Share, Undo
from stream.pointing.frame_memory import FrameMemory
from stream.pointing.pointed_object import Mark, PointedObject, pixel_of

_MOST_WAITING = 64
MOST_OBJECTS = 16
_PATCH_SHARE = 0.05
"""Of the picture's shorter side: what around a click is followed to the frame that the model is asked about."""


class PointableModel(Protocol):
    """What the step needs of `models.prompted_model.PromptedModel`."""

    @property
    def name(self) -> str:
        """What it is called in results."""

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs it."""

    @property
    def takes_boxes(self) -> bool:
        """Whether it answers boxes, too."""

    def embed(self, image: NDArray[np.uint8], timer: StageTimer) -> Embedding:
        """What the encoder makes of a picture uint8 (H, W, 3), BGR."""

    def segment(self, embedding: Embedding, prompts: Sequence[ObjectPrompt], *, timer: StageTimer) -> Detections:
        """The objects with masks; class ids are the prompts' places."""


@dataclass(frozen=True, slots=True)
class ObjectState:
    """An object as views list it: its number, and whether it is looked for no longer."""

    number: int
    is_lost: bool


class PointedStep:
    """Follows what was pointed at in one stream."""

    counts: Counts | None = None

    def __init__(self, model: PointableModel, tell: Callable[[str], None] = lambda _: None) -> None:
        """Follow nothing yet.

        Args:
            model: of this stream alone; on the infer thread.
            tell: has the views say something for a moment: a click that cannot be answered, an object that is lost.
        """
        self.model = model
        self.tell = tell
        self._memory = FrameMemory()
        self._lock = threading.Lock()
        self._clicks: list[Click] = []
        # The infer thread's:
        self._objects: dict[int, PointedObject] = {}
        self._last_number = 0
        self._serial = 0
        # What views read:
        self.objects: tuple[ObjectState, ...] = ()

    def note(self, frame: Frame) -> None:
        """Remember a frame that a viewer may see (capture thread)."""
        self._memory.note(frame)

    def click(self, click: Click) -> None:
        """Leave a click to be answered; safe from any thread, and never waits.

        Raises:
            PromptError: too many are waiting.
        """
        with self._lock:
            if len(self._clicks) >= _MOST_WAITING:
                raise PromptError("point: too many clicks at once; wait until they are answered")
            self._clicks.append(click)

    def look(self, frame: Frame, timer: StageTimer) -> Seen:
        """Answer what was clicked, or find the objects again on this frame.

        Raises:
            ModelError: a graph failed while it ran.
        """
        with self._lock:
            clicks, self._clicks = self._clicks, []
        on = self._frame_meant(clicks, frame)
        with timer("follow"):
            self._carry_to(on)
            for click in clicks:
                self._obey(click, on)
        is_asked = any(thing.is_asked for thing in self._objects.values())
        wanted = {
            number: prompt
            for number, thing in self._objects.items()
            # A click is answered first: the others are found again on the next frame.
            if (thing.is_asked or not is_asked) and (prompt := thing.prompt(takes_boxes=self.model.takes_boxes))
        }
        self._drop_vanished(wanted, is_asked=is_asked)
        if wanted:
            self._ask(on, wanted, timer)
        self.objects = tuple(ObjectState(thing.number, thing.is_lost) for thing in self._objects.values())
        return Seen(self._result(on), on, is_carried=not wanted or on.index != frame.index)

    def _frame_meant(self, clicks: Sequence[Click], newest: Frame) -> Frame:
        """The frame that the last click was made on; the newest where nobody has clicked on one that is here."""
        for click in reversed(clicks):
            if isinstance(click, Point | Box) and (meant := self._memory.at(click.pts_seconds)) is not None:
                return meant
        return newest

    def _carry_to(self, frame: Frame) -> None:
        """Move every object to where the flow says that it is on a frame."""
        groups: dict[int, list[PointedObject]] = {}
        for thing in self._objects.values():
            if thing.frame.size_wh != frame.size_wh and not thing.is_lost:
                # A camera that has changed its picture's size: nothing says where things are in the new one.
                self._lose(thing)
            elif thing.mask is not None and thing.frame.index != frame.index:
                groups.setdefault(thing.frame.index, []).append(thing)
        for things in groups.values():
            there = _detections(things, frame.size_wh)
            here = self._flowed(there, things[0].frame, frame)
            for thing in things:
                rows = np.flatnonzero(here.class_ids == thing.number - 1)
                if not len(rows) or here.masks is None:
                    self._lose(thing)
                    continue
                before = there.boxes_xyxy[there.class_ids == thing.number - 1]
                shift = shifts_between(before, here.boxes_xyxy[rows[:1]])[0]
                self._objects[thing.number] = thing.moved(frame, (shift[0], shift[1]), here.masks[rows[0]])

    def _flowed(self, found: Detections, there: Frame, here: Frame) -> Detections:
        carrier = Carrier()
        for frame in self._memory.between(there, here):
            carrier.note(frame)
        seen = FrameResult(here, results={TASK: found}, found_on={TASK: there})
        moved = carrier.carried(seen).results.get(TASK)
        return moved if isinstance(moved, Detections) else found[:0]

    def _obey(self, click: Click, on: Frame) -> None:
        match click:
            case Point():
                self._point(click, on)
            case Box():
                self._box(click, on)
            case Remove(number):
                self._objects.pop(number, None)
            case Clear():
                self._objects.clear()
                self._last_number = 0
            case Undo():
                self._undo()

    def _point(self, point: Point, on: Frame) -> None:
        place = self._place_on(point.pts_seconds, point.place, on)
        if place is None:
            return
        number = max(self._objects, default=None) if point.number == NEWEST else point.number
        if number is None and not point.is_on:
            self.tell("say first where an object is")
            return
        thing = self._new(on) if number is None else self._objects.get(number)
        if thing is None:
            if number is not None:
                self.tell(f"object {number} is no longer followed")
            return
        if thing.is_lost and not point.is_on:
            self.tell(f"object {thing.number} is lost: say first where it is")
            return
        self._serial += 1
        marked = replace(thing, frame=on).with_mark(Mark(place, point.is_on, self._serial))
        self._objects[thing.number] = marked

    def _box(self, box: Box, on: Frame) -> None:
        if not self.model.takes_boxes:
            self.tell("this model answers points and no boxes")
            return
        places = [self._place_on(box.pts_seconds, corner, on) for corner in box.corners]
        if places[0] is None or places[1] is None or (thing := self._new(on)) is None:
            return
        (left, right), (top, bottom) = (sorted(values) for values in zip(places[0], places[1], strict=True))
        if left < right and top < bottom:
            self._serial += 1
            around = replace(thing, box_xyxy=(left, top, right, bottom), serial=self._serial)
            self._objects[thing.number] = around

    def _new(self, on: Frame) -> PointedObject | None:
        if len(self._objects) >= MOST_OBJECTS:
            self.tell(f"{MOST_OBJECTS} objects are followed, which is all that can be; remove one first")
            return None
        self._last_number += 1
        return PointedObject(self._last_number, on)

    def _undo(self) -> None:
        newest = max(self._objects.values(), key=lambda thing: thing.newest_serial, default=None)
        if newest is None or not newest.newest_serial:
            self.tell("there is nothing to take back")
            return
        before = newest.without(newest.newest_serial)
        if before is None:
            del self._objects[newest.number]
        else:
            self._objects[newest.number] = before

    def _place_on(self, pts_seconds: float, place: Share, on: Frame) -> tuple[float, float] | None:
        """Where what was clicked on is on the frame that the model is asked about, in pixels; None if that is gone."""
        seen = self._memory.at(pts_seconds)
        if seen is None:
            self.tell("that picture is gone: click again")
            return None
        x, y = pixel_of(place, seen.size_wh)
        if seen.index == on.index:
            return x, y
        half = max(1.0, _PATCH_SHARE * min(seen.size_wh))
        width, height = seen.size_wh
        box = np.array([[x - half, y - half, x + half, y + half]], np.float32)
        patch = Detections(
            task=TASK,
            boxes_xyxy=box.clip(0, np.array([width, height] * 2, np.float32)),
            scores=np.ones(1, np.float32),
            class_ids=np.zeros(1, np.int64),
            class_names=("patch",),
        )
        moved = self._flowed(patch, seen, on)
        if not len(moved):
            self.tell("what was clicked on has left the picture: click again")
            return None
        shift = shifts_between(patch.boxes_xyxy, moved.boxes_xyxy)[0]
        return x + float(shift[0]), y + float(shift[1])

    def _drop_vanished(self, wanted: dict[int, ObjectPrompt], *, is_asked: bool) -> None:
        """Lose what nothing says any more where it is."""
        for thing in list(self._objects.values()):
            if thing.number not in wanted and not thing.is_lost and (thing.is_asked or not is_asked):
                self._lose(thing)

    def _ask(self, on: Frame, wanted: dict[int, ObjectPrompt], timer: StageTimer) -> None:
        found = self.model.segment(self.model.embed(on.image, timer), list(wanted.values()), timer=timer)
        numbers = list(wanted)
        for row, place in enumerate(found.class_ids.tolist()):
            thing = self._objects[numbers[place]]
            if found.masks is None:
                continue
            after = thing.answered(found.masks[row], float(found.scores[row]))
            self._objects[thing.number] = after
            if after.is_lost:
                self._say_lost(after)

    def _lose(self, thing: PointedObject) -> None:
        self._objects[thing.number] = thing.lost()
        self._say_lost(thing)

    def _say_lost(self, thing: PointedObject) -> None:
        self.tell(f"object {thing.number} is lost: click on it again")

    def _result(self, on: Frame) -> Detections:
        return _detections([thing for thing in self._objects.values() if thing.mask is not None], on.size_wh)


def _detections(things: Sequence[PointedObject], size_wh: tuple[int, int]) -> Detections:
    """Objects that have a mask, the surest first; they are called by their numbers."""
    ranked = sorted(things, key=lambda thing: -thing.score)
    names = tuple(f"object {number + 1}" for number in range(max((thing.number for thing in things), default=0)))
    return masked_objects(
        [thing.mask for thing in ranked if thing.mask is not None],
        [thing.score for thing in ranked],
        [thing.number - 1 for thing in ranked],
        names,
        size_wh,
    )
