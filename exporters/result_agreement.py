"""How far two results of the runtime say the same of one picture, as a share 0..1; the tuner's measure."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from exporters.errors import ExportError
from models.results import Classification, DepthMap, Detections, Result, SegmentationMap

_MIN_IOU = 0.5
_DEPTH_GAP = 0.05


def agreement_of(wanted: Result, found: Result) -> float:
    """Share of detections that both have (F1, same class and IoU at least 0.5), of pixels, or of best classes alike.

    Depths are alike that differ by at most a twentieth of the range of what is wanted.

    Raises:
        ExportError: the results are of a kind without a measure, or of two kinds.
    """
    if isinstance(wanted, Detections) and isinstance(found, Detections):
        return _detections(wanted, found)
    if isinstance(wanted, SegmentationMap) and isinstance(found, SegmentationMap):
        return float((wanted.class_map == found.class_map).mean())
    if isinstance(wanted, DepthMap) and isinstance(found, DepthMap):
        return _depths(wanted, found)
    if isinstance(wanted, Classification) and isinstance(found, Classification):
        return float(wanted.class_ids[0] == found.class_ids[0]) if len(wanted) and len(found) else 1.0
    raise ExportError(f"--tune: results of {wanted.task} cannot be compared yet; export without it")


def _depths(wanted: DepthMap, found: DepthMap) -> float:
    known = np.isfinite(wanted.values)
    if not known.any():
        return float(not np.isfinite(found.values).any())
    values = wanted.values[known]
    gaps = np.abs(values - found.values[known])
    # What only one side knows differs: no comparison with NaN holds.
    return float((gaps <= _DEPTH_GAP * np.ptp(values)).sum() / max(known.sum(), np.isfinite(found.values).sum()))


def _detections(wanted: Detections, found: Detections) -> float:
    if not len(wanted) and not len(found):
        return 1.0
    low = np.maximum(wanted.boxes_xyxy[:, None, :2], found.boxes_xyxy[None, :, :2])
    high = np.minimum(wanted.boxes_xyxy[:, None, 2:], found.boxes_xyxy[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    areas = [np.prod(side.boxes_xyxy[:, 2:] - side.boxes_xyxy[:, :2], axis=1) for side in (wanted, found)]
    union = areas[0][:, None] + areas[1][None] - shared
    alike = (shared >= _MIN_IOU * union) & (wanted.class_ids[:, None] == found.class_ids[None])
    matched = alike[linear_sum_assignment(alike, maximize=True)].sum()
    return float(2 * matched / (len(wanted) + len(found)))
