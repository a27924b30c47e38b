"""The names of drawings over several frames: they do not flicker, follow what is there, and keep to their drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from models.guessed_drawings import GuessedDrawings
from models.model import StageTimer, untimed
from models.results import Detections
from stream.frame import Frame
from stream.guess_smoothing import GuessSmoother
from stream.model_step import ModelStep
from stream.tracking import Tracker
from tests.stream.doubles import make_frame

NAMES = ("cat", "dog", "fish")
LEFT, RIGHT = [10.0, 10, 50, 50], [100.0, 20, 150, 60]


def drawings(*guesses: Sequence[float], boxes: Sequence[Sequence[float]] = (LEFT, RIGHT)) -> GuessedDrawings:
    """Drawings with these guesses, the first found most surely; the rows in the order of their best guess."""
    rows = np.array(guesses, np.float32).reshape(-1, 3)
    best = rows.max(axis=1, initial=0)
    order = np.argsort(-best, kind="stable")
    return GuessedDrawings(
        "instance_segmentation",
        np.array(boxes[: len(rows)], np.float32).reshape(-1, 4)[order],
        best[order],
        rows.argmax(axis=1).astype(np.int64)[order],
        NAMES,
        guesses=rows[order],
        found_scores=np.array([0.9, 0.8], np.float32)[: len(rows)][order],
    )


def one(smoother: GuessSmoother, guess: Sequence[float], seconds: float, track_id: int = 1) -> tuple[str, float]:
    found = drawings(guess)
    named = smoother.update(found.tracked_rows(np.array([0]), np.array([track_id])), seconds)
    return named.labels[0], float(named.scores[0])


def test_a_guess_weighs_with_the_time_that_it_stands_for() -> None:
    smoother = GuessSmoother()
    assert one(smoother, [1, 0, 0], 0.0) == ("cat", 1.0)
    # After the time constant of 0.6 s a new guess has 1 - 1/e.
    label, score = one(smoother, [0, 0, 1], 0.6)
    assert label == "fish"
    assert score == pytest.approx(1 - 1 / math.e)


def test_a_single_other_guess_changes_no_name() -> None:
    smoother, labels = GuessSmoother(), []
    for index in range(20):
        guess = [0.1, 0.8, 0.1] if index % 7 == 3 else [0.8, 0.1, 0.1]
        labels.append(one(smoother, guess, index / 25)[0])
    assert labels == ["cat"] * 20


def test_between_two_that_are_nearly_alike_it_does_not_change_to_and_fro() -> None:
    smoother, labels = GuessSmoother(), []
    for index in range(200):
        guess = [0.46, 0.52, 0.02] if index % 2 else [0.52, 0.46, 0.02]
        labels.append(one(smoother, guess, index / 25)[0])
    assert set(labels) == {"cat"}


def test_a_drawing_that_becomes_another_is_named_anew() -> None:
    smoother = GuessSmoother()
    for index in range(10):
        one(smoother, [0.9, 0.1, 0], index / 25)
    assert [one(smoother, [0.05, 0.95, 0], (10 + index) / 25)[0] for index in range(40)][-1] == "dog"


def test_what_has_gone_is_forgotten_and_ids_do_not_mix() -> None:
    smoother = GuessSmoother()
    one(smoother, [1, 0, 0], 0.0)
    assert one(smoother, [0, 1, 0], 0.04, track_id=2) == ("dog", 1.0)
    one(smoother, [0, 1, 0], 9.0, track_id=2)
    assert one(smoother, [0, 0, 1], 9.04) == ("fish", 1.0)


def test_without_ids_it_says_so() -> None:
    with pytest.raises(ValueError, match="expected track_ids"):
        GuessSmoother().update(drawings([1, 0, 0]), 0.0)


class Guesses:
    """Gives the next of some results on every frame."""

    name, provider = "sketches", "CPUExecutionProvider"

    def __init__(self, *results: GuessedDrawings) -> None:
        self._results = iter(results)

    def __call__(self, image: object, timer: StageTimer) -> GuessedDrawings:  # noqa: ARG002 - PipelineModel
        return next(self._results)


def looked(step: ModelStep, frame: Frame) -> Detections:
    seen = step.look(frame, untimed).result
    # The plain type: what only steadying needs stays here.
    assert type(seen) is Detections
    return seen


def test_a_drawing_keeps_its_id_whatever_it_is_taken_for() -> None:
    step = ModelStep(
        Guesses(
            drawings([0.9, 0.1, 0], [0.2, 0.2, 0.6]),
            # The order of the rows changes, and so do both guesses.
            drawings([0.4, 0.5, 0.1], [0.1, 0.8, 0.1]),
            drawings([0.9, 0.1, 0], [0.1, 0.2, 0.7]),
            drawings(),
        ),
        tracker=Tracker(0.5),
    )
    found = [looked(step, make_frame(index)) for index in range(4)]
    assert [names(result) for result in found] == [{1: "cat", 2: "fish"}] * 3 + [{}]
    assert places(found[1]) == {1: LEFT, 2: RIGHT}


def ids(result: Detections) -> list[int]:
    assert result.track_ids is not None
    return list(result.track_ids.tolist())


def names(result: Detections) -> dict[int, str]:
    return dict(zip(ids(result), result.labels, strict=True))


def places(result: Detections) -> dict[int, list[float]]:
    return dict(zip(ids(result), result.boxes_xyxy.tolist(), strict=True))
