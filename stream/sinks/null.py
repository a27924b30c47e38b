"""The sink that leaves nothing: for measuring, and for runs that are only watched (write thread)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.sinks.sink import Sink, SinkKind


class NullSink(Sink):
    """Takes every frame and keeps none."""

    needs_image = False

    def open(self, info: SourceInfo) -> None:
        """Nothing to make ready."""

    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing to finish."""


SINK = SinkKind(
    name="null (nothing is kept)", accepts=lambda spec: spec == "null", make=lambda _spec, _overwrite: NullSink()
)
