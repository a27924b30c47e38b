"""What the transformers pipeline says of a picture, in our types, and how far two results are the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models import Detections
from tests.models.seeded_checkpoints import LABELS

THRESHOLD = 0.3
SCORE_TOLERANCE = 0.01


def pictures(test_data: Path) -> Iterator[tuple[Path, NDArray[np.uint8]]]:
    for path in sorted((test_data / "images").glob("*.jpg")):
        image = cv2.imread(str(path))
        assert image is not None
        yield path, np.asarray(image, np.uint8)


def overlaps(box: NDArray[Any], others: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of a box (4,) with boxes (N, 4)."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = sides.clip(0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return np.asarray(shared / np.maximum(areas - shared, 1e-9))


def expected_detections(pipeline: Any, path: Path, image: NDArray[np.uint8]) -> Detections:
    """What the pipeline finds, clipped to the picture; its boxes before it cuts them to whole pixels."""
    height, width = image.shape[:2]
    outputs = pipeline.forward(pipeline.preprocess(str(path)))
    found = pipeline.image_processor.post_process_object_detection(
        outputs, THRESHOLD - SCORE_TOLERANCE, outputs["target_size"]
    )[0]
    boxes = found["boxes"].numpy().clip(0, [width, height, width, height]).astype(np.float32)
    seen = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    order = np.argsort(-found["scores"].numpy(), kind="stable")
    order = order[seen[order]]
    scores, class_ids = found["scores"].numpy()[order], found["labels"].numpy()[order]
    return Detections("object_detection", boxes[order], scores, class_ids, tuple(LABELS.values()))


def unmatched(detections: Detections, others: Detections) -> list[dict[str, Any]]:
    """The detections, well above the threshold, that have no counterpart of their own among others."""
    free = np.ones(len(others), np.bool_)
    strangers = []
    for row in range(len(detections)):
        alike = free & (others.class_ids == detections.class_ids[row])
        alike &= np.abs(others.scores - detections.scores[row]) <= SCORE_TOLERANCE
        ious = np.where(alike, overlaps(detections.boxes_xyxy[row], others.boxes_xyxy), -1)
        best = int(ious.argmax()) if len(ious) else -1
        if best >= 0 and ious[best] >= 0.98:
            free[best] = False
        elif detections.scores[row] > THRESHOLD + SCORE_TOLERANCE:
            strangers.append(detections[row].to_dict()["detections"][0])
    return strangers


def expected_map(pipeline: Any, path: Path, size_hw: tuple[int, int]) -> NDArray[np.uint16]:
    """What the pipeline makes of a picture's input, spread over a size."""
    outputs = pipeline.forward(pipeline.preprocess(str(path)))
    found = pipeline.image_processor.post_process_semantic_segmentation(outputs, target_sizes=[size_hw])[0]
    return np.asarray(found.numpy(), np.uint16)
