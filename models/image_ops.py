"""From a picture of any size to a model's input tensor: colour order, resize, crop, normalise.

Called by tasks on the infer thread.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.manifest import InputSpec

Uint8Image = NDArray[np.uint8]

_CV2_FILTERS = {
    "nearest": cv2.INTER_NEAREST_EXACT,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
    "area": cv2.INTER_AREA,
}
_PILLOW_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "area": Image.Resampling.BOX,
}


def resize(image: Uint8Image, size_wh: tuple[int, int], *, resample: str, antialias: bool) -> Uint8Image:
    """A picture uint8 (H, W, C) at another size.

    Args:
        image: uint8 (H, W, 3).
        size_wh: width and height wanted, in pixels.
        resample: `nearest`, `bilinear`, `bicubic`, `lanczos` or `area`.
        antialias: whether the filter widens when the picture shrinks, as Pillow's does and transformers' image
            processors expect; OpenCV's does not, and the difference moves scores.
    """
    height, width = image.shape[:2]
    if (width, height) == size_wh:
        return image
    if antialias:
        return np.asarray(Image.fromarray(image).resize(size_wh, _PILLOW_FILTERS[resample]))
    return np.asarray(cv2.resize(image, size_wh, interpolation=_CV2_FILTERS[resample]), dtype=np.uint8)


def shortest_edge_size(size_wh: tuple[int, int], shortest_px: int) -> tuple[int, int]:
    """The width and height at which the shorter side is `shortest_px` and the shape is kept.

    The longer side is cut to a whole pixel, as `transformers.image_transforms.get_resize_output_image_size` does.
    """
    width, height = size_wh
    if width <= height:
        return shortest_px, int(shortest_px * height / width)
    return int(shortest_px * width / height), shortest_px


def center_crop(image: Uint8Image, size_wh: tuple[int, int]) -> Uint8Image:
    """The middle of a picture, as `transformers.image_transforms.center_crop` cuts it; black where it is too small."""
    height, width = image.shape[:2]
    crop_width, crop_height = size_wh
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    if top >= 0 and left >= 0:
        return image[top : top + crop_height, left : left + crop_width]
    padded = np.zeros((max(height, crop_height), max(width, crop_width), *image.shape[2:]), np.uint8)
    pad_top = -((height - padded.shape[0]) // 2)
    pad_left = -((width - padded.shape[1]) // 2)
    padded[pad_top : pad_top + height, pad_left : pad_left + width] = image
    top, left = max(0, top + pad_top), max(0, left + pad_left)
    return padded[top : top + crop_height, left : left + crop_width]


def to_colour_order(image_bgr: Uint8Image, colour_order: str) -> Uint8Image:
    """A BGR picture uint8 (H, W, 3) as `rgb` or `bgr` (H, W, 3), or `gray` (H, W)."""
    if colour_order == "bgr":
        return image_bgr
    code = cv2.COLOR_BGR2RGB if colour_order == "rgb" else cv2.COLOR_BGR2GRAY
    return np.asarray(cv2.cvtColor(image_bgr, code), dtype=np.uint8)


def to_tensor(image: Uint8Image, spec: InputSpec) -> NDArray[np.float32]:
    """The tensor float32 (1, C, H, W) of a picture (H, W, C) or (H, W) that has the model's size and colour order."""
    mean = np.asarray(spec.mean, np.float32)
    std = np.asarray(spec.std, np.float32)
    levels = image.astype(np.float32)
    if levels.ndim == 2:
        levels = levels[:, :, None]
    # One multiply-add a channel: (levels * scale - mean) / std.
    levels *= np.float32(spec.scale) / std
    levels -= mean / std
    return np.ascontiguousarray(levels.transpose(2, 0, 1)[None])
