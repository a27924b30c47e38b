"""Results hold what they promise, or are not built."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.results import Classification, SketchGuess

NAMES = ("cat", "dog", "piña")


def classification(ids: Any = (2, 0), scores: Any = (0.75, 0.25)) -> Classification:
    return Classification("image_classification", np.array(ids, np.int64), np.array(scores, np.float32), NAMES)


def test_a_classification_speaks_the_words_of_the_pipelines() -> None:
    assert classification().to_dict() == {
        "task": "image_classification",
        "labels": [{"label": "piña", "score": 0.75}, {"label": "cat", "score": 0.25}],
    }


def test_a_mask_and_a_slice_keep_scores_with_their_classes() -> None:
    kept = classification()[np.array([False, True])]
    assert (kept.labels, kept.scores.tolist()) == (["cat"], [0.25])
    assert classification()[:1].labels == ["piña"]


def test_a_guess_keeps_its_drawing_and_place_when_it_is_filtered() -> None:
    guess = SketchGuess(
        "sketch_classification",
        np.array([1, 0], np.int64),
        np.array([0.9, 0.1], np.float32),
        NAMES,
        region_xyxy=np.array([1, 2, 30.25, 40], np.float32),
        drawing=np.zeros((28, 28), np.uint8),
    )[:1]
    assert guess.to_dict() == {
        "task": "sketch_classification",
        "labels": [{"label": "dog", "score": 0.9}],
        "box": {"xmin": 1.0, "ymin": 2.0, "xmax": 30.2, "ymax": 40.0},
    }
    assert guess.drawing is not None


@pytest.mark.parametrize(
    ("ids", "scores", "message"),
    [
        ([0, 1], [0.2, 0.8], "scores: expected falling order"),
        ([0, 3], [0.8, 0.2], r"class_ids: expected 0..2, got \[0 3\]"),
        ([-1], [0.8], "class_ids: expected 0..2"),
        ([0], [0.8, 0.2], r"scores: expected float32 \(1,\), got shape \(2,\)"),
        ([[0]], [0.8], r"class_ids: expected int64 \('any',\), got shape \(1, 1\)"),
        ([0], [np.nan], "scores: expected finite numbers"),
    ],
)
def test_what_does_not_hold_is_not_built(ids: Any, scores: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classification(ids, scores)


def test_wrong_dtype_is_named() -> None:
    with pytest.raises(ValueError, match=r"scores: expected float32 \(1,\), got float64"):
        Classification("t", np.array([0], np.int64), np.array([1.0]), NAMES)


def test_arrays_of_a_result_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        classification().scores[0] = 0.0
