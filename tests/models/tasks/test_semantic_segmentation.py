"""Logits become a class for every pixel of the picture, as interpolating all of them and taking the best would say."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.errors import ModelError
from models.manifest import Manifest
from models.placement import Placement
from models.results import UNLABELLED, ResultFilter, SegmentationMap
from models.tasks import find_task


def segment(
    logits: Any, placement: Placement, decoder: str = "argmax", class_names: tuple[str, ...] | None = None
) -> SegmentationMap:
    batch = np.asarray(logits, np.float32)[None]
    manifest = Manifest.model_validate(
        {
            "name": "hand-written",
            "task": "semantic_segmentation",
            "decoder": decoder,
            "input": {"height": placement.input_wh[1], "width": placement.input_wh[0], "resize": "stretch"},
            "outputs": ("logits",),
            "class_names": class_names or tuple(f"class {number}" for number in range(batch.shape[1])),
            "source": {"id": "tests"},
            "opset": 18,
        }
    )
    result = find_task(manifest).make(manifest, ResultFilter()).postprocess({"logits": batch}, placement)
    assert isinstance(result, SegmentationMap)
    return result


def stretched(width: int, height: int) -> Placement:
    return Placement((width, height), (64, 64), (64, 64))


def smooth_logits(class_count: int, side: int) -> NDArray[np.float32]:
    """Like a real model's: regions of some classes with soft borders, most classes far below."""
    coarse = torch.randn(1, class_count, 6, 6, generator=torch.Generator().manual_seed(3))
    levels = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic")[0] * 4
    return np.asarray(levels.numpy(), np.float32)


@pytest.mark.parametrize(
    "logits",
    [
        smooth_logits(150, 32),
        # Every class can win everywhere.
        np.random.default_rng(0).normal(size=(40, 9, 13)).astype(np.float32),
        # A class that is second at every corner wins in the middle of a cell.
        np.array([[[9, -9], [9, -9]], [[-9, 9], [-9, 9]], [[4, 4], [4, 4]]], np.float32),
        np.zeros((3, 1, 1), np.float32),
        np.random.default_rng(1).normal(size=(5, 1, 7)).astype(np.float32),
    ],
)
@pytest.mark.parametrize(("width", "height"), [(321, 183), (90, 160), (5, 4), (1, 1)])
def test_each_pixel_has_the_class_of_its_greatest_interpolated_logit(
    logits: NDArray[np.float32], width: int, height: int
) -> None:
    found = segment(logits, stretched(width, height)).class_map
    everything = torch.nn.functional.interpolate(
        torch.from_numpy(logits)[None], size=(height, width), mode="bilinear", align_corners=False
    )[0]
    # Where two are the same to within rounding, either is right.
    chosen = everything.gather(0, torch.from_numpy(found.astype(np.int64))[None])[0]
    assert (everything.max(dim=0).values - chosen).max() < 1e-4
    assert (everything.argmax(dim=0).numpy() == found).mean() > 0.995


def test_not_all_classes_are_enlarged_at_once() -> None:
    logits = smooth_logits(150, 32)
    tracemalloc.start()
    segment(logits, stretched(640, 360))
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 0.15 * 150 * 640 * 360 * 4


def test_one_logit_is_yes_or_no() -> None:
    # Above zero on the right half.
    logits = np.full((1, 8, 8), -2.0)
    logits[:, :, 4:] = 2.0
    result = segment(logits, stretched(16, 4), "binary", ("background", "lesion"))
    np.testing.assert_array_equal(result.class_map, [[0] * 8 + [1] * 8] * 4)
    assert result.to_dict()["segments"] == [
        {"label": "background", "area": 0.5},
        {"label": "lesion", "area": 0.5},
    ]


def test_the_margins_of_a_letterbox_are_left_out_and_the_rest_of_a_crop_is_unlabelled() -> None:
    logits = np.full((2, 64, 64), -1.0)
    logits[0] = 0.0
    logits[1, :, :32] = 1.0  # the left half of the input
    # 128x64 lies at half its size in rows 16 to 48.
    letterboxed = segment(logits, Placement((128, 64), (64, 64), (64, 32), (0, 16)))
    np.testing.assert_array_equal(letterboxed.class_map, [[1] * 64 + [0] * 64] * 64)
    # Of 256x128, shrunk to 128x64, the middle is seen.
    cropped = segment(logits, Placement((256, 128), (64, 64), (128, 64), (-32, 0)))
    row = [UNLABELLED] * 64 + [1] * 64 + [0] * 64 + [UNLABELLED] * 64
    np.testing.assert_array_equal(cropped.class_map, [row] * 128)


def test_logits_that_are_no_numbers_win_nothing() -> None:
    logits = np.zeros((3, 4, 4))
    logits[2] = 1.0
    logits[1] = np.nan
    np.testing.assert_array_equal(segment(logits, stretched(8, 8)).class_map, np.full((8, 8), 2))


def test_a_logit_that_is_no_number_takes_none_of_its_neighbours_along() -> None:
    logits = np.zeros((2, 4, 4))
    logits[1] = 1.0
    # So that the first class is looked at; then a pixel of it is unknown, and those around it stay the second's.
    logits[0, 0, 0] = 2.0
    logits[0, 2, 2] = np.nan
    # Three to a side: every third pixel of the picture lies on one of the map, where its neighbours weigh nothing.
    found = segment(logits, stretched(12, 12)).class_map
    np.testing.assert_array_equal(found[4:, 4:], np.ones((8, 8)))


@pytest.mark.parametrize(
    ("logits", "decoder", "class_names", "message"),
    [
        (
            np.zeros((3, 4, 4)),
            "argmax",
            ("a", "b"),
            r"argmax with 2 class names expects \(1, 2, H, W\), got \(1, 3, 4, 4\)",
        ),
        (np.zeros((2, 4, 4)), "binary", ("a", "b"), r"binary with 2 class names expects \(1, 1, H, W\)"),
        (np.zeros((1, 4, 4)), "binary", ("a", "b", "c"), "class_names: binary takes 2, got 3"),
        (np.zeros(2), "argmax", ("a", "b"), r"got \(1, 2\)"),
    ],
)
def test_logits_that_do_not_fit_are_said(
    logits: NDArray[np.float64], decoder: str, class_names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        segment(logits, stretched(8, 8), decoder, class_names)
