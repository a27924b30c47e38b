"""Ultralytics checkpoints, exported by the package that made them, if the user has it.

It is AGPL-3.0 and so never a dependency of ours; its ONNX files carry metadata that the runtime reads
(`models.ultralytics_package`).
"""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from typing import Any

from exporters.checkpoint import first_line
from exporters.errors import ExportError
from exporters.export import ExportOptions, check_output
from models.ultralytics_package import read_ultralytics_file


def export_ultralytics(checkpoint: Path, output: Path, options: ExportOptions) -> Path:
    """Have a `.pt` file exported, and return the `.onnx` file in the folder `output`.

    Raises:
        ExportError: an option is none of that package's, it is missing or fails, or the file exists.
        ModelError: what it wrote does not load by its metadata.
    """
    _check_options(checkpoint, options)
    target = output / f"{checkpoint.stem}.onnx"
    check_output(target, overwrite=options.overwrite)
    try:
        ultralytics: Any = importlib.import_module("ultralytics")
    except ImportError as error:
        raise ExportError(
            f"{checkpoint}: Ultralytics checkpoints are exported by its own package, which is AGPL-3.0 and not part of "
            "Mirilla: pip install ultralytics, then run this again"
        ) from error
    settings: dict[str, Any] = {"format": "onnx", "opset": options.opset, "half": options.precision == "fp16"}
    if options.size_hw is not None:
        settings["imgsz"] = list(options.size_hw)
    if options.batch is not None:
        settings["batch"] = options.batch
    try:
        written = Path(ultralytics.YOLO(str(checkpoint)).export(**settings))
        output.mkdir(parents=True, exist_ok=True)
        shutil.move(written, target)
    except OSError as error:
        raise ExportError(f"{target} cannot be written: {error.strerror or error}") from error
    except Exception as error:  # Ultralytics raises whatever the part at fault raises
        raise ExportError(f"{checkpoint}: Ultralytics cannot export it: {first_line(error)}") from error
    read_ultralytics_file(target)
    return target


def _check_options(checkpoint: Path, options: ExportOptions) -> None:
    """Raise ExportError where the user asks what only our own export does."""
    asked = {
        "--task": options.task is not None,
        "--labels": options.labels is not None,
        "--min-agreement": options.min_agreement is not None,
        "--precision int8": options.precision == "int8",
    }
    for option, given in asked.items():
        if given:
            raise ExportError(f"{option}: Ultralytics' own exporter, which {checkpoint} needs, has none; leave it out")
