"""Makes the one copy of each picture that overlays draw on: the first half of the render and write stage."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.metrics import Metrics
from stream.overlays.background import Background
from stream.overlays.drawing import Painter
from stream.overlays.emphasis import Emphasis
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
        *,
        hud: bool,
        emphasis: Emphasis | None = None,
        background: Background | None = None,
        source: Source | None = None,
        watermark: CaptureClock | None = None,
    ) -> None:
        """Make ready for one stream.

        Args:
            metrics: where the HUD's figures come from.
            providers: by model name, the ONNX Runtime provider that runs it.
            hud: whether the figures are drawn.
            emphasis: the label that stands alone, or before all others.
            background: what comes behind people.
            source: where frames come from; asked for its status.
            watermark: where it is given, the time of capture stands in the picture, by this clock.
        """
        self._metrics = metrics
        self._providers = providers
        self._hud = hud
        self._source = source
        self._watermark = watermark
        self._painter = Painter(emphasis, background)
        self._is_changed = background is not None
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
        if not self._hud and not result.results and self._watermark is None and not self._is_changed:
            return image
        if self._canvas is None or self._canvas.shape != image.shape:
            self._canvas = np.empty_like(image)
        np.copyto(self._canvas, image)
        if is_refreshed:
            self._reading = None
        hud = self._reading_for(result.frame) if self._hud else None
        self._painter.paint(
            self._canvas,
            result.results,
            hud,
            tails=result.tails,
            counts=result.counts,
            strengths=result.strengths,
            seconds=result.frame.pts_seconds,
        )
        if self._watermark is not None:
            draw_watermark(self._canvas, self._watermark.epoch_ms(result.frame.captured_at_ns))
        return self._canvas

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
        now = self._metrics.snapshot()
        return HudReading(
            width=width,
            height=height,
            source_fps=now.source_fps,
            inference_fps={name: fps for name, fps in now.inference_fps.items() if fps is not None},
            output_fps=now.output_fps,
            latency_p50_ms=now.latency_ms.get("p50"),
            latency_p95_ms=now.latency_ms.get("p95"),
            dropped=sum(now.dropped.values()),
            providers=self._providers,
            result_age_ms=now.result_age_ms.get("p50"),
            stale_seconds=now.stale_seconds,
            status=_in_words(self._source.status if self._source else None),
        )


def _in_words(status: SourceStatus | None) -> str | None:
    """What a source that is lost is doing; None where it is not."""
    if status is None or status.is_connected:
        return None
    return f"reconnecting, attempt {status.attempt}" if status.attempt else "reconnecting"
