"""How much two models say the same of a picture, where nobody annotated it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.classification import Classification
from models.depth_map import DepthMap
from models.detections import Detections
from models.evaluation.matching import Objects, match_objects
from models.result import Result
from models.segmentation_map import UNLABELLED, SegmentationMap

_PAIRS = 10_000


def agreement(first: Result, second: Result, iou: float) -> float | None:
    """0 where nothing is the same, 1 where all is; None where the results are of different kinds.

    - Detections: twice the objects that both found (same class name, overlap of at least `iou`) over all objects found.
    - Classifications: 1 where the best classes have the same name.
    - Segmentation maps: the share of pixels to which both give a class of the same name.
    - Depth maps: the share of pairs of pixels (10,000, drawn once for all) of which both say alike which one is nearer;
      by chance it is one half.
    """
    if isinstance(first, Detections) and isinstance(second, Detections):
        total = len(first) + len(second)
        shared = int(np.count_nonzero(match_objects(_as_objects(first), _as_objects(second), iou) >= 0))
        return 2 * shared / total if total else 1.0
    if isinstance(first, Classification) and isinstance(second, Classification):
        best = [result.labels[0].casefold() if len(result) else None for result in (first, second)]
        return float(best[0] == best[1])
    if isinstance(first, SegmentationMap) and isinstance(second, SegmentationMap):
        return float(np.mean(first.class_map == _with_ids_of(first, second)))
    if isinstance(first, DepthMap) and isinstance(second, DepthMap):
        return _order_agreement(first, second)
    return None


def _order_agreement(first: DepthMap, second: DepthMap) -> float:
    near = [found.values if found.kind == "inverse" else -found.values for found in (first, second)]
    known = np.flatnonzero(np.isfinite(near[0]) & np.isfinite(near[1]))
    if not len(known):
        return float(not (np.isfinite(near[0]).any() or np.isfinite(near[1]).any()))
    pairs = known[np.random.default_rng(0).integers(0, len(known), (2, _PAIRS))]
    orders = [np.sign(values.ravel()[pairs[0]] - values.ravel()[pairs[1]]) for values in near]
    return float(np.mean(orders[0] == orders[1]))


def _as_objects(found: Detections) -> Objects:
    return Objects(found.boxes_xyxy, np.array([label.casefold() for label in found.labels], np.str_))


def _with_ids_of(first: SegmentationMap, second: SegmentationMap) -> NDArray[np.int64]:
    """The second map in the ids of the first; -1 where the first model has no class of that name."""
    ids = {name.casefold(): class_id for class_id, name in enumerate(first.class_names)}
    table = np.full(UNLABELLED + 1, -1, np.int64)
    table[UNLABELLED] = UNLABELLED
    for class_id, name in enumerate(second.class_names):
        table[class_id] = ids.get(name.casefold(), -1)
    return table[second.class_map]
