"""The last stage: makes the picture of each frame and gives it to the sinks (write thread).

Frames come in their order, either with what the models said of them, or bare where the picture does not wait for the
models: then the newest results are carried to it. What models say arrives on its own then, and goes to those sinks that
keep results.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stream.errors import SinkError
from stream.frame import Frame, SourceInfo
from stream.frame_result import FrameResult
from stream.live_parts import Look
from stream.metrics import Metrics
from stream.motion import Carrier
from stream.renderer import Renderer
from stream.retired_sinks import RetiredSinks
from stream.sinks.sink import Sink


@dataclass(frozen=True, slots=True)
class _Exchange:
    """What is to be there from the next picture on."""

    sinks: Sequence[Sink]
    look: Look
    providers: Mapping[str, str]


class WriteStage:
    """Holds what the sinks of one stream are given."""

    def __init__(self, sinks: Sequence[Sink], renderer: Renderer, metrics: Metrics) -> None:
        """Make ready; the sinks are not opened.

        Args:
            sinks: given every frame in this order.
            renderer: makes the annotated pictures.
            metrics: told of every frame written.
        """
        self._sinks: Sequence[Sink] = sinks
        self._renderer = renderer
        self._metrics = metrics
        self._carrier = Carrier()
        self._newest: FrameResult | None = None
        self._coming: deque[FrameResult] = deque()
        self._shown: FrameResult | None = None
        self._retired = RetiredSinks()
        # Shared with the caller's thread, which opens sinks:
        self._lock = threading.Lock()
        self._open: list[Sink] = []
        self._closed: list[Sink] = []
        self._exchange: _Exchange | None = None

    def open(self, info: SourceInfo) -> None:
        """Open the sinks; where one cannot be, those before it are closed.

        Raises:
            SinkError: writing cannot work.
        """
        self._open_all(self._sinks, info)

    def change(self, sinks: Sequence[Sink], look: Look, providers: Mapping[str, str], info: SourceInfo) -> None:
        """Open the sinks that are new, and have all taken over before the next picture (caller's thread).

        Args:
            sinks: all that there are to be; those that are not among them are closed.
            look: what is drawn besides results.
            providers: of the models, by name.
            info: what the source says of itself.

        Raises:
            SinkError: writing cannot work; then nothing is different.
        """
        new = [sink for sink in sinks if not _is_among(sink, self._open)]
        self._open_all(new, info)
        with self._lock:
            self._exchange = _Exchange(sinks, look, providers)

    def take_over(self) -> None:
        """Let what was changed be so, between two pictures."""
        with self._lock:
            exchange, self._exchange = self._exchange, None
            if exchange is None:
                return
            gone = [sink for sink in self._open if not _is_among(sink, exchange.sinks)]
            self._open = [sink for sink in self._open if not _is_among(sink, gone)]
        self._sinks = exchange.sinks
        self._renderer.change(exchange.look, exchange.providers)
        for sink in gone:
            self._retired.retire(sink)

    def to_attend(self) -> list[Sink]:
        """The sinks that may have something to do on the caller's thread."""
        with self._lock:
            return [*self._open, *self._retired.to_attend()]

    def close(self) -> list[SinkError]:
        """Close every sink that is not closed yet; returns what went wrong."""
        self.take_over()
        with self._lock:
            sinks = [sink for sink in self._open if not _is_among(sink, self._closed)]
            self._closed += sinks
        errors = []
        for sink in sinks:
            try:
                sink.close()
            except SinkError as error:
                errors.append(error)
        return [*errors, *self._retired.finish()]

    def _open_all(self, sinks: Sequence[Sink], info: SourceInfo) -> None:
        opened: list[Sink] = []
        try:
            for sink in sinks:
                opened.append(sink)
                sink.open(info)
        except BaseException:
            for sink in opened:
                sink.close()
            raise
        with self._lock:
            self._open += opened

    def write_exact(self, seen: FrameResult) -> bool:
        """Write a frame with what was inferred on it.

        Returns:
            False where a later frame has been written, so that this one was not: only the results are taken.
        """
        if self._shown is not None and seen.frame.index <= self._shown.frame.index:
            self.take(seen)
            return False
        # What came for frames before this one is of no use to any later.
        while self._coming and self._coming[0].frame.index <= seen.frame.index:
            self._coming.popleft()
        self._newest = seen
        self._write(seen, self._sinks)
        return True

    def write_latest(self, frame: Frame) -> None:
        """Write a frame with the newest results, which are carried to it."""
        # What was inferred on a frame whose picture is still to come waits for it.
        while self._coming and self._coming[0].frame.index <= frame.index:
            self._newest = self._coming.popleft()
        newest = self._newest
        if newest is None or newest.frame.index == frame.index:
            if self._shows_images:
                self._carrier.note(frame)
            seen = FrameResult(frame) if newest is None else newest
        else:
            found_on = {name: newest.found_on.get(name, newest.frame) for name in newest.results}
            seen = replace(newest, frame=frame, found_on=found_on, stage_ms={})
        self._write(seen, [sink for sink in self._sinks if not sink.wants_inferred])

    def take(self, inferred: FrameResult) -> None:
        """Give what was inferred on a frame whose picture did not wait to those who keep it, and to later pictures."""
        self._coming.append(inferred)
        keepers = [sink for sink in self._sinks if sink.wants_inferred]
        if keepers and len(inferred.found_on) < len(inferred.results):
            self._give(inferred, keepers)

    def refresh(self) -> None:
        """Give views the last picture again, marked as stale, where the source gives no new one."""
        views = [sink for sink in self._sinks if sink.is_view]
        if views and self._shown is not None and self._metrics.snapshot().stale_seconds is not None:
            image = self._renderer.render(self._shown, is_refreshed=True)
            for sink in views:
                sink.refresh(image)

    @property
    def _shows_images(self) -> bool:
        # Who looks at a view may draw on the plain picture what is carried to it.
        return any(sink.needs_image or sink.is_view for sink in self._sinks)

    def _write(self, seen: FrameResult, sinks: Sequence[Sink]) -> None:
        if seen.found_on and self._shows_images:
            with self._metrics.stage("carry"):
                seen = self._carrier.carried(seen)
        captured_ns = [found.captured_at_ns for found in seen.found_on.values() if found.index != seen.frame.index]
        if captured_ns:
            self._metrics.results_shown((seen.frame.captured_at_ns - min(captured_ns)) / 1e6)
        self._give(seen, sinks)
        self._shown = seen
        self._metrics.frame_written(seen.frame.captured_at_ns)

    def _give(self, seen: FrameResult, sinks: Sequence[Sink]) -> None:
        image: NDArray[np.uint8] = seen.frame.image
        if any(sink.needs_image for sink in sinks):
            with self._metrics.stage("overlay"):
                image = self._renderer.render(seen)
        with self._metrics.stage("write"):
            for sink in sinks:
                sink.write(image, seen)


def _is_among(sink: Sink, others: Sequence[Sink]) -> bool:
    return any(sink is other for other in others)
