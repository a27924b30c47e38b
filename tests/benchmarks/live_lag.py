"""Latency and memory of a live run whose model is five times slower than the camera: neither may grow."""

from __future__ import annotations

import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from typing_extensions import override

from models.model import StageTimer
from models.results import Classification, Result
from stream.frame_result import FrameResult
from stream.picture_timing import Timing
from stream.pipeline import Pipeline
from stream.sinks.null import NullSink
from stream.sources.paced import PacedSource
from stream.sources.pattern import PatternSource, PatternSpec

RATE = 30
SLOWER = 5


class SlowModel:
    """Answers after as long as the camera takes for five frames, and leaves the processor to others meanwhile."""

    name = "slow"
    provider = "CPUExecutionProvider"

    def __call__(self, image: NDArray[np.uint8], timer: StageTimer) -> Result:  # noqa: ARG002 - PipelineModel
        """Nothing that the picture decides."""
        with timer("inference"):
            time.sleep(SLOWER / RATE)
        return Classification("image_classification", np.array([0]), np.array([1.0], np.float32), ("slow",))


class LatencySink(NullSink):
    """Remembers how old each frame is when it comes, and how much memory the process has."""

    needs_image = True

    def __init__(self) -> None:
        self.ages_ms: list[float] = []
        self.memory_mb: list[float] = []

    @override
    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        self.ages_ms.append((time.monotonic_ns() - result.frame.captured_at_ns) / 1e6)
        if len(self.ages_ms) % RATE == 1:
            self.memory_mb.append(resident_mb())


def run(_folder: Path, minutes: float = 0.2) -> Table:
    """Play the test picture by the clock, with pictures that wait for the model and pictures that do not."""
    table = Table("overlay", "frames", "p95, first part", "p95, last part", "beside", "memory", "beside", "dropped")
    for timing in ("exact", "latest"):
        table.add_row(timing, *_measured(timing, minutes))
    return table


def _measured(timing: Timing, minutes: float) -> list[str]:
    spec = PatternSpec(640, 360, Fraction(RATE), round(60 * RATE * minutes))
    sink = LatencySink()
    pipeline = Pipeline(PacedSource(PatternSource(spec)), [SlowModel()], [sink], timing=timing)
    pipeline.run()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mirilla-")]
    # A minute, or a third where there are not three.
    part = max(1, round(len(sink.ages_ms) / max(3.0, minutes)))
    first, last = (float(np.percentile(ages, 95)) for ages in (sink.ages_ms[:part], sink.ages_ms[-part:]))
    # What is loaded with the first frames is there to stay.
    early, late = sink.memory_mb[len(sink.memory_mb) // 5], sink.memory_mb[-1]
    frames = pipeline.metrics.report({})["frames"]
    assert frames["captured"] == frames["written"] + sum(frames["dropped"].values())
    dropped = ", ".join(f"{count} {reason}" for reason, count in frames["dropped"].items()) or "0"
    counted = f"{frames['captured']} captured, {frames['inferred']['slow']} inferred, {frames['written']} written"
    return [
        counted,
        f"{first:.1f} ms",
        f"{last:.1f} ms",
        f"{100 * (last / first - 1):+.1f} %",
        f"{late:.0f} MB",
        f"{late - early:+.1f} MB",
        dropped,
    ]


def resident_mb() -> float:
    """The memory that the process has now, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6
