"""What a page is told of a frame: the words of a results file, with masks small enough for thirty frames a second."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from faster_coco_eval import mask as coco_mask
from numpy.typing import NDArray

from models.results import Detections, Poses, Result, SegmentationMap
from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.web.frame_message import LONGEST_MASK_SIDE_PX, frame_message


def told(result: Result, size_hw: tuple[int, int] = (48, 64), **more: Any) -> dict[str, Any]:
    frame = Frame(np.zeros((*size_hw, 3), np.uint8), 5, Fraction(1, 25), 5, 0)
    seen = FrameResult(frame, {"model": result}, {"model": {"inference": 2.0}}, **more)
    message: dict[str, Any] = json.loads(frame_message(seen, 9000, 1234.5, 3.0, {"objects": []}))
    return message


def one_object(mask: NDArray[np.bool_] | None) -> Detections:
    box, score = np.array([[0, 0, 1, 1]], np.float32), np.array([0.5], np.float32)
    masks = None if mask is None else mask[None]
    return Detections("instance_segmentation", box, score, np.array([0], np.int64), ("dog",), masks)


def decoded(rle: dict[str, Any]) -> NDArray[np.uint8]:
    """As the reference of the format reads it."""
    return np.asarray(coco_mask.decode({"size": rle["size"], "counts": rle["counts"].encode()}))


def test_the_times_and_the_fading_stand_beside_the_results() -> None:
    message = told(one_object(None), strengths={"model": 0.25})
    assert message["type"] == "frame"
    assert (message["index"], message["pts"], message["captured_at"]) == (5, 9000, 1234.5)
    assert message["stage_ms"] == {"model": {"inference": 2.0}, "encode": 3.0}
    assert message["strengths"] == {"model": 0.25}
    assert message["carried"] == []
    assert "mask" not in message["results"]["model"]["detections"][0]


@pytest.mark.parametrize(
    ("size_hw", "expected_hw"),
    [
        # Small ones are as they are.
        ((1, 1), (1, 1)),
        ((192, 108), (192, 108)),
        # One row and column of every two, of every four, of every seven.
        ((193, 1), (96, 1)),
        ((480, 640), (120, 160)),
        ((720, 1280), (103, 183)),
    ],
)
def test_masks_are_thinned_out_to_the_longest_side(size_hw: tuple[int, int], expected_hw: tuple[int, int]) -> None:
    rows, columns = np.indices(size_hw)
    step = -(-max(size_hw) // LONGEST_MASK_SIDE_PX)
    mask = (rows // step + columns // step) % 2 == 1
    small = decoded(told(one_object(mask), size_hw)["results"]["model"]["detections"][0]["mask"])
    # Each square of the chequered mask has become one pixel.
    assert small.tolist() == (np.indices(expected_hw).sum(axis=0) % 2).tolist()
    assert max(small.shape) <= LONGEST_MASK_SIDE_PX


def test_the_masks_of_poses_are_thinned_out_too() -> None:
    objects = one_object(np.ones((400, 400), np.bool_))
    poses = Poses("keypoint_detection", objects, np.ones((1, 1, 2), np.float32), np.ones((1, 1), np.float32), ("nose",))
    found = told(poses)["results"]["model"]["poses"][0]
    assert found["mask"]["size"] == [133, 133]
    assert found["labels"] == ["nose"]


def test_a_map_is_a_mask_a_class_and_background_has_none() -> None:
    class_map = np.zeros((4, 6), np.uint16)
    class_map[:, 3:] = 2
    class_map[0] = 1
    result = SegmentationMap("semantic_segmentation", class_map, ("background", "sky", "sea"))
    segments = {one["label"]: one for one in told(result)["results"]["model"]["segments"]}
    assert "mask" not in segments["background"]
    for label, class_id in (("sky", 1), ("sea", 2)):
        assert decoded(segments[label]["mask"]).tolist() == (class_map == class_id).tolist()
    # 6 of 24 pixels, 9 of 24.
    assert (segments["sky"]["area"], segments["sea"]["area"]) == (0.25, 0.375)
