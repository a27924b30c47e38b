"""The contract of a task, and of a kind of task: what a model is asked, around the ONNX session.

Both halves run on the infer thread; a task holds no state between pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.manifest import Manifest, TextSpec
from models.results import Result, ResultFilter


class Task(Protocol):
    """Turns a picture into a tensor, and output tensors into a result at the picture's size."""

    def preprocess(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], Any]:
        """The model's input float32 (1, C, H, W) for a BGR picture uint8 (H, W, 3), and what undoes its geometry."""

    def postprocess(self, outputs: Mapping[str, NDArray[Any]], geometry: Any) -> Result:
        """The result, in pixels of the picture, from the outputs by name and the geometry that preprocess gave."""


@dataclass(frozen=True, slots=True)
class TaskKind:
    """One kind of task: a module of `models.tasks` offers itself as its attribute `TASK`.

    Attributes:
        name: as manifests name it: `sketch_classification`.
        decoders: the manifests' `decoder` values that it understands.
        make: makes the task for one model; raises ModelError where the manifest does not fit. What the user wants of
            its results is known, so that no work is spent on what would be dropped; dropping is the model's.
        default_threshold: the least score that is reported where the user does not say.
        make_for_texts: makes the task in place of `make` where the user names the classes: of the manifest with their
            texts as class names, how texts are read, and the texts' embeddings float32 (T, D).
    """

    name: str
    decoders: frozenset[str]
    make: Callable[[Manifest, ResultFilter], Task]
    default_threshold: float = 0.0
    make_for_texts: Callable[[Manifest, TextSpec, NDArray[np.float32]], Task] | None = None
