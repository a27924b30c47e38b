"""Names the drawing in a frame: finds its ink, shows it to the network as Quick, Draw! would, reads the logits.

Called by `models.model` on the infer thread, once a frame; holds no state between frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.manifest import Manifest
from models.results import SketchGuess
from models.sketch_raster import SIDE_PX
from models.tasks.ink import InkDrawing, find_drawing
from models.tasks.scores import softmax
from models.tasks.task import TaskKind

_NAME = "sketch_classification"


class SketchClassification:
    """The task for one model.

    Raises:
        ModelError: the manifest's input is no 28x28 grey drawing.
    """

    def __init__(self, manifest: Manifest) -> None:
        """Check that the network reads what `models.tasks.ink` draws."""
        spec = manifest.input
        got = (spec.height, spec.width, spec.channels, spec.resize)
        if got != (SIDE_PX, SIDE_PX, 1, "ink_crop"):
            height, width, channels, resize = got
            raise ModelError(
                f"{manifest.name}: manifest.json: input: {_NAME} needs height and width {SIDE_PX}, channels 1 and"
                f" resize ink_crop, got {height}x{width}, {channels} and {resize}; export the model again"
            )
        self._manifest = manifest

    def preprocess(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], InkDrawing | None]:
        """The drawing in a BGR frame uint8 (H, W, 3) as float32 (1, 1, 28, 28), black where there is none."""
        found = find_drawing(image)
        return self.as_input(found), found

    def as_input(self, found: InkDrawing | None) -> NDArray[np.float32]:
        """A drawing as the graph takes it, float32 (1, 1, 28, 28); black where there is none."""
        drawing = np.zeros((SIDE_PX, SIDE_PX), np.uint8) if found is None else found.drawing
        return self.tensor(drawing[None])

    def tensor(self, drawings: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The input float32 (N, 1, 28, 28) for drawings uint8 (N, 28, 28), white strokes on black."""
        spec = self._manifest.input
        levels = drawings.astype(np.float32) * np.float32(spec.scale)
        return np.asarray((levels - np.float32(spec.mean[0])) / np.float32(spec.std[0]))[:, None]

    def postprocess(self, outputs: Mapping[str, NDArray[Any]], geometry: InkDrawing | None) -> SketchGuess:
        """All classes, best first, from logits (1, C); none where `preprocess` found no drawing.

        Raises:
            ModelError: the network has another number of classes than the manifest.
        """
        names = self._manifest.class_names
        logits = outputs[self._manifest.outputs[0]]
        if logits.shape != (1, len(names)):
            raise ModelError(
                f"{self._manifest.name}: expected logits of shape (1, {len(names)}), one a class name, got"
                f" {logits.shape}; export the model again"
            )
        if geometry is None:
            return SketchGuess(_NAME, np.empty(0, np.int64), np.empty(0, np.float32), names)
        scores = softmax(logits[0])
        best = np.argsort(-scores, kind="stable").astype(np.int64)
        return SketchGuess(_NAME, best, scores[best], names, region_xyxy=geometry.region_xyxy, drawing=geometry.drawing)


TASK = TaskKind(
    name=_NAME, decoders=frozenset({"softmax"}), make=lambda manifest, _wanted: SketchClassification(manifest)
)
