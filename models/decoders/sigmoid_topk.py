"""RT-DETR, RT-DETR v2, D-FINE: a sigmoid a query and class, of which the best are taken; no NMS.

As `post_process_object_detection` of transformers' RT-DETR image processor: as many pairs of query and class as there
are queries, so that a query may name two classes. Zhao et al., https://arxiv.org/abs/2304.08069
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.decoders.decoder import Candidates, DecoderKind, logits_and_boxes, to_corners
from models.manifest import Manifest


class SigmoidTopK:
    """The best pairs of query and class."""

    def __init__(self, manifest: Manifest) -> None:
        """Keep the manifest."""
        self._manifest = manifest

    def __call__(
        self,
        outputs: Mapping[str, NDArray[Any]],
        input_wh: tuple[int, int],
        threshold: float,  # noqa: ARG002 - the best are few
    ) -> Candidates:
        """As many objects as queries, from `logits` (1, Q, C) and `pred_boxes` (1, Q, 4)."""
        logits, boxes = logits_and_boxes(self._manifest, outputs, len(self._manifest.class_names))
        query_count, class_count = logits.shape
        # What is not a number would count as the greatest, and push an object out.
        pairs = np.where(np.isnan(logits), -np.inf, logits).ravel()
        best = np.argpartition(-pairs, query_count - 1)[:query_count] if class_count > 1 else np.arange(query_count)
        with np.errstate(over="ignore"):
            scores = 1 / (1 + np.exp(-pairs[best]))
        corners = to_corners(boxes[best // class_count]) * np.array(input_wh * 2, np.float32)
        return Candidates(corners, scores.astype(np.float32), best % class_count)


DECODER = DecoderKind("sigmoid_topk", SigmoidTopK)
