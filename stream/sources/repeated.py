"""A recording that begins again when it has ended, on a time line that goes on: for streams that are watched.

Stands between the recorded source and what paces it (capture thread).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

from stream.frame import Frame
from stream.sources.source import Source

_LAST_FRAME_SECONDS = Fraction(1, 5)
"""How long the last frame is shown where the source declares no rate: a still is sent five times a second."""


class RepeatedSource(Source):
    """Opens the same recording again and again, until it is closed."""

    def __init__(self, first: Source, opened: Callable[[], Source]) -> None:
        """Take over the recording's first round, and close it when this is closed.

        Args:
            first: the recording, open.
            opened: opens it again; raises SourceError where it cannot.
        """
        self._opened = opened
        self._closed = threading.Event()
        self._recording = first
        # The sound is not repeated.
        self.info = replace(first.info, frame_count=None, audio=None)

    def __iter__(self) -> Iterator[Frame]:
        """The frames of all rounds; their indices and times, from 0, go on."""
        index, begin = 0, Fraction(0)
        while not self._closed.is_set():
            first, end = index, begin
            first_pts = 0
            for frame in self._recording:
                first_pts = frame.pts if index == first else first_pts
                seconds = begin + (frame.pts - first_pts) * frame.time_base
                end = seconds + (1 / self.info.rate if self.info.rate else _LAST_FRAME_SECONDS)
                yield replace(frame, index=index, pts=round(seconds / frame.time_base))
                index += 1
            if index == first or self._closed.is_set():
                return
            begin = end
            self._recording.close()
            self._recording = self._opened()
            # It may have been closed while it was opened.
            if self._closed.is_set():
                self._recording.close()

    def close(self) -> None:
        """End the round that goes on, and begin no other."""
        self._closed.set()
        self._recording.close()
