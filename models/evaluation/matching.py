"""Which detection found which object: one to one, the surest first. Plain arrays; any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


def box_overlaps(boxes: NDArray[Any], others: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union, float64 (N, M), of boxes (N, 4) and others (M, 4), corners x1, y1, x2, y2.

    Two boxes without area have no overlap.
    """
    shared = intersections(boxes, others)
    unions = areas(boxes)[:, None] + areas(others)[None, :] - shared
    return np.divide(shared, unions, out=np.zeros_like(shared), where=unions > 0)


def intersections(boxes: NDArray[Any], others: NDArray[Any]) -> NDArray[np.float64]:
    """The areas, float64 (N, M), that boxes (N, 4) and others (M, 4) share."""
    first, second = boxes[:, None].astype(np.float64), others[None].astype(np.float64)
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])
    shared: NDArray[np.float64] = np.clip(sides, 0, None).prod(axis=-1)
    return shared


def areas(boxes: NDArray[Any]) -> NDArray[np.float64]:
    """The areas float64 (N,) of boxes (N, 4)."""
    sides = boxes[:, 2:].astype(np.float64) - boxes[:, :2]
    return np.asarray(sides.prod(axis=1))


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects of one picture, found or annotated.

    Attributes:
        boxes_xyxy: (N, 4), in pixels of the picture; what was found stands with the surest first.
        labels: the class of each: ids or names, the same on both sides of a comparison.
        is_crowd: bool (N,): annotations that stand for many objects at once, which nothing is counted against.
    """

    boxes_xyxy: NDArray[Any]
    labels: NDArray[Any]
    is_crowd: NDArray[np.bool_] | None = None


def match_objects(found: Objects, truth: Objects, iou: float) -> NDArray[np.int64]:
    """For each of what was found the index of its object, int64 (N,), or -1.

    Each takes, of the objects of its class that are still free, the one that it overlaps most, by at least `iou`.
    """
    overlaps = box_overlaps(found.boxes_xyxy, truth.boxes_xyxy)
    overlaps[found.labels[:, None] != truth.labels[None, :]] = 0
    if truth.is_crowd is not None:
        overlaps[:, truth.is_crowd] = 0
    matches = np.full(len(overlaps), -1, np.int64)
    if not overlaps.size:
        return matches
    for row in range(len(overlaps)):
        best = int(overlaps[row].argmax())
        if overlaps[row, best] >= iou and overlaps[row, best] > 0:
            matches[row] = best
            overlaps[:, best] = 0
    return matches


@dataclass(frozen=True, slots=True)
class MatchCounts:
    """How many detections were right, how many were wrong, and how many objects none of them found."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def precision(self) -> float | None:
        """The share of detections that are right; None where there are none."""
        found = self.right + self.wrong
        return self.right / found if found else None

    @property
    def recall(self) -> float | None:
        """The share of objects that were found; None where there are none."""
        objects = self.right + self.missed
        return self.right / objects if objects else None


def count_matches(found: Objects, truth: Objects, iou: float) -> MatchCounts:
    """Count what `match_objects` matches; detections within a crowd of their class count neither way."""
    matches = match_objects(found, truth, iou)
    right = int(np.count_nonzero(matches >= 0))
    wrong = len(matches) - right
    objects = len(truth.labels)
    if truth.is_crowd is not None and truth.is_crowd.any():
        objects -= int(truth.is_crowd.sum())
        crowds = Objects(truth.boxes_xyxy[truth.is_crowd], truth.labels[truth.is_crowd])
        wrong -= int(np.count_nonzero((matches < 0) & _within_crowd(found, crowds, iou)))
    return MatchCounts(right, wrong, objects - right)


def _within_crowd(found: Objects, crowds: Objects, share: float) -> NDArray[np.bool_]:
    inside = intersections(found.boxes_xyxy, crowds.boxes_xyxy)
    inside[found.labels[:, None] != crowds.labels[None, :]] = 0
    return np.asarray(inside.max(axis=1, initial=0) >= share * np.maximum(areas(found.boxes_xyxy), 1e-9))
