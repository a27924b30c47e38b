"""A video file that is begun in the middle of a stream: its time begins at 0 (write thread).

Made by `stream.running_stream` for sinks that are added while a stream runs, and by recordings of a window.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.sinks.sink import Sink

_log = logging.getLogger("mirilla")


class LateStart(Sink):
    """A sink that is told of frames as if the stream had begun with the first that it is given.

    The sound is left out: it is copied from the source's beginning on.
    """

    def __init__(self, sink: Sink) -> None:
        """Stand before a sink that is not open yet."""
        self._sink = sink
        self._first_pts: int | None = None
        self.needs_image = sink.needs_image
        self.wants_inferred = sink.wants_inferred

    def open(self, info: SourceInfo) -> None:
        """Open the sink for what is left of the source."""
        self._sink.open(replace(info, frame_count=None, audio=None))
        if info.audio is not None:
            _log.warning("%s: begins in the middle, and so without the sound", info.name)

    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Write a frame at its time since the first."""
        frame = result.frame
        if self._first_pts is None:
            self._first_pts = frame.pts
        self._sink.write(image, replace(result, frame=replace(frame, pts=frame.pts - self._first_pts)))

    def close(self) -> None:
        """Finish the file."""
        self._sink.close()

    @override
    def paths(self) -> list[str]:
        """The file, once it stands under its name."""
        return self._sink.paths()
