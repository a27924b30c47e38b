"""What the program itself does to a 1280x720 frame, in milliseconds: all but the model, the decoder and the encoder."""

from __future__ import annotations

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from models import Model
from models.manifest import InputSpec
from models.placement import fit
from models.results import Detections
from stream.frame import Frame, SourceInfo
from stream.frame_result import FrameResult
from stream.metrics import Metrics
from stream.pipeline import Pipeline
from stream.sinks import make_sink
from stream.sinks.sink import Sink
from stream.sources import open_source
from stream.sources.source import Source
from stream.tracking import Tracker
from tests.benchmarks.clips import make_clip
from tests.benchmarks.detectors import NO_DATA, load_yolox, weights
from tests.benchmarks.side_by_side import milliseconds, p50_p95

SECONDS = 10
FRAMES = 100
ROUNDS = 100

PREPROCESS_LIMIT_MS = 2.5
WHOLE_LIMIT_MS = 5.0

_SQUARE = InputSpec(height=640, width=640, resize="stretch", antialias=False)
INPUTS: dict[str, dict[str, Any]] = {
    "letterbox, as for Ultralytics": {"resize": "letterbox_center"},
    "letterbox, as for YOLOX": {"resize": "letterbox_top_left", "colour_order": "bgr", "scale": 1.0},
    "stretched, with mean and deviation": {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
    "stretched by Pillow's filter, as for RT-DETR": {"antialias": True},
}


def run(folder: Path) -> Table:
    """Measure inputs of models of 640x640; then YOLOX, a frame at a time, and in a whole run."""
    clip = make_clip(folder, seconds=SECONDS)
    images = [frame.image for frame in itertools.islice(open_source(clip), FRAMES)]
    table = Table("what", "p50 ms", "p95 ms", "limit at p50")
    for name, times_ms in preprocessing(images[FRAMES // 2]).items():
        _add(table, f"to 640x640: {name}", times_ms, PREPROCESS_LIMIT_MS)
    for count in (10, 50):
        _add(table, f"following {count} objects from frame to frame", following(count), None)
    data = weights()
    if data is None:
        table.add_row(f"YOLOX {NO_DATA}")
        return table
    table.add_section()
    for name, times_ms in one_at_a_time(load_yolox(data, folder), images).items():
        _add(table, f"YOLOX, a frame at a time: {name}", times_ms, WHOLE_LIMIT_MS if name == "all of these" else None)
    table.add_section()
    for stage, at in in_a_run(load_yolox(data, folder), clip, folder / "seen.mp4").items():
        table.add_row(f"YOLOX, beside decoder and encoder: {stage}", f"{at['p50']:.2f}", f"{at['p95']:.2f}")
    return table


def preprocessing(image: NDArray[np.uint8]) -> dict[str, list[float]]:
    """Milliseconds from a picture to a tensor, by the kind of input."""
    ways = {name: partial(fit, image, _SQUARE.model_copy(update=fields)) for name, fields in INPUTS.items()}
    return milliseconds(ways, rounds=ROUNDS)


def following(count: int) -> list[float]:
    """Milliseconds a frame of objects in four classes that drift to the right and tremble."""
    chance, tracker = np.random.default_rng(0), Tracker(threshold=0.5)
    places, class_ids = np.arange(count), np.arange(count) % 4
    left, top = places % 20 * 60, places // 20 * 100
    at_rest = np.stack([left, top, left + 40, top + 80], axis=1)
    scores = np.linspace(0.95, 0.4, count, dtype=np.float32)
    times_ms = []
    for index in range(ROUNDS):
        moved = np.array([3 * index, 0, 3 * index, 0]) + chance.normal(0, 1, at_rest.shape)
        boxes = (at_rest + moved).astype(np.float32)
        found = Detections("object_detection", boxes, scores, class_ids, ("a", "b", "c", "d"))
        began = time.perf_counter()
        tracker.follow(found, index / 25)
        tracker.tails()
        times_ms.append((time.perf_counter() - began) * 1000)
    return times_ms


def one_at_a_time(model: Model, images: Sequence[NDArray[np.uint8]]) -> dict[str, list[float]]:
    """Milliseconds a frame by what they are spent on, where the next frame comes when the last one is through.

    So no stage waits for another, and what of a frame's way no stage accounts for is what hand-overs cost.
    """
    turns = _Turns()
    metrics = Metrics([model.name])
    Pipeline(_InMemory(images, turns), [model], [turns], metrics=metrics).run()
    report = metrics.report({})
    assert report["frames"]["written"] == len(images)
    return turns.times_ms


def in_a_run(model: Model, clip: Path, output: Path) -> dict[str, dict[str, float]]:
    """p50 and p95 by stage, with the HUD, where every stage shares the cores with all others."""
    metrics = Metrics([model.name])
    Pipeline(open_source(clip), [model], [make_sink(str(output), overwrite=True)], metrics=metrics).run()
    stages: dict[str, dict[str, float]] = metrics.report({})["stage_ms"]
    return stages


class _Turns(Sink):
    """Lets one frame through at a time, and notes what its way cost besides the model."""

    def __init__(self) -> None:
        self.free = threading.Semaphore(1)
        self.times_ms: dict[str, list[float]] = defaultdict(list)

    def open(self, info: SourceInfo) -> None:
        """Nothing is written."""

    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        del image
        (stage_ms,) = result.stage_ms.values()
        way_ms = (time.monotonic_ns() - result.frame.captured_at_ns) / 1e6
        self.times_ms["preprocess"].append(stage_ms["preprocess"])
        self.times_ms["postprocess"].append(stage_ms["postprocess"])
        rest_ms = way_ms - sum(stage_ms.values())
        self.times_ms["overlay, HUD and hand-overs"].append(rest_ms)
        self.times_ms["all of these"].append(way_ms - stage_ms["inference"])
        self.free.release()

    def close(self) -> None:
        """Nothing is held."""


class _InMemory(Source):
    """Frames that were decoded before, as they are asked for."""

    def __init__(self, images: Sequence[NDArray[np.uint8]], turns: _Turns) -> None:
        height, width = images[0].shape[:2]
        self.info = SourceInfo("memory", width, height, Fraction(30), Fraction(1, 30), frame_count=len(images))
        self._images = images
        self._turns = turns
        self._closed = False

    def __iter__(self) -> Iterator[Frame]:
        for index, image in enumerate(self._images):
            self._turns.free.acquire(timeout=10)
            if self._closed:
                return
            yield Frame(image, index, self.info.time_base, index, time.monotonic_ns())

    def close(self) -> None:
        self._closed = True


def _add(table: Table, name: str, times_ms: list[float], limit_ms: float | None) -> None:
    p50, p95 = p50_p95(times_ms)
    table.add_row(name, f"{p50:.2f}", f"{p95:.2f}", "" if limit_ms is None else f"{limit_ms}")
