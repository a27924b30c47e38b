"""The class of every pixel of a picture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from models.result import ResultFilter, check_array, freeze_arrays

UNLABELLED = 65535
"""The class id of a pixel of which the model says nothing, or nothing that was asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentationMap:
    """A class for every pixel.

    Attributes:
        task: the task that was answered.
        class_map: uint16 (H, W) at the frame's size, indices into `class_names`, or `UNLABELLED`.
        class_names: the names of all classes that the model knows.
    """

    task: str
    class_map: NDArray[np.uint16] = field(repr=False)
    class_names: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        """Raise ValueError where shape, dtype or ids do not hold."""
        check_array("class_map", self.class_map, np.uint16, (None, None))
        strangers = (self.class_map >= len(self.class_names)) & (self.class_map != UNLABELLED)
        if strangers.any():
            known = f"0..{len(self.class_names) - 1} or {UNLABELLED}"
            raise ValueError(f"class_map: expected {known}, got {self.class_map[strangers].max()}")
        freeze_arrays(self)

    def shares(self) -> list[tuple[int, float]]:
        """The classes that are in the picture, with their share of it 0..1, the largest first."""
        class_count = len(self.class_names)
        counts = cv2.calcHist([self.class_map], [0], None, [class_count], [0, class_count]).ravel()
        order = np.argsort(-counts, kind="stable")
        return [
            (int(class_id), float(counts[class_id] / self.class_map.size)) for class_id in order if counts[class_id]
        ]

    def filtered(self, wanted: ResultFilter) -> Self:
        """The same map with only the wanted classes; all other pixels are unlabelled."""
        if wanted.classes is None:
            return self
        kept_ids = np.full(UNLABELLED + 1, UNLABELLED, np.uint16)
        for class_id, name in enumerate(self.class_names):
            if name in wanted.classes:
                kept_ids[class_id] = class_id
        return replace(self, class_map=kept_ids[self.class_map])

    def to_dict(self) -> dict[str, Any]:
        """`{"task": ..., "segments": [{"label": ..., "area": ...}]}`: shares of the frame, falling."""
        segments = [{"label": self.class_names[class_id], "area": round(area, 4)} for class_id, area in self.shares()]
        return {"task": self.task, "segments": segments}
