"""The frame loop: capture, infer, render and write, each on its own thread, with bounded buffers between them.

ONNX Runtime, OpenCV and libav let go of the interpreter while they work, so the three overlap. The caller's thread
waits in `run`, which is what Ctrl-C interrupts. How frames go from stage to stage stands in `stream.frame_routes`.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from typing import Any

from stream.capture_stage import CaptureStage, Limits
from stream.controls import Controls
from stream.errors import SinkError
from stream.frame import SourceInfo
from stream.frame_routes import FrameRoutes, Stages
from stream.infer_stage import InferStage
from stream.live_parts import LiveParts, Look
from stream.metrics import Metrics
from stream.model_step import PipelineModel, Step
from stream.picture_timing import PictureTiming, Timing
from stream.renderer import Renderer
from stream.sinks.sink import Sink
from stream.sources.source import Source
from stream.stage_threads import StageThreads
from stream.write_stage import WriteStage

_WAKE_EVERY_SECONDS = 0.2


class Pipeline:
    """One stream from its source to its sinks. It is run once."""

    def __init__(
        self,
        source: Source,
        models: Sequence[PipelineModel | Step],
        sinks: Sequence[Sink],
        *,
        metrics: Metrics | None = None,
        look: Look | None = None,
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
            look: what is drawn besides results; the figures where it is not given.
            limits: when to stop before the source ends.
            timing: whether pictures wait for the models.
            max_age_ms: a frame that is older when the models could take it is dropped; None drops none.
        """
        info = source.info
        self._source = source
        names = [step.name if callable(step) else step.model.name for step in models]
        self.metrics = metrics or Metrics(names, source=info)
        self._capture_stage = CaptureStage(source, limits or Limits(), self.metrics)
        self._infer_stage = InferStage(models, self.metrics)
        renderer = Renderer(self.metrics, self._infer_stage.providers, look or Look(), source=source)
        self.controls = Controls(self.stop, renderer.toggle_hud, renderer.classes)
        self.controls.hear(self._infer_stage.steps)
        self._write_stage = WriteStage(sinks, renderer, self.metrics)
        self._routes = FrameRoutes(
            Stages(self._capture_stage, self._infer_stage, self._write_stage),
            PictureTiming(timing, is_live=info.is_live),
            self.metrics,
            is_live=info.is_live,
            max_age_ms=max_age_ms,
        )
        self._threads = StageThreads(self.stop)
        self._changes: queue.SimpleQueue[tuple[LiveParts, Callable[[SinkError | None], None]]] = queue.SimpleQueue()

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
            while self._threads.are_running:
                if not self.attend(_WAKE_EVERY_SECONDS):
                    self._threads.wait(_WAKE_EVERY_SECONDS)
                on_progress()
        finally:
            # Reached early where on_progress raises, or the interpreter interrupts the caller's thread.
            failure = self.finish()
        if failure is not None:
            raise failure

    def change(self, parts: LiveParts, on_done: Callable[[SinkError | None], None]) -> None:
        """Exchange what may be exchanged while the stream runs, soon; safe from any thread.

        New sinks are opened on the caller's thread, then each stage takes over between two frames. The source is not
        touched. A stream that ends before does not call `on_done`.

        Args:
            parts: all of them, as they are to be.
            on_done: called on the caller's thread; with what kept a sink from being opened, and then all is as it was.
        """
        self._changes.put((parts, on_done))

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
        self.metrics.started()
        self._threads.start(
            {"capture": self._routes.capture, "infer": self._routes.infer, "write": self._write}, on_over
        )

    def attend(self, seconds: float) -> bool:
        """Let the sinks do what belongs on this thread; whether that took the time."""
        self._take_changes()
        sinks = self._write_stage.to_attend()
        attended = [sink.attend(self.controls, seconds / len(sinks)) for sink in sinks]
        return any(attended)

    def finish(self) -> BaseException | None:
        """Stop, wait until what was captured is written, and close everything; returns what failed first."""
        self.stop()
        # A sink may wait for a person, who is told there that the stream is ending.
        while self._threads.are_running:
            if not self.attend(_WAKE_EVERY_SECONDS):
                self._threads.wait(_WAKE_EVERY_SECONDS)
        # What never began is open, and so may be what was opened when the write thread was about to end.
        self._fail_with(self._write_stage.close())
        self.attend(0)
        self._source.close()
        self.metrics.ended()
        return self._threads.failure

    def stop(self) -> None:
        """Capture nothing more; what was captured is still inferred and written. Safe from any thread."""
        self.controls.stopping()
        self._capture_stage.stop()

    def _take_changes(self) -> None:
        while not self._changes.empty() and not self.controls.is_stopping:
            parts, on_done = self._changes.get()
            providers = {step.model.name: step.model.provider for step in parts.steps}
            try:
                self._write_stage.change(parts.sinks, parts.look, providers, self.info)
            except SinkError as error:
                on_done(error)
                continue
            self._infer_stage.change(parts.steps)
            self.controls.hear(parts.steps)
            self._routes.change(parts.timing, parts.max_age_ms)
            on_done(None)

    def _write(self) -> None:
        try:
            self._routes.write()
        finally:
            self._fail_with(self._write_stage.close())

    def _fail_with(self, errors: Sequence[SinkError]) -> None:
        for error in errors:
            self._threads.fail(error)
