"""`--sink web`: a stream's place in the page that the run serves; what shows it there is attached beforehand.

Recorded material is shown at its own speed, as in a window: the write thread waits here (write thread; `attend` on the
pipeline's caller).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from stream.controls import Controls
from stream.errors import SinkError
from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.sinks.pace import Pace
from stream.sinks.sink import Sink, SinkKind


class PageSink(Sink):
    """Shows the stream in the run's page."""

    is_view = True
    is_of_the_run = True
    shows_plain = True

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Belongs to no page yet; see `attach`.

        Args:
            clock: seconds that only go forward.
        """
        self._shown: Sink | None = None
        self._pace = Pace(clock)
        self._is_live = True
        self._ending = threading.Event()
        self.needs_image = True

    def attach(self, shown: Sink) -> None:
        """Give the pictures to a page, before the stream is opened.

        Args:
            shown: takes them.
        """
        self._shown = shown

    @override
    def open(self, info: SourceInfo) -> None:
        """Make ready; raises SinkError where there is no page."""
        self._is_live = info.is_live
        page = self._page()
        page.open(info)
        self.needs_image = page.needs_image

    @override
    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Show the picture; recorded material waits until its time has come, or the stream ends."""
        page = self._page()
        if not self._is_live:
            self._ending.wait(max(0.0, self._pace.seconds_until(result.frame.pts_seconds)))
            # To those who watch it is taken now; what it waited for is no delay of theirs.
            result = replace(result, frame=replace(result.frame, captured_at_ns=time.monotonic_ns()))
        page.write(image, result)
        self.needs_image = page.needs_image

    @override
    def refresh(self, image: NDArray[np.uint8]) -> None:
        """Show the last picture again."""
        self._page().refresh(image)

    @override
    def attend(self, controls: Controls, seconds: float) -> bool:
        """Wake a picture that waits when the stream is ending."""
        if controls.is_stopping:
            self._ending.set()
        return False

    @override
    def close(self) -> None:
        """Nothing to finish; the page goes on as long as the run."""
        if self._shown is not None:
            self._shown.close()

    def _page(self) -> Sink:
        if self._shown is None:
            raise SinkError("sink: web: only a run of `mirilla` serves a page; in a program, use stream.web.serve")
        return self._shown


SINK = SinkKind(name="web (in the browser)", accepts=lambda spec: spec == "web", make=lambda _s, _o: PageSink())
