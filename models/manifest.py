"""The contract between exporter and runtime: what `manifest.json` says of the `model.onnx` beside it.

The exporter writes it when parity is measured; the runtime reads it, and derives one for packages of other makers
(`models.foreign_packages`). Every field is checked when a manifest is built.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import ModelError

MANIFEST_NAME = "manifest.json"
MODEL_NAME = "model.onnx"

ResizeRule = Literal["stretch", "shortest_edge_center_crop", "letterbox_center", "letterbox_top_left", "ink_crop"]


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputSpec(_Checked):
    """How a picture becomes the model's input tensor, float32 (N, C, H, W)."""

    name: str = "pixel_values"
    height: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=1)]
    channels: Literal[1, 3] = 3
    colour_order: Literal["rgb", "bgr", "gray"] = "rgb"
    resize: ResizeRule
    resample: Literal["nearest", "bilinear", "bicubic", "area", "lanczos"] = "bilinear"
    antialias: bool = True
    """Whether the filter widens when the picture shrinks, as Pillow's does (transformers) and OpenCV's does not."""
    resize_shortest_edge: Annotated[int, Field(ge=1)] | None = None
    """For `shortest_edge_center_crop`: the shorter side before the crop to `height` x `width`."""
    pad_value: Annotated[int, Field(ge=0, le=255)] = 114
    """For the letterbox rules: the grey level around the picture."""
    scale: float = 1 / 255
    """Multiplied with the 0..255 levels before mean and std."""
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    dynamic_batch: bool = False

    @model_validator(mode="after")
    def _channels_agree(self) -> InputSpec:
        if len(self.mean) != self.channels or len(self.std) != self.channels:
            raise ValueError(f"mean and std need {self.channels} values each, got {self.mean} and {self.std}")
        if (self.channels == 1) != (self.colour_order == "gray"):
            raise ValueError(f"{self.channels} channel(s) and colour order {self.colour_order!r} do not go together")
        if any(value <= 0 for value in self.std):
            raise ValueError(f"std: expected values above 0, got {self.std}")
        return self


class SourceSpec(_Checked):
    """Where the weights come from."""

    id: str
    revision: str | None = None
    licence: str | None = None
    attribution: str | None = None


class ParitySpec(_Checked):
    """What was measured between the PyTorch model and ONNX Runtime; a package is refused where `passed` is false."""

    passed: bool
    inputs: Annotated[int, Field(ge=1)]
    batch_sizes: tuple[int, ...]
    tolerance: float
    max_abs_difference: dict[str, float]
    """By output name."""
    top1_agreement: float | None = None
    """Share of inputs on which both name the same best class; classifiers only."""


class Manifest(_Checked):
    """Everything that the runtime needs to know of a model, and everything that a reader may ask of it."""

    format_version: Literal[1] = 1
    name: str
    task: str
    decoder: str
    """How outputs become results: `softmax`; the task says which decoders it has."""
    input: InputSpec
    outputs: Annotated[tuple[str, ...], Field(min_length=1)]
    class_names: Annotated[tuple[str, ...], Field(min_length=1)]
    source: SourceSpec
    opset: int
    precision: Literal["fp32", "fp16", "int8"] = "fp32"
    sha256: str | None = None
    """Of `model.onnx`; None only for packages of other makers."""
    parity: ParitySpec | None = None
    """None only for packages of other makers."""
    accuracy: dict[str, float] | None = None
    """Measured figures by metric, 0..1: `top1`, `top5`."""
    trained_with: str | None = None
    """The command that makes the weights again."""


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a package folder.

    Raises:
        ModelError: there is none, it is no JSON, or a field is missing, unknown or wrong; names the first such field.
    """
    path = folder / MANIFEST_NAME
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); export the model again") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise ModelError(f"{path}: {where}: {first['msg']}; export the model again") from error


def write_manifest(manifest: Manifest, folder: Path) -> Path:
    """Write a package's manifest, readable by people, and return its path."""
    path = folder / MANIFEST_NAME
    text = json.dumps(manifest.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
