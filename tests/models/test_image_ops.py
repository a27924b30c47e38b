"""Geometry and levels, against transformers' own functions and hand-worked numbers."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from transformers import image_transforms

from models import image_ops
from models.manifest import InputSpec


def noise(height: int, width: int) -> image_ops.Uint8Image:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("size_wh", "crop_wh"),
    [
        ((40, 30), (20, 20)),
        ((41, 31), (20, 20)),  # odd remainder
        ((10, 30), (20, 20)),  # too narrow: black beside it
        ((11, 9), (20, 21)),  # too small on both sides, odd
        ((20, 20), (20, 20)),
        ((1, 1), (3, 2)),
    ],
)
def test_center_crop_is_that_of_transformers(size_wh: tuple[int, int], crop_wh: tuple[int, int]) -> None:
    image = noise(size_wh[1], size_wh[0])
    expected = image_transforms.center_crop(image, (crop_wh[1], crop_wh[0]), input_data_format="channels_last")
    np.testing.assert_array_equal(image_ops.center_crop(image, crop_wh), expected)


def test_an_antialiased_resize_is_pillow_s() -> None:
    image = noise(50, 70)
    expected = np.asarray(Image.fromarray(image).resize((20, 10), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(image_ops.resize(image, (20, 10), resample="bilinear", antialias=True), expected)


def test_a_plain_resize_does_not_look_beyond_the_nearest_neighbours() -> None:
    # Nine rows, one bright: a shrink to three rows without a wider filter looks only at rows 1, 4 and 7.
    image = np.zeros((9, 9, 3), np.uint8)
    image[3] = 255
    plain = image_ops.resize(image, (3, 3), resample="bilinear", antialias=False)
    wide = image_ops.resize(image, (3, 3), resample="bilinear", antialias=True)
    assert plain.max() == 0
    assert wide.max() > 0


def test_levels_become_a_normalised_tensor_in_the_order_of_the_model() -> None:
    spec = InputSpec(height=1, width=2, resize="stretch", mean=(0.5, 0.0, 0.25), std=(0.5, 1.0, 0.25))
    # Blue, green, red: red 0 and 255, green 0 and 51, blue 0 and 255.
    image = np.array([[[0, 0, 0], [255, 51, 255]]], np.uint8)
    tensor = image_ops.to_tensor(image, spec)
    assert tensor.dtype == np.float32
    np.testing.assert_allclose(tensor, [[[[-1.0, 1.0]], [[0.0, 0.2]], [[-1.0, 3.0]]]], atol=1e-6)


@pytest.mark.parametrize(
    ("order", "expected"), [("rgb", [3, 2, 1]), ("bgr", [1, 2, 3]), ("gray", [0.114 * 1 + 0.587 * 2 + 0.299 * 3])]
)
def test_colour_order(order: str, expected: list[float]) -> None:
    ones = (1.0,) * len(expected)
    spec = InputSpec.model_validate(
        {
            "height": 1,
            "width": 1,
            "channels": len(expected),
            "colour_order": order,
            "resize": "stretch",
            "scale": 1.0,
            "mean": (0.0,) * len(expected),
            "std": ones,
        }
    )
    np.testing.assert_allclose(image_ops.to_tensor(np.array([[[1, 2, 3]]], np.uint8), spec).ravel(), expected, atol=0.5)
