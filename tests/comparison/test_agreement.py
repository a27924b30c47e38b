"""How much two models say the same, worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.classification import Classification, SketchGuess
from models.depth_map import DepthKind, DepthMap
from models.detections import Detections
from models.evaluation.agreement import agreement
from models.result import Result
from models.segmentation_map import UNLABELLED, SegmentationMap


def boxes(*rows: tuple[float, float, float, float, int], names: tuple[str, ...] = ("cat", "dog")) -> Detections:
    table = np.array(rows, np.float32).reshape(-1, 5)
    scores = np.linspace(0.9, 0.5, len(table)).astype(np.float32)
    return Detections("t", table[:, :4].copy(), scores, table[:, 4].astype(np.int64), names)


def guess(class_id: int, names: tuple[str, ...] = ("cat", "dog")) -> Classification:
    return Classification("t", np.array([class_id]), np.array([0.9], np.float32), names)


def class_map(rows: list[list[int]], names: tuple[str, ...] = ("cat", "dog")) -> SegmentationMap:
    return SegmentationMap("t", np.array(rows, np.uint16), names)


def depth(kind: DepthKind, *values: float) -> DepthMap:
    return DepthMap("t", np.array([values], np.float32), kind)


NAN = float("nan")
NO_GUESS = SketchGuess("t", np.empty(0, np.int64), np.empty(0, np.float32), ("cat",))
CAT, DOG = (0, 0, 10, 10, 0), (20, 0, 30, 10, 1)


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        # neither found anything: they agree
        (boxes(), boxes(), 1.0),
        # one did
        (boxes(CAT), boxes(), 0.0),
        # both found the cat, one the dog: two of three
        (boxes(CAT, DOG), boxes(CAT), 2 / 3),
        # the ids differ, the names do not
        (boxes((0, 0, 10, 10, 0)), boxes((0, 0, 10, 10, 1), names=("DOG", "Cat")), 1.0),
        # the same place, another class
        (boxes((0, 0, 10, 10, 0)), boxes((0, 0, 10, 10, 1)), 0.0),
        # names, whatever the ids
        (guess(0), guess(1, ("dog", "CAT")), 1.0),
        (guess(0), guess(1), 0.0),
        # no guess is a guess of its own
        (guess(0, ("cat",)), NO_GUESS, 0.0),
        (NO_GUESS, NO_GUESS, 1.0),
        # three of four pixels, by name
        (class_map([[0, 0], [1, 1]]), class_map([[1, 1], [0, 1]], ("dog", "cat")), 3 / 4),
        # what is unlabelled on both sides is the same, a class unknown to the first is not
        (class_map([[UNLABELLED, 0]]), class_map([[UNLABELLED, 2]], ("cat", "dog", "emu")), 1 / 2),
        # the same order, whatever the unit; metres count the other way
        (depth("inverse", 1, 2, 3), depth("inverse", -5, 0.1, 900), 1.0),
        (depth("inverse", 1, 2, 3), depth("metric", 30, 7, 1), 1.0),
        # the other way round: only a pixel with itself is the same
        (depth("inverse", *range(1000)), depth("metric", *range(1000)), pytest.approx(0.001, abs=0.001)),
        # flat: what is as near is in one map alone
        (depth("inverse", 4, 4), depth("inverse", 1, 2), pytest.approx(0.5, abs=0.02)),
        # of what both know
        (depth("inverse", 1, NAN, 3), depth("metric", 9, 5, 1), 1.0),
        (depth("inverse", NAN), depth("metric", 9), 0.0),
        (depth("inverse", NAN), depth("metric", NAN), 1.0),
        # nothing to compare
        (boxes(CAT), guess(0), None),
    ],
)
def test_agreement(first: Result, second: Result, share: Any) -> None:
    expected = pytest.approx(share) if isinstance(share, float) else share
    assert agreement(first, second, 0.5) == expected
    assert agreement(second, first, 0.5) == expected
