"""A manifest for an `.onnx` file that Ultralytics exported: its own metadata says task, class names and input size.

The keys are those that `ultralytics.engine.exporter` writes.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.errors import ModelError
from models.manifest import InputSpec, Manifest, SourceSpec
from models.onnx_session import OnnxSession

_TASKS = {
    "detect": ("object_detection", "ultralytics_grid"),
    "segment": ("instance_segmentation", "ultralytics_grid"),
    "classify": ("image_classification", "probabilities"),
}
_HALF_BITS = 16


def read_ultralytics_file(path: Path) -> Manifest:
    """The manifest that the metadata of an Ultralytics ONNX file amounts to.

    Raises:
        ModelError: the file is no ONNX, or carries no such metadata and needs a manifest beside it.
    """
    session = OnnxSession(path, device="cpu", graph_optimization="disabled")
    metadata = session.metadata
    if "names" not in metadata or "task" not in metadata:
        raise ModelError(
            f"{path}: has no manifest.json beside it and no Ultralytics metadata inside; "
            "give the folder of a package, or write a manifest for it"
        )
    if metadata["task"] not in _TASKS:
        raise ModelError(f"{path}: task: Ultralytics' {metadata['task']!r} is none of {', '.join(_TASKS)}")
    task, decoder = _TASKS[metadata["task"]]
    options = _literal(path, metadata, "args")
    if task != "image_classification" and (metadata.get("end2end") == "True" or options.get("nms")):
        decoder = "ultralytics_end_to_end"
    names = _literal(path, metadata, "names")
    height, width = _literal(path, metadata, "imgsz")
    try:
        return Manifest(
            name=path.stem,
            task=task,
            decoder=decoder,
            input=InputSpec(
                name=session.inputs[0].name,
                height=height,
                width=width,
                resize="shortest_edge_center_crop" if task == "image_classification" else "letterbox_center",
                antialias=task == "image_classification",
                dynamic_batch=session.inputs[0].shape[0] is None,
            ),
            outputs=tuple(output.name for output in session.outputs),
            class_names=tuple(names[index] for index in sorted(names)),
            source=SourceSpec(id=metadata.get("description", path.stem), licence=metadata.get("license")),
            opset=int(options.get("opset") or 0),
            # `half` until 8.3, `quantize` since.
            precision="fp16" if options.get("half") or options.get("quantize") == _HALF_BITS else "fp32",
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelError(f"{path}: metadata: {where}: {first['msg']}; export it again with Ultralytics") from error


def _literal(path: Path, metadata: Mapping[str, str], key: str) -> Any:
    try:
        return ast.literal_eval(metadata[key])
    except (KeyError, ValueError, SyntaxError) as error:
        raise ModelError(f"{path}: metadata: {key!r} is missing or unreadable; export it again") from error
