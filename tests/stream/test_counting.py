"""Counts worked out by hand: who is there, who was, which way lines were crossed, who is in a zone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from models.results import Detections
from stream.counting import Counts, ObjectCounter

SIZE_WH = (200, 100)
# From top to bottom in the middle: someone who walks it has the picture's left side at the right hand.
DOOR = {"door": ((0.5, 0.0), (0.5, 1.0))}
SHORT = {"door": ((0.5, 0.0), (0.5, 0.4))}


def at(
    points: Sequence[tuple[float, float]], ids: Sequence[int] | None, labels: Sequence[int] | None = None
) -> Detections:
    """Objects of 10 x 10 pixels around points in pixels."""
    centres = np.array(points, np.float32).reshape(-1, 2)
    boxes = np.hstack([centres - 5, centres + 5])
    return Detections(
        "object_detection",
        boxes,
        np.full(len(boxes), 0.9, np.float32),
        np.array([0] * len(boxes) if labels is None else labels, np.int64),
        ("cat", "dog"),
        track_ids=None if ids is None else np.array(ids, np.int64),
    )


def walk(counter: ObjectCounter, points: Sequence[tuple[float, float] | None]) -> Counts:
    """One object on a way; None where it is not seen."""
    for point in points:
        counts = counter.update(at([point], [1]) if point else at([], []), SIZE_WH)
    return counts


@pytest.mark.parametrize(
    ("lines", "way", "expected"),
    [
        # To the right hand of the line's direction is in, the other way is out.
        (DOOR, [(150, 50), (50, 50)], {"in": 1, "out": 0}),
        (DOOR, [(50, 50), (150, 50)], {"in": 0, "out": 1}),
        # There and back.
        (DOOR, [(150, 50), (50, 50), (150, 50)], {"in": 1, "out": 1}),
        # In small steps, one of them on the line.
        (DOOR, [(104, 50), (102, 50), (100, 50), (98, 50), (96, 50)], {"in": 1, "out": 0}),
        # Trembling on the line: within one pixel (1% of 100) of it is neither side.
        (DOOR, [(150, 50), (100.5, 50), (99.5, 50), (100.5, 50), (99.5, 50)], {"in": 0, "out": 0}),
        # Up to the line and back.
        (DOOR, [(150, 50), (101, 50), (150, 50)], {"in": 0, "out": 0}),
        # Hidden while it crosses.
        (DOOR, [(150, 50), None, None, (50, 50)], {"in": 1, "out": 0}),
        # First seen on the line.
        (DOOR, [(100, 50), (50, 50)], {"in": 0, "out": 0}),
        # A line that ends at 40% of the height: past it, through it, and round its end.
        (SHORT, [(150, 70), (50, 70)], {"in": 0, "out": 0}),
        (SHORT, [(150, 20), (50, 20)], {"in": 1, "out": 0}),
        (SHORT, [(150, 20), (150, 70), (50, 70), (50, 20)], {"in": 0, "out": 0}),
        # A slanting way that meets the line's extension at (100, 50), below its end at (100, 40).
        (SHORT, [(150, 0), (50, 100)], {"in": 0, "out": 0}),
        # One that meets it at (100, 30).
        (SHORT, [(150, 0), (50, 60)], {"in": 1, "out": 0}),
        # From right to left along the lower border: in is up.
        ({"door": ((1.0, 0.8), (0.0, 0.8))}, [(100, 95), (100, 60)], {"in": 1, "out": 0}),
        # A line without length is never crossed.
        ({"door": ((0.5, 0.5), (0.5, 0.5))}, [(150, 60), (50, 40)], {"in": 0, "out": 0}),
    ],
)
def test_crossings(lines: dict[str, Any], way: list[Any], expected: dict[str, int]) -> None:
    counts = walk(ObjectCounter(lines), way)
    assert counts.to_dict()["lines"] == {"door": expected}


def test_objects_cross_lines_each_on_its_own() -> None:
    counter = ObjectCounter({**DOOR, "gate": ((0.25, 0.0), (0.25, 1.0))})
    counter.update(at([(150, 20), (20, 50)], [1, 2]), SIZE_WH)
    counts = counter.update(at([(20, 20), (150, 50)], [1, 2]), SIZE_WH)
    assert counts.to_dict()["lines"] == {"door": {"in": 1, "out": 1}, "gate": {"in": 1, "out": 1}}


def test_an_object_is_counted_once_and_one_that_flashes_up_not_at_all() -> None:
    counter = ObjectCounter()
    frames = [at([(10, 10)], [1]), at([(10, 10), (50, 50)], [1, 2]), at([(10, 10), (90, 90)], [1, 3], [0, 1])]
    frames += [at([(90, 90)], [3], [1]), at([], [])]
    seen = [counter.update(found, SIZE_WH).to_dict() for found in frames]
    assert seen == [
        {"present": {"cat": 1}, "unique": {}},
        {"present": {"cat": 2}, "unique": {"cat": 1}},
        {"present": {"cat": 1, "dog": 1}, "unique": {"cat": 1}},
        {"present": {"dog": 1}, "unique": {"cat": 1, "dog": 1}},
        {"present": {}, "unique": {"cat": 1, "dog": 1}},
    ]


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        # The left half holds two of the four; one of them lies on its edge.
        ([(0, 0), (0.5, 0), (0.5, 1), (0, 1)], 2),
        # A triangle below the diagonal, which (100, 50) lies on; (180, 95) is below it.
        ([(0, 0), (1, 1), (0, 1)], 3),
        # An L, whose notch is not in it: (100, 50) is at its inner corner, (180, 10) in the notch.
        ([(0, 0), (0.5, 0), (0.5, 0.5), (1, 0.5), (1, 1), (0, 1)], 3),
        ([(0.6, 0.2), (0.8, 0.2), (0.8, 0.4)], 0),
    ],
)
def test_zones_count_centres_also_without_tracking(corners: list[tuple[float, float]], expected: int) -> None:
    counter = ObjectCounter(zones={"zone": corners})
    counts = counter.update(at([(20, 90), (100, 50), (180, 10), (180, 95)], None), SIZE_WH)
    assert counts.to_dict() == {"present": {"cat": 4}, "zones": {"zone": expected}}


def test_what_is_remembered_is_bounded_and_what_is_still_there_is_not_forgotten() -> None:
    counter = ObjectCounter(DOOR)
    counter.update(at([(150, 50)], [0]), SIZE_WH)
    for track_id in range(1, 6000):
        counter.update(at([(10, 10), (150, 50)], [track_id, 0]), SIZE_WH)
    counts = counter.update(at([(50, 50)], [0]), SIZE_WH)
    assert counts.to_dict() == {"present": {"cat": 1}, "unique": {"cat": 1}, "lines": {"door": {"in": 1, "out": 0}}}
