"""The ways of the frames of one stream from stage to stage, with bounded buffers between the threads.

    exact:   capture -> infer -> write            the picture waits for the models
    latest:  capture -> write, and capture -> infer -> write, which carries the newest results to the picture

Each of the three methods that are called after a stage is the whole work of that stage's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from stream.capture_stage import CaptureStage
from stream.frame import Frame
from stream.frame_buffer import FrameBuffer
from stream.frame_result import FrameResult
from stream.infer_stage import InferStage
from stream.metrics import Metrics
from stream.picture_timing import PictureTiming, Timing
from stream.write_stage import WriteStage

T = TypeVar("T")

_RECORDED_CAPACITY = 4
_ANSWERS_CAPACITY = 4
_WAKE_EVERY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Stages:
    """What happens on the way: one of each."""

    capture: CaptureStage
    infer: InferStage
    write: WriteStage


@dataclass(frozen=True, slots=True)
class _Captured:
    """A frame on its way to the models.

    Attributes:
        frame: the frame.
        is_shown: whether its picture is on its way to the sinks already, and does not wait for what is inferred.
    """

    frame: Frame
    is_shown: bool


class FrameRoutes:
    """The buffers of one stream, and who puts what into which."""

    def __init__(
        self, stages: Stages, timing: PictureTiming, metrics: Metrics, *, is_live: bool, max_age_ms: float | None
    ) -> None:
        """Nothing is on its way.

        Args:
            stages: where frames go.
            timing: decides for each frame whether its picture waits.
            metrics: told of every frame that is dropped on the way.
            is_live: whether frames come by the clock, so that the newest win; else they wait.
            max_age_ms: a frame that is older when the models could take it is dropped; None drops none.
        """
        self._stages = stages
        self._timing = timing
        self._is_live = is_live
        self._metrics = metrics
        self._max_age_ms = max_age_ms
        self._captured: FrameBuffer[_Captured] = _buffer(is_live or timing.is_latest, self._superseded)
        # Bare frames, or with what was inferred on them.
        self._pictures: FrameBuffer[Frame | FrameResult] = _buffer(
            is_live, lambda _: metrics.frame_dropped("sinks_busy")
        )
        # What was inferred on frames that did not wait for it.
        self._answers: FrameBuffer[FrameResult] = FrameBuffer(_ANSWERS_CAPACITY, "wait")

    def change(self, timing: Timing, max_age_ms: float | None) -> None:
        """Time live pictures otherwise from the next frame on; safe from any thread.

        Recorded ones stay as they are: those on their way would be overtaken, and none of them may be lost.
        """
        if self._is_live:
            self._timing = PictureTiming(timing, is_live=True, is_latest=self._timing.is_latest)
        self._max_age_ms = max_age_ms

    def capture(self) -> None:
        """Send every frame of the source on its way."""
        try:
            for frame in self._stages.capture.frames():
                self._stages.infer.note(frame)
                is_shown = self._timing.is_latest
                if is_shown and not self._pictures.put(frame):
                    return
                if not self._captured.put(_Captured(frame, is_shown)):
                    return
        finally:
            # Also after a failure: what was captured before it is whole, and is written.
            self._captured.end()

    def infer(self) -> None:
        """Show frames to the models, and send on what they say."""
        try:
            for captured in self._captured:
                if self._is_too_old(captured.frame):
                    if not captured.is_shown:
                        self._metrics.frame_dropped("too_old")
                    continue
                inferred = self._timed_look(captured.frame)
                taken = self._answers.put(inferred) if captured.is_shown else self._pictures.put(inferred)
                if not taken:
                    return
        finally:
            # Capture has ended, or ends at its next frame: nothing else is put.
            self._captured.abort()
            self._answers.end()
            self._pictures.end()

    def write(self) -> None:
        """Give pictures and answers to the sinks."""
        stage = self._stages.write
        try:
            while not self._pictures.is_over:
                stage.take_over()
                picture = self._pictures.take(_WAKE_EVERY_SECONDS)
                self._take_answers()
                if isinstance(picture, FrameResult):
                    if not stage.write_exact(picture):
                        self._metrics.frame_dropped("superseded")
                elif picture is not None:
                    stage.write_latest(picture)
                else:
                    stage.refresh()
            self._take_answers()
        finally:
            self._pictures.abort()
            self._answers.abort()

    def _is_too_old(self, frame: Frame) -> bool:
        age_ms = (self._metrics.clock_ns() - frame.captured_at_ns) / 1e6
        return self._max_age_ms is not None and age_ms > self._max_age_ms

    def _timed_look(self, frame: Frame) -> FrameResult:
        began_ns = self._metrics.clock_ns()
        inferred = self._stages.infer.look(frame)
        if inferred.stage_ms:
            self._timing.looked((self._metrics.clock_ns() - began_ns) / 1e9, self._metrics.source_fps)
        return inferred

    def _take_answers(self) -> None:
        for inferred in self._answers.take_held():
            self._stages.write.take(inferred)

    def _superseded(self, captured: _Captured) -> None:
        if not captured.is_shown:
            self._metrics.frame_dropped("superseded")


def _buffer(newest_wins: bool, on_superseded: Callable[[T], None]) -> FrameBuffer[T]:
    if newest_wins:
        return FrameBuffer(1, "newest", on_superseded)
    return FrameBuffer(_RECORDED_CAPACITY, "wait")
