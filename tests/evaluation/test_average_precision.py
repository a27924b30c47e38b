"""COCO's figures, against pycocotools on the same detections."""

from __future__ import annotations

import contextlib
import copy
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from models import load_model
from models.detections import Detections
from models.evaluation.average_precision import OverlapKind, average_precision, detection_rows
from models.evaluation.class_matching import match_classes
from models.evaluation.coco_annotations import read_coco
from models.evaluation.detection_evaluation import LEAST_SCORE, MOST_DETECTIONS
from models.evaluation.errors import DataError
from models.mask_rle import encode_rle

FIGURES = ("map", "ap50", "ap75", "map_small", "map_medium", "map_large")
NAMES = {3: "cat", 7: "dog", 9: "bird"}


def pycocotools_figures(content: dict[str, Any], rows: Sequence[Any], kind: OverlapKind) -> dict[str, float | None]:
    """The first six of its twelve figures; -1 stands for none."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = copy.deepcopy(content)
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(copy.deepcopy(list(rows))), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = [float(value) for value in evaluation.stats[: len(FIGURES)]]
    return {name: None if value == -1 else value for name, value in zip(FIGURES, values, strict=True)}


def made_up(kind: OverlapKind) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Annotations of eight pictures with a crowd and a class without objects, and detections near and far of them."""
    random = np.random.default_rng(5)
    annotations: list[dict[str, Any]] = []
    rows = []
    for image_id in range(1, 9):
        for _ in range(int(random.integers(0, 7))):
            box = np.concatenate([random.uniform(0, 120, 2), random.uniform(6, 110, 2)])
            category = int(random.choice([3, 7]))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": category,
                    "bbox": box.tolist(),
                    "area": float(box[2] * box[3]),
                    "iscrowd": int(len(annotations) == 4),
                    "segmentation": encode_rle(ellipse(box)),
                }
            )
            for _ in range(int(random.integers(0, 3))):
                near = box + random.normal(0, 5, 4)
                near[2:] = np.maximum(near[2:], 2)
                row: dict[str, Any] = {"image_id": image_id, "score": float(random.uniform()), "category_id": category}
                row |= {"segmentation": encode_rle(ellipse(near))} if kind == "segm" else {"bbox": near.tolist()}
                rows.append(row)
    images = [{"id": number, "file_name": f"{number}.png", "width": 240, "height": 240} for number in range(1, 9)]
    categories = [{"id": number, "name": name} for number, name in NAMES.items()]
    return {"images": images, "annotations": annotations, "categories": categories}, rows


def ellipse(box: Any) -> Any:
    mask = np.zeros((240, 240), np.uint8)
    left, top, width, height = (round(float(value)) for value in box)
    cv2.ellipse(mask, (left + width // 2, top + height // 2), (width // 2, height // 2), 0, 0, 360, 1, cv2.FILLED)
    return mask.astype(np.bool_)


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_figures_are_those_of_pycocotools(kind: OverlapKind) -> None:
    content, rows = made_up(kind)
    result = average_precision(content, NAMES, rows, kind)
    expected = pycocotools_figures(content, rows, kind)
    assert expected["map"] is not None
    assert 0.05 < expected["map"] < 0.9
    assert result.figures == pytest.approx(expected, abs=1e-6)
    by_name = {row.name: row for row in result.classes}
    assert by_name["bird"].ap is None
    whole = [row.ap for row in result.classes if row.ap is not None]
    assert np.mean(whole) == pytest.approx(expected["map"], abs=1e-6)
    assert sum(row.objects for row in result.classes) == sum(not row["iscrowd"] for row in content["annotations"])
    assert result.precisions[0.5].mean() == pytest.approx(expected["ap50"], abs=1e-6)


def test_nothing_found_is_zero_and_no_objects_is_nothing() -> None:
    content, rows = made_up("bbox")
    assert average_precision(content, NAMES, [], "bbox").figures["map"] == 0
    assert average_precision(content | {"annotations": []}, NAMES, rows, "bbox").figures["map"] is None


def test_a_missing_library_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    content, rows = made_up("bbox")
    with pytest.raises(DataError, match=r"faster-coco-eval; pip install 'mirilla\[eval\]'"):
        average_precision(content, NAMES, rows, "bbox")


def test_classes_that_the_data_has_not_are_left_out() -> None:
    boxes = np.array([[0, 0, 4, 4], [1, 2, 3, 8]], np.float32)
    found = Detections("t", boxes, np.array([0.9, 0.5], np.float32), np.array([1, 0]), ("cat", "wolf"))
    assert detection_rows(found, 17, {0: 3}, "bbox") == [
        {"image_id": 17, "category_id": 3, "score": 0.5, "bbox": [1, 2, 2, 6]}
    ]


def test_a_real_detector(test_data: Path, yolox: Path) -> None:
    """On 40 photographs, listed backwards in the annotations: order must not matter."""
    annotations = read_coco(test_data / "coco" / "instances_boxes_train2017.json")
    chosen = annotations.pictures[:40]
    ids = {picture.image_id for picture in chosen}
    content = {
        "images": [row for row in annotations.content["images"] if row["id"] in ids][::-1],
        "annotations": [row for row in annotations.content["annotations"] if row["image_id"] in ids],
        "categories": annotations.content["categories"][::-1],
    }
    model = load_model(yolox, device="cpu", threshold=LEAST_SCORE, max_detections=MOST_DETECTIONS)
    matching = match_classes(model.manifest.class_names, annotations.category_names)
    rows = []
    for picture in chosen:
        image = cv2.imread(str(picture.path))
        assert image is not None
        found = model(np.asarray(image, np.uint8))
        assert isinstance(found, Detections)
        rows += detection_rows(found, picture.image_id, matching.data_ids, "bbox")
    result = average_precision(content, matching.names, rows, "bbox")
    expected = pycocotools_figures(content, rows, "bbox")
    assert result.figures == pytest.approx(expected, abs=1e-6)
    assert result.figures["map"] == pytest.approx(0.35, abs=0.15)
