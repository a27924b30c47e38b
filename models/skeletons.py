"""Which keypoints a line joins, and on which side of the body a keypoint is; read by exporters and overlays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

Side = Literal["left", "right", "centre"]
"""Of the body, not of the picture."""

COCO_17: tuple[tuple[int, int], ...] = (
    *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8)),
    *((7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
)
"""The `skeleton` of COCO's person category (person_keypoints_train2017.json), counted from 0.

Nose; eyes, ears, shoulders, elbows, wrists, hips, knees, ankles, the left one first.
"""

_LEFT = re.compile(r"(l|left)[\s_-]|left", re.IGNORECASE)
_RIGHT = re.compile(r"(r|right)[\s_-]|right", re.IGNORECASE)


def skeleton_of(edges: Any, keypoint_names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """The skeleton that a checkpoint's configuration gives, or COCO's where there are COCO's 17 keypoints.

    Args:
        edges: the configuration's `edges`: pairs of indices; None where it has none.
        keypoint_names: of the checkpoint.

    Raises:
        ValueError: an edge is no pair of the keypoints.
    """
    count = len(keypoint_names)
    if edges is None:
        return COCO_17 if count == 17 else ()
    pairs = [tuple(edge) for edge in edges]
    for pair in pairs:
        if len(pair) != 2 or not all(isinstance(index, int) and 0 <= index < count for index in pair):
            raise ValueError(f"edges: expected pairs of 0..{count - 1}, got {list(pair)}")
    return tuple((a, b) for a, b in pairs)


def side_of(keypoint_name: str) -> Side:
    """The side of the body that a name speaks of: `L_Eye`, `left_eye`, `left eye`."""
    if _LEFT.match(keypoint_name):
        return "left"
    return "right" if _RIGHT.match(keypoint_name) else "centre"
