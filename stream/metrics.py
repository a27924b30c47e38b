"""What a run did, truthfully: the frame ledger, three rates, latency and stage times.

Every stage's thread reports here; the HUD (write thread), the progress bar (main thread) and the report read.
The clock is injected: with a scripted one every figure is exact.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from stream.frame import SourceInfo
from stream.meters import Histogram, RateMeter, Samples

# Every report has these; what only some streams do, such as tracking, is in the report of those.
STAGES = ("decode", "preprocess", "inference", "postprocess", "overlay", "write")

_STALE_AFTER_SECONDS = 1.0
_STALE_AFTER_INTERVALS = 3
"""A live source that has given no frame for so long, by its declared rate too, has stalled."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The figures of this moment.

    Attributes:
        captured, written: frames so far.
        dropped: frames so far, by reason.
        source_fps: frames a second that the source gives: recorded material on its own time line, live material by the
            clock, so that it falls to 0 when the source stalls.
        inference_fps: by model name, over the last two seconds.
        output_fps: frames written a second, over the last two seconds.
        latency_ms: `p50` and `p95` from capture to written, over the last frames; empty before the first.
        result_age_ms: `p50` of how much older than their frames carried results were; empty where there are none.
        silent_seconds: since the last frame was captured, or since the start where none was.
        stale_seconds: the same where a live source's next frame is overdue, else None.
    """

    captured: int
    written: int
    dropped: Mapping[str, int]
    source_fps: float | None
    inference_fps: Mapping[str, float | None]
    output_fps: float | None
    latency_ms: Mapping[str, float]
    result_age_ms: Mapping[str, float] = field(default_factory=dict)
    silent_seconds: float = 0.0
    stale_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """Everything since the start, for those who watch a run from outside.

    Attributes:
        captured, written: frames.
        dropped: frames by reason.
        inferred, skipped: frames by model name.
        latency_ms: from capture to written.
        stage_ms: by stage.
        model_ms: by model name and stage.
        silent_seconds: as in `Snapshot`.
    """

    captured: int
    written: int
    dropped: Mapping[str, int]
    inferred: Mapping[str, int]
    skipped: Mapping[str, int]
    latency_ms: Histogram
    stage_ms: Mapping[str, Histogram]
    model_ms: Mapping[tuple[str, str], Histogram]
    silent_seconds: float


class Metrics:
    """The ledger and the meters of one stream."""

    def __init__(
        self,
        model_names: Sequence[str] = (),
        clock_ns: Callable[[], int] = time.monotonic_ns,
        *,
        source: SourceInfo | None = None,
    ) -> None:
        """An empty ledger.

        Args:
            model_names: the models that will run.
            clock_ns: a monotonic clock in nanoseconds, the one that stamps `Frame.captured_at_ns`.
            source: what the source says of itself: the rate of a live one is measured by the clock, and it may stall.
        """
        self.clock_ns = clock_ns
        self._is_live = source is not None and source.is_live
        declared = source.rate if source else None
        self._stale_after_seconds = max(
            _STALE_AFTER_SECONDS, _STALE_AFTER_INTERVALS / float(declared) if declared else 0.0
        )
        self._lock = threading.Lock()
        self._started_ns = clock_ns()
        self._ended_ns: int | None = None
        self._captured = 0
        self._captured_last_ns = self._started_ns
        self._written = 0
        self._dropped: Counter[str] = Counter()
        self._inferred: dict[str, int] = dict.fromkeys(model_names, 0)
        self._skipped: Counter[str] = Counter()
        self._source = RateMeter()
        self._inference = {name: RateMeter() for name in model_names}
        self._output = RateMeter()
        self._latency_ms = Samples()
        self._result_age_ms = Samples()
        self._stage_ms = {stage: Samples() for stage in STAGES}
        self._model_ms: dict[tuple[str, str], Histogram] = {}

    def add_models(self, model_names: Sequence[str]) -> None:
        """Count for these models, too; those that are known already go on."""
        with self._lock:
            # Others read these mappings while they go through them.
            self._inferred = dict.fromkeys(model_names, 0) | self._inferred
            self._inference = {name: RateMeter() for name in model_names} | self._inference

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens within as one pass through a stage; a pass that fails is not counted."""
        began = self.clock_ns()
        yield
        self.add_stage_ms(name, (self.clock_ns() - began) / 1e6)

    def add_stage_ms(self, name: str, milliseconds: float, model_name: str | None = None) -> None:
        """Note one pass through a stage, which may be a model's."""
        with self._lock:
            self._stage_ms.setdefault(name, Samples()).add(milliseconds)
            if model_name is not None:
                self._model_ms.setdefault((model_name, name), Histogram()).add(milliseconds)

    def frame_captured(self, pts_ns: int) -> None:
        """Note a frame from the source, with its time on the source's own time line."""
        with self._lock:
            self._captured += 1
            self._captured_last_ns = self.clock_ns()
            self._source.tick(self._captured_last_ns if self._is_live else pts_ns)

    def frames_superseded_in_source(self, count: int) -> None:
        """Note frames that came and gave way to newer ones before anybody took them: captured, and dropped."""
        with self._lock:
            self._captured += count
            self._dropped["superseded"] += count
            # When each came is not known, but that it was since the last one that was taken.
            since_ns, now_ns = self._captured_last_ns, self.clock_ns()
            for number in range(1, count + 1) if self._is_live else ():
                self._source.tick(since_ns + (now_ns - since_ns) * number // (count + 1))

    def frame_inferred(self, model_name: str) -> None:
        """Note that a model has answered for a frame."""
        with self._lock:
            self._inferred[model_name] += 1
            self._inference[model_name].tick(self.clock_ns())

    def frame_skipped(self, model_name: str) -> None:
        """Note that a model did not run on a frame because the scene has not changed."""
        with self._lock:
            self._skipped[model_name] += 1

    def results_shown(self, age_ms: float) -> None:
        """Note how much older than its frame the oldest result is that was carried to a picture."""
        with self._lock:
            self._result_age_ms.add(age_ms)

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
            self._started_ns = self._captured_last_ns = self.clock_ns()

    def ended(self) -> None:
        """Stop the wall clock; what was captured and neither written nor dropped was lost to the stop."""
        with self._lock:
            self._ended_ns = self.clock_ns()
            lost = self._captured - self._written - self._dropped.total()
            if lost:
                self._dropped["stopped"] += lost

    @property
    def source_fps(self) -> float | None:
        """As in a snapshot."""
        with self._lock:
            return self._source_fps(self.clock_ns())

    def snapshot(self) -> Snapshot:
        """The figures of this moment."""
        with self._lock:
            now_ns = self.clock_ns()
            silent_seconds = (now_ns - self._captured_last_ns) / 1e9
            is_stale = self._is_live and silent_seconds > self._stale_after_seconds
            return Snapshot(
                captured=self._captured,
                written=self._written,
                dropped=dict(self._dropped),
                source_fps=self._source_fps(now_ns),
                inference_fps={name: meter.recent(now_ns) for name, meter in self._inference.items()},
                output_fps=self._output.recent(now_ns),
                latency_ms=self._latency_ms.recent_percentiles((50, 95)),
                result_age_ms=self._result_age_ms.recent_percentiles((50,)),
                silent_seconds=silent_seconds,
                stale_seconds=silent_seconds if is_stale else None,
            )

    def recent_stage_ms(self) -> dict[str, float]:
        """How long each stage took of late, in milliseconds, the median; without those that were not passed."""
        with self._lock:
            recent = {name: samples.recent_percentiles((50,)) for name, samples in self._stage_ms.items()}
        return {name: found["p50"] for name, found in recent.items() if found}

    def totals(self) -> Totals:
        """Everything since the start, as it is now."""
        with self._lock:
            return Totals(
                captured=self._captured,
                written=self._written,
                dropped=dict(self._dropped),
                inferred=dict(self._inferred),
                skipped=dict(self._skipped),
                latency_ms=self._latency_ms.histogram.copy(),
                stage_ms={name: samples.histogram.copy() for name, samples in self._stage_ms.items()},
                model_ms={key: histogram.copy() for key, histogram in self._model_ms.items()},
                silent_seconds=(self.clock_ns() - self._captured_last_ns) / 1e9,
            )

    def _source_fps(self, now_ns: int) -> float | None:
        return self._source.recent(now_ns if self._is_live else None)

    def report(self, models: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        """The whole run, ready for JSON: the schema of `--report`.

        Args:
            models: by model name, its `provider` and `package`.

        `fps` are averages from the first frame to the last, `fps_recent` those of the last two seconds of each.
        `frames.skipped` is there where `skip_unchanged` skipped frames, by model name; `result_age_ms` where results
        were carried to frames later than their own: how much older they were.
        """
        with self._lock:
            ended_ns = self.clock_ns() if self._ended_ns is None else self._ended_ns
            skipped = {"skipped": dict(self._skipped)} if self._skipped else {}
            result_age_ms = self._result_age_ms.percentiles((50, 95, 99))
            return {
                "frames": {
                    "captured": self._captured,
                    "inferred": dict(self._inferred),
                    "written": self._written,
                    "dropped": dict(self._dropped),
                    **skipped,
                },
                "fps": {
                    "source": _rounded(self._source.overall),
                    "inference": {name: _rounded(meter.overall) for name, meter in self._inference.items()},
                    "output": _rounded(self._output.overall),
                },
                "fps_recent": {
                    "source": _rounded(self._source.recent()),
                    "inference": {name: _rounded(meter.recent()) for name, meter in self._inference.items()},
                    "output": _rounded(self._output.recent()),
                },
                "latency_ms": self._latency_ms.percentiles((50, 95, 99)),
                **({"result_age_ms": result_age_ms} if result_age_ms else {}),
                "stage_ms": {name: samples.percentiles((50, 95)) for name, samples in self._stage_ms.items()},
                "models": {name: dict(about) for name, about in models.items()},
                "wall_seconds": round((ended_ns - self._started_ns) / 1e9, 3),
            }


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 2)
