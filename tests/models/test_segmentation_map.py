"""Segmentation maps: shares of the frame, and only the classes that are wanted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.result import ResultFilter
from models.segmentation_map import UNLABELLED, SegmentationMap

NAMES = ("cielo", "árbol", "camino")


def segmentation(rows: list[list[int]]) -> SegmentationMap:
    return SegmentationMap("semantic_segmentation", np.array(rows, np.uint16), NAMES)


def test_segments_are_shares_of_the_frame_the_largest_first() -> None:
    assert segmentation([[2, 2, 0], [2, UNLABELLED, UNLABELLED]]).to_dict() == {
        "task": "semantic_segmentation",
        "segments": [{"label": "camino", "area": 0.5}, {"label": "cielo", "area": 0.1667}],
    }


def test_nothing_labelled_has_no_segments() -> None:
    assert segmentation([[UNLABELLED]]).to_dict()["segments"] == []


def test_only_wanted_classes_are_kept() -> None:
    every = segmentation([[0, 1, 2], [UNLABELLED, 1, 1]])
    kept = every.filtered(ResultFilter(classes=frozenset({"árbol"})))
    assert kept.class_map.tolist() == [[UNLABELLED, 1, UNLABELLED], [UNLABELLED, 1, 1]]
    assert every.filtered(ResultFilter(threshold=0.9, top=1)) is every


@pytest.mark.parametrize(
    ("class_map", "message"),
    [
        (np.zeros((2, 2), np.uint8), "class_map: expected uint16"),
        (np.zeros(2, np.uint16), r"class_map: expected uint16 \('any', 'any'\)"),
        (np.array([[0, 3, UNLABELLED]], np.uint16), "class_map: expected 0..2 or 65535, got 3"),
    ],
)
def test_what_does_not_hold_is_not_built(class_map: np.ndarray[Any, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SegmentationMap("semantic_segmentation", class_map, NAMES)


def test_a_map_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        segmentation([[0]]).class_map[0, 0] = 1
