"""Frames a second from one file to another: Mirilla, Ultralytics' own prediction, and the usual supervision loop.

The same clip and the same ONNX files, one way after the other in the same run. Ultralytics and supervision are no
dependencies: docs/benchmarks.md says how to put them beside; what is not there is skipped.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.table import Table

from models import Detections, Model
from stream.metrics import Metrics
from stream.pipeline import Pipeline
from stream.sinks import make_sink
from stream.sources import open_source
from tests.benchmarks.clips import make_clip
from tests.benchmarks.detectors import NO_DATA, THRESHOLD, load_yolov8n, load_yolox, weights

SECONDS = 4
ROUNDS = 3

MIRILLA, SUPERVISION, ULTRALYTICS = "mirilla", "the usual supervision loop", "ultralytics, predict(save=True)"


def run(folder: Path) -> Table:
    """Measure every way in turn, several rounds, and tabulate the medians."""
    table = Table("model", "way", "frames a second", "beside")
    data = weights()
    if data is None:
        table.add_row(NO_DATA)
        return table
    clip = make_clip(folder, seconds=SECONDS)
    _add_rows(table, "yolox-nano", _ways(load_yolox(data, folder), clip, folder))
    ways = _ways(load_yolov8n(data), clip, folder)
    if _is_installed("ultralytics"):
        ways[ULTRALYTICS] = _ultralytics(data / "yolov8n_int8.onnx", clip, folder)
    _add_rows(table, "yolov8n, int8", ways)
    missing = [name for name in ("supervision", "ultralytics") if not _is_installed(name)]
    if missing:
        table.add_row("", f"skipped: {' and '.join(missing)} not installed; see docs/benchmarks.md")
    return table


def mirilla(model: Model, clip: Path, output: Path) -> float:
    """Frames a second of the whole frame loop, with the HUD, to H.264 with sound and time stamps."""
    metrics = Metrics([model.name])
    pipeline = Pipeline(open_source(clip), [model], [make_sink(str(output), overwrite=True)], metrics=metrics)
    began = time.perf_counter()
    pipeline.run()
    return metrics.snapshot().written / (time.perf_counter() - began)


def supervision_loop(model: Model, clip: Path, output: Path) -> float:
    """Frames a second of read, detect, annotate, write, one after the other; the detector is the one that we use."""
    supervision: Any = importlib.import_module("supervision")
    box, label = supervision.BoxAnnotator(), supervision.LabelAnnotator()
    capture = cv2.VideoCapture(str(clip))
    size = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    writer = cv2.VideoWriter(str(output), cv2.VideoWriter.fourcc(*"mp4v"), capture.get(cv2.CAP_PROP_FPS), size)
    frames, began = 0, time.perf_counter()
    while True:
        read, image = capture.read()
        if not read:
            break
        result = model(np.asarray(image, np.uint8))
        assert isinstance(result, Detections)
        found = result.to_supervision()
        texts = [f"{name} {score:.0%}" for name, score in zip(result.labels, result.scores, strict=True)]
        writer.write(label.annotate(box.annotate(image, found), found, texts))
        frames += 1
    writer.release()
    capture.release()
    return frames / (time.perf_counter() - began)


def _ways(model: Model, clip: Path, folder: Path) -> dict[str, Callable[[], float]]:
    ways = {MIRILLA: lambda: mirilla(model, clip, folder / "mirilla.mp4")}
    if _is_installed("supervision"):
        ways[SUPERVISION] = lambda: supervision_loop(model, clip, folder / "supervision.mp4")
    return ways


def _ultralytics(weights_path: Path, clip: Path, folder: Path) -> Callable[[], float]:
    """Frames a second of their own loop, which writes Motion JPEG in `.avi`; loading is not timed."""
    # Read when the package is imported: nothing is installed, sent, or written into the home folder.
    os.environ.update(YOLO_AUTOINSTALL="false", YOLO_OFFLINE="true", YOLO_CONFIG_DIR=str(folder))
    ultralytics: Any = importlib.import_module("ultralytics")
    model = ultralytics.YOLO(weights_path, task="detect")
    options = {"conf": THRESHOLD, "device": "cpu", "verbose": False, "project": str(folder), "exist_ok": True}
    model.predict(np.zeros((720, 1280, 3), np.uint8), **options)

    def predict() -> float:
        began = time.perf_counter()
        frames = sum(1 for _ in model.predict(str(clip), save=True, stream=True, **options))
        return frames / (time.perf_counter() - began)

    return predict


def _add_rows(table: Table, model: str, ways: dict[str, Callable[[], float]]) -> None:
    rounds = [[measure() for measure in ways.values()] for _ in range(ROUNDS)]
    medians = [statistics.median(values) for values in zip(*rounds, strict=True)]
    for way, fps in zip(ways, medians, strict=True):
        beside = "" if way == MIRILLA else f"mirilla is {medians[0] / fps:.2f} times as fast"
        table.add_row(model, way, f"{fps:.1f}", beside)


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
