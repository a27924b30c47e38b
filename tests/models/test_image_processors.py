"""What a saved image processor of transformers says, read without transformers, makes the same tensor to the pixel."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from models.image_processors import input_spec
from models.onnx_session import OnnxSession, TensorSpec
from models.placement import fit

transformers: Any = importlib.import_module("transformers")
# A graph that takes any size: what is made is the processor's affair alone.
ANY_SIZE = cast(
    "OnnxSession", SimpleNamespace(inputs=(TensorSpec("pixel_values", (None, None, None, None), "float32"),))
)


def noise(width: int, height: int) -> NDArray[np.uint8]:
    """Blocks of random colours, which every filter and every shift of a pixel changes."""
    blocks = np.random.default_rng(4).integers(0, 256, (height // 3 + 1, width // 3 + 1, 3), np.uint8)
    return np.ascontiguousarray(np.kron(blocks, np.ones((3, 3, 1), np.uint8))[:height, :width])


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("DPTImageProcessor", {"size": {"height": 96, "width": 96}}),
        # As DPT's first checkpoints are used: sides of the picture's shape, in whole patches.
        (
            "DPTImageProcessor",
            {"size": {"height": 96, "width": 128}, "keep_aspect_ratio": True, "ensure_multiple_of": 32, "resample": 2},
        ),
        # Stretched, but rounded to patches all the same.
        ("DPTImageProcessor", {"size": {"height": 100, "width": 90}, "ensure_multiple_of": 32}),
        # As Depth Anything.
        (
            "DPTImageProcessor",
            {
                "size": {"height": 126, "width": 126},
                "keep_aspect_ratio": True,
                "ensure_multiple_of": 14,
                "image_mean": [0.485, 0.456, 0.406],
                "image_std": [0.229, 0.224, 0.225],
            },
        ),
        ("DPTImageProcessor", {"size": {"height": 64, "width": 64}, "do_normalize": False, "do_rescale": False}),
        ("GLPNImageProcessor", {}),
        ("GLPNImageProcessor", {"size_divisor": 20, "resample": 3}),
        ("GLPNImageProcessor", {"do_rescale": False}),
        ("CLIPImageProcessor", {"size": {"shortest_edge": 56}, "crop_size": {"height": 48, "width": 48}}),
        ("CLIPImageProcessor", {"size": {"shortest_edge": 40}, "do_center_crop": True, "crop_size": 40}),
        ("SiglipImageProcessor", {"size": {"height": 48, "width": 56}}),
        ("SiglipImageProcessor", {"size": {"height": 48, "width": 48}, "resample": 2, "image_mean": [0.1, 0.2, 0.3]}),
    ],
)
@pytest.mark.parametrize("frame_wh", [(160, 90), (90, 161), (64, 64), (333, 100)])
def test_a_picture_becomes_the_processors_tensor(
    kind: str, settings: dict[str, Any], frame_wh: tuple[int, int]
) -> None:
    processor = getattr(transformers, kind)(**settings)
    image = noise(*frame_wh)
    expected = processor(images=image, return_tensors="np")["pixel_values"]
    tensor, _ = fit(np.ascontiguousarray(image[..., ::-1]), input_spec(ANY_SIZE, processor.to_dict()))
    assert tensor.shape == expected.shape
    # A rounding error of levels 0..255, scaled as they are.
    np.testing.assert_allclose(tensor, expected, atol=1e-4 if processor.do_rescale else 1e-2)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("DPTImageProcessor", {"do_pad": True, "size_divisor": 14}, "do_pad: true is not supported"),
        ("DPTImageProcessor", {"do_resize": False}, "do_resize: false is not supported"),
        ("GLPNImageProcessor", {"do_resize": False}, "do_resize: false is not supported"),
    ],
)
def test_what_cannot_be_followed_to_the_pixel_is_refused(kind: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        input_spec(ANY_SIZE, getattr(transformers, kind)(**settings).to_dict())
