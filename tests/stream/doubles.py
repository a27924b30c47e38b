"""Stand-ins for the parts of a pipeline, which do as they are told and remember what happened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from models.model import StageTimer
from models.results import Classification, Result
from stream.frame import Frame, SourceInfo
from stream.frame_result import FrameResult
from stream.sinks.sink import Sink
from stream.sources.source import Source, SourceStatus

TIME_BASE = Fraction(1, 25)


class ScriptedClock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


def make_frame(index: int, width: int = 64, height: int = 48, captured_at_ns: int = 0) -> Frame:
    """A grey frame whose level is its index."""
    image = np.full((height, width, 3), index % 256, np.uint8)
    return Frame(image, pts=index, time_base=TIME_BASE, index=index, captured_at_ns=captured_at_ns)


class ScriptedSource(Source):
    """Yields so many frames, then ends, fails, or blocks until it is closed."""

    def __init__(
        self,
        frames: int,
        *,
        size_wh: tuple[int, int] = (64, 48),
        failure: BaseException | None = None,
        blocks_at_end: bool = False,
        is_live: bool = False,
        clock_ns: Callable[[], int] = lambda: 0,
    ) -> None:
        self.info = SourceInfo("scripted", *size_wh, Fraction(25), TIME_BASE, is_live=is_live, frame_count=frames)
        self.closed = threading.Event()
        self.exhausted = threading.Event()
        self.yielded = 0
        self._frames = frames
        self._failure = failure
        self._blocks_at_end = blocks_at_end
        self._clock_ns = clock_ns
        self.lost_status: SourceStatus | None = None

    @property
    def status(self) -> SourceStatus | None:
        return self.lost_status

    def __iter__(self) -> Iterator[Frame]:
        while self.yielded < self._frames and not self.closed.is_set():
            self.yielded += 1
            yield make_frame(self.yielded - 1, self.info.width, self.info.height, self._clock_ns())
        self.exhausted.set()
        if self._blocks_at_end:
            self.closed.wait()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        self.closed.set()


class ScriptedModel:
    """Answers `yes`, or fails at a frame; may be made to wait before it answers."""

    name = "scripted"
    provider = "CPUExecutionProvider"

    def __init__(
        self,
        *,
        fails_at: int | None = None,
        failure: Exception | None = None,
        before: Callable[[], object] | None = None,
    ) -> None:
        self.seen: list[int] = []
        self._fails_at = fails_at
        self._failure = failure
        self._before = before

    def __call__(self, image: NDArray[np.uint8], timer: StageTimer) -> Result:
        with timer("inference"):
            if self._before is not None:
                self._before()
            if len(self.seen) == self._fails_at and self._failure is not None:
                raise self._failure
            self.seen.append(int(image[0, 0, 0]))
        return Classification("image_classification", np.array([0], np.int64), np.array([1.0], np.float32), ("yes",))


class ScriptedSink(Sink):
    """Remembers the indices it was given; fails where it is told to."""

    def __init__(
        self,
        *,
        open_failure: Exception | None = None,
        write_failure: Exception | None = None,
        fails_at: int = 0,
        close_failure: Exception | None = None,
        needs_image: bool = True,
        wants_inferred: bool = False,
        after_write: Callable[[int], object] = lambda _: None,
    ) -> None:
        self.needs_image = needs_image
        self.wants_inferred = wants_inferred
        self.indices: list[int] = []
        self.results: list[FrameResult] = []
        self.images: list[NDArray[np.uint8]] = []
        self.opened = False
        self.closed = 0
        self.wrote_after_close = False
        self._open_failure = open_failure
        self._write_failure = write_failure
        self._fails_at = fails_at
        self._close_failure = close_failure
        self._after_write = after_write

    def open(self, info: SourceInfo) -> None:  # noqa: ARG002 - Sink
        if self._open_failure is not None:
            raise self._open_failure
        self.opened = True

    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        self.wrote_after_close |= self.closed > 0
        if self._write_failure is not None and result.frame.index == self._fails_at:
            raise self._write_failure
        self.indices.append(result.frame.index)
        self.results.append(result)
        self.images.append(image.copy())
        self._after_write(result.frame.index)

    def close(self) -> None:
        self.closed += 1
        if self._close_failure is not None:
            raise self._close_failure


class ScriptedView(ScriptedSink):
    """Also remembers the pictures it was given again."""

    is_view = True

    def __init__(self) -> None:
        super().__init__()
        self.refreshed: list[NDArray[np.uint8]] = []

    def refresh(self, image: NDArray[np.uint8]) -> None:
        self.refreshed.append(image.copy())
