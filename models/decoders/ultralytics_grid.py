"""Ultralytics heads that list every cell of their grids: v8, 11, with or without masks; NMS follows.

Output `(1, 4 + C, cells)`: centre, size and class scores; with masks `(1, 4 + C + P, cells)` and prototypes
`(1, P, h, w)`. As `ultralytics.utils.nms.non_max_suppression` and `ultralytics.utils.ops.process_mask`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.decoders.decoder import Candidates, DecoderKind, shape_error, to_corners
from models.decoders.nms import suppress
from models.manifest import Manifest


class UltralyticsGrid:
    """The best class of each cell, then NMS."""

    def __init__(self, manifest: Manifest) -> None:
        """Keep the manifest."""
        self._manifest = manifest

    def __call__(
        self,
        outputs: Mapping[str, NDArray[Any]],
        input_wh: tuple[int, int],  # noqa: ARG002 - boxes are in pixels of the input already
        threshold: float,
    ) -> Candidates:
        """The objects that NMS leaves."""
        manifest = self._manifest
        cells = outputs[manifest.outputs[0]][0].astype(np.float32, copy=False)
        planes = mask_planes(manifest, outputs)
        class_count = len(manifest.class_names)
        rows = 4 + class_count + (0 if planes is None else len(planes))
        if cells.ndim != 2 or len(cells) != rows:
            raise shape_error(manifest, manifest.outputs[0], (1, rows, "cells"), (1, *cells.shape))
        class_scores = cells[4 : 4 + class_count]
        # Written so that what is not a number fails.
        likely = np.flatnonzero(class_scores.max(axis=0) >= threshold)
        class_ids = class_scores[:, likely].argmax(axis=0)
        found = Candidates(
            to_corners(cells[:4, likely].T),
            class_scores[class_ids, likely],
            class_ids,
            None if planes is None else cells[4 + class_count :, likely].T,
            planes,
        )
        return suppress(found, manifest.decoding)


def mask_planes(manifest: Manifest, outputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32] | None:
    """The prototypes (P, h, w) of a head with masks, its second output; None for a head without."""
    if len(manifest.outputs) == 1:
        return None
    return np.asarray(outputs[manifest.outputs[1]][0], np.float32)


DECODER = DecoderKind("ultralytics_grid", UltralyticsGrid)
