"""YOLOX heads as they leave the graph, one row a cell, not yet decoded; NMS follows.

Output `(1, cells, 5 + C)`: offset and size in strides, objectness, class scores. As `demo_postprocess` in
https://github.com/Megvii-BaseDetection/YOLOX/blob/main/yolox/utils/demo_utils.py; Ge et al., arXiv:2107.08430
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.decoders.decoder import Candidates, DecoderKind, shape_error, to_corners
from models.decoders.nms import suppress
from models.manifest import Manifest


class Yolox:
    """Boxes from offsets, the best class of each cell, then NMS."""

    def __init__(self, manifest: Manifest) -> None:
        """Keep the manifest."""
        self._manifest = manifest

    def __call__(self, outputs: Mapping[str, NDArray[Any]], input_wh: tuple[int, int], threshold: float) -> Candidates:
        """The objects that NMS leaves."""
        manifest = self._manifest
        rows = outputs[manifest.outputs[0]][0].astype(np.float32, copy=False)
        corners_px, strides_px = _grid(input_wh, manifest.decoding.strides)
        expected = (len(strides_px), 5 + len(manifest.class_names))
        if rows.shape != expected:
            raise shape_error(manifest, manifest.outputs[0], (1, *expected), (1, *rows.shape))
        # A class score is at most 1, so that objectness alone rules most cells out.
        likely = np.flatnonzero(rows[:, 4] >= threshold)
        rows = rows[likely]
        class_ids = rows[:, 5:].argmax(axis=1)
        scores = rows[:, 4] * rows[np.arange(len(rows)), 5 + class_ids]
        strides = strides_px[likely, None]
        with np.errstate(over="ignore"):
            sizes = np.exp(rows[:, 2:4]) * strides
        boxes = to_corners(np.concatenate([rows[:, :2] * strides + corners_px[likely], sizes], axis=1))
        found = Candidates(boxes, scores, class_ids)
        return suppress(found[scores >= threshold], manifest.decoding)


@lru_cache(maxsize=8)
def _grid(input_wh: tuple[int, int], strides: tuple[int, ...]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """For each cell of each grid, row by row: its corner (x, y) in pixels of the input, and its stride."""
    corners, sizes = [], []
    for stride in strides:
        columns, rows = (side // stride for side in input_wh)
        cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
        corners.append(cells * stride)
        sizes.append(np.full(len(cells), stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(sizes).astype(np.float32)


DECODER = DecoderKind("yolox", Yolox)
