"""The objects of a picture: boxes, and masks where the model gives them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from models.mask_rle import encode_rle
from models.result import ResultFilter, box_dict, check_array, check_falling, check_ids, freeze_arrays

if TYPE_CHECKING:
    import supervision


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Objects found in a picture, best first.

    Attributes:
        task: the task that was answered.
        boxes_xyxy: float32 (N, 4), left, top, right, bottom in pixels of the frame, clipped to it by the task.
        scores: float32 (N,), 0..1, falling.
        class_ids: int64 (N,), indices into `class_names`.
        class_names: the names of all classes that the model knows.
        masks: bool (N, H, W) at the frame's size, or None.
        track_ids: int64 (N,), the same for an object in every frame that shows it, or None.
    """

    task: str
    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int64]
    class_names: tuple[str, ...] = field(repr=False)
    masks: NDArray[np.bool_] | None = field(default=None, repr=False)
    track_ids: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where shapes, dtypes, order, ids or corners do not hold."""
        count = len(self.boxes_xyxy)
        check_array("boxes_xyxy", self.boxes_xyxy, np.float32, (None, 4))
        check_array("scores", self.scores, np.float32, (count,))
        check_array("class_ids", self.class_ids, np.int64, (count,))
        if self.masks is not None:
            check_array("masks", self.masks, np.bool_, (count, None, None))
        if self.track_ids is not None:
            check_array("track_ids", self.track_ids, np.int64, (count,))
        if not np.isfinite(self.boxes_xyxy).all() or np.any(self.boxes_xyxy[:, :2] > self.boxes_xyxy[:, 2:]):
            raise ValueError(f"boxes_xyxy: expected finite numbers with x1 <= x2 and y1 <= y2, got {self.boxes_xyxy}")
        check_falling(self.scores)
        check_ids(self.class_ids, self.class_names)
        freeze_arrays(self)

    def __len__(self) -> int:
        """The number of objects N."""
        return len(self.boxes_xyxy)

    @property
    def labels(self) -> list[str]:
        """The objects' class names, best first."""
        return [self.class_names[class_id] for class_id in self.class_ids]

    def __getitem__(self, keep: NDArray[np.bool_] | NDArray[np.int64] | slice | int) -> Self:
        """The same result with only some objects.

        Args:
            keep: bool (N,), rising indices int64 (K,), a slice, or one index.
        """
        chosen = [keep] if isinstance(keep, int | np.integer) else keep
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                values[name] = value[chosen]
        return type(self)(**values)

    def tracked(self, rows: NDArray[np.int64], track_ids: NDArray[np.int64]) -> Self:
        """The objects at rising indices int64 (M,), with ids int64 (M,)."""
        return replace(self[rows], track_ids=track_ids)

    def filtered(self, wanted: ResultFilter) -> Self:
        """The same result with only the best objects that pass."""
        keep = np.flatnonzero(wanted.passes(self.labels, self.scores))[: wanted.max_detections]
        # Masks are large: what keeps everything copies nothing.
        return self if len(keep) == len(self) else self[keep]

    def to_dict(self) -> dict[str, Any]:
        """`{"task": ..., "detections": [{"label", "score", "box", "track_id", "mask"}]}`; the last two where known."""
        detections = []
        for row, label in enumerate(self.labels):
            line: dict[str, Any] = {
                "label": label,
                "score": round(float(self.scores[row]), 4),
                "box": box_dict(self.boxes_xyxy[row]),
            }
            if self.track_ids is not None:
                line["track_id"] = int(self.track_ids[row])
            if self.masks is not None:
                line["mask"] = encode_rle(self.masks[row])
            detections.append(line)
        return {"task": self.task, "detections": detections}

    def to_supervision(self) -> supervision.Detections:
        """The same objects as `supervision.Detections`, with their names in its `data["class_name"]`."""
        # It takes longer to load than the rest of this package, and hardly anybody asks for it.
        import supervision

        return supervision.Detections(
            xyxy=self.boxes_xyxy.copy(),
            mask=None if self.masks is None else self.masks.copy(),
            confidence=self.scores.copy(),
            class_id=self.class_ids.copy(),
            tracker_id=None if self.track_ids is None else self.track_ids.copy(),
            data={"class_name": np.array(self.labels, dtype=np.str_)},
        )
