"""Where the joints of people are: top-down pose models, which are shown one person at a time.

By itself such a model takes the whole picture for one person; `models.chain.TopDown` shows it those that a detector
finds, all of them in one batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.box_crop import BoxCrops
from models.decoders.heatmaps import peaks
from models.errors import ModelError
from models.manifest import Manifest
from models.results import Detections, Poses, ResultFilter
from models.tasks.task import TaskKind

DEFAULT_THRESHOLD = 0.3
"""Of keypoints, as in transformers' own examples."""

PERSON = "person"


class KeypointDetection:
    """Cut boxes out, find the peaks of heatmaps, and bring them back to the picture."""

    def __init__(self, manifest: Manifest) -> None:
        """Raise ModelError where the manifest's resize rule is not that of cuts."""
        if manifest.input.resize != "box_crop":
            raise ModelError(
                f"{manifest.name}: input.resize: {manifest.input.resize!r} is not box_crop, the only rule that "
                f"{manifest.task} has; export the model again"
            )
        self._manifest = manifest

    def cut(self, image: NDArray[np.uint8], boxes_xyxy: NDArray[np.float32]) -> tuple[NDArray[np.float32], BoxCrops]:
        """The tensor float32 (N, C, H, W) of boxes float32 (N, 4) in a BGR picture, and where its cuts lie."""
        crops = BoxCrops.around(boxes_xyxy, self._manifest.input.fixed_size_wh)
        return crops.cut(image, self._manifest.input), crops

    def poses(self, heatmaps: NDArray[Any], crops: BoxCrops, objects: Detections) -> Poses:
        """The poses of the objects that were cut out.

        Args:
            heatmaps: (N, K, h, w), the graph's output.
            crops: where the cuts lay.
            objects: the N objects.

        Raises:
            ModelError: the heatmaps are not one a keypoint.
        """
        manifest = self._manifest
        names = manifest.class_names
        if heatmaps.ndim != 4 or heatmaps.shape[1] != len(names):
            raise ModelError(
                f"{manifest.name}: {manifest.outputs[0]}: {manifest.decoder} with {len(names)} class names expects "
                f"(N, {len(names)}, H, W), got {heatmaps.shape}; mend class_names, or export the model again"
            )
        places, scores = peaks(heatmaps.astype(np.float32, copy=False))
        points = crops.to_frame(places, (heatmaps.shape[3], heatmaps.shape[2]))
        return Poses(manifest.task, objects, points, scores, names, manifest.skeleton)

    def preprocess(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], tuple[BoxCrops, Detections]]:
        """The tensor float32 (1, C, H, W) of the whole picture, as if it were the box of one person."""
        boxes = np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32)
        whole = Detections("object_detection", boxes, np.ones(1, np.float32), np.zeros(1, np.int64), (PERSON,))
        tensor, crops = self.cut(image, boxes)
        return tensor, (crops, whole)

    def postprocess(self, outputs: Mapping[str, NDArray[Any]], geometry: tuple[BoxCrops, Detections]) -> Poses:
        """The pose of the whole picture's one person.

        Raises:
            ModelError: the heatmaps are not one a keypoint.
        """
        return self.poses(outputs[self._manifest.outputs[0]], *geometry)


def _make(manifest: Manifest, wanted: ResultFilter) -> KeypointDetection:  # noqa: ARG001 - TaskKind
    return KeypointDetection(manifest)


TASK = TaskKind(
    name="keypoint_detection",
    decoders=frozenset({"heatmaps"}),
    make=_make,
    default_threshold=DEFAULT_THRESHOLD,
)
