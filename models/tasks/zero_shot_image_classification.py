"""Which of the user's texts a whole picture shows: CLIP and SigLIP with the texts given at run time.

The texts are read once, by `models.text_encoder`; a frame costs the picture's half of the network, and one product.
Packages whose texts were fixed at export are plain image classifiers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.manifest import Manifest, TextSpec
from models.results import Classification, ResultFilter
from models.tasks.image_classification import ImageClassification
from models.tasks.scores import ranked, sigmoid, softmax
from models.tasks.task import TaskKind


class ZeroShotImageClassification(ImageClassification):
    """Compare the picture with each text; decoder `softmax` makes them rivals, `sigmoid` asks each by itself."""

    def __init__(self, manifest: Manifest, texts: TextSpec, embeddings: NDArray[np.float32]) -> None:
        """Make the task for the texts that the manifest names as classes.

        Args:
            manifest: with the texts as class names.
            texts: how near becomes likely.
            embeddings: of the texts, float32 (T, D), each of length 1.

        Raises:
            ModelError: the manifest's resize rule is none of this task's.
        """
        super().__init__(manifest)
        self._scaled = embeddings * np.float32(texts.logit_scale)
        self._bias = np.float32(texts.logit_bias)

    def postprocess(self, outputs: Mapping[str, NDArray[Any]], geometry: None) -> Classification:  # noqa: ARG002 - Task
        """All texts, the likeliest first.

        Raises:
            ModelError: the picture's embedding is not of the texts' space.
        """
        manifest = self._manifest
        embedding = outputs[manifest.outputs[0]][0].astype(np.float32)
        if embedding.shape != self._scaled.shape[1:]:
            raise ModelError(
                f"{manifest.name}: {manifest.outputs[0]}: expected (1, {self._scaled.shape[1]}) as the texts have, got "
                f"{(1, *embedding.shape)}; export the model again"
            )
        logits = self._scaled @ embedding + self._bias
        scores = softmax(logits) if manifest.decoder == "softmax" else sigmoid(logits)
        return ranked(manifest.task, scores, manifest.class_names)


def _make_without_texts(manifest: Manifest, _wanted: ResultFilter) -> NoReturn:
    raise ModelError(
        f"{manifest.name}: texts: the model tells apart what you name, and nothing is named; give --texts "
        "'a dog,a cat', or texts: [a dog, a cat] in the configuration"
    )


TASK = TaskKind(
    name="zero_shot_image_classification",
    decoders=frozenset({"softmax", "sigmoid"}),
    make=_make_without_texts,
    make_for_texts=ZeroShotImageClassification,
)
