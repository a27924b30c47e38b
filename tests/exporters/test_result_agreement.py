"""How far two results say the same, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from exporters.errors import ExportError
from exporters.result_agreement import agreement_of
from models.results import Classification, Detections, Poses

NAMES = ("cat", "dog")


def detections(boxes: Any, class_ids: Any, masks: Any = None) -> Detections:
    return Detections(
        "instance_segmentation",
        np.array(boxes, np.float32).reshape(-1, 4),
        np.linspace(0.9, 0.5, len(boxes)).astype(np.float32),
        np.array(class_ids, np.int64),
        NAMES,
        None if masks is None else np.array(masks, np.bool_).reshape(-1, 1, 8),
    )


def row(text: str) -> list[bool]:
    return [letter == "#" for letter in text]


LEFT, RIGHT = [0, 0, 4, 1], [4, 0, 8, 1]


@pytest.mark.parametrize(
    ("wanted", "found", "share"),
    [
        (detections([], []), detections([], []), 1.0),
        (detections([LEFT], [0]), detections([], []), 0.0),
        (detections([LEFT, RIGHT], [0, 1]), detections([RIGHT, LEFT], [1, 0]), 1.0),
        (detections([LEFT, RIGHT], [0, 1]), detections([LEFT, RIGHT], [0, 0]), 0.5),
        # Boxes alike, masks not: a quarter of what the two cover is common.
        (detections([LEFT], [0], [row("####....")]), detections([LEFT], [0], [row("#.......")]), 0.0),
        (detections([LEFT], [0], [row("####....")]), detections([LEFT], [0], [row("###.....")]), 1.0),
        # One side without masks: boxes decide.
        (detections([LEFT], [0], [row("####....")]), detections([LEFT], [0]), 1.0),
    ],
)
def test_detections(wanted: Detections, found: Detections, share: float) -> None:
    assert agreement_of(wanted, found) == pytest.approx(share)
    assert agreement_of(found, wanted) == pytest.approx(share)


def poses(keypoints: Any, scores: Any, count: int = 1) -> Poses:
    people = detections([[0, 0, 100, 40]] * count, [0] * count)
    shape = (count, 2)
    points = np.broadcast_to(np.array(keypoints, np.float32), (*shape, 2))
    heights = np.broadcast_to(np.array(scores, np.float32), shape)
    return Poses("keypoint_detection", people, points.copy(), heights.copy(), ("a", "b"), least_score=0.5)


@pytest.mark.parametrize(
    ("wanted", "found", "share"),
    [
        # Five pixels of a hundred are near enough, six are not.
        (poses([[10, 10], [50, 20]], [0.9, 0.9]), poses([[13, 14], [56, 20]], [0.9, 0.9]), 0.5),
        # Guesses do not count.
        (poses([[10, 10], [50, 20]], [0.9, 0.4]), poses([[10, 10], [90, 20]], [0.9, 0.9]), 1.0),
        (poses([[10, 10], [50, 20]], [0.1, 0.4]), poses([[90, 10], [90, 20]], [0.9, 0.9]), 1.0),
        (poses([[10, 10], [50, 20]], [0.9, 0.9]), poses([[10, 10], [50, 20]], [0.9, 0.9], count=2), 0.0),
        (poses([[10, 10], [50, 20]], [0.9, 0.9], count=0), poses([[10, 10], [50, 20]], [0.9, 0.9], count=0), 1.0),
    ],
)
def test_poses(wanted: Poses, found: Poses, share: float) -> None:
    assert agreement_of(wanted, found) == pytest.approx(share)


def test_results_of_two_kinds_have_no_measure() -> None:
    said = Classification("image_classification", np.zeros(1, np.int64), np.ones(1, np.float32), NAMES)
    with pytest.raises(ExportError, match="--tune: results of instance_segmentation cannot be compared"):
        agreement_of(detections([], []), said)
