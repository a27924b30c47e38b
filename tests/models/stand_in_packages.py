"""Packages of a node or two that stand in for networks whose answers are known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
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
        {"output0": np.array([rows], np.float32).reshape(1, -1, 6)},
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
        {"heatmaps": ["batch", 3, height, width]},
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


def query_mask_package(folder: Path, rows: Sequence[tuple[float, int, NDArray[np.bool_]]]) -> Path:
    """Finds the same objects in every picture: the score, the class (0 dog, 1 person) and the mask (h, w) of each."""
    probabilities = np.full((1, len(rows), 3), 1e-6, np.float32)
    for row, (score, class_id, _) in enumerate(rows):
        probabilities[0, row, [class_id, 2]] = score, 1 - score
    masks = np.array([[np.where(mask, 8.0, -8.0) for *_, mask in rows]], np.float32)
    return _package(
        folder,
        {"logits": np.log(probabilities), "pred_masks": masks},
        (SIDE, SIDE),
        {
            "task": "instance_segmentation",
            "decoder": "query_masks",
            "input": {"height": SIDE, "width": SIDE, "resize": "stretch", "antialias": False},
            "class_names": ("dog", "person"),
        },
    )


def segmenter_package(folder: Path, class_map: NDArray[np.int64], class_names: Sequence[str]) -> Path:
    """Finds the same map of classes (h, w) in every picture."""
    logits = np.stack([np.where(class_map == class_id, 8.0, -8.0) for class_id in range(len(class_names))])
    return _package(
        folder,
        {"logits": logits[None].astype(np.float32)},
        (SIDE, SIDE),
        {
            "task": "semantic_segmentation",
            "decoder": "argmax",
            "input": {"height": SIDE, "width": SIDE, "resize": "stretch", "antialias": False},
            "class_names": tuple(class_names),
        },
    )


def _package(folder: Path, outputs: dict[str, Any], size_hw: tuple[int, int], fields: dict[str, Any]) -> Path:
    """A graph whose outputs are given arrays, or its input, of a given shape."""
    folder.mkdir(parents=True)
    shapes = {name: given.shape if isinstance(given, np.ndarray) else given for name, given in outputs.items()}
    sources = {
        name: f"{name}_given" if isinstance(given, np.ndarray) else "pixel_values" for name, given in outputs.items()
    }
    graph = helper.make_graph(
        [helper.make_node("Identity", [source], [name]) for name, source in sources.items()],
        "stand-in",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, *size_hw])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [
            numpy_helper.from_array(outputs[name], source)
            for name, source in sources.items()
            if source != "pixel_values"
        ],
    )
    path = folder / MODEL_NAME
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    papers = {"name": folder.name, "outputs": tuple(outputs), "source": {"id": "tests"}, "opset": 18}
    write_manifest(Manifest.model_validate(papers | {"sha256": file_sha256(path), "parity": PARITY} | fields), folder)
    return folder
