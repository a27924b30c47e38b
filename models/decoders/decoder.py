"""The contract of a decoder of detections, and what it hands to the task.

Called by `models.tasks.object_detection` on the infer thread; a decoder holds no state between pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Candidates:
    """Objects as a head gives them, in the pixels of its input, in any order.

    Attributes:
        boxes_xyxy: float32 (N, 4).
        scores: float32 (N,).
        class_ids: int64 (N,).
        mask_weights: float32 (N, P), where the head has masks: an object's mask logits are the sum of `mask_planes`
            with these weights.
        mask_planes: float32 (P, h, w), spread over the whole input.
    """

    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int64]
    mask_weights: NDArray[np.float32] | None = None
    mask_planes: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        """The number of objects N."""
        return len(self.scores)

    def __getitem__(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """The same with only some objects, or in another order."""
        return replace(
            self,
            boxes_xyxy=self.boxes_xyxy[keep],
            scores=self.scores[keep],
            class_ids=self.class_ids[keep],
            mask_weights=None if self.mask_weights is None else self.mask_weights[keep],
        )


class Decoder(Protocol):
    """Turns the outputs of one picture into candidates."""

    def __call__(self, outputs: Mapping[str, NDArray[Any]], input_wh: tuple[int, int], threshold: float) -> Candidates:
        """The objects of one picture.

        Args:
            outputs: by name, of a batch of one.
            input_wh: width and height of the input in pixels.
            threshold: objects with lower scores may be left out, which saves work.

        Raises:
            ModelError: the outputs are none of this family's.
        """


@dataclass(frozen=True, slots=True)
class DecoderKind:
    """One family of heads: a module of `models.decoders` offers itself as its attribute `DECODER`.

    Attributes:
        name: as manifests name it: `sigmoid_topk`.
        make: makes the decoder for one model; raises ModelError where the manifest does not fit.
    """

    name: str
    make: Callable[[Manifest], Decoder]


def logits_and_boxes(
    manifest: Manifest, outputs: Mapping[str, NDArray[Any]], class_count: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The two outputs of a transformers detector: logits float32 (Q, C), and boxes float32 (Q, 4), cxcywh of 0..1.

    Raises:
        ModelError: they are not there, or do not have one column a class.
    """
    missing = [name for name in ("logits", "pred_boxes") if name not in outputs]
    if missing:
        raise ModelError(f"{manifest.name}: outputs: {manifest.decoder} needs {missing[0]!r}; export the model again")
    logits, boxes = outputs["logits"][0], outputs["pred_boxes"][0]
    if logits.shape != (len(boxes), class_count):
        raise shape_error(manifest, "logits", (len(boxes), class_count), logits.shape)
    return logits.astype(np.float32, copy=False), boxes.astype(np.float32, copy=False)


def shape_error(manifest: Manifest, what: str, expected: tuple[Any, ...], got: tuple[int, ...]) -> ModelError:
    """The error for an output that does not go with the manifest's class names."""
    return ModelError(
        f"{manifest.name}: {what}: {manifest.decoder} with {len(manifest.class_names)} class names expects "
        f"{expected}, got {got}; mend class_names, or export the model again"
    )


def to_corners(boxes_cxcywh: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes float32 (N, 4) given by centre and size as left, top, right, bottom."""
    centres, halves = boxes_cxcywh[:, :2], boxes_cxcywh[:, 2:] / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)
