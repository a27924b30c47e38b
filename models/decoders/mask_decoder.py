"""The contract of a decoder of query masks: heads that give a class and a mask a query, and boxes only by way of masks.

Called by `models.tasks.query_masks` on the infer thread; a decoder holds no state between pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.decoders.decoder import shape_error
from models.errors import ModelError
from models.manifest import Manifest
from models.placement import Placement


@dataclass(frozen=True, slots=True)
class Segments:
    """What queries found in one picture, in any order.

    Attributes:
        scores: float32 (N,), 0..1.
        class_ids: int64 (N,).
        masks: bool (N, H, W), at the picture's size; none of them is empty.
    """

    scores: NDArray[np.float32]
    class_ids: NDArray[np.int64]
    masks: NDArray[np.bool_]


class MaskDecoder(Protocol):
    """Turns the outputs of one picture into segments."""

    def __call__(self, outputs: Mapping[str, NDArray[Any]], placement: Placement, threshold: float) -> Segments:
        """The segments of one picture.

        Args:
            outputs: by name, of a batch of one.
            placement: where the picture lies in the input.
            threshold: segments with lower scores are left out before anything is enlarged.

        Raises:
            ModelError: the outputs are none of this family's.
        """


@dataclass(frozen=True, slots=True)
class MaskDecoderKind:
    """One family of heads: a module of `models.decoders` offers itself as its attribute `MASK_DECODER`.

    Attributes:
        name: as manifests name it: `query_masks`.
        make: makes the decoder for one model; raises ModelError where the manifest does not fit.
    """

    name: str
    make: Callable[[Manifest], MaskDecoder]


def queries(manifest: Manifest, outputs: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What each query says: probabilities float32 (Q, C + 1), the last of them `no object`, and logits (Q, h, w).

    The outputs are called as transformers calls them: `logits` and `pred_masks` (DETR), or `class_queries_logits` and
    `masks_queries_logits` (MaskFormer).

    Raises:
        ModelError: they are not there, or do not have one column a class and one plane a query.
    """
    named = _DETR if _DETR[0] in outputs else _MASKFORMER
    missing = [name for name in named if name not in outputs]
    if missing:
        raise ModelError(f"{manifest.name}: outputs: {manifest.decoder} needs {missing[0]!r}; export the model again")
    logits, planes = (outputs[name][0].astype(np.float32, copy=False) for name in named)
    expected = (len(planes), len(manifest.class_names) + 1)
    if logits.shape != expected:
        raise shape_error(manifest, named[0], (1, *expected), (1, *logits.shape))
    if planes.ndim != 3:
        raise shape_error(manifest, named[1], (1, "queries", "height", "width"), (1, *planes.shape))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True), planes


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of logits of any shape; 0 for what is not a number."""
    with np.errstate(over="ignore"):
        return np.asarray(np.nan_to_num(1 / (1 + np.exp(-logits))))


_DETR = ("logits", "pred_masks")
_MASKFORMER = ("class_queries_logits", "masks_queries_logits")
