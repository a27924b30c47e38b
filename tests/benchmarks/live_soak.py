"""A network camera watched for a long time with the sketch model: neither its time nor the memory may drift away.

The camera is ffmpeg, which sends a clip of 30 frames a second again and again as MPEG-TS over HTTP.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from typing_extensions import override

from models import load_model
from stream.capture_stage import Limits
from stream.errors import SourceError
from stream.frame_result import FrameResult
from stream.metrics import Metrics
from stream.opencv_threads import opencv_on_one_thread
from stream.pipeline import Pipeline
from stream.sinks import make_sink
from stream.sinks.null import NullSink
from stream.sources import open_source
from stream.sources.source import Source
from tests.benchmarks.clips import make_clip
from tests.benchmarks.live_lag import resident_mb

MODEL = "quickdraw-32"
_PARTS = 10
"""Of the run: the first is left out where something is measured that loading would hide."""
_LISTENS_WITHIN_SECONDS = 10


class WatchSink(NullSink):
    """Notes when each frame was captured, how far its own time was ahead then, its latency, and the memory."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float, float, float]] = []
        """Seconds of wall time, seconds ahead, milliseconds, MB."""
        self._start: tuple[float, float] | None = None

    @override
    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        captured, presented = result.frame.captured_at_ns / 1e9, result.frame.pts_seconds
        self._start = self._start or (captured, presented)
        wall = captured - self._start[0]
        latency_ms = (time.monotonic_ns() - result.frame.captured_at_ns) / 1e6
        self.rows.append((wall, presented - self._start[1] - wall, latency_ms, resident_mb()))


def run(folder: Path, minutes: float = 0.5) -> Table:
    """Watch for so many minutes, record an mp4, and tabulate the first and the last tenth."""
    sink = WatchSink()
    with _camera(make_clip(folder, seconds=20)) as address, opencv_on_one_thread():
        model = load_model(MODEL)
        metrics = Metrics([model.name])
        sinks = [sink, make_sink(str(folder / "seen.mp4"), overwrite=True)]
        limits = Limits(seconds=60 * minutes)
        Pipeline(_opened(address), [model], sinks, metrics=metrics, limits=limits).run()
    return _table(np.array(sink.rows), metrics)


def _table(rows: NDArray[np.float64], metrics: Metrics) -> Table:
    wall, ahead, latency_ms, memory_mb = rows.T
    part = max(1, len(rows) // _PARTS)
    settled = slice(part, None)
    drift = np.polyfit(wall[settled] / 60, 1000 * ahead[settled], 1)[0]
    growth = np.polyfit(wall[settled] / 60, memory_mb[settled], 1)[0]
    report = metrics.report({})
    frames = report["frames"]
    assert frames["captured"] == frames["written"] + sum(frames["dropped"].values())
    table = Table("watched", "first tenth", "last tenth", "slope a minute, without the first tenth")
    ahead_ms = [f"{1000 * np.median(ahead[rows]):+.0f} ms" for rows in (slice(0, part), slice(-part, None))]
    table.add_row("source time ahead of the clock, median", *ahead_ms, f"{drift:+.2f} ms")
    p95_ms = [f"{np.percentile(latency_ms[rows], 95):.0f} ms" for rows in (slice(0, part), slice(-part, None))]
    table.add_row("latency from capture to sink, p95", *p95_ms, "")
    memory = [f"{np.median(memory_mb[rows]):.0f} MB" for rows in (slice(0, part), slice(-part, None))]
    table.add_row("memory, median", *memory, f"{growth:+.2f} MB")
    dropped = ", ".join(f"{count} {reason}" for reason, count in frames["dropped"].items()) or "none"
    table.caption = (
        f"{wall[-1] / 60:.1f} minutes: {frames['captured']} captured, {frames['written']} written, dropped {dropped}; "
        f"source {report['fps']['source']}, output {report['fps']['output']} frames a second"
    )
    return table


@contextmanager
def _camera(clip: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}/camera.ts"
    sending = ["-re", "-stream_loop", "-1", "-i", str(clip), "-map", "0:v", "-c", "copy", "-f", "mpegts"]
    process = subprocess.Popen(["ffmpeg", "-v", "fatal", *sending, "-listen", "1", address])
    try:
        yield address
    finally:
        process.kill()
        process.wait()


def _opened(address: str) -> Source:
    """The camera, as soon as it listens."""
    until = time.monotonic() + _LISTENS_WITHIN_SECONDS
    while True:
        try:
            return open_source(address)
        except SourceError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
