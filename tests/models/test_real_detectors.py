"""Real detectors on real photographs: as precise, and as complete, as an independent decode of the same weights."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models import Detections, Model, load_model
from models.manifest import MODEL_NAME, Manifest, ParitySpec, file_sha256, write_manifest

# By image file: class name and box (x1, y1, x2, y2) of each object.
Truth = dict[str, list[tuple[str, NDArray[np.float64]]]]


@pytest.fixture(scope="session")
def coco_truth(test_data: Path) -> tuple[tuple[str, ...], Truth]:
    """The 80 class names, and by image file the objects (label, box) in it."""
    content = json.loads((test_data / "coco" / "instances_boxes_train2017.json").read_text())
    names = {row["id"]: row["name"] for row in content["categories"]}
    files = {row["id"]: row["file_name"] for row in content["images"]}
    truth: Truth = {name: [] for name in files.values()}
    for row in content["annotations"]:
        left, top, width, height = row["bbox"]
        box = np.array([left, top, left + width, top + height])
        truth[files[row["image_id"]]].append((names[row["category_id"]], box))
    return tuple(names[class_id] for class_id in sorted(names)), truth


def yolox_package(folder: Path, weights: Path, class_names: tuple[str, ...]) -> Path:
    folder.mkdir()
    shutil.copy(weights, folder / MODEL_NAME)
    manifest = Manifest.model_validate(
        {
            "name": "yolox-nano",
            "task": "object_detection",
            "decoder": "yolox",
            "decoding": {"nms_iou": 0.5, "strides": (8, 16, 32)},
            "input": {
                "name": "images",
                "height": 416,
                "width": 416,
                "colour_order": "bgr",
                "resize": "letterbox_top_left",
                "antialias": False,
                "scale": 1.0,
            },
            "outputs": ("output",),
            "class_names": class_names,
            "source": {"id": "Megvii-BaseDetection/YOLOX", "licence": "Apache-2.0"},
            "opset": 11,
            "sha256": file_sha256(folder / MODEL_NAME),
            "parity": ParitySpec(passed=True, inputs=1, batch_sizes=(1,), tolerance=0, max_abs_difference={}),
        }
    )
    write_manifest(manifest, folder)
    return folder


def overlap(box: NDArray[Any], other: NDArray[Any]) -> float:
    """Intersection over union of two boxes (4,)."""
    width, height = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    if width <= 0 or height <= 0:
        return 0.0
    area, other_area = ((b[2] - b[0]) * (b[3] - b[1]) for b in (box, other))
    return float(width * height / (area + other_area - width * height))


def count_matches(found: Detections, objects: list[tuple[str, NDArray[np.float64]]]) -> int:
    """How many detections, the surest first, find an object of their class that no other found, at IoU 0.5."""
    free = defaultdict(list)
    for label, box in objects:
        free[label].append(box)
    matches = 0
    for label, box in zip(found.labels, found.boxes_xyxy, strict=True):
        best = max(free[label], key=lambda candidate: overlap(box, candidate), default=None)
        if best is not None and overlap(box, best) >= 0.5:
            free[label] = [candidate for candidate in free[label] if candidate is not best]
            matches += 1
    return matches


def precision_and_recall(model: Model, folder: Path, truth: Truth) -> tuple[float, float]:
    matched = reported = objects = 0
    for name, boxes in truth.items():
        image = cv2.imread(str(next(folder.rglob(Path(name).name))))
        assert image is not None
        found = model(np.asarray(image, np.uint8))
        assert isinstance(found, Detections)
        matched += count_matches(found, boxes)
        reported += len(found)
        objects += len(boxes)
    return matched / reported, matched / objects


def test_yolox_finds_what_it_can(test_data: Path, tmp_path: Path, coco_truth: tuple[tuple[str, ...], Truth]) -> None:
    class_names, truth = coco_truth
    package = yolox_package(tmp_path / "yolox", test_data / "weights" / "yolox_nano.onnx", class_names)
    model = load_model(package, device="cpu", threshold=0.3)
    precision, recall = precision_and_recall(model, test_data / "coco" / "images", truth)
    assert precision == pytest.approx(0.704, abs=0.03)
    assert recall == pytest.approx(0.408, abs=0.03)


def test_an_ultralytics_file_finds_what_it_can(test_data: Path, coco_truth: tuple[tuple[str, ...], Truth]) -> None:
    model = load_model(test_data / "weights" / "yolov8n_int8.onnx", device="cpu", threshold=0.3)
    precision, recall = precision_and_recall(model, test_data / "coco" / "images", coco_truth[1])
    assert precision == pytest.approx(0.788, abs=0.03)
    assert recall == pytest.approx(0.479, abs=0.03)
