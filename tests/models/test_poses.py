"""Poses: checked where they are built, filtered and written in transformers' words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.results import Detections, Poses, ResultFilter, objects_of
from models.skeletons import COCO_17, side_of, skeleton_of

NAMES = ("Nose", "L_Eye", "R_Eye")


def poses(**fields: Any) -> Poses:
    boxes = np.array([[0, 0, 10, 20], [5, 5, 9, 9]], np.float32)
    people = Detections("object_detection", boxes, np.array([0.9, 0.6], np.float32), np.zeros(2, np.int64), ("person",))
    content: dict[str, Any] = {
        "objects": people,
        "keypoints_xy": np.arange(12, dtype=np.float32).reshape(2, 3, 2) + 0.25,
        "scores": np.array([[0.9, 0.25, 0.4], [0.1, -0.1, 0.3]], np.float32),
        "keypoint_names": NAMES,
        "skeleton": ((0, 1), (1, 2)),
    }
    return Poses("keypoint_detection", **(content | fields))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"keypoints_xy": np.zeros((2, 3), np.float32)}, r"keypoints_xy: expected float32 \(2, 3, 2\), got shape"),
        ({"scores": np.zeros((1, 3), np.float32)}, r"scores: expected float32 \(2, 3\), got shape \(1, 3\)"),
        ({"scores": np.full((2, 3), np.nan, np.float32)}, "scores: expected finite numbers"),
        ({"keypoints_xy": np.full((2, 3, 2), np.inf, np.float32)}, "keypoints_xy: expected finite numbers"),
        ({"skeleton": ((0, 3),)}, r"skeleton: expected pairs of 0..2, got \(0, 3\)"),
    ],
)
def test_what_does_not_hold_is_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        poses(**fields)


def test_a_results_line_has_the_keypoints_that_are_no_guesses() -> None:
    line = poses().filtered(ResultFilter(0.3)).to_dict()
    assert line == {
        "task": "keypoint_detection",
        "poses": [
            {
                "label": "person",
                "score": 0.9,
                "box": {"xmin": 0.0, "ymin": 0.0, "xmax": 10.0, "ymax": 20.0},
                "keypoints": [[0.2, 1.2], [4.2, 5.2]],
                "scores": [0.9, 0.4],
                "labels": ["Nose", "R_Eye"],
            },
            {
                "label": "person",
                "score": 0.6,
                "box": {"xmin": 5.0, "ymin": 5.0, "xmax": 9.0, "ymax": 9.0},
                "keypoints": [[10.2, 11.2]],
                "scores": [0.3],
                "labels": ["R_Eye"],
            },
        ],
    }


def test_only_what_is_wanted_is_kept() -> None:
    found = poses().filtered(ResultFilter(0.3, frozenset({"L_Eye", "R_Eye"}), max_detections=1))
    assert found.keypoint_names == ("L_Eye", "R_Eye")
    assert found.skeleton == ((0, 1),)
    assert found.keypoints_xy.tolist() == [[[2.25, 3.25], [4.25, 5.25]]]
    assert found.is_sure.tolist() == [[False, True]]


def test_ids_are_the_objects() -> None:
    found = poses().tracked(np.array([1]), np.array([7]))
    assert found.to_dict()["poses"][0]["track_id"] == 7
    assert found.scores.tolist() == poses().scores[1:].tolist()
    objects = objects_of(found)
    assert objects is not None
    assert objects.labels == ["person"]


@pytest.mark.parametrize(
    ("edges", "count", "expected"),
    [
        ([[0, 1], [1, 2]], 3, ((0, 1), (1, 2))),
        (None, 3, ()),
        (None, 17, COCO_17),
        ([], 17, ()),
    ],
)
def test_a_skeleton_is_the_checkpoint_s_or_coco_s(edges: Any, count: int, expected: Any) -> None:
    assert skeleton_of(edges, ["point"] * count) == expected


@pytest.mark.parametrize("edges", [[[0, 3]], [[0]], [["a", "b"]]])
def test_an_edge_to_nowhere_is_named(edges: Any) -> None:
    with pytest.raises(ValueError, match=r"edges: expected pairs of 0\.\.2"):
        skeleton_of(edges, NAMES)


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("L_Eye", "left"),
        ("left_shoulder", "left"),
        ("Right Knee", "right"),
        ("r-hip", "right"),
        ("Nose", "centre"),
        ("Lip", "centre"),
        ("rib", "centre"),
    ],
)
def test_a_name_says_its_side(name: str, side: str) -> None:
    assert side_of(name) == side
