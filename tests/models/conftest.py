"""Packages made by code: graphs of a node or two, and real transformers architectures with seeded weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.manifest import MODEL_NAME, InputSpec, Manifest, ParitySpec, SourceSpec, file_sha256, write_manifest

PARITY = ParitySpec(passed=True, inputs=4, batch_sizes=(1,), tolerance=1e-4, max_abs_difference={"logits": 0.0})


def brightness_graph(path: Path, *, channels: int = 1, metadata: dict[str, str] | None = None) -> None:
    """A graph over pictures of 2x2 whose logits are the mean and its negative: `bright` wins above zero."""
    signs = numpy_helper.from_array(np.array([[1.0, -1.0]], np.float32), "signs")
    axes = numpy_helper.from_array(np.array([1, 2, 3], np.int64), "axes")
    nodes = [
        helper.make_node("ReduceMean", ["pixel_values", "axes"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["mean"]),
        helper.make_node("Mul", ["mean", "signs"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", channels, 2, 2])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
        [signs, axes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, path)


@pytest.fixture
def make_package(tmp_path: Path) -> Callable[..., Path]:
    """A package folder around the brightness graph; keyword arguments replace fields of its manifest."""

    def make(folder: str = "brightness", **fields: Any) -> Path:
        path = tmp_path / folder
        path.mkdir()
        brightness_graph(path / MODEL_NAME)
        manifest: dict[str, Any] = {
            "name": folder,
            "task": "image_classification",
            "decoder": "softmax",
            # 0..255 becomes -1..1.
            "input": InputSpec(
                height=2, width=2, channels=1, colour_order="gray", resize="stretch", mean=(0.5,), std=(0.5,)
            ),
            "outputs": ("logits",),
            "class_names": ("bright", "dark"),
            "source": SourceSpec(id="tests"),
            "opset": 18,
            "sha256": file_sha256(path / MODEL_NAME),
            "parity": PARITY,
        }
        write_manifest(Manifest(**(manifest | fields)), path)
        return path

    return make
