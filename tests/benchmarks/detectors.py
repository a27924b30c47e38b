"""The detectors that benchmarks run, from the test data: YOLOX-nano, and YOLOv8n as Ultralytics exports it."""

from __future__ import annotations

import os
from pathlib import Path

from models import Model, load_model
from tests.models.test_real_detectors import yolox_package

NO_DATA = "skipped: MIRILLA_TEST_DATA names no folder of test data"
THRESHOLD = 0.3


def weights() -> Path | None:
    """The folder with the weights, or None where there is no test data."""
    folder = Path(os.environ.get("MIRILLA_TEST_DATA") or "/nowhere") / "weights"
    return folder if folder.is_dir() else None


def load_yolov8n(folder: Path) -> Model:
    """YOLOv8n in eight bits, 640x640."""
    return load_model(folder / "yolov8n_int8.onnx", name="yolov8n", device="cpu", threshold=THRESHOLD)


def load_yolox(folder: Path, made_in: Path) -> Model:
    """YOLOX-nano, 416x416, as a package that is made where it is wanted."""
    package = made_in / "yolox"
    if not package.exists():
        # Both were trained on COCO: the other file holds the names.
        yolox_package(package, folder / "yolox_nano.onnx", load_yolov8n(folder).manifest.class_names)
    return load_model(package, name="yolox-nano", device="cpu", threshold=THRESHOLD)
