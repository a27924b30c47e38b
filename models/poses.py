"""The poses of a picture: for each object that was looked at, where its keypoints are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.detections import Detections
from models.result import Result, ResultFilter, check_array, freeze_arrays


@dataclass(frozen=True, slots=True, eq=False)
class Poses:
    """Keypoints of objects: the joints of people.

    Attributes:
        task: the task that was answered.
        objects: the N whose poses these are, best first, as a detector found them; with ids where they are tracked.
        keypoints_xy: float32 (N, K, 2), in pixels of the frame; outside it where the model expects what is cut off.
        scores: float32 (N, K), the height of each keypoint's heatmap, about 0..1.
        keypoint_names: the K names.
        skeleton: pairs of indices into `keypoint_names` that a line joins.
        least_score: keypoints below it are guesses: left out of results files, and faint in pictures.
    """

    task: str
    objects: Detections
    keypoints_xy: NDArray[np.float32]
    scores: NDArray[np.float32]
    keypoint_names: tuple[str, ...] = field(repr=False)
    skeleton: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    least_score: float = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError where shapes, dtypes or the skeleton do not hold, or a number is not finite."""
        count, names = len(self.objects), len(self.keypoint_names)
        check_array("keypoints_xy", self.keypoints_xy, np.float32, (count, names, 2))
        check_array("scores", self.scores, np.float32, (count, names))
        for name, values in (("keypoints_xy", self.keypoints_xy), ("scores", self.scores)):
            if not np.isfinite(values).all():
                raise ValueError(f"{name}: expected finite numbers, got {values}")
        strangers = [pair for pair in self.skeleton if not all(0 <= index < names for index in pair)]
        if strangers:
            raise ValueError(f"skeleton: expected pairs of 0..{names - 1}, got {strangers[0]}")
        freeze_arrays(self)

    def __len__(self) -> int:
        """The number of objects N."""
        return len(self.objects)

    def __getitem__(self, keep: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Self:
        """The same result with only some objects, given as `Detections` takes them."""
        return replace(self, objects=self.objects[keep], keypoints_xy=self.keypoints_xy[keep], scores=self.scores[keep])

    @property
    def is_sure(self) -> NDArray[np.bool_]:
        """Bool (N, K): which keypoints are more than guesses."""
        return self.scores >= self.least_score

    def filtered(self, wanted: ResultFilter) -> Self:
        """The best objects, with the wanted keypoints only; those below the threshold stay, as guesses."""
        kept = replace(self[: wanted.max_detections], least_score=wanted.threshold)
        if wanted.classes is None:
            return kept
        columns = [index for index, name in enumerate(self.keypoint_names) if name in wanted.classes]
        places = {index: place for place, index in enumerate(columns)}
        return replace(
            kept,
            keypoints_xy=kept.keypoints_xy[:, columns],
            scores=kept.scores[:, columns],
            keypoint_names=tuple(self.keypoint_names[index] for index in columns),
            skeleton=tuple((places[a], places[b]) for a, b in self.skeleton if a in places and b in places),
        )

    def tracked(self, rows: NDArray[np.int64], track_ids: NDArray[np.int64]) -> Self:
        """The objects at rising indices int64 (M,), with ids int64 (M,)."""
        return replace(self[rows], objects=self.objects.tracked(rows, track_ids))

    def to_dict(self) -> dict[str, Any]:
        """`{"task": ..., "poses": [{"label", "score", "box", "track_id", "keypoints", "scores", "labels"}]}`.

        The first four as of `Detections`; the last three are the words of transformers' pose processors: places
        `[x, y]`, scores and names of the keypoints that are more than guesses, in step.
        """
        poses = []
        for row, found in enumerate(self.objects.to_dict()["detections"]):
            sure = np.flatnonzero(self.is_sure[row]).tolist()
            found["keypoints"] = [[round(float(value), 1) for value in self.keypoints_xy[row, k]] for k in sure]
            found["scores"] = [round(float(self.scores[row, k]), 4) for k in sure]
            found["labels"] = [self.keypoint_names[k] for k in sure]
            poses.append(found)
        return {"task": self.task, "poses": poses}


def objects_of(result: Result) -> Detections | None:
    """The objects with boxes that a result speaks of; None for results of other kinds."""
    if isinstance(result, Poses):
        return result.objects
    return result if isinstance(result, Detections) else None
