"""Where the objects of a picture are: every detector, with the decoder of its family; masks where the head has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.decoders import Candidates, decoder_kinds
from models.manifest import Manifest
from models.placement import Placement, check_rule, fit
from models.results import Detections, ResultFilter
from models.tasks.task import TaskKind

DEFAULT_THRESHOLD = 0.5
"""As in the transformers pipelines."""


class ObjectDetection:
    """Fit the picture in, decode, and bring boxes and masks back to the picture."""

    def __init__(self, manifest: Manifest, wanted: ResultFilter) -> None:
        """Raise ModelError where the manifest's resize rule is none that pictures are fitted by."""
        check_rule(manifest, manifest.task)
        self._manifest = manifest
        self._wanted = wanted
        self._decode = decoder_kinds()[manifest.decoder].make(manifest)

    def preprocess(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], Placement]:
        """The tensor float32 (1, 3, H, W), and where the picture lies in it."""
        return fit(image, self._manifest.input)

    def postprocess(self, outputs: Mapping[str, NDArray[Any]], geometry: Placement) -> Detections:
        """The objects that are wanted, best first, in pixels of the picture.

        Raises:
            ModelError: the outputs are not those of the manifest's decoder.
        """
        names = self._manifest.class_names
        found = self._decode(outputs, geometry.input_wh, self._wanted.threshold)
        found = found[_is_sound(found, len(names))]
        found = found[np.argsort(-found.scores, kind="stable")]
        boxes = geometry.boxes_to_frame(found.boxes_xyxy)
        # What lies in the margins of a letterbox is nothing of the picture.
        seen = np.all(boxes[:, 2:] > boxes[:, :2], axis=1)
        seen &= self._wanted.passes((names[class_id] for class_id in found.class_ids), found.scores)
        chosen = np.flatnonzero(seen)[: self._wanted.max_detections]
        found, boxes = found[chosen], boxes[chosen]
        masks = _masks(found, boxes, geometry)
        return Detections(self._manifest.task, boxes, found.scores, found.class_ids, names, masks)


def _is_sound(found: Candidates, class_count: int) -> NDArray[np.bool_]:
    """Which objects have a score and a box that are numbers, and a class that has a name."""
    known = (found.class_ids >= 0) & (found.class_ids < class_count)
    return np.asarray(known & np.isfinite(found.scores) & np.isfinite(found.boxes_xyxy).all(axis=1))


def _masks(found: Candidates, boxes_xyxy: NDArray[np.float32], placement: Placement) -> NDArray[np.bool_] | None:
    """The masks bool (N, H, W) at the picture's size, each cut off at its box; None for a head without masks."""
    if found.mask_weights is None or found.mask_planes is None:
        return None
    width, height = placement.frame_wh
    masks = np.zeros((len(found), height, width), np.bool_)
    planes = found.mask_planes
    logits = (found.mask_weights @ planes.reshape(len(planes), -1)).reshape(-1, *planes.shape[1:])
    for mask, plane, box in zip(masks, logits, boxes_xyxy, strict=True):
        left, top = np.floor(box[:2]).astype(int).tolist()
        right, bottom = np.ceil(box[2:]).astype(int).tolist()
        # Enlarging only what the box holds is most of the speed.
        part = (slice(top, bottom), slice(left, right))
        np.greater(placement.sample(plane, part), 0, out=mask[part])
    return masks


TASK = TaskKind(
    name="object_detection",
    decoders=frozenset(decoder_kinds()),
    make=ObjectDetection,
    default_threshold=DEFAULT_THRESHOLD,
)
