"""What every pixel of a picture shows.

Decoder `argmax` for SegFormer, DeepLabV3 and DPT; `binary` for a U-Net with one logit a pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.manifest import Manifest
from models.placement import Placement, check_rule, fit
from models.results import UNLABELLED, SegmentationMap
from models.tasks.task import TaskKind

_MOST_CLASSES = UNLABELLED


class SemanticSegmentation:
    """Fit the picture in, enlarge the logits to it, and take the best class of each pixel."""

    def __init__(self, manifest: Manifest) -> None:
        """Raise ModelError where the resize rule is none that pictures are fitted by, or the class names do not fit."""
        check_rule(manifest, manifest.task)
        count = len(manifest.class_names)
        if count > _MOST_CLASSES or (manifest.decoder == "binary" and count != 2):
            wanted = "2" if manifest.decoder == "binary" else f"at most {_MOST_CLASSES}"
            raise ModelError(f"{manifest.name}: class_names: {manifest.decoder} takes {wanted}, got {count}; mend them")
        self._manifest = manifest

    def preprocess(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], Placement]:
        """The tensor float32 (1, 3, H, W), and where the picture lies in it."""
        return fit(image, self._manifest.input)

    def postprocess(self, outputs: Mapping[str, NDArray[Any]], geometry: Placement) -> SegmentationMap:
        """The map at the picture's size; unlabelled where a centre crop kept the model from seeing the picture.

        Raises:
            ModelError: the logits do not have one plane a class (`binary`: one plane).
        """
        manifest = self._manifest
        names = manifest.class_names
        logits = outputs[manifest.outputs[0]][0].astype(np.float32, copy=False)
        expected = 1 if manifest.decoder == "binary" else len(names)
        if logits.ndim != 3 or len(logits) != expected:
            raise ModelError(
                f"{manifest.name}: {manifest.outputs[0]}: {manifest.decoder} with {len(names)} class names expects "
                f"(1, {expected}, H, W), got {(1, *logits.shape)}; mend class_names, or export the model again"
            )
        width, height = geometry.frame_wh
        class_map = np.full((height, width), UNLABELLED, np.uint16)
        part = geometry.frame_part()
        if manifest.decoder == "binary":
            class_map[part] = geometry.sample(logits[0], part) > 0
        else:
            class_map[part] = _best_classes(logits, geometry, part)
        return SegmentationMap(manifest.task, class_map, names)


def _best_classes(logits: NDArray[np.float32], placement: Placement, part: tuple[slice, slice]) -> NDArray[np.uint16]:
    """The class of the greatest interpolated logit at each pixel of a part of the picture.

    One class at a time, so that not more than two maps of the picture's size are in memory, and only the classes that
    can be the greatest anywhere: most of a hundred never are.
    """
    # What is not a number would be greater than nothing, and lesser than nothing.
    logits = np.nan_to_num(logits, copy=False, nan=-np.inf)
    possible = _possible_classes(logits)
    best = placement.sample(logits[possible[0]], part)
    classes = np.full(best.shape, possible[0], np.uint16)
    for class_id in possible[1:]:
        plane = placement.sample(logits[class_id], part)
        np.copyto(classes, np.uint16(class_id), where=plane > best)
        cv2.max(best, plane, dst=best)
    return classes


def _possible_classes(logits: NDArray[np.float32]) -> list[int]:
    """The classes that bilinear interpolation of logits (C, h, w) can make the greatest somewhere.

    An interpolated value lies between the least and the greatest of its four neighbours: a class whose greatest
    neighbour is below another class's least one cannot win there.
    """
    greatest, least = _window(logits, np.maximum), _window(logits, np.minimum)
    can_win = greatest >= least.max(axis=0)
    return np.flatnonzero(can_win.any(axis=(1, 2))).tolist()


def _window(logits: NDArray[np.float32], choose: np.ufunc) -> NDArray[np.float32]:
    """The greatest or least of each 2x2 neighbourhood, (C, h - 1, w - 1); a side of one pixel stays."""
    rows = choose(logits[:, :-1], logits[:, 1:]) if logits.shape[1] > 1 else logits
    columns = choose(rows[:, :, :-1], rows[:, :, 1:]) if logits.shape[2] > 1 else rows
    return np.asarray(columns)


TASK = TaskKind(
    name="semantic_segmentation",
    decoders=frozenset({"argmax", "binary"}),
    make=lambda manifest, _wanted: SemanticSegmentation(manifest),
)
