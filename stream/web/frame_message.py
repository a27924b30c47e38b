"""What a page is told of a frame, so that it can draw on the picture what the server would (write thread).

The words are those of a results file. Masks are smaller, because a page is told of thirty frames a second; a map of
classes, which a results file leaves out, is there as a mask a class.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.mask_rle import encode_rle
from models.results import Detections, Poses, Result, SegmentationMap
from stream.frame_result import FrameResult
from stream.overlays.segmentation import is_background

LONGEST_MASK_SIDE_PX = 192
"""Of the masks that are sent: whole ones of a dozen objects would take more than the video."""


def frame_message(
    result: FrameResult, ticks: int, captured_at_ms: float, encode_ms: float, told: Mapping[str, Any]
) -> str:
    """One frame as JSON.

    Args:
        result: what is drawn, with what is carried from earlier frames.
        ticks: of its picture in the video.
        captured_at_ms: milliseconds since 1970.
        encode_ms: how long its picture took to encode.
        told: what else the stream says at this moment.
    """
    small = replace(result, results={name: _with_small_masks(one) for name, one in result.results.items()})
    content: dict[str, Any] = {
        "type": "frame",
        **small.to_dict(with_carried=True),
        "carried": sorted(result.carried),
        "strengths": {name: round(strength, 3) for name, strength in result.strengths.items()},
        "pts": ticks,
        "captured_at": captured_at_ms,
        "stage_ms": {**result.stage_ms, "encode": encode_ms},
        **told,
    }
    for name, one in result.results.items():
        if isinstance(one, SegmentationMap):
            content["results"][name]["segments"] = _segments(one)
    return json.dumps(content, ensure_ascii=False)


def _with_small_masks(result: Result) -> Result:
    if isinstance(result, Poses):
        return replace(result, objects=_small_masks(result.objects))
    return _small_masks(result) if isinstance(result, Detections) else result


def _small_masks(result: Detections) -> Detections:
    return result if result.masks is None else replace(result, masks=_thinned(result.masks))


def _segments(result: SegmentationMap) -> list[dict[str, Any]]:
    """The segments of a results file, with a mask each but the background's, which is not drawn."""
    class_map = _thinned(result.class_map)
    segments: list[dict[str, Any]] = result.to_dict()["segments"]
    for segment, (class_id, _) in zip(segments, result.shares(), strict=True):
        if not is_background(segment["label"]):
            segment["mask"] = encode_rle(class_map == class_id)
    return segments


def _thinned(maps: NDArray[Any]) -> NDArray[Any]:
    """One of every few rows and columns, the last two axes, so that no side is longer than `LONGEST_MASK_SIDE_PX`."""
    step = -(-max(maps.shape[-2:]) // LONGEST_MASK_SIDE_PX)
    if step <= 1:
        return maps
    # The middle one, also where there are fewer.
    rows, columns = (slice(min(step, side) // 2, None, step) for side in maps.shape[-2:])
    return np.ascontiguousarray(maps[..., rows, columns])
