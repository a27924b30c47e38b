"""The frame loop: capture, infer, render and write, each on its own thread, with bounded buffers between them.

ONNX Runtime, OpenCV and libav let go of the interpreter while they work, so the three overlap. The caller's thread
waits in `run`, which is what Ctrl-C interrupts.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from stream.controls import Controls
from stream.errors import SinkError
from stream.frame import Frame
from stream.frame_buffer import FrameBuffer, Policy
from stream.frame_result import FrameResult
from stream.metrics import Metrics
from stream.model_step import ModelStep, PipelineModel, Seen
from stream.overlays.emphasis import Emphasis
from stream.renderer import Renderer
from stream.sinks.sink import Sink
from stream.sources.source import Source

_log = logging.getLogger("mirilla")

_RECORDED_CAPACITY = 4
_WAKE_EVERY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop before the source ends.

    Attributes:
        frames: after so many frames, or None.
        seconds: at the first frame that lies so many seconds of presentation time after the first one, or None.
    """

    frames: int | None = None
    seconds: float | None = None


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
        emphasis: Emphasis | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Put the parts together; nothing starts, and the source and the sinks become the pipeline's to close.

        Args:
            source: an open source.
            models: run in this order, on every frame where no step says otherwise; their names differ.
            sinks: not yet opened.
            metrics: counts and times; with its injected clock.
            hud: whether the run's figures are drawn on the picture.
            emphasis: the label that stands alone in the picture, or before all others.
            limits: when to stop before the source ends.
        """
        self._source = source
        self._steps = [step if isinstance(step, ModelStep) else ModelStep(step) for step in models]
        self._sinks = sinks
        self._limits = limits or Limits()
        providers = {step.model.name: step.model.provider for step in self._steps}
        self.metrics = metrics or Metrics(list(providers))
        capacity = 1 if source.info.is_live else _RECORDED_CAPACITY
        policy: Policy = "newest" if source.info.is_live else "wait"
        self._captured: FrameBuffer[Frame] = FrameBuffer(capacity, policy, self._superseded)
        self._inferred: FrameBuffer[FrameResult] = FrameBuffer(capacity, "wait")
        self._renderer = Renderer(self.metrics, providers, hud=hud, emphasis=emphasis)
        self.controls = Controls(self.stop, self._renderer.toggle_hud)
        self._stop_asked = threading.Event()
        self._failure: BaseException | None = None
        self._failure_lock = threading.Lock()

    @property
    def frame_count(self) -> int | None:
        """How many frames will be captured, as far as source and limits say; None where they don't."""
        info, limits = self._source.info, self._limits
        by_duration = None if limits.seconds is None or info.rate is None else math.ceil(limits.seconds * info.rate)
        known = [count for count in (info.frame_count, limits.frames, by_duration) if count is not None]
        return min(known) if known else None

    @property
    def counts(self) -> dict[str, dict[str, Any]]:
        """What has been counted so far, by model name, ready for JSON; read it when the run has ended."""
        counted = ((step.model.name, step.counts) for step in self._steps)
        return {name: counts.to_dict() for name, counts in counted if counts is not None}

    def run(self, on_progress: Callable[[], None] = lambda: None) -> None:
        """Run to the end of the source, a limit, or `stop`; everything is closed when it returns or raises.

        Args:
            on_progress: called on this thread five times a second while frames flow.

        Raises:
            MirillaError: the first stage that failed; what had been inferred until then is written and finished.
        """
        self._open_sinks()
        threads = [
            threading.Thread(target=self._guarded, args=(stage,), name=f"mirilla-{name}", daemon=True)
            for name, stage in (("capture", self._capture), ("infer", self._infer), ("write", self._write))
        ]
        self.metrics.started()
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                if not self._attend(_WAKE_EVERY_SECONDS):
                    threads[-1].join(_WAKE_EVERY_SECONDS)
                on_progress()
        finally:
            # Reached early where on_progress raises, or the interpreter interrupts the caller's thread.
            self.stop()
            for thread in threads:
                # A sink may wait for a person, who is told there that the stream is ending.
                while thread.is_alive():
                    if not self._attend(_WAKE_EVERY_SECONDS):
                        thread.join(_WAKE_EVERY_SECONDS)
            self._attend(0)
            self._source.close()
            self.metrics.ended()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Capture nothing more; what was captured is still inferred and written. Safe from any thread."""
        self._stop_asked.set()
        self.controls.stopping()
        self._source.close()

    def _attend(self, seconds: float) -> bool:
        attended = [sink.attend(self.controls, seconds / len(self._sinks)) for sink in self._sinks]
        return any(attended)

    def _capture(self) -> None:
        try:
            for frame in self._timed_frames():
                self.metrics.frame_captured(int(frame.pts * frame.time_base * 1_000_000_000))
                if not self._captured.put(frame):
                    return
        finally:
            # Also after a failure: what was captured before it is whole, and is written.
            self._captured.end()

    def _timed_frames(self) -> Iterator[Frame]:
        frames = iter(self._source)
        count, first_seconds = 0, 0.0
        while not self._stop_asked.is_set() and count != self._limits.frames:
            began = self.metrics.clock_ns()
            frame = next(frames, None)
            if frame is None:
                return
            self.metrics.add_stage_ms("decode", (self.metrics.clock_ns() - began) / 1e6)
            first_seconds = frame.pts_seconds if count == 0 else first_seconds
            if self._limits.seconds is not None and frame.pts_seconds - first_seconds >= self._limits.seconds:
                return
            count += 1
            yield frame

    def _infer(self) -> None:
        try:
            for frame in self._captured:
                if not self._inferred.put(self._looked_at(frame)):
                    return
        finally:
            self._captured.abort()
            self._inferred.end()

    def _looked_at(self, frame: Frame) -> FrameResult:
        seen: dict[str, Seen] = {}
        stage_ms: dict[str, Mapping[str, float]] = {}
        for step in self._steps:
            name, timer = step.model.name, _ModelTimer(self.metrics)
            seen[name] = step.look(frame, timer)
            for stage, milliseconds in timer.stage_ms.items():
                self.metrics.add_stage_ms(stage, milliseconds)
            if not seen[name].is_carried:
                stage_ms[name] = timer.stage_ms
                self.metrics.frame_inferred(name)
        return FrameResult(
            frame,
            results={name: what.result for name, what in seen.items()},
            stage_ms=stage_ms,
            carried=frozenset(name for name, what in seen.items() if what.is_carried),
            tails={name: what.tails for name, what in seen.items() if what.tails},
            counts={name: what.counts for name, what in seen.items() if what.counts is not None},
        )

    def _write(self) -> None:
        needs_image = any(sink.needs_image for sink in self._sinks)
        try:
            for result in self._inferred:
                image = result.frame.image
                if needs_image:
                    with self.metrics.stage("overlay"):
                        image = self._renderer.render(result)
                with self.metrics.stage("write"):
                    for sink in self._sinks:
                        sink.write(image, result)
                self.metrics.frame_written(result.frame.captured_at_ns)
        finally:
            self._inferred.abort()
            self._close_sinks()

    def _guarded(self, stage: Callable[[], None]) -> None:
        try:
            stage()
        except BaseException as error:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        with self._failure_lock:
            if self._failure is None:
                self._failure = error
            else:
                _log.debug("a further stage failed", exc_info=error)
        self.stop()

    def _open_sinks(self) -> None:
        opened: list[Sink] = []
        try:
            for sink in self._sinks:
                opened.append(sink)
                sink.open(self._source.info)
        except BaseException:
            for sink in opened:
                sink.close()
            self._source.close()
            raise

    def _close_sinks(self) -> None:
        for sink in self._sinks:
            try:
                sink.close()
            except SinkError as error:
                self._failed(error)

    def _superseded(self, _frame: Frame) -> None:
        self.metrics.frame_dropped("superseded")


class _ModelTimer:
    """Times the stages of one model on one frame."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.stage_ms: dict[str, float] = {}

    def __call__(self, stage: str) -> AbstractContextManager[None]:
        return self._timed(stage)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = self._metrics.clock_ns()
        yield
        milliseconds = (self._metrics.clock_ns() - began) / 1e6
        # A chain passes a stage several times a frame.
        self.stage_ms[stage] = self.stage_ms.get(stage, 0.0) + milliseconds
