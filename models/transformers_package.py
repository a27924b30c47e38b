"""A manifest for a transformers ONNX folder, derived from what lies beside the model.

`config.json`, `preprocessor_config.json` and `onnx/model.onnx`: the layout that Optimum writes and the hub's ONNX
repositories use. Nothing of transformers is imported.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.errors import ModelError
from models.manifest import InputSpec, Manifest, SourceSpec
from models.onnx_session import OnnxSession

_MODEL_PATHS = ("onnx/model.onnx", "model.onnx")
_TASKS_BY_HEAD = {"ForImageClassification": ("image_classification", "softmax")}
# The numbers of PIL.Image.Resampling, as preprocessor_config.json stores them.
_RESAMPLE = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "area"}
_CONVNEXT_STRETCHES_FROM_PX = 384


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
    labels = {int(index): str(name) for index, name in config.get("id2label", {}).items()}
    try:
        return Manifest(
            name=folder.name,
            task=task,
            decoder=decoder,
            input=_input_spec(session, preprocessor),
            outputs=tuple(output.name for output in session.outputs),
            class_names=tuple(labels[index] for index in sorted(labels)),
            source=SourceSpec(id=str(config.get("_name_or_path") or folder.name)),
            opset=0,
        ), model_path
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise ModelError(f"{folder}: config.json and preprocessor_config.json do not fit: {reason}") from error


def _task_of(folder: Path, config: dict[str, Any]) -> tuple[str, str]:
    architectures = config.get("architectures") or []
    for architecture in architectures:
        for head, task in _TASKS_BY_HEAD.items():
            if architecture.endswith(head):
                return task
    heads = ", ".join(f"...{head}" for head in _TASKS_BY_HEAD)
    raise ModelError(f"{folder}: config.json: architectures: {architectures} is none of {heads}; give such a model")


def _input_spec(session: OnnxSession, preprocessor: dict[str, Any]) -> InputSpec:
    node = next(node for node in session.inputs if node.name == "pixel_values")
    size = _as_size(preprocessor.get("size", {}))
    normalises = preprocessor.get("do_normalize", True)
    fields: dict[str, Any] = {
        "name": node.name,
        "resize": "stretch",
        "resample": _RESAMPLE[preprocessor.get("resample", 2)],
        "scale": preprocessor.get("rescale_factor", 1 / 255) if preprocessor.get("do_rescale", True) else 1.0,
        "mean": tuple(preprocessor["image_mean"]) if normalises else (0.0, 0.0, 0.0),
        "std": tuple(preprocessor["image_std"]) if normalises else (1.0, 1.0, 1.0),
        "dynamic_batch": node.shape[0] is None,
    }
    if preprocessor.get("image_processor_type", "").startswith("ConvNext") and "shortest_edge" in size:
        shortest = size["shortest_edge"]
        fields |= {"height": shortest, "width": shortest}
        if shortest < _CONVNEXT_STRETCHES_FROM_PX:
            fields["resize"] = "shortest_edge_center_crop"
            fields["resize_shortest_edge"] = int(shortest / preprocessor.get("crop_pct", 224 / 256))
    elif "shortest_edge" in size:
        crop = _as_size(preprocessor["crop_size"]) if preprocessor.get("do_center_crop") else {}
        fields["resize"] = "shortest_edge_center_crop"
        fields["resize_shortest_edge"] = size["shortest_edge"]
        fields |= {side: crop.get(side, size["shortest_edge"]) for side in ("height", "width")}
    else:
        fields |= {side: size[side] for side in ("height", "width")}
    for side, axis in (("height", 2), ("width", 3)):
        if node.shape[axis] not in (None, fields[side]):
            raise ValueError(f"the model takes {side} {node.shape[axis]}, the preprocessor makes {fields[side]}")
    return InputSpec(**fields)


def _as_size(size: int | dict[str, int]) -> dict[str, int]:
    # Older processors store one number for a square.
    return {"height": size, "width": size} if isinstance(size, int) else size


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: missing or no JSON ({error}); copy the whole folder again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: expected a JSON object; copy the whole folder again")
    return content
