"""The first stage: takes frames from the source, as far as the limits go, and counts them (capture thread)."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from stream.frame import Frame
from stream.metrics import Metrics
from stream.sources.source import Source


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop before the source ends.

    Attributes:
        frames: after so many frames, or None.
        seconds: at the first frame that lies so many seconds of presentation time after the first one, or None.
    """

    frames: int | None = None
    seconds: float | None = None


class CaptureStage:
    """Reads the source of one stream, once."""

    def __init__(self, source: Source, limits: Limits, metrics: Metrics) -> None:
        """Make ready; nothing is read.

        Args:
            source: an open source.
            limits: when to stop before it ends.
            metrics: told of every frame, and of how long it took.
        """
        self._source = source
        self._limits = limits
        self._metrics = metrics
        self._stop_asked = threading.Event()
        self._superseded = 0

    @property
    def frame_count(self) -> int | None:
        """How many frames will be captured, as far as source and limits say; None where they don't."""
        info, limits = self._source.info, self._limits
        by_duration = None if limits.seconds is None or info.rate is None else math.ceil(limits.seconds * info.rate)
        known = [count for count in (info.frame_count, limits.frames, by_duration) if count is not None]
        return min(known) if known else None

    def stop(self) -> None:
        """Yield nothing more, also where the source blocks. Safe from any thread."""
        self._stop_asked.set()
        self._source.close()

    def frames(self) -> Iterator[Frame]:
        """The frames, counted as captured.

        Pictures that the source itself let go of for newer ones were there too: they are captured, and superseded.

        Raises:
            SourceError: the source broke while it was read.
        """
        metrics = self._metrics
        try:
            for frame in self._timed_frames():
                self._count_superseded()
                metrics.frame_captured(int(frame.pts * frame.time_base * 1_000_000_000))
                yield frame
        finally:
            self._count_superseded()

    def _count_superseded(self) -> None:
        status = self._source.status
        if status is not None and status.superseded > self._superseded:
            self._metrics.frames_superseded_in_source(status.superseded - self._superseded)
            self._superseded = status.superseded

    def _timed_frames(self) -> Iterator[Frame]:
        frames, metrics = iter(self._source), self._metrics
        # A live source is waited for, and how long that takes says nothing of its decoder.
        stage = "capture" if self._source.info.is_live else "decode"
        count, first_seconds = 0, 0.0
        while not self._stop_asked.is_set() and count != self._limits.frames:
            began = metrics.clock_ns()
            frame = next(frames, None)
            if frame is None:
                return
            metrics.add_stage_ms(stage, (metrics.clock_ns() - began) / 1e6)
            first_seconds = frame.pts_seconds if count == 0 else first_seconds
            if self._limits.seconds is not None and frame.pts_seconds - first_seconds >= self._limits.seconds:
                return
            count += 1
            yield frame
