"""How well a detector does while it trains: COCO's average precision on new scenes of its material.

Classes that a scene does not label completely count neither way there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from models.evaluation.average_precision import average_precision
from models.training.box_data import Scene
from models.training.detector_batches import as_batch, as_input

_BATCH = 16


@dataclass(frozen=True, slots=True)
class Watched:
    """What was found on the watched scenes.

    Attributes:
        map: mean over classes, IoU 0.5 to 0.95.
        ap50: by class; None for one of which there are no objects.
    """

    map: float
    ap50: Mapping[str, float | None]


def watch(model: nn.Module, scenes: Sequence[Scene], class_names: Sequence[str]) -> Watched:
    """Measure; the model is in evaluation mode afterwards."""
    model.eval()
    device = next(model.parameters()).device
    rows: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for start in range(0, len(scenes), _BATCH):
        part = scenes[start : start + _BATCH]
        images, _ = as_batch(part)
        with torch.no_grad():
            outputs = model(as_input(images, device))
        scores = outputs.logits.float().sigmoid().cpu().numpy()
        boxes = outputs.pred_boxes.float().cpu().numpy()
        for offset, scene in enumerate(part):
            image_id = start + offset
            rows += _rows(scores[offset], boxes[offset], scene, image_id)
            annotations += _truth(scene, image_id, len(annotations))
    content = {
        "images": [{"id": index} for index in range(len(scenes))],
        "categories": [{"id": index, "name": name} for index, name in enumerate(class_names)],
        "annotations": annotations,
    }
    if not rows or not annotations:
        return Watched(0.0, dict.fromkeys(class_names))
    reached = average_precision(content, dict(enumerate(class_names)), rows, "bbox")
    return Watched(reached.figures["map"] or 0.0, {row.name: row.ap50 for row in reached.classes})


def _rows(
    scores: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    boxes: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    scene: Scene,
    image_id: int,
) -> list[dict[str, object]]:
    """The best pairs of query and class, as `models.decoders.sigmoid_topk` takes them."""
    height, width = scene.image.shape[:2]
    count = len(scores)
    best = np.argsort(-scores.ravel())[:count]
    rows: list[dict[str, object]] = []
    for pair in best:
        query, class_id = divmod(int(pair), scores.shape[1])
        if not scene.complete[class_id]:
            continue
        x, y, w, h = (boxes[query] * np.array([width, height] * 2)).tolist()
        box = [x - w / 2, y - h / 2, w, h]
        score = float(scores[query, class_id])
        rows.append({"image_id": image_id, "category_id": class_id, "score": score, "bbox": box})
    return rows


def _truth(scene: Scene, image_id: int, first_id: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for box, class_id in zip(scene.boxes_xyxy.tolist(), scene.class_ids.tolist(), strict=True):
        if scene.complete[class_id]:
            width, height = box[2] - box[0], box[3] - box[1]
            rows.append({
                "id": first_id + len(rows) + 1,
                "image_id": image_id,
                "category_id": class_id,
                "bbox": [box[0], box[1], width, height],
                "area": width * height,
                "iscrowd": 0,
            })  # fmt: skip
    return rows
