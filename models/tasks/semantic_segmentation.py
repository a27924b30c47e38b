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

    One class at a time, so that no more than a few maps of the picture's size are in memory, and only the classes that
    can be the greatest anywhere: most of a hundred never are.
    """
    if not np.isfinite(logits).all():
        # What is not a number is nowhere the greatest; the least number instead of -inf, which between two pixels would
        # make what is not a number of the finite ones.
        logits = np.nan_to_num(logits, nan=float(np.finfo(np.float32).min))
    possible = _possible_classes(logits)
    best = placement.sample(logits[possible[0]], part)
    classes = np.full(best.shape, possible[0], np.uint16)
    for class_id in possible[1:]:
        plane = placement.sample(logits[class_id], part)
        # In half the time of np.copyto(classes, class_id, where=plane > best).
        cv2.copyTo(np.full_like(classes, class_id), cv2.compare(plane, best, cv2.CMP_GT), classes)
        cv2.max(best, plane, dst=best)
    return classes


def _possible_classes(logits: NDArray[np.float32]) -> list[int]:
    """The classes that bilinear interpolation of finite logits (C, h, w) can make the greatest somewhere, or nearly so.

    An interpolated value lies between the least and the greatest of its four neighbours: a class whose greatest
    neighbour is below another class's least one cannot win there. That other class is nearly always one that is the
    greatest at some pixel, so only these are asked for their least.
    """
    is_greatest = logits == logits.max(axis=0)
    leaders = logits[is_greatest.any(axis=(1, 2))]
    # What a class has to reach at one of the four; a pixel is a neighbour in up to four places.
    to_reach = _least_of_fours(leaders).max(axis=0)
    to_reach = _least_of_fours(np.pad(to_reach, [(int(side > 1),) * 2 for side in logits.shape[1:]], mode="edge")[None])
    return np.flatnonzero((logits >= to_reach).any(axis=(1, 2))).tolist()


def _least_of_fours(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The least of each 2x2 neighbourhood of planes (N, h, w), (N, h - 1, w - 1); a side of one pixel stays."""
    rows = np.minimum(planes[:, :-1], planes[:, 1:]) if planes.shape[1] > 1 else planes
    return np.minimum(rows[:, :, :-1], rows[:, :, 1:]) if rows.shape[2] > 1 else rows


TASK = TaskKind(
    name="semantic_segmentation",
    decoders=frozenset({"argmax", "binary"}),
    make=lambda manifest, _wanted: SemanticSegmentation(manifest),
)
