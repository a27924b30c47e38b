"""Non-maximum suppression, for the families whose heads name one object many times; OpenCV does it."""

from __future__ import annotations

import cv2
import numpy as np

from models.decoders.decoder import Candidates
from models.manifest import DecodingSpec


def suppress(found: Candidates, decoding: DecodingSpec) -> Candidates:
    """The candidates without those that a likelier one of the same class overlaps by more than `nms_iou`.

    What has a coordinate or a score that is not finite is dropped first: it would compare with nothing.
    """
    found = found[np.isfinite(found.boxes_xyxy).all(axis=1) & np.isfinite(found.scores)]
    if not len(found):
        return found
    corners, scores = found.boxes_xyxy, found.scores
    rectangles = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    class_ids = np.zeros_like(found.class_ids) if decoding.class_agnostic_nms else found.class_ids
    # Candidates passed the threshold already; OpenCV keeps what is above its own.
    least = float(np.nextafter(scores.min(), np.float32(-1)))
    kept = cv2.dnn.NMSBoxesBatched(rectangles.tolist(), scores.tolist(), class_ids.tolist(), least, decoding.nms_iou)
    return found[np.asarray(kept, np.int64).ravel()]
