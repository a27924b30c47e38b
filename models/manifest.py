"""The contract between exporter and runtime: what `manifest.json` says of the `model.onnx` beside it.

The exporter writes it when parity is measured; the runtime reads it, and derives one for packages of other makers
(`models.transformers_package`, `models.ultralytics_package`). Every field is checked when a manifest is built.
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
PROMPT_DECODER_NAME = "prompt_encoder_mask_decoder.onnx"
"""Of packages that answer points and boxes, beside the model that encodes the picture; Optimum's name."""
TEXT_ENCODER_NAME = "text_encoder.onnx"
TOKENIZER_NAME = "tokenizer.json"

ResizeRule = Literal[
    "stretch",
    "shortest_edge_center_crop",
    "stretch_center_crop",
    "shortest_longest_edge",
    "aspect_multiple",
    "cut_to_multiple",
    "letterbox_center",
    "letterbox_top_left",
    "longest_edge_pad",
    "ink_crop",
    "box_crop",
]
Precision = Literal["fp32", "fp16", "int8"]
_FREE_SIZE_RULES = ("shortest_longest_edge", "aspect_multiple", "cut_to_multiple")


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputSpec(_Checked):
    """How a picture becomes the model's input tensor, float32 (N, C, H, W)."""

    name: str = "pixel_values"
    height: Annotated[int, Field(ge=1)] | None
    """None where the picture decides: with `shortest_longest_edge`, `aspect_multiple` and `cut_to_multiple` only."""
    width: Annotated[int, Field(ge=1)] | None
    channels: Literal[1, 3] = 3
    colour_order: Literal["rgb", "bgr", "gray"] = "rgb"
    resize: ResizeRule
    resample: Literal["nearest", "bilinear", "bicubic", "area", "lanczos"] = "bilinear"
    antialias: bool = True
    """Whether the filter widens when the picture shrinks, as Pillow's does (transformers) and OpenCV's does not."""
    resize_shortest_edge: Annotated[int, Field(ge=1)] | None = None
    """For `shortest_edge_center_crop`: the shorter side before the crop to `height` x `width`.

    For `shortest_longest_edge`: the shorter side, unless the longer one would be above `resize_longest_edge`."""
    resize_longest_edge: Annotated[int, Field(ge=1)] | None = None
    """For `longest_edge_pad`: the longer side; zeros of the tensor at the right and the bottom fill up the rest."""
    resize_within: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = None
    """For `aspect_multiple`: height and width, of which the one that changes the picture less is met.

    For `stretch_center_crop`: height and width before the crop to `height` x `width`."""
    size_multiple: Annotated[int, Field(ge=1)] = 1
    """For the rules of free size: both sides are a multiple of this, cut (`shortest_longest_edge`,
    `cut_to_multiple`) or rounded."""
    pixel_mask: str | None = None
    """The graph's second input, if it has one, that tells picture (1) from padding (0)."""
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

    @model_validator(mode="after")
    def _size_is_known(self) -> InputSpec:
        if self.resize not in _FREE_SIZE_RULES and None in (self.height, self.width):
            raise ValueError(f"resize {self.resize!r} needs a height and a width, got {self.height} and {self.width}")
        if self.resize == "shortest_longest_edge" and self.resize_shortest_edge is None:
            raise ValueError("resize 'shortest_longest_edge' needs a resize_shortest_edge")
        if self.resize == "longest_edge_pad" and not 1 <= (self.resize_longest_edge or 0) <= min(self.fixed_size_wh):
            raise ValueError("resize 'longest_edge_pad' needs a resize_longest_edge that fits height and width")
        if self.resize in ("aspect_multiple", "stretch_center_crop") and self.resize_within is None:
            raise ValueError(f"resize {self.resize!r} needs a resize_within")
        return self

    @property
    def fixed_size_wh(self) -> tuple[int, int]:
        """Width and height of the tensor, for the rules that have them.

        Raises:
            ValueError: the picture decides.
        """
        if self.width is None or self.height is None:
            raise ValueError(f"resize {self.resize!r} has no fixed size")
        return self.width, self.height


