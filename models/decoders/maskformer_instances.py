"""MaskFormer as a finder of objects: the best pairs of query and class, whose masks may overlap.

As `post_process_instance_segmentation` of transformers' MaskFormer image processor, binary maps; Cheng et al.,
https://arxiv.org/abs/2107.06278
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.decoders.mask_decoder import MaskDecoderKind, Segments, queries, sigmoid
from models.manifest import Manifest
from models.placement import Placement

_NO_DIVISION_BY_ZERO = 1e-6


class MaskformerInstances:
    """As many pairs of query and class as there are queries; a score is the class's times the mask's."""

    def __init__(self, manifest: Manifest) -> None:
        """Keep the manifest."""
        self._manifest = manifest

    def __call__(self, outputs: Mapping[str, NDArray[Any]], placement: Placement, threshold: float) -> Segments:
        """The objects; a query may name two classes, and a pixel may be of two objects."""
        probabilities, planes = queries(self._manifest, outputs)
        class_count = len(self._manifest.class_names)
        # What is not a number is below every threshold.
        pairs = np.nan_to_num(probabilities[:, :-1], nan=-1.0).ravel()
        best = np.argsort(-pairs, kind="stable")[: len(planes)]
        # A mask's score is at most 1, so that the class's alone rules most pairs out.
        best = best[pairs[best] >= threshold]
        rows, class_ids = np.divmod(best, class_count)
        scores = pairs[best] * np.array([_mask_score(planes[row]) for row in rows.tolist()], np.float32)
        masks = np.zeros((len(best), *placement.frame_wh[::-1]), np.bool_)
        part = placement.frame_part()
        for mask, row, score in zip(masks, rows.tolist(), scores.tolist(), strict=True):
            if score >= threshold:
                mask[part] = placement.sample_nearest(planes[row] > 0, part)
        kept = masks.any(axis=(1, 2))
        return Segments(scores[kept], class_ids[kept], masks[kept])


def _mask_score(plane: NDArray[np.float32]) -> float:
    """The mean probability of the pixels that are more likely in the mask than not."""
    inside = sigmoid(plane[plane > 0])
    return float(inside.sum() / (inside.size + _NO_DIVISION_BY_ZERO))


MASK_DECODER = MaskDecoderKind("maskformer_instances", MaskformerInstances)
