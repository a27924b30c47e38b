"""The sink of a stream that is watched in browsers: hands each picture to the broadcast (write thread)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.sinks.sink import Sink
from stream.web.broadcast import Broadcast


class WebSink(Sink):
    """Shows a stream to whoever watches at that moment."""

    is_view = True

    def __init__(self, broadcast: Broadcast) -> None:
        """Hand over to a broadcast, which outlives the sink."""
        self._broadcast = broadcast

    def open(self, info: SourceInfo) -> None:
        """Tell the broadcast what comes."""
        self._broadcast.info = info

    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Show one picture."""
        self._broadcast.publish(image, result)

    def refresh(self, image: NDArray[np.uint8]) -> None:
        """Show the last picture again: the source has stalled, and the figures say so."""
        self._broadcast.publish_again(image)

    def close(self) -> None:
        """Nothing to finish: viewers stay, and are told by the server."""
