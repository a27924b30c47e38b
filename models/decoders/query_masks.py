"""DETR with masks, and MaskFormer as its pipeline runs it: a class a query, and every pixel goes to one query.

Things and stuff alike, as the `image-segmentation` pipeline of transformers gives them: `compute_segments` of the image
processors, with nothing fused. Carion et al., https://arxiv.org/abs/2005.12872, section 5
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.decoders.mask_decoder import MaskDecoderKind, Segments, queries, sigmoid
from models.manifest import Manifest
from models.placement import Placement

_INSIDE = 0.5
"""Of a mask's probability times its query's score: transformers weighs before it measures a mask's own area."""


class QueryMasks:
    """The likeliest class of each query, and the pixels that no surer query claims."""

    def __init__(self, manifest: Manifest) -> None:
        """Keep the manifest."""
        self._manifest = manifest

    def __call__(self, outputs: Mapping[str, NDArray[Any]], placement: Placement, threshold: float) -> Segments:
        """The segments; no two of them share a pixel."""
        probabilities, planes = queries(self._manifest, outputs)
        class_ids, scores = probabilities.argmax(axis=1), probabilities.max(axis=1)
        # Written so that what is not a number fails.
        kept = np.flatnonzero((class_ids < len(self._manifest.class_names)) & (scores > threshold))
        class_ids, scores = class_ids[kept], scores[kept]
        part = placement.frame_part()
        owners, own_areas = _share_out(sigmoid(planes[kept]) * scores[:, None, None], placement, part)
        areas = np.bincount(owners.ravel(), minlength=len(kept))[: len(kept)]
        seen = (areas > 0) & (own_areas > 0) & (areas > self._manifest.decoding.least_visible * own_areas)
        rows = np.flatnonzero(seen)
        masks = np.zeros((len(rows), *placement.frame_wh[::-1]), np.bool_)
        for mask, row in zip(masks, rows.tolist(), strict=True):
            np.equal(owners, row, out=mask[part])
        return Segments(scores[rows], class_ids[rows], masks)


def _share_out(
    planes: NDArray[np.float32], placement: Placement, part: tuple[slice, slice]
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Whose each pixel of a part of the picture is, uint16 (h, w), and how large each query's mask is by itself (N,).

    One plane at a time, so that not more than two maps of the picture's size are in memory.
    """
    size_hw = tuple(side.stop - side.start for side in part)
    best, owners = np.full(size_hw, -1, np.float32), np.zeros(size_hw, np.uint16)
    own_areas = np.zeros(len(planes), np.int64)
    for row, plane in enumerate(planes):
        claim = placement.sample(plane, part)
        own_areas[row] = np.count_nonzero(claim >= _INSIDE)
        np.copyto(owners, np.uint16(row), where=claim > best)
        cv2.max(best, claim, dst=best)
    return owners, own_areas


MASK_DECODER = MaskDecoderKind("query_masks", QueryMasks)
