"""Drawings that were found in a picture, each with what every category has for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.detections import Detections
from models.result import check_array

_DRAWING = ("drawing",)


@dataclass(frozen=True, slots=True, eq=False)
class GuessedDrawings(Detections):
    """Detections whose classes are guesses of one picture; with what else is needed to steady them over several.

    Attributes:
        guesses: float32 (N, K), how likely each of the K classes is; `class_ids` and `scores` are the best of each row.
        found_scores: float32 (N,), how sure the detector is that there is a drawing; in no order.
    """

    guesses: NDArray[np.float32] = field(kw_only=True, repr=False)
    found_scores: NDArray[np.float32] = field(kw_only=True, repr=False)

    def __post_init__(self) -> None:
        """Raise ValueError where shapes or dtypes do not hold."""
        # Not super(): in a class with slots it is another class by now.
        Detections.__post_init__(self)
        check_array("guesses", self.guesses, np.float32, (len(self), len(self.class_names)))
        check_array("found_scores", self.found_scores, np.float32, (len(self),))

    def as_found(self) -> tuple[Detections, NDArray[np.int64]]:
        """The drawings as the detector found them, all of one class, and which row int64 (N,) each of them is here."""
        order = np.argsort(-self.found_scores, kind="stable")
        ids = np.zeros(len(order), np.int64)
        return Detections(self.task, self.boxes_xyxy[order], self.found_scores[order], ids, _DRAWING), order

    def named(self, class_ids: NDArray[np.int64], scores: NDArray[np.float32]) -> Detections:
        """Plain detections with other names, int64 (N,), and scores, float32 (N,), best first."""
        order = np.argsort(-scores, kind="stable")
        track_ids = None if self.track_ids is None else self.track_ids[order]
        masks = None if self.masks is None else self.masks[order]
        return Detections(
            self.task, self.boxes_xyxy[order], scores[order], class_ids[order], self.class_names, masks, track_ids
        )

    def tracked_rows(self, rows: NDArray[np.int64], track_ids: NDArray[np.int64]) -> Self:
        """The drawings at indices int64 (M,) in any order, with ids int64 (M,), in this result's order."""
        order = np.argsort(rows, kind="stable")
        return replace(self[rows[order]], track_ids=track_ids[order])
