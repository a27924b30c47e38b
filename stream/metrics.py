"""What a run did, truthfully: the frame ledger, three rates, latency and stage times.

Every stage's thread reports here; the HUD (write thread), the progress bar (main thread) and the report read.
The clock is injected: with a scripted one every figure is exact.
"""

from __future__ import annotations

import random
import threading
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

# Every report has these; what only some streams do, such as tracking, is in the report of those.
STAGES = ("decode", "preprocess", "inference", "postprocess", "overlay", "write")

_WINDOW_NS = 2_000_000_000
_SAMPLES_KEPT = 100_000


class RateMeter:
    """Events a second over a sliding window: intervals between the first and the last event in it, over their span."""

    def __init__(self, window_ns: int = _WINDOW_NS) -> None:
        self._window_ns = window_ns
        self._times_ns: deque[int] = deque()
        self._first_ns: int | None = None
        self._last_ns = 0
        self._count = 0

    def tick(self, now_ns: int) -> None:
        """Note an event."""
        if self._first_ns is None:
            self._first_ns = now_ns
        self._last_ns = now_ns
        self._count += 1
        self._times_ns.append(now_ns)
        while self._times_ns[-1] - self._times_ns[0] > self._window_ns:
            self._times_ns.popleft()

    @property
    def recent(self) -> float | None:
        """Events a second in the window; None before there are two."""
        return _rate(len(self._times_ns), self._times_ns[-1] - self._times_ns[0]) if self._times_ns else None

    @property
    def overall(self) -> float | None:
        """Events a second from the first event to the last; None before there are two."""
        return None if self._first_ns is None else _rate(self._count, self._last_ns - self._first_ns)


def _rate(events: int, span_ns: int) -> float | None:
    return (events - 1) * 1e9 / span_ns if events > 1 and span_ns > 0 else None


class Samples:
    """Measured values, exact up to a hundred thousand, then a uniform sample of all (Vitter 1985, algorithm R)."""

    def __init__(self, kept: int = _SAMPLES_KEPT, recent: int = 120) -> None:
        self._values = array("f")
        self._kept = kept
        self._count = 0
        self._recent: deque[float] = deque(maxlen=recent)
        self._random = random.Random(0)

    def add(self, value: float) -> None:
        """Note a value."""
        self._count += 1
        self._recent.append(value)
        if len(self._values) < self._kept:
            self._values.append(value)
        elif (place := self._random.randrange(self._count)) < self._kept:
            self._values[place] = value

    def percentiles(self, ranks: Sequence[int]) -> dict[str, float]:
        """`{"p50": ...}` over all values, linear between neighbours; empty before there is one."""
        return _percentiles(self._values, ranks)

    def recent_percentiles(self, ranks: Sequence[int]) -> dict[str, float]:
        """The same over the last values only."""
        return _percentiles(self._recent, ranks)


def _percentiles(values: Sequence[float] | deque[float], ranks: Sequence[int]) -> dict[str, float]:
    if not values:
        return {}
    found = np.percentile(np.fromiter(values, np.float64), ranks)
    return {f"p{rank}": round(float(value), 3) for rank, value in zip(ranks, found, strict=True)}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The figures of this moment.

    Attributes:
        captured, written: frames so far.
        dropped: frames so far, by reason.
        source_fps: frames a second on the source's own time line.
        inference_fps: by model name, over the last two seconds.
        output_fps: frames written a second, over the last two seconds.
        latency_ms: `p50` and `p95` from capture to written, over the last frames; empty before the first.
    """

    captured: int
    written: int
    dropped: Mapping[str, int]
    source_fps: float | None
    inference_fps: Mapping[str, float | None]
    output_fps: float | None
    latency_ms: Mapping[str, float]


class Metrics:
    """The ledger and the meters of one stream."""

    def __init__(self, model_names: Sequence[str] = (), clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """An empty ledger.

        Args:
            model_names: the models that will run.
            clock_ns: a monotonic clock in nanoseconds, the one that stamps `Frame.captured_at_ns`.
        """
        self.clock_ns = clock_ns
        self._lock = threading.Lock()
        self._started_ns = clock_ns()
        self._ended_ns: int | None = None
        self._captured = 0
        self._written = 0
        self._dropped: Counter[str] = Counter()
        self._inferred: dict[str, int] = dict.fromkeys(model_names, 0)
        self._source = RateMeter()
        self._inference = {name: RateMeter() for name in model_names}
        self._output = RateMeter()
        self._latency_ms = Samples()
        self._stage_ms = {stage: Samples() for stage in STAGES}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens within as one pass through a stage; a pass that fails is not counted."""
        began = self.clock_ns()
        yield
        self.add_stage_ms(name, (self.clock_ns() - began) / 1e6)

    def add_stage_ms(self, name: str, milliseconds: float) -> None:
        """Note one pass through a stage."""
        with self._lock:
            self._stage_ms.setdefault(name, Samples()).add(milliseconds)

    def frame_captured(self, pts_ns: int) -> None:
        """Note a frame from the source, with its time on the source's own time line."""
        with self._lock:
            self._captured += 1
            self._source.tick(pts_ns)

    def frame_inferred(self, model_name: str) -> None:
        """Note that a model has answered for a frame."""
        with self._lock:
            self._inferred[model_name] += 1
            self._inference[model_name].tick(self.clock_ns())

    def frame_written(self, captured_at_ns: int) -> None:
        """Note that all sinks have taken a frame."""
        with self._lock:
            now_ns = self.clock_ns()
            self._written += 1
            self._output.tick(now_ns)
            self._latency_ms.add((now_ns - captured_at_ns) / 1e6)

    def frame_dropped(self, reason: str, count: int = 1) -> None:
        """Note frames that were captured and will not be written."""
        if count:
            with self._lock:
                self._dropped[reason] += count

    def started(self) -> None:
        """Start the wall clock."""
        with self._lock:
            self._started_ns = self.clock_ns()

    def ended(self) -> None:
        """Stop the wall clock; what was captured and neither written nor dropped was lost to the stop."""
        with self._lock:
            self._ended_ns = self.clock_ns()
            lost = self._captured - self._written - self._dropped.total()
            if lost:
                self._dropped["stopped"] += lost

    def snapshot(self) -> Snapshot:
        """The figures of this moment."""
        with self._lock:
            return Snapshot(
                captured=self._captured,
                written=self._written,
                dropped=dict(self._dropped),
                source_fps=self._source.recent,
                inference_fps={name: meter.recent for name, meter in self._inference.items()},
                output_fps=self._output.recent,
                latency_ms=self._latency_ms.recent_percentiles((50, 95)),
            )

    def report(self, models: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        """The whole run, ready for JSON: the schema of `--report`.

        Args:
            models: by model name, its `provider` and `package`.
        """
        with self._lock:
            ended_ns = self.clock_ns() if self._ended_ns is None else self._ended_ns
            return {
                "frames": {
                    "captured": self._captured,
                    "inferred": dict(self._inferred),
                    "written": self._written,
                    "dropped": dict(self._dropped),
                },
                "fps": {
                    "source": _rounded(self._source.overall),
                    "inference": {name: _rounded(meter.overall) for name, meter in self._inference.items()},
                    "output": _rounded(self._output.overall),
                },
                "latency_ms": self._latency_ms.percentiles((50, 95, 99)),
                "stage_ms": {name: samples.percentiles((50, 95)) for name, samples in self._stage_ms.items()},
                "models": {name: dict(about) for name, about in models.items()},
                "wall_seconds": round((ended_ns - self._started_ns) / 1e9, 3),
            }


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 2)
