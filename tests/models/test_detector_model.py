"""A detector as the frame loop sees it: any picture in, boxes of that picture out; second inputs are fed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models import Detections, load_model
from models.errors import ModelError
from models.manifest import MODEL_NAME, Manifest, file_sha256, read_manifest, write_manifest
from tests.models.conftest import PARITY

ROWS = [[8.0, 8, 24, 16, 0.9, 1], [0, 0, 32, 32, 0.6, 0], [0, 0, 16, 16, 0.4, 1]]


def detector_graph(path: Path, *, mask_shape: list[Any] | None = None, side: int | str = 32) -> None:
    """A graph that always finds the same rows; with a pixel mask, their scores are times the mask's mean."""
    nodes = [
        helper.make_node("Identity", ["rows"], ["output0" if mask_shape is None else "unmasked"]),
    ]
    inputs = [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, side, side])]
    if mask_shape is not None:
        nodes += [
            helper.make_node("Cast", ["pixel_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["mask"], ["share"], keepdims=0),
            helper.make_node("Mul", ["unmasked", "share"], ["output0"]),
        ]
        inputs.append(helper.make_tensor_value_info("pixel_mask", TensorProto.INT64, mask_shape))
    graph = helper.make_graph(
        nodes,
        "detector",
        inputs,
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, len(ROWS), 6])],
        [numpy_helper.from_array(np.array([ROWS], np.float32), "rows")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


@pytest.fixture
def make_detector(tmp_path: Path) -> Callable[..., Path]:
    """A package around the detector graph; keyword arguments go to the graph, and to the manifest's input."""

    def make(graph: dict[str, Any] | None = None, **input_fields: Any) -> Path:
        folder = tmp_path / "detector"
        folder.mkdir()
        detector_graph(folder / MODEL_NAME, **(graph or {}))
        manifest = Manifest.model_validate(
            {
                "name": "detector",
                "task": "object_detection",
                "decoder": "ultralytics_end_to_end",
                "input": {"height": 32, "width": 32, "resize": "letterbox_center", "antialias": False} | input_fields,
                "outputs": ("output0",),
                "class_names": ("gato", "león"),
                "source": {"id": "tests"},
                "opset": 18,
                "sha256": file_sha256(folder / MODEL_NAME),
                "parity": PARITY,
            }
        )
        write_manifest(manifest, folder)
        assert read_manifest(folder) == manifest
        return folder

    return make


def found(model_path: Path, size_wh: tuple[int, int], **options: Any) -> Detections:
    result = load_model(model_path, device="cpu", **options)(np.zeros((size_wh[1], size_wh[0], 3), np.uint8))
    assert isinstance(result, Detections)
    return result


@pytest.mark.parametrize(
    ("size_wh", "boxes"),
    [
        ((32, 32), [[8, 8, 24, 16], [0, 0, 32, 32]]),
        # 64x32 lies in rows 8 to 24, at half its size.
        ((64, 32), [[16, 0, 48, 16], [0, 0, 64, 32]]),
        ((1, 1), [[0.25, 0.25, 0.75, 0.5], [0, 0, 1, 1]]),
    ],
)
def test_boxes_are_those_of_the_picture(
    make_detector: Callable[..., Path], size_wh: tuple[int, int], boxes: list[list[float]]
) -> None:
    # What scores 0.4 is below the pipelines' threshold, which is the default.
    result = found(make_detector(), size_wh)
    assert result.boxes_xyxy.tolist() == boxes
    assert result.labels == ["león", "gato"]


@pytest.mark.parametrize(
    ("options", "scores"),
    [
        ({}, [0.9, 0.6]),
        ({"threshold": 0.0}, [0.9, 0.6, 0.4]),
        ({"threshold": 0.7}, [0.9]),
        ({"threshold": 0.0, "classes": ["león"]}, [0.9, 0.4]),
        ({"threshold": 0.0, "max_detections": 1}, [0.9]),
        ({"threshold": 0.95}, []),
    ],
)
def test_only_what_is_wanted_is_reported(
    make_detector: Callable[..., Path], options: dict[str, Any], scores: list[float]
) -> None:
    assert found(make_detector(), (32, 32), **options).scores.tolist() == pytest.approx(scores)


@pytest.mark.parametrize("mask_shape", [[1, 64, 64], ["batch", "height", "width"]])  # fixed, and as the picture is
def test_a_pixel_mask_says_that_all_is_picture(make_detector: Callable[..., Path], mask_shape: list[Any]) -> None:
    package = make_detector({"mask_shape": mask_shape}, pixel_mask="pixel_mask")
    assert found(package, (20, 30)).scores.tolist() == pytest.approx([0.9, 0.6])


def test_a_model_of_any_size_takes_the_picture_s(make_detector: Callable[..., Path]) -> None:
    free = {"resize": "shortest_longest_edge", "resize_shortest_edge": 32, "height": None, "width": None}
    # 64x48 becomes 42x32.
    result = found(make_detector({"side": "any"}, **free), (64, 48))
    np.testing.assert_allclose(result.boxes_xyxy[0], [8 * 64 / 42, 12, 24 * 64 / 42, 24], rtol=1e-6)


@pytest.mark.parametrize(
    ("graph", "fields", "message"),
    [
        ({}, {"pixel_mask": "mask"}, r"input.pixel_mask: 'mask' is none of the graph's inputs \(pixel_values\)"),
        (
            {},
            {"resize": "shortest_longest_edge", "resize_shortest_edge": 32, "height": None, "width": None},
            r"the manifest makes \(1, 3, 'any', 'any'\), the graph takes \('any', 3, 32, 32\)",
        ),
    ],
)
def test_a_manifest_that_does_not_fit_is_named(
    make_detector: Callable[..., Path], graph: dict[str, Any], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        load_model(make_detector(graph, **fields), device="cpu")
