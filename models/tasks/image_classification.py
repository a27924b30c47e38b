"""Which classes a whole picture shows: ViT, DeiT, ResNet, Ultralytics `cls`, every network with one row of scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.manifest import Manifest
from models.placement import check_rule, fit
from models.results import Classification
from models.tasks.scores import ranked, softmax
from models.tasks.task import TaskKind

_RESIZE_RULES = ("stretch", "shortest_edge_center_crop", "stretch_center_crop")


class ImageClassification:
    """Resize, normalise; softmax over the logits (decoder `softmax`) or scores as they come (`probabilities`)."""

    def __init__(self, manifest: Manifest) -> None:
        """Raise ModelError where the manifest's resize rule is none of this task's."""
        check_rule(manifest, manifest.task, _RESIZE_RULES)
        self._manifest = manifest

    def preprocess(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], None]:
        """The tensor float32 (1, C, H, W); nothing is to be undone."""
        return fit(image, self._manifest.input)[0], None

    def postprocess(self, outputs: Mapping[str, NDArray[Any]], geometry: None) -> Classification:  # noqa: ARG002 - Task
        """All classes, best first.

        Raises:
            ModelError: the network has another number of classes than the manifest.
        """
        manifest = self._manifest
        row = outputs[manifest.outputs[0]][0].astype(np.float32)
        if row.shape != (len(manifest.class_names),):
            raise ModelError(
                f"{manifest.name}: {manifest.outputs[0]}: {len(manifest.class_names)} class names expect "
                f"(1, {len(manifest.class_names)}), got {(1, *row.shape)}; mend class_names, or export the model again"
            )
        scores = softmax(row) if manifest.decoder == "softmax" else np.nan_to_num(row, nan=0.0)
        return ranked(manifest.task, scores, manifest.class_names)


TASK = TaskKind(
    name="image_classification",
    decoders=frozenset({"softmax", "probabilities"}),
    make=lambda manifest, _wanted: ImageClassification(manifest),
)
