"""Objects by way of masks: fit the picture in, let the decoder make masks, and draw a box around each.

The half of `models.tasks.instance_segmentation` that DETR with masks and MaskFormer need (infer thread).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.decoders import mask_decoder_kinds
from models.manifest import Manifest
from models.placement import Placement, check_rule, fit
from models.results import Detections, ResultFilter


class QueryMaskSegmentation:
    """Fit the picture in, decode, and frame the masks."""

    def __init__(self, manifest: Manifest, wanted: ResultFilter) -> None:
        """Raise ModelError where the manifest's resize rule is none that pictures are fitted by."""
        check_rule(manifest, manifest.task)
        self._manifest = manifest
        self._wanted = wanted
        self._decode = mask_decoder_kinds()[manifest.decoder].make(manifest)

    def preprocess(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], Placement]:
        """The tensor float32 (1, 3, H, W), and where the picture lies in it."""
        return fit(image, self._manifest.input)

    def postprocess(self, outputs: Mapping[str, NDArray[Any]], geometry: Placement) -> Detections:
        """The objects that are wanted, best first, with masks; a box is the smallest that holds its mask.

        Raises:
            ModelError: the outputs are not those of the manifest's decoder.
        """
        names = self._manifest.class_names
        found = self._decode(outputs, geometry, self._wanted.threshold)
        order = np.argsort(-found.scores, kind="stable")
        passed = self._wanted.passes((names[class_id] for class_id in found.class_ids[order]), found.scores[order])
        chosen = order[passed][: self._wanted.max_detections]
        masks = found.masks[chosen]
        boxes = np.array([_box_around(mask) for mask in masks], np.float32).reshape(-1, 4)
        return Detections(self._manifest.task, boxes, found.scores[chosen], found.class_ids[chosen], names, masks)


def _box_around(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return left, top, left + width, top + height
