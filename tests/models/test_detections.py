"""Detections and their masks: they hold what they promise, stay aligned, and speak the words of the pipelines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from faster_coco_eval.core import mask as coco_mask
from numpy.typing import NDArray

from models.detections import Detections
from models.mask_rle import encode_rle
from models.result import ResultFilter

NAMES = ("persona", "perro", "león")


def detections(**fields: Any) -> Detections:
    values: dict[str, Any] = {
        "task": "object_detection",
        "boxes_xyxy": np.array([[0, 0, 4, 3], [1, 1, 2, 2.25], [3, 0, 4, 1]], np.float32),
        "scores": np.array([0.9, 0.5, 0.25], np.float32),
        "class_ids": np.array([2, 0, 0], np.int64),
        "class_names": NAMES,
    }
    return Detections(**(values | fields))


def masks() -> NDArray[np.bool_]:
    every = np.zeros((3, 3, 4), np.bool_)
    every[0], every[1, 1, 1], every[2, 0, 3] = True, True, True
    return every


def test_detections_speak_the_words_of_the_pipelines() -> None:
    assert detections(track_ids=np.array([7, 8, 9], np.int64)).to_dict() == {
        "task": "object_detection",
        "detections": [
            {"label": "león", "score": 0.9, "box": {"xmin": 0.0, "ymin": 0.0, "xmax": 4.0, "ymax": 3.0}, "track_id": 7},
            {
                "label": "persona",
                "score": 0.5,
                "box": {"xmin": 1.0, "ymin": 1.0, "xmax": 2.0, "ymax": 2.2},
                "track_id": 8,
            },
            {
                "label": "persona",
                "score": 0.25,
                "box": {"xmin": 3.0, "ymin": 0.0, "xmax": 4.0, "ymax": 1.0},
                "track_id": 9,
            },
        ],
    }
    assert detections()[:0].to_dict() == {"task": "object_detection", "detections": []}


@pytest.mark.parametrize(
    ("keep", "rows"),
    [
        (np.array([True, False, True]), [0, 2]),
        (slice(1, None), [1, 2]),
        (np.array([0, 2]), [0, 2]),
        (1, [1]),
        (np.int64(-1), [2]),
        (np.array([], np.int64), []),
    ],
)
def test_what_is_kept_stays_aligned(keep: Any, rows: list[int]) -> None:
    every = detections(masks=masks(), track_ids=np.array([7, 8, 9], np.int64))
    kept = every[keep]
    assert len(kept) == len(rows)
    for name in ("boxes_xyxy", "scores", "class_ids", "masks", "track_ids"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(every, name)[rows])


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        (ResultFilter(), [0, 1, 2]),
        (ResultFilter(threshold=0.5), [0, 1]),  # the threshold itself passes
        (ResultFilter(classes=frozenset({"persona"})), [1, 2]),
        (ResultFilter(classes=frozenset({"persona"}), max_detections=1), [1]),
        (ResultFilter(max_detections=2, top=1), [0, 1]),  # top is for classifications
        (ResultFilter(threshold=0.95), []),
    ],
)
def test_only_what_is_wanted_is_kept(wanted: ResultFilter, rows: list[int]) -> None:
    every = detections()
    np.testing.assert_array_equal(every.filtered(wanted).boxes_xyxy, every.boxes_xyxy[rows])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"boxes_xyxy": np.zeros((3, 4))}, "boxes_xyxy: expected float32"),
        (
            {"boxes_xyxy": np.zeros((3, 5), np.float32)},
            r"boxes_xyxy: expected float32 \('any', 4\), got shape \(3, 5\)",
        ),
        ({"boxes_xyxy": np.full((3, 4), np.nan, np.float32)}, "boxes_xyxy: expected finite numbers"),
        ({"boxes_xyxy": np.array([[2, 0, 1, 1]] * 3, np.float32)}, "x1 <= x2"),
        ({"scores": np.array([0.1, 0.2, 0.3], np.float32)}, "scores: expected falling order"),
        ({"scores": np.array([np.inf, 0.2, 0.1], np.float32)}, "scores: expected finite numbers"),
        ({"class_ids": np.array([3, 0, 0], np.int64)}, "class_ids: expected 0..2"),
        ({"masks": np.zeros((2, 3, 4), np.bool_)}, r"masks: expected bool \(3, 'any', 'any'\), got shape \(2, 3, 4\)"),
        ({"masks": np.zeros((3, 3, 4), np.uint8)}, "masks: expected bool"),
        ({"track_ids": np.zeros(2, np.int64)}, r"track_ids: expected int64 \(3,\), got shape \(2,\)"),
    ],
)
def test_what_does_not_hold_is_not_built(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        detections(**fields)


def test_masks_are_written_as_coco_writes_them() -> None:
    written = detections(masks=masks()).to_dict()["detections"]
    for line, mask in zip(written, masks(), strict=True):
        assert line["mask"]["size"] == [3, 4]
        np.testing.assert_array_equal(coco_mask.decode(line["mask"]), mask)


@pytest.mark.parametrize(
    "mask",
    [
        np.ones((1, 1), np.bool_),
        np.zeros((1, 1), np.bool_),
        np.ones((720, 1280), np.bool_),  # one run that needs many characters
        np.eye(5, 7, dtype=np.bool_),
        np.random.default_rng(0).random((33, 1)) > 0.5,
        np.random.default_rng(1).random((61, 47)) > 0.97,  # long and short runs: differences of either sign
        np.add.outer(np.arange(300) ** 2, np.arange(200) ** 2) < 150**2,
    ],
)
def test_run_lengths_are_those_of_the_reference(mask: NDArray[np.bool_]) -> None:
    expected = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    counts = expected["counts"]
    assert encode_rle(mask) == {
        "size": list(expected["size"]),
        "counts": counts.decode() if isinstance(counts, bytes) else counts,
    }


def test_supervision_gets_writable_copies() -> None:
    given = detections(masks=masks(), track_ids=np.array([7, 8, 9], np.int64)).to_supervision()
    np.testing.assert_array_equal(given.data["class_name"], ["león", "persona", "persona"])
    expected: dict[str, Any] = {
        "confidence": [0.9, 0.5, 0.25],
        "class_id": [2, 0, 0],
        "tracker_id": [7, 8, 9],
        "mask": masks(),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(given, name), values)
        assert getattr(given, name).flags.writeable
    assert given.xyxy.flags.writeable
