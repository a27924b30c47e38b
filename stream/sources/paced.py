"""A recording played by the clock, as if it were a camera: frames come when they are due, and wait for nobody.

Stands between a recorded source and the frame loop (capture thread); `realtime: true` asks for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from stream.frame import Frame
from stream.sources.source import Source


class PacedSource(Source):
    """Gives each frame of a recording at its own time, counted from the first.

    What cannot be read in time comes late, and the next is still due at its own time: the source never drifts.
    """

    def __init__(
        self,
        recording: Source,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        """Take over a recording, and close it when this is closed.

        Args:
            recording: an open source.
            clock_ns: what frames are due by, and `captured_at_ns` is read from.
            wait: waits so many seconds, or until the source is closed.
        """
        self._recording = recording
        self._clock_ns = clock_ns
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        self.info = replace(recording.info, is_live=True)

    def __iter__(self) -> Iterator[Frame]:
        """The frames, each when it is due."""
        start_ns: int | None = None
        for frame in self._recording:
            due_ns = int(frame.pts * frame.time_base * 1_000_000_000)
            start_ns = self._clock_ns() - due_ns if start_ns is None else start_ns
            early_ns = start_ns + due_ns - self._clock_ns()
            if early_ns > 0:
                self._wait(early_ns / 1e9)
            if self._closed.is_set():
                return
            yield replace(frame, captured_at_ns=self._clock_ns())

    def close(self) -> None:
        """End the waiting, and close the recording."""
        self._closed.set()
        self._recording.close()
