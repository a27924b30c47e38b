"""Makes the one copy of each picture that overlays draw on: the first half of the render and write stage."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from stream.class_choice import ClassChoice
from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.live_parts import Look
from stream.metrics import Metrics
from stream.overlays.drawing import Painter
from stream.overlays.hud import HudReading
from stream.sources.source import Source, SourceStatus
from stream.watermark import CaptureClock, draw_watermark

_HUD_EVERY_SECONDS = 0.5


class Renderer:
    """Holds the canvas and the overlays of one stream."""

    def __init__(
        self,
        metrics: Metrics,
        providers: Mapping[str, str],
        look: Look | None = None,
        *,
        source: Source | None = None,
        clock: CaptureClock | None = None,
    ) -> None:
        """Make ready for one stream.

        Args:
            metrics: where the HUD's figures come from.
            providers: by model name, the ONNX Runtime provider that runs it.
            look: what is drawn besides results; the figures where it is not given.
            source: where frames come from; asked for its status.
            clock: the time of capture in the picture is by this clock.
        """
        look = look or Look()
        self.classes = ClassChoice(look.emphasis)
        self._metrics = metrics
        self._providers = providers
        self._look = look
        self._hud = look.hud
        self._source = source
        self._clock = clock or CaptureClock()
        self._painter = Painter()
        self._canvas: NDArray[np.uint8] | None = None
        self._reading: HudReading | None = None
        self._reading_until_seconds = 0.0

    def render(self, result: FrameResult, *, is_refreshed: bool = False) -> NDArray[np.uint8]:
        """The annotated picture; the same array every time, overwritten by the next call.

        Args:
            result: the frame and what is drawn on it.
            is_refreshed: whether it is the last frame once more, so that only the figures have changed.
        """
        image = result.frame.image
        watermark, background = self._look.watermark, self._look.background
        is_changed = self.classes.emphasis is not None or background is not None
        if not self._hud and not result.results and not watermark and not is_changed:
            return image
        self.classes.note(result.results)
        if self._canvas is None or self._canvas.shape != image.shape:
            self._canvas = np.empty_like(image)
        np.copyto(self._canvas, image)
        if is_refreshed:
            self._reading = None
        hud = self._reading_for(result.frame) if self._hud else None
        self._painter.paint(
            self._canvas,
            self.classes.shown(result.results),
            hud,
            tails=result.tails,
            counts=result.counts,
            strengths=result.strengths,
            emphasis=self.classes.emphasis,
            background=background,
            seconds=result.frame.pts_seconds,
        )
        if watermark:
            draw_watermark(self._canvas, self._clock.epoch_ms(result.frame.captured_at_ns))
        return self._canvas

    def change(self, look: Look, providers: Mapping[str, str]) -> None:
        """Draw otherwise from the next picture on; what a person has chosen stays where the look is as it was."""
        if look.hud != self._look.hud:
            self._hud = look.hud
        if look.emphasis != self._look.emphasis:
            self.classes.emphasis = look.emphasis
        self._look, self._providers, self._reading = look, providers, None

    def toggle_hud(self) -> None:
        """Draw the run's figures from the next picture on, or no longer; safe from any thread."""
        self._hud = not self._hud

    def _reading_for(self, frame: Frame) -> HudReading:
        # Figures that change with every frame cannot be read.
        if self._reading is None or not (
            self._reading_until_seconds - _HUD_EVERY_SECONDS <= frame.pts_seconds < self._reading_until_seconds
        ):
            self._reading = self._take_reading(*frame.size_wh)
            self._reading_until_seconds = frame.pts_seconds + _HUD_EVERY_SECONDS
        return self._reading

    def _take_reading(self, width: int, height: int) -> HudReading:
        now, recent_ms = self._metrics.snapshot(), self._metrics.recent_stage_ms()
        return HudReading(
            width=width,
            height=height,
            source_fps=now.source_fps,
            inference_fps={
                name: fps for name, fps in now.inference_fps.items() if fps is not None and name in self._providers
            },
            output_fps=now.output_fps,
            latency_p50_ms=now.latency_ms.get("p50"),
            latency_p95_ms=now.latency_ms.get("p95"),
            dropped=sum(now.dropped.values()),
            providers=self._providers,
            result_age_ms=now.result_age_ms.get("p50"),
            encoder_ms=recent_ms.get("encoder"),
            decoder_ms=recent_ms.get("decoder"),
            stale_seconds=now.stale_seconds,
            status=_in_words(self._source.status if self._source else None),
        )


def _in_words(status: SourceStatus | None) -> str | None:
    """What a source that is lost is doing; None where it is not."""
    if status is None or status.is_connected:
        return None
    if status.waits_for is not None:
        return f"waiting for {status.waits_for}"
    return f"reconnecting, attempt {status.attempt}" if status.attempt else "reconnecting"
