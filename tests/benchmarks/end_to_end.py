"""Frames a second from one file to another: Mirilla, Ultralytics' own prediction, and the usual supervision loop.

The same clip and the same ONNX files, one way after the other in the same run. Ultralytics is no
dependency: docs/benchmarks.md says how to put it beside; where it is not there, it is skipped.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import supervision
from numpy.typing import NDArray
from rich.table import Table

from models import Detections, Model
from tests.benchmarks.clips import make_clip
from tests.benchmarks.detectors import NO_DATA, THRESHOLD, load_yolov8n, load_yolox, weights
from tests.benchmarks.loops import medians, mirilla, usual_loop

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
    if importlib.util.find_spec("ultralytics") is not None:
        ways[ULTRALYTICS] = _ultralytics(data / "yolov8n_int8.onnx", clip, folder)
    _add_rows(table, "yolov8n, int8", ways)
    if ULTRALYTICS not in ways:
        table.add_row("", "skipped: ultralytics is not installed; see docs/benchmarks.md")
    return table


def supervision_loop(model: Model, clip: Path, output: Path) -> float:
    """Frames a second of the usual loop with supervision's annotators; the detector is the one that we use."""
    box, label = supervision.BoxAnnotator(), supervision.LabelAnnotator()

    def annotated(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        result = model(image)
        assert isinstance(result, Detections)
        found = result.to_supervision()
        texts = [f"{name} {score:.0%}" for name, score in zip(result.labels, result.scores, strict=True)]
        return np.asarray(label.annotate(box.annotate(image, found), found, texts))

    return usual_loop(annotated, clip, output)


def _ways(model: Model, clip: Path, folder: Path) -> dict[str, Callable[[], float]]:
    return {
        MIRILLA: lambda: mirilla([model], clip, folder / "mirilla.mp4"),
        SUPERVISION: lambda: supervision_loop(model, clip, folder / "supervision.mp4"),
    }


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
    rates = medians(ways, ROUNDS)
    for way, fps in zip(ways, rates, strict=True):
        beside = "" if way == MIRILLA else f"mirilla is {rates[0] / fps:.2f} times as fast"
        table.add_row(model, way, f"{fps:.1f}", beside)
