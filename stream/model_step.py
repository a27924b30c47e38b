"""One model's turn in the frame loop: how often it runs, and what is kept of it from frame to frame (infer thread).

The pipeline asks every step on every frame, in order; a step asks its model on every Nth of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.guessed_drawings import GuessedDrawings
from models.model import StageTimer
from models.results import DepthMap, Detections, Poses, Result
from stream.counting import Counts, ObjectCounter
from stream.depth_range import DepthRange
from stream.frame import Frame
from stream.guess_smoothing import GuessSmoother
from stream.scene_change import SceneChange
from stream.tracking import Tail, Tracker


class PipelineModel(Protocol):
    """What the frame loop needs of a model."""

    @property
    def name(self) -> str:
        """What it is called in results."""

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs it."""

    def __call__(self, image: NDArray[np.uint8], timer: StageTimer) -> Result:
        """The result for a BGR picture uint8 (H, W, 3); each stage runs within the timer."""


class NamedModel(Protocol):
    """What reports need of a model."""

    @property
    def name(self) -> str:
        """What it is called in results."""

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs it."""


class Step(Protocol):
    """What the infer stage asks on every frame, in order."""

    @property
    def model(self) -> NamedModel:
        """Who answers."""

    @property
    def counts(self) -> Counts | None:
        """What has been counted so far; None where nothing is."""

    def note(self, frame: Frame) -> None:
        """A frame was captured, and may be shown without being looked at (capture thread)."""

    def look(self, frame: Frame, timer: StageTimer) -> Seen:
        """What is known of a frame."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known through one model at one frame.

    Attributes:
        result: the model's newest.
        found_on: the frame on which it holds.
        is_carried: whether it was made from an earlier frame than this one.
        is_skipped: whether the model did not run because the scene has not changed.
        tails: where its objects have lately been; empty without tracking.
        counts: what has been counted up to here; None where nothing is.
    """

    result: Result
    found_on: Frame
    is_carried: bool = False
    is_skipped: bool = False
    tails: Sequence[Tail] = ()
    counts: Counts | None = None


class ModelStep:
    """A model as one stream uses it; it is run once, from the first frame on."""

    def __init__(
        self,
        model: PipelineModel,
        *,
        every: int = 1,
        skip_unchanged: bool = False,
        tracker: Tracker | None = None,
        threshold: float | None = None,
        counter: ObjectCounter | None = None,
    ) -> None:
        """Put a model into a stream.

        Args:
            model: may serve other streams, too: it keeps nothing between frames.
            every: run on the first frame and on every Nth after it, of those that reach the models; the result is
                carried to the frames between.
            skip_unchanged: do not run, but let the last result hold, while the scene does not change.
            tracker: follows the objects that the model finds; it may have followed them for another step before.
            threshold: the tracker's from the first frame on; as it is where None.
            counter: counts them.
        """
        self.model = model
        self._every = every
        self._change = SceneChange() if skip_unchanged else None
        self.tracker = tracker
        self._threshold = threshold
        self.counter = counter
        self._depth_range = DepthRange()
        self._smoother = GuessSmoother()
        self._count = 0
        self._last: Seen | None = None

    def note(self, frame: Frame) -> None:
        """A frame that is not looked at changes nothing here."""

    def look(self, frame: Frame, timer: StageTimer) -> Seen:
        """What is known of a frame.

        Raises:
            ModelError: the graph failed while it ran.
        """
        is_turn = self._count % self._every == 0
        self._count += 1
        is_unchanged = is_turn and self._change is not None and self._change.is_unchanged(frame)
        if self._last is None or self._last.found_on.size_wh != frame.size_wh or (is_turn and not is_unchanged):
            self._last = self._followed(self.model(frame.image, timer), frame, timer)
        elif is_turn:
            self._last = replace(self._last, found_on=frame, is_carried=True, is_skipped=True)
        else:
            self._last = replace(self._last, is_carried=True, is_skipped=False)
        return self._last

    @property
    def counts(self) -> Counts | None:
        """What has been counted so far; None where nothing is, or no frame has come."""
        return None if self._last is None else self._last.counts

    def _followed(self, result: Result, frame: Frame, timer: StageTimer) -> Seen:
        if isinstance(result, DepthMap):
            with timer("steadying"):
                return Seen(self._depth_range.update(result, frame.pts_seconds), frame)
        if not isinstance(result, Detections | Poses) or (self.tracker is None and self.counter is None):
            return Seen(result, frame)
        with timer("tracking"):
            tails: Sequence[Tail] = ()
            if isinstance(result, GuessedDrawings) and self.tracker is not None:
                named = self._named(result, self.tracker, frame.pts_seconds)
                counted = None if self.counter is None else self.counter.update(named, frame.size_wh)
                return Seen(named, frame, counts=counted)
            objects = result.objects if isinstance(result, Poses) else result
            if self.tracker is not None:
                self.tracker.threshold = self.tracker.threshold if self._threshold is None else self._threshold
                rows, track_ids = self.tracker.follow(objects, frame.pts_seconds)
                result, objects = result.tracked(rows, track_ids), objects.tracked(rows, track_ids)
                tails = self.tracker.tails()
            counts = None if self.counter is None else self.counter.update(objects, frame.size_wh)
        return Seen(result, frame, tails=tails, counts=counts)

    def _named(self, drawings: GuessedDrawings, tracker: Tracker, seconds: float) -> Detections:
        """The drawings with their ids and steady names; they are followed as drawings, whatever they are taken for."""
        found, places = drawings.as_found()
        tracker.threshold = tracker.threshold if self._threshold is None else self._threshold
        rows, track_ids = tracker.follow(found, seconds)
        return self._smoother.update(drawings.tracked_rows(places[rows], track_ids), seconds)
