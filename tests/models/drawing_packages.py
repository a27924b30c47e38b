"""Packages that stand in for the ink segmenter and the sketch classifier: dark is ink, strokes are tall or wide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from models.manifest import MODEL_NAME, Manifest, file_sha256, write_manifest
from models.sketch_raster import SIDE_PX
from tests.models.conftest import PARITY

Axes = list[int | str]


def ink_package(folder: Path, *, names: Sequence[str] = ("paper", "ink"), size: int | None = None) -> Path:
    """What is darker than half is ink; of any input size, or of one only."""
    nodes = [
        helper.make_node("ReduceMean", ["pixel_values", "channels"], ["level"], keepdims=1),
        helper.make_node("Sub", ["half", "level"], ["logits"]),
    ]
    constants: dict[str, np.ndarray[Any, Any]] = {
        "half": np.array(0.5, np.float32),
        "channels": np.array([1], np.int64),
    }
    axes: Axes = ["batch", 3, size or "height", size or "width"]
    fields = {
        "task": "semantic_segmentation",
        "decoder": "binary",
        "input": {"height": size or 64, "width": size or 64, "resize": "stretch", "dynamic_batch": True},
        "class_names": tuple(names),
    }
    return _package(folder, nodes, constants, axes, ["batch", 1, *axes[2:]], fields)


def stroke_package(folder: Path) -> Path:
    """Names a drawing after the pixels on its middle column (`tall`) and its middle row (`wide`)."""
    weights = np.zeros((SIDE_PX, SIDE_PX, 2), np.float32)
    weights[:, SIDE_PX // 2 - 2 : SIDE_PX // 2 + 2, 0] = 0.1
    weights[SIDE_PX // 2 - 2 : SIDE_PX // 2 + 2, :, 1] = 0.1
    nodes = [
        helper.make_node("Flatten", ["pixel_values"], ["row"]),
        helper.make_node("MatMul", ["row", "weights"], ["logits"]),
    ]
    spec = {"height": SIDE_PX, "width": SIDE_PX, "channels": 1, "colour_order": "gray", "resize": "ink_crop"}
    fields = {
        "task": "sketch_classification",
        "decoder": "softmax",
        "input": {**spec, "mean": (0.0,), "std": (1.0,), "dynamic_batch": True},
        "class_names": ("tall", "wide"),
    }
    constants = {"weights": weights.reshape(-1, 2)}
    return _package(folder, nodes, constants, ["batch", 1, SIDE_PX, SIDE_PX], ["batch", 2], fields)


def _package(
    folder: Path,
    nodes: Sequence[NodeProto],
    constants: dict[str, np.ndarray[Any, Any]],
    takes: Axes,
    gives: Axes,
    fields: dict[str, Any],
) -> Path:
    folder.mkdir(parents=True)
    graph = helper.make_graph(
        list(nodes),
        "stand-in",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, takes)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, gives)],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    path = folder / MODEL_NAME
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    papers = {"name": folder.name, "outputs": ("logits",), "source": {"id": "tests"}, "opset": 18}
    write_manifest(Manifest.model_validate(papers | {"sha256": file_sha256(path), "parity": PARITY} | fields), folder)
    return folder
