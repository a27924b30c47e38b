"""The sink of a stream that is watched in browsers: hands each picture to the broadcasts (write thread)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.sinks.sink import Sink
from stream.watermark import CaptureClock, draw_watermark
from stream.web.broadcast import Broadcast
from stream.web.legend import Legend


class WebSink(Sink):
    """Shows a stream to whoever watches at that moment: annotated, or plain for pages that draw themselves."""

    is_view = True
    shows_plain = True

    def __init__(
        self,
        drawn: Broadcast,
        plain: Broadcast | None = None,
        legend: Legend | None = None,
        *,
        watermark: CaptureClock | None = None,
    ) -> None:
        """Hand over to broadcasts, which outlive the sink.

        Args:
            drawn: of the annotated pictures.
            plain: of the pictures as they were captured; None where nobody may see those.
            legend: told of the models.
            watermark: where it is given, the time of capture stands in the plain picture, too.
        """
        self._drawn = drawn
        self._plain = plain
        self._legend = legend
        self._watermark = watermark
        self._last: FrameResult | None = None
        self.size_wh: tuple[int, int] | None = None
        """Of the last picture; None before the first."""
        # Nothing is drawn for nobody.
        self.needs_image = True

    def open(self, info: SourceInfo) -> None:
        """Tell the broadcasts what comes."""
        for broadcast in (self._drawn, self._plain):
            if broadcast is not None:
                broadcast.info = info
        self.needs_image = self._drawn.is_watched

    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Show one picture."""
        if self._legend is not None:
            self._legend.note(result.results)
        if self.needs_image:
            self._drawn.publish(image, result)
        self._last = result
        self.size_wh = result.frame.size_wh
        if self._plain is not None and self._plain.is_watched:
            self._plain.publish(self._plain_picture(result), result)
        # Who comes now sees the next picture, so that no undrawn one is shown as drawn.
        self.needs_image = self._drawn.is_watched

    def refresh(self, image: NDArray[np.uint8]) -> None:
        """Show the last picture again: the source has stalled, and the figures say so."""
        self._drawn.publish_again(image)
        if self._plain is not None and self._plain.is_watched and self._last is not None:
            self._plain.publish_again(self._plain_picture(self._last))

    def close(self) -> None:
        """Nothing to finish: viewers stay, and are told by the server."""

    def _plain_picture(self, result: FrameResult) -> NDArray[np.uint8]:
        image = result.frame.image
        if self._watermark is None:
            return image
        picture = image.copy()
        draw_watermark(picture, self._watermark.epoch_ms(result.frame.captured_at_ns))
        return picture
