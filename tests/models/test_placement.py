"""Fitting a picture in, and finding back: against transformers and torch, and hand-worked letterboxes."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import GLPNImageProcessor, image_transforms
from transformers.models.detr import image_processing_detr
from transformers.models.dpt import image_processing_dpt
from transformers.models.yolos import image_processing_yolos

from models.manifest import InputSpec
from models.placement import (
    Placement,
    aspect_multiple_size,
    cut_to_multiple_size,
    fit,
    longest_edge_size,
    shortest_edge_size,
    shortest_longest_edge_size,
)
from models.prompted_model import spread

# SAM's processors are untyped.
tf: Any = importlib.import_module("transformers")
sides = st.integers(16, 3000)


def spec(**fields: Any) -> InputSpec:
    return InputSpec.model_validate(
        {"height": 64, "width": 96, "resize": "stretch", "scale": 1.0, "antialias": False} | fields
    )


def grey_steps(width: int, height: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    levels = np.linspace(0, 250, width * height).reshape(height, width, 1)
    return np.repeat(levels, 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("size_wh", [(640, 480), (480, 640), (333, 100), (100, 100), (7, 1000)])
def test_shortest_edge_size_is_that_of_transformers(size_wh: tuple[int, int]) -> None:
    image = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    height, width = image_transforms.get_resize_output_image_size(
        image, 256, default_to_square=False, input_data_format="channels_last"
    )
    assert shortest_edge_size(size_wh, 256) == (width, height)


@given(sides, sides)
def test_shortest_and_longest_edge_are_those_of_detr(width: int, height: int) -> None:
    expected = image_processing_detr.get_size_with_aspect_ratio((height, width), 800, 1333)
    assert shortest_longest_edge_size((width, height), 800, 1333, 1) == expected[::-1]


@given(st.integers(200, 3000), st.integers(200, 3000))
def test_multiples_are_those_of_yolos(width: int, height: int) -> None:
    expected = image_processing_yolos.get_size_with_aspect_ratio((height, width), 512, 1333)
    assert shortest_longest_edge_size((width, height), 512, 1333, 16) == tuple(int(side) for side in expected[::-1])


# As DPT, as DPT's first checkpoints, as Depth Anything.
@pytest.mark.parametrize(("within_hw", "multiple"), [((384, 512), 1), ((384, 384), 32), ((518, 518), 14)])
@given(width=sides, height=sides)
def test_kept_aspect_is_that_of_dpt(within_hw: tuple[int, int], multiple: int, width: int, height: int) -> None:
    image = np.broadcast_to(np.uint8(0), (height, width, 3))
    expected = image_processing_dpt.get_resize_output_image_size(
        image, within_hw, keep_aspect_ratio=True, multiple=multiple, input_data_format="channels_last"
    )
    # Of a picture so narrow that transformers leaves nothing of it, one multiple remains.
    expected = (max(multiple, expected[0]), max(multiple, expected[1]))
    assert aspect_multiple_size((width, height), within_hw, multiple) == expected[::-1]


@pytest.mark.parametrize("size_wh", [(640, 480), (1280, 720), (97, 171), (33, 32), (1920, 1080)])
@pytest.mark.parametrize("multiple", [32, 7])
def test_what_is_cut_is_what_glpn_cuts(size_wh: tuple[int, int], multiple: int) -> None:
    image = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    made = GLPNImageProcessor(size_divisor=multiple)(images=image, return_tensors="np")
    assert cut_to_multiple_size(size_wh, multiple) == made["pixel_values"].shape[:1:-1]


def test_what_is_smaller_than_a_multiple_becomes_one() -> None:
    assert cut_to_multiple_size((31, 1), 32) == (32, 32)


def sam_processor(side_px: int) -> Any:
    size = {"height": side_px, "width": side_px}
    return tf.SamImageProcessor(size={"longest_edge": side_px}, pad_size=size)


def sam_spec(side_px: int) -> InputSpec:
    processor = sam_processor(side_px)
    return InputSpec(
        height=side_px,
        width=side_px,
        resize="longest_edge_pad",
        resize_longest_edge=side_px,
        mean=processor.image_mean,
        std=processor.image_std,
    )


@given(sides, sides)
def test_the_longest_edge_is_that_of_sam(width: int, height: int) -> None:
    expected = sam_processor(1024)._get_preprocess_shape((height, width), longest_edge=1024)
    assert longest_edge_size((width, height), 1024) == expected[::-1]


def test_a_side_of_sams_input_has_a_pixel_at_least() -> None:
    assert longest_edge_size((3000, 1), 1024) == (1024, 1)


SAM_SIZES = pytest.mark.parametrize("frame_wh", [(640, 480), (97, 211), (255, 256), (1, 1), (300, 17)])


@SAM_SIZES
def test_sams_input_is_that_of_transformers(frame_wh: tuple[int, int]) -> None:
    image = np.random.default_rng(4).integers(0, 256, (*frame_wh[::-1], 3), dtype=np.uint8)
    made = sam_processor(256)(image[..., ::-1], return_tensors="np", input_data_format="channels_last")
    tensor, placement = fit(image, sam_spec(256))
    np.testing.assert_allclose(tensor, made["pixel_values"], atol=1e-5)
    assert [*placement.resized_wh[::-1]] == made["reshaped_input_sizes"][0].tolist()


@SAM_SIZES
def test_sams_masks_and_points_go_the_way_of_transformers(frame_wh: tuple[int, int]) -> None:
    size_hw = frame_wh[::-1]
    _, placement = fit(np.zeros((*size_hw, 3), np.uint8), sam_spec(256))
    logits = np.random.default_rng(5).normal(size=(64, 64)).astype(np.float32)
    expected = sam_processor(256).post_process_masks(
        torch.from_numpy(logits)[None, None, None], [size_hw], [placement.resized_wh[::-1]], binarize=False
    )
    np.testing.assert_allclose(spread(logits, placement), expected[0][0, 0].numpy(), atol=1e-4)
    points = np.array([[0, 0], [frame_wh[0] - 1, frame_wh[1] / 3]])
    scaled = tf.SamProcessor(sam_processor(256))._normalize_coordinates(256, points, size_hw)
    np.testing.assert_allclose(placement.points_to_tensor(points), scaled, rtol=1e-6)


@pytest.mark.parametrize(
    ("frame_wh", "rule", "resized_wh", "offset_xy"),
    [
        # 1280x720 in 640x640: half the size, 280 rows of grey shared by top and bottom.
        ((1280, 720), "letterbox_center", (640, 360), (0, 140)),
        # 810x1080: 480x640, 160 columns shared.
        ((810, 1080), "letterbox_center", (480, 640), (80, 0)),
        # 1000x333: 640x213 (213.12), 427 rows of grey: the odd one below.
        ((1000, 333), "letterbox_center", (640, 213), (0, 213)),
        # 100x100: enlarged.
        ((100, 100), "letterbox_center", (640, 640), (0, 0)),
        # One row: 640x1, not none.
        ((2000, 1), "letterbox_center", (640, 1), (0, 319)),
        # 1000x334: 213.76 is cut, and all grey is below.
        ((1000, 334), "letterbox_top_left", (640, 213), (0, 0)),
        ((1, 2000), "letterbox_top_left", (1, 640), (0, 0)),
    ],
)
def test_letterboxes(
    frame_wh: tuple[int, int], rule: str, resized_wh: tuple[int, int], offset_xy: tuple[int, int]
) -> None:
    white = np.full((frame_wh[1], frame_wh[0], 3), 255, np.uint8)
    tensor, placement = fit(white, spec(height=640, width=640, resize=rule))
    assert placement == Placement(frame_wh, (640, 640), resized_wh, offset_xy)
    expected = np.full((640, 640), 114, np.float32)
    left, top = offset_xy
    expected[top : top + resized_wh[1], left : left + resized_wh[0]] = 255
    for plane in tensor[0]:
        np.testing.assert_array_equal(plane, expected)


@pytest.mark.parametrize(
    "fields",
    [
        {"resize": "stretch"},
        {"resize": "letterbox_center"},
        {"resize": "letterbox_top_left"},
        {"resize": "shortest_edge_center_crop", "resize_shortest_edge": 100},
        {"resize": "shortest_edge_center_crop", "resize_shortest_edge": 40},  # smaller than the crop: black around it
        {
            "resize": "shortest_longest_edge",
            "resize_shortest_edge": 80,
            "resize_longest_edge": 110,
            "size_multiple": 16,
        },
        {"resize": "aspect_multiple", "resize_within": (64, 96), "size_multiple": 32},
        {"resize": "cut_to_multiple", "size_multiple": 32},
    ],
)
@pytest.mark.parametrize("frame_wh", [(320, 200), (201, 333), (64, 64), (1, 1)])
def test_what_lies_in_the_tensor_is_found_in_the_picture(fields: dict[str, Any], frame_wh: tuple[int, int]) -> None:
    free = fields["resize"] in ("shortest_longest_edge", "aspect_multiple", "cut_to_multiple")
    size = {"height": None, "width": None} if free else {}
    image = grey_steps(*frame_wh)
    tensor, placement = fit(image, spec(**fields, **size))
    assert tensor.shape == (1, 3, *placement.input_wh[::-1])

    # A box around the whole tensor comes back as the part of the picture that the tensor shows.
    rows, columns = placement.frame_part()
    whole = np.array([[0, 0, *placement.input_wh]], np.float32)
    part = [columns.start, rows.start, columns.stop, rows.stop]
    np.testing.assert_allclose(placement.boxes_to_frame(whole)[0], part, atol=0.51)
    # The tensor itself, sampled at the picture's pixels, is the picture, but for what resizing blurs.
    found = placement.sample(tensor[0, 0], (rows, columns))
    assert found.shape == image[rows, columns, 0].shape
    if min(frame_wh) > 1:
        assert np.abs(found - image[rows, columns, 0])[2:-2, 2:-2].max() < 8


def test_boxes_are_clipped_to_the_picture() -> None:
    placement = Placement((1280, 720), (640, 640), (640, 360), (0, 140))
    boxes = np.array([[10, 150, 20, 160], [-5, 100, 700, 600], [0, 0, 50, 100]], np.float32)
    np.testing.assert_array_equal(
        placement.boxes_to_frame(boxes), [[20, 20, 40, 40], [0, 0, 1280, 720], [0, 0, 100, 0]]
    )
    assert placement.boxes_to_frame(np.empty((0, 4), np.float32)).shape == (0, 4)


@pytest.mark.parametrize("frame_wh", [(130, 97), (12, 9), (1, 1), (24, 400)])
def test_maps_are_enlarged_as_torch_does(frame_wh: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).normal(size=(18, 24)).astype(np.float32)
    width, height = frame_wh
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(plane)[None, None], size=(height, width), mode="bilinear", align_corners=False
    )[0, 0].numpy()
    stretched = Placement(frame_wh, (96, 72), (96, 72))
    np.testing.assert_allclose(stretched.sample(plane, (slice(0, height), slice(0, width))), expected, atol=1e-5)
    # A part of it is the same, within the 1/32 of a pixel that OpenCV's warps are exact to.
    part = (slice(height // 3, height), slice(width // 4, width))
    np.testing.assert_allclose(stretched.sample(plane, part), expected[part], atol=0.15)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"height": None}, "resize 'stretch' needs a height and a width, got None and 96"),
        ({"resize": "shortest_longest_edge"}, "needs a resize_shortest_edge"),
        ({"resize": "aspect_multiple"}, "needs a resize_within"),
        ({"resize": "longest_edge_pad"}, "needs a resize_longest_edge that fits height and width"),
        ({"resize": "longest_edge_pad", "resize_longest_edge": 65}, "needs a resize_longest_edge that fits"),
    ],
)
def test_an_input_says_what_its_rule_needs(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spec(**fields)
