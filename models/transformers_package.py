"""A manifest for a transformers ONNX folder, derived from what lies beside the model.

`config.json`, `preprocessor_config.json` and `onnx/model.onnx`: the layout that Optimum writes and the hub's ONNX
repositories use. Nothing of transformers is imported.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.errors import ModelError
from models.image_processors import input_spec
from models.manifest import Manifest, SourceSpec
from models.onnx_session import OnnxSession
from models.skeletons import skeleton_of

_MODEL_PATHS = ("onnx/model.onnx", "model.onnx", "onnx/vision_encoder.onnx", "vision_encoder.onnx")
"""SAM's encoder has a name of its own; its decoder lies beside it."""

# By the ending of an architecture's class name: the task, and the decoder by model type. Only what was compared with
# the transformers pipeline is here: the outputs of its neighbours are decoded otherwise.
_TASKS_BY_HEAD: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "ForImageClassification": ("image_classification", defaultdict(lambda: "softmax")),
    "ForObjectDetection": (
        "object_detection",
        {
            "detr": "detr_softmax",
            "table-transformer": "detr_softmax",
            "yolos": "detr_softmax",
            "d_fine": "sigmoid_topk",
            "rt_detr": "sigmoid_topk",
            "rt_detr_v2": "sigmoid_topk",
        },
    ),
    "ForSemanticSegmentation": (
        "semantic_segmentation",
        dict.fromkeys(("dpt", "mobilevit", "segformer"), "argmax"),
    ),
    "ForSegmentation": ("instance_segmentation", {"detr": "query_masks"}),
    "ForInstanceSegmentation": ("instance_segmentation", {"maskformer": "query_masks"}),
    "ForPoseEstimation": ("keypoint_detection", {"vitpose": "heatmaps"}),
    "ForDepthEstimation": (
        "depth_estimation",
        {"depth_anything": "inverse_depth", "dpt": "inverse_depth", "glpn": "metric_depth"},
    ),
    "SamModel": ("prompted_segmentation", {"sam": "sam"}),
}
_FIRST_OUTPUTS = ("logits", "predicted_depth")

# Depths have no classes, nor has what somebody points at; a manifest names what the output is.
_OF_NO_CLASS = {"depth_estimation": ("depth",), "prompted_segmentation": ("object",)}


def is_transformers_folder(folder: Path) -> bool:
    """Whether a folder has a transformers configuration and an ONNX model in one of the two usual places."""
    return (folder / "config.json").is_file() and any((folder / path).is_file() for path in _MODEL_PATHS)


def read_transformers_folder(folder: Path) -> tuple[Manifest, Path]:
    """The manifest that a transformers ONNX folder amounts to, and its model's path.

    Raises:
        ModelError: a file is missing or unreadable, or the architecture answers no task that Mirilla has.
    """
    model_path = next(folder / path for path in _MODEL_PATHS if (folder / path).is_file())
    config = _read_json(folder / "config.json")
    preprocessor = _read_json(folder / "preprocessor_config.json")
    task, decoder = _task_of(folder, config)
    session = OnnxSession(model_path, device="cpu", graph_optimization="disabled")
    names = _OF_NO_CLASS.get(task) or _class_names(config)
    try:
        return Manifest(
            name=folder.name,
            task=task,
            decoder=decoder,
            input=input_spec(session, preprocessor),
            outputs=tuple(
                sorted((output.name for output in session.outputs), key=lambda name: name not in _FIRST_OUTPUTS)
            ),
            class_names=names,
            skeleton=skeleton_of(config.get("edges"), names) if task == "keypoint_detection" else (),
            source=SourceSpec(id=str(config.get("_name_or_path") or folder.name)),
            opset=0,
        ), model_path
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise ModelError(f"{folder}: config.json and preprocessor_config.json do not fit: {reason}") from error


def _task_of(folder: Path, config: dict[str, Any]) -> tuple[str, str]:
    architectures = config.get("architectures") or []
    model_type = str(config.get("model_type"))
    for head, (task, decoders) in _TASKS_BY_HEAD.items():
        if not any(architecture.endswith(head) for architecture in architectures):
            continue
        if model_type == "depth_anything" and config.get("depth_estimation_type") == "metric":
            # Trained for one or the other under one model type.
            return task, "metric_depth"
        try:
            return task, decoders[model_type]
        except KeyError as error:
            raise ModelError(
                f"{folder}: config.json: model_type: {model_type!r} is none of those verified for {task} "
                f"({', '.join(sorted(decoders))}); give such a model"
            ) from error
    heads = ", ".join(f"...{head}" for head in _TASKS_BY_HEAD)
    raise ModelError(f"{folder}: config.json: architectures: {architectures} is none of {heads}; give such a model")


def _class_names(config: dict[str, Any]) -> tuple[str, ...]:
    labels = {int(index): str(name) for index, name in config.get("id2label", {}).items()}
    # An id without a name still has its column in the logits.
    return tuple(labels.get(index, f"LABEL_{index}") for index in range(max(labels, default=-1) + 1))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: missing or no JSON ({error}); copy the whole folder again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: expected a JSON object; copy the whole folder again")
    return content
