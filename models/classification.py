"""The classes of a whole picture, and of a drawing that was found in one."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.result import ResultFilter, box_dict, check_array, check_falling, check_ids, freeze_arrays


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """The best classes of a whole picture, best first.

    Attributes:
        task: the task that was answered.
        class_ids: int64 (K,), indices into `class_names`.
        scores: float32 (K,), 0..1, falling.
        class_names: the names of all classes that the model knows.
    """

    task: str
    class_ids: NDArray[np.int64]
    scores: NDArray[np.float32]
    class_names: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        """Raise ValueError where shapes, dtypes, order or ids do not hold."""
        check_array("class_ids", self.class_ids, np.int64, (None,))
        check_array("scores", self.scores, np.float32, (len(self.class_ids),))
        check_falling(self.scores)
        check_ids(self.class_ids, self.class_names)
        freeze_arrays(self)

    def __len__(self) -> int:
        """The number of classes K that are reported."""
        return len(self.class_ids)

    @property
    def labels(self) -> list[str]:
        """The names of the reported classes, best first."""
        return [self.class_names[class_id] for class_id in self.class_ids]

    def __getitem__(self, keep: NDArray[np.bool_] | slice) -> Self:
        """The same result with only the classes that a bool mask (K,) or a slice keeps."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["class_ids"], values["scores"] = self.class_ids[keep], self.scores[keep]
        return type(self)(**values)

    def filtered(self, wanted: ResultFilter) -> Self:
        """The same result with only the best classes that pass."""
        return self[wanted.passes(self.labels, self.scores)][: wanted.top]

    def to_dict(self) -> dict[str, Any]:
        """`{"task": ..., "labels": [{"label": ..., "score": ...}]}`."""
        pairs = zip(self.labels, self.scores, strict=True)
        labels = [{"label": label, "score": round(float(score), 4)} for label, score in pairs]
        return {"task": self.task, "labels": labels}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SketchGuess(Classification):
    """A classification of the drawing that was found in a picture; no classes where no drawing was found.

    Attributes:
        region_xyxy: float32 (4,), the drawing's extent in pixels of the frame, or None where there was none.
        drawing: uint8 (28, 28), white strokes on black, exactly what the network saw, or None.
    """

    region_xyxy: NDArray[np.float32] | None = None
    drawing: NDArray[np.uint8] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Raise ValueError where shapes, dtypes, order or ids do not hold."""
        # Not super().__post_init__(): dataclasses with slots are made anew, which breaks the zero-argument form.
        Classification.__post_init__(self)
        if self.region_xyxy is not None:
            check_array("region_xyxy", self.region_xyxy, np.float32, (4,))
        if self.drawing is not None:
            check_array("drawing", self.drawing, np.uint8, (28, 28))

    def to_dict(self) -> dict[str, Any]:
        """As a classification, with `"box"` in the words of detections where a drawing was found."""
        line = Classification.to_dict(self)
        if self.region_xyxy is not None:
            line["box"] = box_dict(self.region_xyxy)
        return line
