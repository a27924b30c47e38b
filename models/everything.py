"""All that there is in a picture: a grid of points is asked, and what is sure, stable and no repetition is kept.

As the mask generation pipeline of transformers does it, without its crops: the same grid, the same thresholds, masks
told apart by their boxes. Called by `mirilla segment --everything`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.decoders.decoder import Candidates
from models.decoders.nms import suppress
from models.detections import Detections
from models.errors import PromptError
from models.manifest import DecodingSpec
from models.model import StageTimer, untimed
from models.prompted_model import Embedding, PromptedModel, masked_objects, spread


@dataclass(frozen=True, slots=True)
class GridSpec:
    """How everything is looked for.

    Attributes:
        points_per_side: of the grid; its square is the number of points.
        points_per_batch: asked together; of SAM, each takes 60 MB while it is answered. What comes out is the same.
        least_iou: the IoU that the network predicts for a mask has to be above it.
        least_stability: the IoU of a mask cut at a higher and at a lower logit has to be above it.
        stability_offset: how much higher and lower.
        nms_iou: of two masks whose boxes overlap by more, the less sure one is dropped.
    """

    points_per_side: int = 32
    points_per_batch: int = 16
    least_iou: float = 0.88
    least_stability: float = 0.95
    stability_offset: float = 1.0
    nms_iou: float = 0.7

    def __post_init__(self) -> None:
        """Raise PromptError where a number is out of its range."""
        for name in ("points_per_side", "points_per_batch"):
            if getattr(self, name) < 1:
                raise PromptError(f"{name}: expected 1 or more, got {getattr(self, name)}")
        if not 0 < self.nms_iou <= 1:
            raise PromptError(f"nms_iou: expected above 0 and at most 1, got {self.nms_iou}")

    def points_xy(self, size_wh: tuple[int, int]) -> NDArray[np.float64]:
        """Float64 (N, 2): the grid over a picture, row after row, as `_build_point_grid` of transformers."""
        half = 1 / (2 * self.points_per_side)
        steps = np.linspace(half, 1 - half, self.points_per_side)
        x, y = np.meshgrid(steps, steps)
        return np.asarray(np.stack([x.ravel(), y.ravel()], axis=1) * size_wh)


def segment_everything(
    model: PromptedModel,
    embedding: Embedding,
    spec: GridSpec,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    timer: StageTimer = untimed,
) -> Detections:
    """The masks of all that a grid of points finds; classes are `mask 1`, `mask 2`, ..., the surest first.

    Args:
        model: answers the points.
        embedding: of the picture.
        spec: how to look.
        on_progress: told of points done, and of how many.
        timer: entered around `decoder` and `postprocess`, once a batch.

    Raises:
        ModelError: the graph failed while it ran.
    """
    width, height = embedding.placement.frame_wh
    points = spec.points_xy((width, height))[:, None]
    found = _Found()
    for start in range(0, len(points), spec.points_per_batch):
        batch = points[start : start + spec.points_per_batch]
        with timer("decoder"):
            answers = model.decode(embedding, batch, np.ones(batch.shape[:2], np.int64))
        with timer("postprocess"):
            for point, guess in np.argwhere(answers.scores > spec.least_iou):
                logits = spread(answers.logits[point, guess], embedding.placement)
                if _stability(logits, spec.stability_offset) > spec.least_stability:
                    found.add(logits > 0, float(answers.scores[point, guess]))
        on_progress(start + len(batch), len(points))
    with timer("postprocess"):
        kept = found.without_repetitions(spec.nms_iou)
        masks = [np.unpackbits(found.packed[row], count=width * height).reshape(height, width) > 0 for row in kept]
        names = tuple(f"mask {number + 1}" for number in range(len(kept)))
        scores = [found.scores[row] for row in kept]
        return masked_objects(masks, scores, range(len(kept)), names, (width, height))


class _Found:
    """Masks, a bit a pixel: there may be three times as many as there are points."""

    def __init__(self) -> None:
        self.packed: list[NDArray[np.uint8]] = []
        self.scores: list[float] = []
        self._boxes: list[tuple[int, int, int, int]] = []

    def add(self, mask: NDArray[np.bool_], score: float) -> None:
        left, top, across, down = cv2.boundingRect(mask.view(np.uint8))
        # To the last row and column of the mask, not beyond them: between these boxes the pipeline suppresses.
        self._boxes.append((left, top, max(left, left + across - 1), max(top, top + down - 1)))
        self.packed.append(np.packbits(mask))
        self.scores.append(score)

    def without_repetitions(self, nms_iou: float) -> list[int]:
        """The rows that are left, the surest first."""
        boxes = np.array(self._boxes, np.float32).reshape(-1, 4)
        rows = np.arange(len(boxes), dtype=np.int64)
        candidates = Candidates(boxes, np.array(self.scores, np.float32), rows)
        kept = suppress(candidates, DecodingSpec(nms_iou=nms_iou, class_agnostic_nms=True))
        return [int(row) for row in kept.class_ids]


def _stability(logits: NDArray[np.float32], offset: float) -> float:
    """The IoU of the masks above `offset` and above `-offset`; 0 where neither has a pixel."""
    larger = int(np.count_nonzero(logits > -offset))
    return int(np.count_nonzero(logits > offset)) / larger if larger else 0.0
