"""Measures a detector on COCO annotations: average precision of boxes, and of masks where both sides have them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import cv2

from models.detections import Detections
from models.evaluation.average_precision import (
    AveragePrecision,
    OverlapKind,
    average_precision,
    detection_rows,
    load_library,
)
from models.evaluation.charts import draw_precision_recall
from models.evaluation.class_matching import ClassMatching, known_objects, match_classes, with_data_ids
from models.evaluation.coco_annotations import CocoAnnotations
from models.evaluation.errors import DataError
from models.evaluation.evaluation import Evaluation, EvaluationOptions, OnProgress
from models.evaluation.matching import MatchCounts, count_matches
from models.evaluation.pictures import read_picture
from models.model import Model

LEAST_SCORE = 0.001
"""Average precision wants what the model is not sure of, too."""
MOST_DETECTIONS = 300
"""A picture; COCO looks at the surest 100 of each class."""


class _DetectionTally:
    """What was found in all pictures, in COCO's layout, and what of it was right at the user's score and IoU."""

    def __init__(self, annotations: CocoAnnotations, matching: ClassMatching, options: EvaluationOptions) -> None:
        self.rows: dict[OverlapKind, list[dict[str, Any]]] = {"bbox": []}
        self.counts = MatchCounts()
        self._objects = annotations.objects()
        self._matching = matching
        self._options = options

    def add(self, image_id: int, found: Detections) -> None:
        """Count one picture."""
        matching = self._matching
        for kind, rows in self.rows.items():
            rows.extend(detection_rows(found, image_id, matching.data_ids, kind))
        sure = with_data_ids(found, matching, self._options.score)
        self.counts += count_matches(sure, known_objects(self._objects[image_id], matching), self._options.iou)


def evaluate_detector(
    model: Model, annotations: CocoAnnotations, options: EvaluationOptions, on_progress: OnProgress
) -> Evaluation:
    """Run a detector over the pictures of annotations.

    Args:
        model: loaded with `LEAST_SCORE` and `MOST_DETECTIONS`.
        annotations: what is in the pictures.
        options: score and IoU for precision and recall.
        on_progress: told of every picture.

    Raises:
        DataError: nothing of the data is for this model, a picture cannot be read, or faster-coco-eval is missing.
    """
    load_library()
    matching = match_classes(model.manifest.class_names, annotations.category_names)
    tally = _DetectionTally(annotations, matching, options)
    for number, picture in enumerate(annotations.pictures):
        # Annotations are in pixels of the picture as stored, whatever its EXIF orientation says.
        image = read_picture(picture.path, flags=cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        picture.check_size((image.shape[1], image.shape[0]))
        found = model(image)
        if not isinstance(found, Detections):
            raise DataError(f"data: {annotations.path} has objects, and {model.name} finds none; give other data")
        if number == 0 and found.masks is not None and annotations.has_masks:
            tally.rows["segm"] = []
        tally.add(picture.image_id, found)
        on_progress(number + 1, len(annotations.pictures))
    results = {
        kind: average_precision(annotations.content, matching.names, rows, kind) for kind, rows in tally.rows.items()
    }
    return _evaluation(model, annotations, options, tally.counts, results, matching)


def _evaluation(
    model: Model,
    annotations: CocoAnnotations,
    options: EvaluationOptions,
    counts: MatchCounts,
    results: dict[OverlapKind, AveragePrecision],
    matching: ClassMatching,
) -> Evaluation:
    figures: dict[str, float | None] = {}
    charts = {}
    for kind, result in results.items():
        prefix = "mask_" if kind == "segm" else ""
        figures |= {f"{prefix}{name}": value for name, value in result.figures.items()}
        name = "masks" if kind == "segm" else "boxes"
        title = f"{model.name}, {name} of {annotations.path.name}"
        charts[f"precision-recall-{name}.png"] = partial(
            draw_precision_recall, title=title, recalls=result.recalls, precisions=result.precisions
        )
    figures |= {"precision": counts.precision, "recall": counts.recall}
    rows: list[dict[str, Any]] = [
        {"class": row.name, "objects": row.objects, "ap": row.ap, "ap50": row.ap50} for row in results["bbox"].classes
    ]
    if "segm" in results:
        for row, masks in zip(rows, results["segm"].classes, strict=True):
            row |= {"mask_ap": masks.ap, "mask_ap50": masks.ap50}
    return Evaluation(
        model=model.name,
        task=model.manifest.task,
        data=str(annotations.path),
        pictures=len(annotations.pictures),
        figures=figures,
        classes=rows,
        settings={
            "score": options.score,
            "iou": options.iou,
            "least_score": LEAST_SCORE,
            "most_detections": MOST_DETECTIONS,
            "objects": sum(row["objects"] for row in rows),
            "right": counts.right,
            "wrong": counts.wrong,
            "missed": counts.missed,
        },
        notes=[*matching.notes(), *_mask_notes(annotations, results)],
        charts=charts,
    )


def _mask_notes(annotations: CocoAnnotations, results: Mapping[OverlapKind, AveragePrecision]) -> list[str]:
    if annotations.has_masks and "segm" not in results:
        return ["the data has masks and the model gives none, so that boxes alone are compared"]
    return []
