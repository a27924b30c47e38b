"""One label alone, or before all others: what is not it becomes white, blurred, grey or dim (write thread).

Applied to the picture before anything is drawn on it. What shows where a label is, is its masks or its part of a map,
and its boxes where a model gives no masks; of a pose the box that was looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import Detections, Poses, Result, SegmentationMap, objects_of

Rest = Literal["white", "blur", "grey", "dim"]

_DIM = 0.3
_BLUR_SHRINK = 8
_BLUR_SIGMA = 2.5
"""In pixels of the shrunken picture."""


@dataclass(frozen=True, slots=True)
class Emphasis:
    """A label, and what becomes of all the rest.

    Attributes:
        label: a class name.
        rest: `white`, `blur` (out of focus), `grey` (without colour); or `dim`, with which the label's boxes are drawn.
    """

    label: str
    rest: Rest

    def apply(self, canvas: NDArray[np.uint8], results: Mapping[str, Result]) -> None:
        """Change in place what is not the label; the whole picture where it is not seen.

        Args:
            canvas: uint8 (H, W, 3), BGR, the picture itself.
            results: by model name, of that picture.
        """
        marked = marked_label(results, self.label, (canvas.shape[0], canvas.shape[1]))
        cv2.copyTo(_changed(canvas, self.rest), cv2.bitwise_not(marked), canvas)

    def drawn(self, results: Mapping[str, Result]) -> dict[str, Result]:
        """The results that may still draw on the picture: what was emphasised is not covered by its own tint.

        Skeletons are: they show what the picture does not.
        """
        kept: dict[str, Result] = {}
        for name, result in results.items():
            if isinstance(result, Poses):
                kept[name] = result[_rows(result.objects, self.label)]
            elif isinstance(result, Detections) and self.rest == "dim":
                kept[name] = replace(result, masks=None)[_rows(result, self.label)]
            elif not isinstance(result, Detections | SegmentationMap):
                kept[name] = result
        return kept


def marked_label(
    results: Mapping[str, Result], label: str, shape_hw: tuple[int, int], *, with_boxes: bool = True
) -> NDArray[np.uint8]:
    """Where a label is, uint8 (H, W), 0 or 255.

    Args:
        results: by model name, of a picture of that shape.
        label: a class name.
        shape_hw: of the picture.
        with_boxes: whether the boxes of models that give no masks count.
    """
    marked = np.zeros(shape_hw, np.uint8)
    for result in results.values():
        objects = objects_of(result)
        if objects is not None:
            _mark_objects(marked, objects, label, with_boxes=with_boxes)
        elif isinstance(result, SegmentationMap):
            _mark_segments(marked, result, label)
    return marked


def out_of_focus(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture uint8 (H, W, 3) with nothing small left in it."""
    height, width = picture.shape[:2]
    # Shrunken, the same blur is a hundredth of the work.
    small_wh = (max(1, width // _BLUR_SHRINK), max(1, height // _BLUR_SHRINK))
    small = cv2.GaussianBlur(cv2.resize(picture, small_wh, interpolation=cv2.INTER_AREA), (0, 0), _BLUR_SIGMA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _rows(result: Detections, label: str) -> NDArray[np.int64]:
    """The objects, by index, that are called so."""
    return np.flatnonzero([name == label for name in result.labels])


def _mark_objects(marked: NDArray[np.uint8], result: Detections, label: str, *, with_boxes: bool) -> None:
    for row in _rows(result, label).tolist():
        if result.masks is not None:
            cv2.bitwise_or(marked, result.masks[row].view(np.uint8) * np.uint8(255), dst=marked)
        elif with_boxes:
            left, top = np.floor(result.boxes_xyxy[row, :2]).clip(0).astype(int).tolist()
            right, bottom = np.ceil(result.boxes_xyxy[row, 2:]).clip(0).astype(int).tolist()
            marked[top:bottom, left:right] = 255


def _mark_segments(marked: NDArray[np.uint8], result: SegmentationMap, label: str) -> None:
    for class_id, name in enumerate(result.class_names):
        if name == label:
            cv2.bitwise_or(marked, cv2.inRange(result.class_map, class_id, class_id), dst=marked)


def _changed(picture: NDArray[np.uint8], rest: Rest) -> NDArray[np.uint8]:
    """What a picture uint8 (H, W, 3) becomes where the label is not."""
    if rest == "white":
        return np.full_like(picture, 255)
    if rest == "dim":
        return np.asarray(cv2.convertScaleAbs(picture, alpha=_DIM), np.uint8)
    if rest == "grey":
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    return out_of_focus(picture)
