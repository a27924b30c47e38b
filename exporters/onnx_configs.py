"""Optimum's declarations for the networks that it does not know: ours.

Declared and registered as Optimum's own are, so that `TasksManager` finds them and `export` treats them all alike.
"""

from __future__ import annotations

from optimum.exporters.onnx import OnnxConfig
from optimum.exporters.onnx.config import VisionOnnxConfig
from optimum.exporters.tasks import TasksManager
from optimum.utils import NormalizedVisionConfig
from transformers import PreTrainedModel

from exporters.errors import ExportError
from models.networks.sketch_cnn import SketchCnnConfig, SketchResNetConfig

_register_onnx = TasksManager.create_register("onnx")


@_register_onnx(SketchCnnConfig.model_type, "image-classification")
@_register_onnx(SketchResNetConfig.model_type, "image-classification")
class SketchOnnxConfig(VisionOnnxConfig):  # type: ignore[misc]
    """One grey picture of a fixed side in, one row of logits out; only the batch is dynamic."""

    NORMALIZED_CONFIG_CLASS = NormalizedVisionConfig
    ATOL_FOR_VALIDATION = 1e-4

    @property
    def inputs(self) -> dict[str, dict[int, str]]:
        """The dynamic axes of each input."""
        return {"pixel_values": {0: "batch_size"}}


def onnx_config_of(model: PreTrainedModel, task: str) -> OnnxConfig:
    """Optimum's declaration for a model and a task, its own or one of ours.

    Args:
        model: a transformers model.
        task: in Optimum's spelling: `image-classification`.

    Raises:
        ExportError: neither has one.
    """
    model_type = model.config.model_type
    try:
        constructor = TasksManager.get_exporter_config_constructor(
            exporter="onnx", model=model, task=task, library_name="transformers"
        )
    except (KeyError, ValueError) as error:
        raise ExportError(
            f"no ONNX export is known for the architecture {model_type!r} and the task {task!r}"
        ) from error
    return constructor(model.config)
