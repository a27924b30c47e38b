"""Ultralytics heads that need no NMS: v10, 26, and whatever was exported with `nms=True`.

Output `(1, objects, 6)`: left, top, right, bottom, score, class; with masks `(1, objects, 6 + P)` and prototypes
`(1, P, h, w)`. Rows that are no object have a score of 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.decoders.decoder import Candidates, DecoderKind, shape_error
from models.decoders.ultralytics_grid import mask_planes
from models.manifest import Manifest


class UltralyticsEndToEnd:
    """The rows as they come."""

    def __init__(self, manifest: Manifest) -> None:
        """Keep the manifest."""
        self._manifest = manifest

    def __call__(
        self,
        outputs: Mapping[str, NDArray[Any]],
        input_wh: tuple[int, int],  # noqa: ARG002 - boxes are in pixels of the input already
        threshold: float,
    ) -> Candidates:
        """The rows with score enough."""
        manifest = self._manifest
        rows = outputs[manifest.outputs[0]][0].astype(np.float32, copy=False)
        planes = mask_planes(manifest, outputs)
        columns = 6 + (0 if planes is None else len(planes))
        if rows.ndim != 2 or rows.shape[1] != columns:
            raise shape_error(manifest, manifest.outputs[0], (1, "objects", columns), (1, *rows.shape))
        rows = rows[(rows[:, 4] >= threshold) & np.isfinite(rows).all(axis=1)]
        weights = None if planes is None else rows[:, 6:]
        return Candidates(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64), weights, planes)


DECODER = DecoderKind("ultralytics_end_to_end", UltralyticsEndToEnd)
