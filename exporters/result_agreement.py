"""How far two results of the runtime say the same of one picture, as a share 0..1; the tuner's measure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from exporters.errors import ExportError
from models.results import Classification, DepthMap, Detections, Poses, Result, SegmentationMap

_MIN_IOU = 0.5
_SAME_PLACE = 0.05
"""Of the longer side of an object: keypoints that are no farther apart are alike."""
_DEPTH_GAP = 0.05


def agreement_of(wanted: Result, found: Result) -> float:
    """Share of detections that both have (F1, same class and IoU at least 0.5), of pixels, keypoints or best classes.

    Detections with masks are compared by their masks. Of poses, which have to be of the same objects, the keypoints
    count that `wanted` is sure of.

    Depths are alike that differ by at most a twentieth of the range of what is wanted.

    Raises:
        ExportError: the results are of a kind without a measure, or of two kinds.
    """
    if isinstance(wanted, Detections) and isinstance(found, Detections):
        return _detections(wanted, found)
    if isinstance(wanted, Poses) and isinstance(found, Poses):
        return _keypoints(wanted, found)
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
    same_class = wanted.class_ids[:, None] == found.class_ids[None]
    alike = (_overlaps(wanted, found) >= _MIN_IOU) & same_class
    matched = alike[linear_sum_assignment(alike, maximize=True)].sum()
    return float(2 * matched / (len(wanted) + len(found)))


def _overlaps(wanted: Detections, found: Detections) -> NDArray[np.float64]:
    """Intersection over union (W, F), of masks where both have them, else of boxes; 0 where nothing has an area."""
    low = np.maximum(wanted.boxes_xyxy[:, None, :2], found.boxes_xyxy[None, :, :2])
    high = np.minimum(wanted.boxes_xyxy[:, None, 2:], found.boxes_xyxy[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1).astype(np.float64)
    areas = [np.prod(side.boxes_xyxy[:, 2:] - side.boxes_xyxy[:, :2], axis=1) for side in (wanted, found)]
    if wanted.masks is not None and found.masks is not None:
        areas = [masks.sum(axis=(1, 2)) for masks in (wanted.masks, found.masks)]
        # Where boxes share nothing, masks share nothing.
        for row, column in np.argwhere(shared > 0).tolist():
            shared[row, column] = np.count_nonzero(wanted.masks[row] & found.masks[column])
    union = areas[0][:, None] + areas[1][None] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros(shared.shape), where=union > 0))


def _keypoints(wanted: Poses, found: Poses) -> float:
    if len(wanted) != len(found):
        return 0.0
    if not wanted.is_sure.any():
        return 1.0
    boxes = wanted.objects.boxes_xyxy
    allowed = _SAME_PLACE * (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)
    alike = np.linalg.norm(wanted.keypoints_xy - found.keypoints_xy, axis=-1) <= allowed[:, None]
    return float(alike[wanted.is_sure].mean())