class DecodingSpec(_Checked):
    """What decoders of boxes and masks need to know besides the outputs."""

    nms_iou: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Of two boxes of one class that overlap by more, the less likely one is dropped; not for decoders without NMS."""
    class_agnostic_nms: bool = False
    """Whether boxes of different classes drop one another too."""
    strides: tuple[Annotated[int, Field(ge=1)], ...] = (8, 16, 32)
    """Of the grids whose cells an undecoded head lists, in pixels of the input."""
    least_visible: Annotated[float, Field(ge=0, le=1)] = 0.8
    """Of a query's mask: where surer queries leave it less, it is no object; for decoder `query_masks`."""


class TextSpec(_Checked):
    """How a zero-shot classifier reads its user's texts, with `tokenizer.json` and `text_encoder.onnx` beside it."""

    length: Annotated[int, Field(ge=1)]
    """Tokens that the encoder reads, those that fill up included."""
    pad_id: Annotated[int, Field(ge=0)]
    """The number of the token that fills up."""
    prompt: Annotated[str, Field(pattern=r"^[^{}]*\{\}[^{}]*$")] = "This is a photo of {}."
    """What a text is put into; as transformers' zero-shot pipeline has it."""
    logit_scale: float
    """What the likeness of picture and text, a cosine, is multiplied with."""
    logit_bias: float = 0.0
    """What is added then."""


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
    sizes_hw: tuple[tuple[int, int], ...] = ()
    """Heights and widths of the inputs that were compared."""
    tolerance: float
    """The largest relative difference that passes; of packages without one, the largest absolute difference."""
    max_abs_difference: dict[str, float]
    """By output name."""
    relative_difference: dict[str, float] = {}
    """By output name: the largest absolute difference as a share of the output's largest magnitude."""
    top1_agreement: float | None = None
    """Share of inputs on which both name the same best class; classifiers only."""
    agreement: dict[str, float] = {}
    """Shares 0..1 of decoded results that are alike, by what was compared: `boxes`, `pixels`, `top5`."""
    self_agreement: dict[str, float] = {}
    """The same shares for PyTorch against itself after a rounding error; of detectors that rank their queries."""


class Manifest(_Checked):
    """Everything that the runtime needs to know of a model, and everything that a reader may ask of it."""

    format_version: Literal[1] = 1
    name: str
    task: str
    decoder: str
    """How outputs become results: `softmax`; the task says which decoders it has."""
    decoding: DecodingSpec = DecodingSpec()
    input: InputSpec
    outputs: Annotated[tuple[str, ...], Field(min_length=1)]
    class_names: Annotated[tuple[str, ...], Field(min_length=1)]
    texts: TextSpec | None = None
    """For zero-shot classifiers whose classes are the user's texts; `class_names` is a stand-in for them."""
    source: SourceSpec
    skeleton: tuple[tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]], ...] = ()
    """Of pose models, whose class names are those of keypoints: pairs of them that a line joins."""
    opset: int
    precision: Precision = "fp32"
    sha256: str | None = None
    """Of `model.onnx`; None only for packages of other makers."""
    further_files: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")], str] = {}
    """SHA-256 by name of the other files that the model runs with, all in the package's own folder."""
    parity: ParitySpec | None = None
    """None only for packages of other makers."""
    accuracy: dict[str, float] | None = None
    """Measured figures by metric, 0..1: `top1`, `top5`."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """Threads within an operator: one for small models, or what was fastest where the package was tuned.

    None leaves it to ONNX Runtime."""
    graph_optimization: Literal["disabled", "basic", "extended", "all"] = "all"
    """How far ONNX Runtime may rewrite the graph, where the user does not say."""
    trained_with: str | None = None
    """The command that makes the weights again."""

    @model_validator(mode="after")
    def _skeleton_is_of_keypoints(self) -> Manifest:
        count = len(self.class_names)
        if any(index >= count for pair in self.skeleton for index in pair):
            raise ValueError(f"skeleton: expected pairs of 0..{count - 1}, got {self.skeleton}")
        return self


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
    text = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
