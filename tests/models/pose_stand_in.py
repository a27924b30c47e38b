"""Packages of a node or two that stand in for a detector and a pose model whose answers are known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.manifest import MODEL_NAME, Manifest, file_sha256, write_manifest
from tests.models.conftest import PARITY

KEYPOINTS = ("Nose", "L_Eye", "R_Eye")
SIDE = 64


def detector_package(
    folder: Path, rows: Sequence[Sequence[float]], class_names: Sequence[str] = ("dog", "person")
) -> Path:
    """Finds the same rows in every picture of 64x64: left, top, right, bottom, score, class."""
    return _package(
        folder,
        [helper.make_node("Identity", ["rows"], ["output0"])],
        ("output0", [1, len(rows), 6]),
        {"rows": np.array([rows], np.float32).reshape(1, -1, 6)},
        (SIDE, SIDE),
        {
            "task": "object_detection",
            "decoder": "ultralytics_end_to_end",
            "input": {"height": SIDE, "width": SIDE, "resize": "stretch", "antialias": False},
            "class_names": tuple(class_names),
        },
    )


def pose_package(folder: Path, size_hw: tuple[int, int] = (SIDE, 48), **fields: Any) -> Path:
    """Takes the reddest spot for the nose, the greenest for the left eye, the bluest for the right one.

    Its heatmaps are its input, so that a cell is a pixel of the cut. Keyword arguments replace fields of the manifest.
    """
    height, width = size_hw
    return _package(
        folder,
        [helper.make_node("Identity", ["pixel_values"], ["heatmaps"])],
        ("heatmaps", ["batch", 3, height, width]),
        {},
        size_hw,
        {
            "task": "keypoint_detection",
            "decoder": "heatmaps",
            "input": {
                "height": height,
                "width": width,
                "resize": "box_crop",
                "antialias": False,
                "dynamic_batch": True,
            },
            "class_names": KEYPOINTS,
            "skeleton": ((0, 1), (0, 2)),
        }
        | fields,
    )


def _package(
    folder: Path,
    nodes: list[Any],
    output: tuple[str, list[Any]],
    tensors: dict[str, Any],
    size_hw: tuple[int, int],
    fields: dict[str, Any],
) -> Path:
    folder.mkdir(parents=True)
    graph = helper.make_graph(
        nodes,
        "stand-in",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, *size_hw])],
        [helper.make_tensor_value_info(output[0], TensorProto.FLOAT, output[1])],
        [numpy_helper.from_array(array, name) for name, array in tensors.items()],
    )
    path = folder / MODEL_NAME
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    papers = {"name": folder.name, "outputs": (output[0],), "source": {"id": "tests"}, "opset": 18}
    write_manifest(Manifest.model_validate(papers | {"sha256": file_sha256(path), "parity": PARITY} | fields), folder)
    return folder
