"""The frame loop: capture, infer, render and write, each on its own thread, with bounded buffers between them.

ONNX Runtime, OpenCV and libav let go of the interpreter while they work, so the three overlap. The caller's thread
waits in `run`, which is what Ctrl-C interrupts. A frame goes one of two ways:

    exact:   capture -> infer -> write            the picture waits for the models
    latest:  capture -> write, and capture -> infer -> write, which carries the newest results to the picture
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from stream.capture_stage import CaptureStage, Limits
from stream.controls import Controls
from stream.errors import SinkError
from stream.frame import Frame, SourceInfo
from stream.frame_buffer import FrameBuffer
from stream.frame_result import FrameResult
from stream.infer_stage import InferStage
from stream.metrics import Metrics
from stream.model_step import ModelStep, PipelineModel
from stream.overlays.background import Background
from stream.overlays.emphasis import Emphasis
from stream.picture_timing import PictureTiming, Timing
from stream.renderer import Renderer
from stream.sinks.sink import Sink
from stream.sources.source import Source
from stream.watermark import CaptureClock
from stream.write_stage import WriteStage

T = TypeVar("T")

_log = logging.getLogger("mirilla")

_RECORDED_CAPACITY = 4
_ANSWERS_CAPACITY = 4
_WAKE_EVERY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class _Captured:
    """A frame on its way to the models.

    Attributes:
        frame: the frame.
        is_shown: whether its picture is on its way to the sinks already, and does not wait for what is inferred.
    """

    frame: Frame
    is_shown: bool


class Pipeline:
    """One stream from its source to its sinks. It is run once."""

    def __init__(
        self,
        source: Source,
        models: Sequence[PipelineModel | ModelStep],
        sinks: Sequence[Sink],
        *,
        metrics: Metrics | None = None,
        hud: bool = True,
        watermark: bool = False,
        emphasis: Emphasis | None = None,
        background: Background | None = None,
        limits: Limits | None = None,
        timing: Timing = "auto",
        max_age_ms: float | None = None,
    ) -> None:
        """Put the parts together; nothing starts, and the source and the sinks become the pipeline's to close.

        Args:
            source: an open source.
            models: run in this order, on every frame where no step says otherwise; their names differ.
            sinks: not yet opened.
            metrics: counts and times; with its injected clock.
            hud: whether the run's figures are drawn on the picture.
            watermark: whether the time of capture is: see `stream.watermark`.
            emphasis: the label that stands alone in the picture, or before all others.
            background: what comes behind people.
            limits: when to stop before the source ends.
            timing: whether pictures wait for the models.
            max_age_ms: a frame that is older when the models could take it is dropped; None drops none.
        """
        info = source.info
        self._source = source
        self._max_age_ms = max_age_ms
        self._timing = PictureTiming(timing, is_live=info.is_live)
        names = [step.model.name if isinstance(step, ModelStep) else step.name for step in models]
        self.metrics = metrics or Metrics(names, source=info)
        self._capture_stage = CaptureStage(source, limits or Limits(), self.metrics)
        self._infer_stage = InferStage(models, self.metrics)
        renderer = Renderer(
            self.metrics,
            self._infer_stage.providers,
            hud=hud,
            emphasis=emphasis,
            background=background,
            source=source,
            watermark=CaptureClock() if watermark else None,
        )
        self.controls = Controls(self.stop, renderer.toggle_hud)
        self._sinks = sinks
        self._write_stage = WriteStage(sinks, renderer, self.metrics)
        self._captured: FrameBuffer[_Captured] = _buffer(info.is_live or self._timing.is_latest, self._superseded)
        # Bare frames, or with what was inferred on them.
        self._pictures: FrameBuffer[Frame | FrameResult] = _buffer(
            info.is_live, lambda _: self.metrics.frame_dropped("sinks_busy")
        )
        # What was inferred on frames that did not wait for it.
        self._answers: FrameBuffer[FrameResult] = FrameBuffer(_ANSWERS_CAPACITY, "wait")
        self._threads: list[threading.Thread] = []
        self._stages_left = 0
        self._on_over: Callable[[], None] = lambda: None
        self._failure: BaseException | None = None
        self._lock = threading.Lock()

    @property
    def info(self) -> SourceInfo:
        """What the source says of itself."""
        return self._source.info

    @property
    def providers(self) -> dict[str, str]:
        """The ONNX Runtime provider by model name."""
        return self._infer_stage.providers

    @property
    def frame_count(self) -> int | None:
        """How many frames will be captured, as far as source and limits say; None where they don't."""
        return self._capture_stage.frame_count

    @property
    def counts(self) -> dict[str, dict[str, Any]]:
        """What has been counted so far, by model name, ready for JSON; read it when the run has ended."""
        return self._infer_stage.counts

    def run(self, on_progress: Callable[[], None] = lambda: None) -> None:
        """Run to the end of the source, a limit, or `stop`; everything is closed when it returns or raises.

        Args:
            on_progress: called on this thread five times a second while frames flow.

        Raises:
            MirillaError: the first stage that failed; what had been inferred until then is written and finished.
        """
        self.open()
        self.start()
        try:
            while self._is_running:
                if not self.attend(_WAKE_EVERY_SECONDS):
                    self._threads[-1].join(_WAKE_EVERY_SECONDS)
                on_progress()
        finally:
            # Reached early where on_progress raises, or the interpreter interrupts the caller's thread.
            failure = self.finish()
        if failure is not None:
            raise failure

    # What `run` does, for those who run several pipelines from one thread; all of it is called on that thread.

    def open(self) -> None:
        """Open the sinks; then `start` and `finish`, or `finish` alone, have to follow.

        Raises:
            SinkError: one cannot be opened; the source and the others are closed.
        """
        try:
            self._write_stage.open(self._source.info)
        except BaseException:
            self._source.close()
            raise

    def start(self, on_over: Callable[[], None] = lambda: None) -> None:
        """Begin to capture, infer and write.

        Args:
            on_over: called once, on the last of the pipeline's threads to end, when only `finish` is left to be done.
        """
        self._on_over = on_over
        self._threads = [
            threading.Thread(target=self._guarded, args=(stage,), name=f"mirilla-{name}", daemon=True)
            for name, stage in (("capture", self._capture), ("infer", self._infer), ("write", self._write))
        ]
        self._stages_left = len(self._threads)
        self.metrics.started()
        for thread in self._threads:
            thread.start()

    def attend(self, seconds: float) -> bool:
        """Let the sinks do what belongs on this thread; whether that took the time."""
        attended = [sink.attend(self.controls, seconds / len(self._sinks)) for sink in self._sinks]
        return any(attended)

    def finish(self) -> BaseException | None:
        """Stop, wait until what was captured is written, and close everything; returns what failed first."""
        self.stop()
        if not self._threads:
            self._fail_with(self._write_stage.close())
        for thread in self._threads:
            # A sink may wait for a person, who is told there that the stream is ending.
            while thread.is_alive():
                if not self.attend(_WAKE_EVERY_SECONDS):
                    thread.join(_WAKE_EVERY_SECONDS)
        self.attend(0)
        self._source.close()
        self.metrics.ended()
        return self._failure

    def stop(self) -> None:
        """Capture nothing more; what was captured is still inferred and written. Safe from any thread."""
        self.controls.stopping()
        self._capture_stage.stop()

    @property
    def _is_running(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _capture(self) -> None:
        try:
            for frame in self._capture_stage.frames():
                is_shown = self._timing.is_latest
                if is_shown and not self._pictures.put(frame):
                    return
                if not self._captured.put(_Captured(frame, is_shown)):
                    return
        finally:
            # Also after a failure: what was captured before it is whole, and is written.
            self._captured.end()

    def _infer(self) -> None:
        try:
            for captured in self._captured:
                if self._is_too_old(captured.frame):
                    if not captured.is_shown:
                        self.metrics.frame_dropped("too_old")
                    continue
                began_ns = self.metrics.clock_ns()
                inferred = self._infer_stage.look(captured.frame)
                if inferred.stage_ms:
                    seconds = (self.metrics.clock_ns() - began_ns) / 1e9
                    self._timing.looked(seconds, self.metrics.source_fps)
                taken = self._answers.put(inferred) if captured.is_shown else self._pictures.put(inferred)
                if not taken:
                    return
        finally:
            # Capture has ended, or ends at its next frame: nothing else is put.
            self._captured.abort()
            self._answers.end()
            self._pictures.end()

    def _is_too_old(self, frame: Frame) -> bool:
        age_ms = (self.metrics.clock_ns() - frame.captured_at_ns) / 1e6
        return self._max_age_ms is not None and age_ms > self._max_age_ms

    def _write(self) -> None:
        stage = self._write_stage
        try:
            while not self._pictures.is_over:
                picture = self._pictures.take(_WAKE_EVERY_SECONDS)
                self._take_answers()
                if isinstance(picture, FrameResult):
                    if not stage.write_exact(picture):
                        self.metrics.frame_dropped("superseded")
                elif picture is not None:
                    stage.write_latest(picture)
                else:
                    stage.refresh()
            self._take_answers()
        finally:
            self._pictures.abort()
            self._answers.abort()
            self._fail_with(stage.close())

    def _take_answers(self) -> None:
        for inferred in self._answers.take_held():
            self._write_stage.take(inferred)

    def _guarded(self, stage: Callable[[], None]) -> None:
        try:
            stage()
        except BaseException as error:
            self._failed(error)
        finally:
            with self._lock:
                self._stages_left -= 1
                is_over = not self._stages_left
            if is_over:
                self._on_over()

    def _fail_with(self, errors: Sequence[SinkError]) -> None:
        for error in errors:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        with self._lock:
            if self._failure is None:
                self._failure = error
            else:
                _log.debug("a further stage failed", exc_info=error)
        self.stop()

    def _superseded(self, captured: _Captured) -> None:
        if not captured.is_shown:
            self.metrics.frame_dropped("superseded")


def _buffer(newest_wins: bool, on_superseded: Callable[[T], None]) -> FrameBuffer[T]:
    if newest_wins:
        return FrameBuffer(1, "newest", on_superseded)
    return FrameBuffer(_RECORDED_CAPACITY, "wait")
