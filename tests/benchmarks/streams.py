"""Several streams of one clip at the same time, which share one model: frames a second in all and of each."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from models import Model, load_model
from stream.capture_stage import Limits
from stream.metrics import Metrics
from stream.opencv_threads import opencv_on_one_thread
from stream.pipeline import Pipeline
from stream.sinks.null import NullSink
from stream.sources import open_source
from stream.stream_group import GroupListener, StreamGroup
from tests.benchmarks.clips import make_clip
from tests.benchmarks.detectors import NO_DATA, load_yolox, weights

COUNTS = (1, 2, 4, 8)
ROUNDS = 2
FRAMES = {"none": 240, "quickdraw-345": 240, "yolox-nano": 100}
"""Of every stream, by model: all see the same part of the clip."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What so many streams did.

    Attributes:
        fps: frames a second of all together.
        each_fps: of every stream, until it ended.
        latency_ms: the largest median of all streams.
    """

    fps: float
    each_fps: list[float]
    latency_ms: float


def run(folder: Path) -> Table:
    """Play the clip as a recording, as often at the same time as there are streams; the faster round counts."""
    table = Table("model", "streams", "frames a second", "beside one", "of each stream", "latency, p50")
    clip = make_clip(folder, seconds=max(FRAMES.values()) // 30)
    ways: dict[str, Callable[[], Model] | None] = {"none": None, "quickdraw-345": lambda: load_model("quickdraw-345")}
    data = weights()
    if data is None:
        table.add_row("yolox-nano", NO_DATA)
    else:
        ways["yolox-nano"] = lambda: load_yolox(data, folder)
    with opencv_on_one_thread():
        for name, load in ways.items():
            rounds = [[_measured(clip, load, count, FRAMES[name]) for count in COUNTS] for _ in range(ROUNDS)]
            best = [max(of_count, key=lambda measured: measured.fps) for of_count in zip(*rounds, strict=True)]
            for count, measured in zip(COUNTS, best, strict=True):
                table.add_row(name, str(count), *_figures(measured, best[0]))
    return table


def _figures(measured: Measured, alone: Measured) -> list[str]:
    slowest, fastest = min(measured.each_fps), max(measured.each_fps)
    each = f"{slowest:.1f}" if len(measured.each_fps) == 1 else f"{slowest:.1f} to {fastest:.1f}"
    return [f"{measured.fps:.1f}", f"{measured.fps / alone.fps:.2f}", each, f"{measured.latency_ms:.0f} ms"]


def _measured(clip: Path, load: Callable[[], Model] | None, count: int, frames: int) -> Measured:
    models = [load()] if load else []
    for model in models:
        model.share(count)
    with ExitStack() as opened:
        pipelines = {
            str(number): Pipeline(
                opened.enter_context(open_source(clip)),
                models,
                [NullSink()],
                metrics=Metrics([model.name for model in models]),
                limits=Limits(frames=frames),
            )
            for number in range(count)
        }
        listener = GroupListener(lambda _name, _pipeline: lambda: None, lambda _name, _error: None)
        began = time.perf_counter()
        StreamGroup(pipelines, listener, recordings_at_once=count).run()
        seconds = time.perf_counter() - began
    reports = [pipeline.metrics.report({}) for pipeline in pipelines.values()]
    written = [report["frames"]["written"] for report in reports]
    assert written == [frames] * count
    each = [frames / report["wall_seconds"] for report in reports]
    return Measured(frames * count / seconds, each, max(report["latency_ms"]["p50"] for report in reports))
