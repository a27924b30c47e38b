"""DETR, YOLOS, Table Transformer: a softmax a query, whose last class is `no object`; no NMS.

As `post_process_object_detection` of transformers' DETR image processor; Carion et al., https://arxiv.org/abs/2005.12872
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.decoders.decoder import Candidates, DecoderKind, logits_and_boxes, to_corners
from models.manifest import Manifest


class DetrSoftmax:
    """The best class of each query."""

    def __init__(self, manifest: Manifest) -> None:
        """Keep the manifest."""
        self._manifest = manifest

    def __call__(
        self,
        outputs: Mapping[str, NDArray[Any]],
        input_wh: tuple[int, int],
        threshold: float,  # noqa: ARG002 - queries are few
    ) -> Candidates:
        """One object a query, from `logits` (1, Q, C + 1) and `pred_boxes` (1, Q, 4)."""
        logits, boxes = logits_and_boxes(self._manifest, outputs, len(self._manifest.class_names) + 1)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        class_ids = powers[:, :-1].argmax(axis=1)
        scores = powers[np.arange(len(powers)), class_ids] / powers.sum(axis=1)
        return Candidates(to_corners(boxes) * np.array(input_wh * 2, np.float32), scores, class_ids)


DECODER = DecoderKind("detr_softmax", DetrSoftmax)
