"""Optimum's declarations for the networks that it does not know: ours, and Depth Anything.

Declared and registered as Optimum's own are, so that `TasksManager` finds them and `export` treats them all alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from optimum.exporters.onnx import OnnxConfig
from optimum.exporters.onnx.config import TextEncoderOnnxConfig, VisionOnnxConfig
from optimum.exporters.onnx.model_patcher import PatchingSpec
from optimum.exporters.tasks import TasksManager
from optimum.utils import NormalizedTextConfig, NormalizedVisionConfig
from transformers import PreTrainedModel
from transformers.models.depth_anything import modeling_depth_anything
from transformers.utils.generic import torch_int

from exporters.errors import ExportError
from exporters.zero_shot import FixedTextsConfig, PictureHalfConfig, TextHalfConfig
from models.networks.sketch_cnn import SketchCnnConfig, SketchResNetConfig
from models.networks.unet import UNetConfig

_register_onnx = TasksManager.create_register("onnx")


@_register_onnx(SketchCnnConfig.model_type, "image-classification")
@_register_onnx(SketchResNetConfig.model_type, "image-classification")
@_register_onnx(FixedTextsConfig.model_type, "image-classification")
class FixedSizeOnnxConfig(VisionOnnxConfig):  # type: ignore[misc]
    """One picture of a fixed side in, one row of logits out; only the batch is dynamic."""

    NORMALIZED_CONFIG_CLASS = NormalizedVisionConfig

    @property
    def inputs(self) -> dict[str, dict[int, str]]:
        """The dynamic axes of each input."""
        return {"pixel_values": {0: "batch_size"}}


@_register_onnx(PictureHalfConfig.model_type, "feature-extraction")
class PictureHalfOnnxConfig(FixedSizeOnnxConfig):
    """One picture of a fixed side in, its embedding out."""

    @property
    def outputs(self) -> dict[str, dict[int, str]]:
        """The dynamic axes of each output."""
        return {"image_embeds": {0: "batch_size"}}


@_register_onnx(TextHalfConfig.model_type, "feature-extraction")
class TextHalfOnnxConfig(TextEncoderOnnxConfig):  # type: ignore[misc]
    """Tokens in, one embedding a text out."""

    NORMALIZED_CONFIG_CLASS = NormalizedTextConfig

    @property
    def inputs(self) -> dict[str, dict[int, str]]:
        """The dynamic axes of each input; SigLIP's half has no mask."""
        axes = {0: "text_batch_size", 1: "sequence_length"}
        names = ("input_ids", "attention_mask") if self._config.takes_mask else ("input_ids",)
        return dict.fromkeys(names, axes)

    @property
    def outputs(self) -> dict[str, dict[int, str]]:
        """The dynamic axes of each output."""
        return {"text_embeds": {0: "text_batch_size"}}


@_register_onnx(UNetConfig.model_type, "semantic-segmentation")
class UNetOnnxConfig(VisionOnnxConfig):  # type: ignore[misc]
    """A picture in, planes of logits of its own size out; batch and size are dynamic."""

    NORMALIZED_CONFIG_CLASS = NormalizedVisionConfig

    @property
    def inputs(self) -> dict[str, dict[int, str]]:
        """The dynamic axes of each input."""
        return {"pixel_values": {0: "batch_size", 2: "height", 3: "width"}}

    @property
    def outputs(self) -> dict[str, dict[int, str]]:
        """The dynamic axes of each output."""
        return {"logits": {0: "batch_size", 2: "height", 3: "width"}}


@_register_onnx("depth_anything", "depth-estimation")
class DepthAnythingOnnxConfig(VisionOnnxConfig):  # type: ignore[misc]
    """A picture in, a plane of depths out; batch and size are dynamic, in whole patches."""

    NORMALIZED_CONFIG_CLASS = NormalizedVisionConfig

    @property
    def PATCHING_SPECS(self) -> list[PatchingSpec]:  # noqa: N802 - Optimum's name, which it reads and adds to
        """The head makes Python numbers of its size, which tracing would keep for ever; here they stay tensors."""
        return [PatchingSpec(modeling_depth_anything, "int", torch_int, orig_op=int)]

    @property
    def inputs(self) -> dict[str, dict[int, str]]:
        """The dynamic axes of each input."""
        return {"pixel_values": {0: "batch_size", 2: "height", 3: "width"}}

    @property
    def outputs(self) -> dict[str, dict[int, str]]:
        """The dynamic axes of each output."""
        return {"predicted_depth": {0: "batch_size", 1: "height", 2: "width"}}


def onnx_config_of(model: PreTrainedModel, tasks: Sequence[str]) -> OnnxConfig:
    """Optimum's declaration for a model and a task, its own or one of ours.

    Args:
        model: a transformers model.
        tasks: Optimum's words for the task; the first that it knows for the model is taken.

    Raises:
        ExportError: neither has one.
    """
    model_type = model.config.model_type
    for task in tasks:
        try:
            constructor = TasksManager.get_exporter_config_constructor(
                exporter="onnx", model=model, task=task, library_name="transformers"
            )
        except (KeyError, ValueError):
            continue
        return constructor(model.config)
    raise ExportError(f"no ONNX export is known for the architecture {model_type!r} and the task {tasks[0]!r}")
