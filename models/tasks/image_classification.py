"""Which classes a whole picture shows: ViT, DeiT, ResNet, Ultralytics `cls`, every network with one row of scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import image_ops
from models.errors import ModelError
from models.manifest import Manifest
from models.results import Classification
from models.tasks.scores import softmax
from models.tasks.task import TaskKind

_RESIZE_RULES = ("stretch", "shortest_edge_center_crop")


class ImageClassification:
    """Resize, normalise; softmax over the logits (decoder `softmax`) or scores as they come (`probabilities`)."""

    def __init__(self, manifest: Manifest) -> None:
        """Raise ModelError where the manifest's resize rule is none of this task's."""
        if manifest.input.resize not in _RESIZE_RULES:
            raise ModelError(
                f"{manifest.name}: input.resize: {manifest.input.resize!r} is none of {', '.join(_RESIZE_RULES)}; "
                "export the model again"
            )
        self._manifest = manifest

    def preprocess(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], None]:
        """The tensor float32 (1, C, H, W); nothing is to be undone."""
        spec = self._manifest.input
        size_wh = (spec.width, spec.height)
        resized_wh = size_wh
        if spec.resize == "shortest_edge_center_crop":
            height, width = image.shape[:2]
            shortest = spec.resize_shortest_edge or min(size_wh)
            resized_wh = image_ops.shortest_edge_size((width, height), shortest)
        resized = image_ops.resize(image, resized_wh, resample=spec.resample, antialias=spec.antialias)
        cropped = image_ops.center_crop(resized, size_wh)
        return image_ops.to_tensor(image_ops.to_colour_order(cropped, spec.colour_order), spec), None

    def postprocess(self, outputs: Mapping[str, NDArray[Any]], geometry: None) -> Classification:  # noqa: ARG002 - Task
        """All classes, best first."""
        manifest = self._manifest
        row = outputs[manifest.outputs[0]][0].astype(np.float32)
        scores = softmax(row) if manifest.decoder == "softmax" else row
        order = np.argsort(-scores, kind="stable")
        return Classification(manifest.task, order.astype(np.int64), scores[order], manifest.class_names)


TASK = TaskKind("image_classification", frozenset({"softmax", "probabilities"}), ImageClassification)
