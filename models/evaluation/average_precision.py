"""COCO's average precision, as faster-coco-eval counts it; equal to pycocotools' on the same detections.

The one file that imports faster-coco-eval, and only when it is called.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.detections import Detections
from models.evaluation.errors import DataError
from models.mask_rle import encode_rle

OverlapKind = Literal["bbox", "segm"]

_IOU_50, _IOU_75 = 0, 5
_AREAS = {"small": 1, "medium": 2, "large": 3}


@dataclass(frozen=True, slots=True)
class ClassPrecision:
    """Of one class: average precision over IoU 0.5 to 0.95, and at 0.5; None for a class of which there is nothing."""

    name: str
    objects: int
    ap: float | None
    ap50: float | None


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """COCO's figures.

    Attributes:
        figures: `map`, `ap50`, `ap75`, and `map_small`, `map_medium`, `map_large` by the area of the objects.
        classes: in the data's order.
        recalls: float64 (101,), 0 to 1.
        precisions: by IoU, float64 (101,): precision at each recall, the mean of all classes that have objects.
    """

    figures: Mapping[str, float | None]
    classes: Sequence[ClassPrecision]
    recalls: NDArray[np.float64]
    precisions: Mapping[float, NDArray[np.float64]]


def detection_rows(
    found: Detections, image_id: int, data_ids: Mapping[int, int], kind: OverlapKind
) -> list[dict[str, Any]]:
    """The detections of one picture in COCO's results layout; those of classes that the data has not are left out.

    Args:
        found: what the model found.
        image_id: of the picture.
        data_ids: category ids by the model's class ids.
        kind: whether boxes or masks are given.

    Raises:
        DataError: masks are asked for, and there are none.
    """
    if kind == "segm" and found.masks is None:
        raise DataError("data: the model gives no masks to compare with; evaluate its boxes")
    rows = []
    for index, class_id in enumerate(found.class_ids.tolist()):
        if class_id not in data_ids:
            continue
        row: dict[str, Any] = {
            "image_id": image_id,
            "category_id": data_ids[class_id],
            "score": float(found.scores[index]),
        }
        if kind == "segm" and found.masks is not None:
            row["segmentation"] = encode_rle(found.masks[index])
        else:
            left, top, right, bottom = found.boxes_xyxy[index].astype(np.float64).tolist()
            row["bbox"] = [left, top, right - left, bottom - top]
        rows.append(row)
    return rows


def load_library() -> tuple[Any, Any]:
    """The two classes of faster-coco-eval; called before the work that needs them.

    Raises:
        DataError: it is not installed.
    """
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ImportError as error:
        raise DataError("evaluate: detections need faster-coco-eval; pip install 'mirilla[eval]'") from error
    return COCO, COCOeval_faster


def average_precision(
    content: Mapping[str, Any], names: Mapping[int, str], rows: Sequence[Mapping[str, Any]], kind: OverlapKind
) -> AveragePrecision:
    """Compare detections with annotations.

    Args:
        content: of the annotation file.
        names: by category id, those that are looked at.
        rows: of all pictures, as `detection_rows` gives them.
        kind: whether boxes or masks are compared.

    Raises:
        DataError: faster-coco-eval is not installed.
    """
    make_index, make_evaluation = load_library()
    # The library writes into what it is given.
    truth = make_index(copy.deepcopy(dict(content)))
    evaluation = make_evaluation(truth, truth.loadRes(copy.deepcopy(list(rows))), kind)
    evaluation.params.catIds = list(names)
    evaluation.evaluate()
    evaluation.accumulate()
    # By IoU, recall, category, area of the objects, and how many detections a picture may have (1, 10, 100).
    precision = np.asarray(evaluation.eval["precision"], np.float64)[..., -1]
    counts = dict.fromkeys(names, 0)
    for row in content["annotations"]:
        if row["category_id"] in counts and not row["iscrowd"]:
            counts[row["category_id"]] += 1
    overall = precision[..., 0]
    figures = {"map": _mean(overall), "ap50": _mean(overall[_IOU_50]), "ap75": _mean(overall[_IOU_75])}
    figures |= {f"map_{size}": _mean(precision[..., index]) for size, index in _AREAS.items()}
    # The evaluation sorts its categories.
    column = {category_id: index for index, category_id in enumerate(sorted(names))}
    classes = [
        ClassPrecision(
            name,
            counts[category_id],
            _mean(overall[:, :, column[category_id]]),
            _mean(overall[_IOU_50, :, column[category_id]]),
        )
        for category_id, name in names.items()
    ]
    curves = {0.5: _curve(overall[_IOU_50]), 0.75: _curve(overall[_IOU_75])}
    return AveragePrecision(figures, classes, np.asarray(evaluation.params.recThrs, np.float64), curves)


def _mean(precision: NDArray[np.float64]) -> float | None:
    """The mean, as `COCOeval.summarize` takes it: -1 stands for a class without objects."""
    known = precision[precision > -1]
    return float(known.mean()) if known.size else None


def _curve(precision: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over the classes (101, K) that have objects."""
    known = precision[:, (precision > -1).all(axis=0)]
    return np.asarray(known.mean(axis=1)) if known.size else np.zeros(len(precision))
