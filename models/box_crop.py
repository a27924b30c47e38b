"""Cuts boxes out of a picture at a model's size, upright and with air around them, and brings points back.

The cut of top-down pose models, as `box_to_center_and_scale`, `get_warp_matrix` and `transform_preds` of transformers'
ViTPose image processor make it; Huang et al., https://arxiv.org/abs/1911.07524. Used by
`models.tasks.keypoint_detection` on the infer thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from models import image_ops
from models.manifest import InputSpec

_AIR = 1.25
"""A cut is so many times as wide and high as its box."""
_LEAST_PX = 1.0


@dataclass(frozen=True, slots=True)
class BoxCrops:
    """Where cuts lie in a picture.

    Attributes:
        centres_xy: float32 (N, 2), in pixels of the picture.
        sizes_wh: float32 (N, 2), in pixels of the picture; all of the input's shape.
    """

    centres_xy: NDArray[np.float32]
    sizes_wh: NDArray[np.float32]

    @classmethod
    def around(cls, boxes_xyxy: NDArray[np.float32], input_wh: tuple[int, int]) -> Self:
        """The cuts for boxes float32 (N, 4), widened or heightened to the shape of an input."""
        corners = boxes_xyxy.astype(np.float64)
        sizes = np.maximum(corners[:, 2:] - corners[:, :2], _LEAST_PX)
        shape = input_wh[0] / input_wh[1]
        widths = np.maximum(sizes[:, 0], sizes[:, 1] * shape)
        grown = np.stack([widths, widths / shape], axis=1) * _AIR
        centres = corners[:, :2] + (corners[:, 2:] - corners[:, :2]) / 2
        return cls(centres.astype(np.float32), grown.astype(np.float32))

    def cut(self, image_bgr: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.float32]:
        """The input float32 (N, C, H, W) that a BGR picture uint8 (H, W, 3) gives; black outside the picture."""
        width, height = spec.fixed_size_wh
        tensor = np.empty((len(self.centres_xy), spec.channels, height, width), np.float32)
        places = zip(tensor, self.centres_xy.astype(float), self.sizes_wh.astype(float), strict=True)
        for row, centre, size in places:
            row[:] = image_ops.to_tensor(_cut(image_bgr, centre, size, (width, height)), spec)[0]
        return tensor

    def to_frame(self, points_xy: NDArray[np.float32], grid_wh: tuple[int, int]) -> NDArray[np.float32]:
        """Points float32 (N, K, 2) on a grid over the cuts, outermost points on their edges, as the picture's."""
        steps = self.sizes_wh / (np.maximum(grid_wh, 2) - np.float32(1))
        left_top = self.centres_xy - self.sizes_wh / 2
        return np.asarray(points_xy * steps[:, None] + left_top[:, None], np.float32)


def _cut(
    image: NDArray[np.uint8], centre: NDArray[np.float64], size: NDArray[np.float64], input_wh: tuple[int, int]
) -> NDArray[np.uint8]:
    steps = size / (np.maximum(input_wh, 2) - 1)
    start = centre - size / 2
    to_picture = np.array([[steps[0], 0, start[0]], [0, steps[1], start[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(image, to_picture, input_wh, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    cut = np.asarray(warped, np.uint8)
    # Not interpolated to black at the picture's edge: SciPy, which the processor cuts with, ends there.
    for axis, pixels in ((0, image.shape[1]), (1, image.shape[0])):
        places = np.arange(input_wh[axis]) * steps[axis] + start[axis]
        outside = (places < 0) | (places > pixels - 1)
        cut[(slice(None),) * (1 - axis) + (outside,)] = 0
    return cut
