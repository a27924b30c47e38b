"""The steps from a picture to a model's input tensor: resize, crop, pad, colour order, normalise.

Called by `models.placement` and by tasks on the infer thread.
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


def center_crop(image: Uint8Image, size_wh: tuple[int, int]) -> Uint8Image:
    """The middle of a picture, as `transformers.image_transforms.center_crop` cuts it; black where it is too small."""
    height, width = image.shape[:2]
    crop_width, crop_height = size_wh
    pad_top, top = crop_margins(height, crop_height)
    pad_left, left = crop_margins(width, crop_width)
    if pad_top or pad_left or height < crop_height or width < crop_width:
        padded = np.zeros((max(height, crop_height), max(width, crop_width), *image.shape[2:]), np.uint8)
        padded[pad_top : pad_top + height, pad_left : pad_left + width] = image
        image = padded
    return image[top : top + crop_height, left : left + crop_width]


def crop_margins(length: int, crop_length: int) -> tuple[int, int]:
    """What `center_crop` adds before a side that is too short, and what it then cuts off, in pixels."""
    padding = -((length - max(length, crop_length)) // 2)
    return padding, max(0, (length - crop_length) // 2 + padding)


def place_on_grey(image: Uint8Image, left_top: tuple[int, int], size_wh: tuple[int, int], level: int) -> Uint8Image:
    """A picture uint8 (H, W, C) on a larger one of a single grey level."""
    (left, top), (width, height) = left_top, size_wh
    canvas = np.full((height, width, *image.shape[2:]), level, np.uint8)
    canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    return canvas


def to_tensor(image_bgr: Uint8Image, spec: InputSpec) -> NDArray[np.float32]:
    """The tensor float32 (1, C, H, W) of a BGR picture uint8 (H, W, 3) that has the model's size."""
    if spec.colour_order == "gray":
        planes = [cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)]
    else:
        planes = list(cv2.split(image_bgr))
        if spec.colour_order == "rgb":
            planes.reverse()
    tensor = np.empty((1, len(planes), *image_bgr.shape[:2]), np.float32)
    # A plane at a time stays in the cache; (levels * scale - mean) / std is one multiplication and one subtraction.
    for plane, levels, mean, std in zip(tensor[0], planes, spec.mean, spec.std, strict=True):
        np.multiply(levels, np.float32(spec.scale / std), out=plane)
        if mean:
            np.subtract(plane, np.float32(mean / std), out=plane)
    return tensor


def pad_with_zeros(tensor: NDArray[np.float32], size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """A tensor float32 (1, C, H, W) with zeros at the right and the bottom up to a width and height."""
    width, height = size_wh
    return np.pad(tensor, ((0, 0), (0, 0), (0, height - tensor.shape[2]), (0, width - tensor.shape[3])))
