"""Small models and real ones, for measuring."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from models.manifest import MODEL_NAME, InputSpec, Manifest, SourceSpec, file_sha256, write_manifest
from tests.models.conftest import PARITY, make_package
from tests.models.test_real_detectors import coco_truth, yolox_package

__all__ = ["coco_truth", "make_package"]


@pytest.fixture
def threshold_package(tmp_path: Path) -> Path:
    """A segmentation model over pictures of 4x4: `bright` where a pixel is above 127, else `dark`."""
    folder = tmp_path / "threshold"
    folder.mkdir()
    shape = [1, 1, 4, 4]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["pixel_values"], ["logits"])],
        "threshold",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), folder / MODEL_NAME)
    manifest = Manifest(
        name="threshold",
        task="semantic_segmentation",
        decoder="binary",
        input=InputSpec(height=4, width=4, channels=1, colour_order="gray", resize="stretch", mean=(0.5,), std=(0.5,)),
        outputs=("logits",),
        class_names=("dark", "bright"),
        source=SourceSpec(id="tests"),
        opset=18,
        sha256=file_sha256(folder / MODEL_NAME),
        parity=PARITY,
    )
    write_manifest(manifest, folder)
    return folder


@pytest.fixture
def save_picture(tmp_path: Path) -> Callable[[str, NDArray[np.uint8]], Path]:
    """Write a picture below the test's folder."""

    def save(name: str, image: NDArray[np.uint8]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), image)
        return path

    return save


@pytest.fixture
def yolox(test_data: Path, tmp_path: Path, coco_truth: tuple[tuple[str, ...], object]) -> Path:
    """The YOLOX package around the real weights."""
    return yolox_package(tmp_path / "yolox", test_data / "weights" / "yolox_nano.onnx", coco_truth[0])
