"""A checkpoint folder, read safely: the PyTorch model, its processor, and what it can be asked.

Safetensors first; a pickle is read with `weights_only=True` or not at all; code that a checkpoint brings is never run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoImageProcessor, PretrainedConfig, PreTrainedModel

import models.networks.unet  # noqa: F401 - registers the U-Net with transformers
from exporters.errors import ExportError
from exporters.export_tasks import ExportTask, task_named, task_of_architecture
from models.errors import ModelError
from models.networks.sketch_cnn import NOTES_NAMES_FILE, NOTES_WEIGHTS_FILE, load_sketch_model

PROCESSOR_FILE = "preprocessor_config.json"
_OURS = "mirilla_"
_tracer: Any = torch.jit  # whose parts are not all typed
_NEVER_REMOTE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What an export starts from.

    Attributes:
        folder: where it lies.
        model: in evaluation mode, float32.
        task: what it is asked.
        processor: of transformers; None for networks of ours that bring none.
    """

    folder: Path
    model: PreTrainedModel
    task: ExportTask
    processor: Any | None

    @property
    def is_sketch(self) -> bool:
        """Whether it names drawings cut out by their ink."""
        return str(self.model.config.model_type).startswith(f"{_OURS}sketch")


def open_checkpoint(folder: Path, task_name: str | None = None, size_hw: tuple[int, int] | None = None) -> Checkpoint:
    """Read a folder that `save_pretrained` wrote, or one in the course notes' layout.

    Args:
        folder: with `config.json`, weights and `preprocessor_config.json`.
        task_name: as `--task` gives it; None takes what the checkpoint was trained for.
        size_hw: what pictures are stretched to instead of the processor's own size.

    Raises:
        ExportError: a file is missing or damaged, the architecture is unknown, or it answers another task.
    """
    if not folder.is_dir():
        raise ExportError(f"{folder} is no folder; give a folder with config.json, or an id of the hub")
    is_notes = (folder / NOTES_WEIGHTS_FILE).is_file() and (folder / NOTES_NAMES_FILE).is_file()
    if is_notes and not (folder / "config.json").is_file():
        task = _chosen_task(folder, "SketchCnn", task_name)
        try:
            return Checkpoint(folder, load_sketch_model(folder), task, None)
        except ModelError as error:
            raise ExportError(str(error)) from error
    config = _read_config(folder)
    architecture = next(iter(config.architectures or ()), "")
    task = _chosen_task(folder, architecture, task_name)
    ours = str(config.model_type).startswith(_OURS)
    needs_processor = not ours or (folder / PROCESSOR_FILE).is_file()
    processor = _read_processor(folder, size_hw) if needs_processor else None
    if ours and size_hw is not None:
        raise ExportError(
            f"--size: {config.model_type} takes {config.image_size}x{config.image_size} only; leave it out"
        )
    return Checkpoint(folder, _read_model(folder, config, task), task, processor)


def _read_config(folder: Path) -> PretrainedConfig:
    path = folder / "config.json"
    if not path.is_file():
        raise ExportError(
            f"{folder} holds no checkpoint: expected config.json, or {NOTES_WEIGHTS_FILE} and {NOTES_NAMES_FILE}"
        )
    try:
        stored = json.loads(path.read_bytes())
    except ValueError as error:
        raise ExportError(f"{path}: no JSON ({error}); copy it again") from error
    if "auto_map" in stored:
        raise ExportError(f"{path}: auto_map: the checkpoint wants to run code of its own, which Mirilla never does")
    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(folder, **_NEVER_REMOTE)
        return config
    except Exception as error:  # every configuration class raises its own
        known = stored.get("model_type")
        raise ExportError(
            f"{path}: model_type {known!r}: transformers {transformers.__version__} cannot read it: {first_line(error)}"
        ) from error


def _chosen_task(folder: Path, architecture: str, task_name: str | None) -> ExportTask:
    trained_for = task_of_architecture(architecture)
    asked = task_named(task_name) if task_name is not None else None
    if trained_for is None:
        raise ExportError(
            f"{folder / 'config.json'}: architectures: {architecture or 'none'} is none that Mirilla exports; "
            "docs/exporting.md lists them"
        )
    if asked is not None and not architecture.endswith(asked.heads):
        raise ExportError(
            f"--task: {folder} holds a {architecture}, which does {trained_for.name}, not {asked.name}; "
            "leave --task out"
        )
    return asked or trained_for


def _read_processor(folder: Path, size_hw: tuple[int, int] | None) -> Any:
    path = folder / PROCESSOR_FILE
    if not path.is_file():
        raise ExportError(
            f"{path} is missing: it says how pictures become input; copy it from where the weights are from"
        )
    try:
        processor: Any = AutoImageProcessor.from_pretrained(  # type: ignore[no-untyped-call]
            folder, use_fast=False, **_NEVER_REMOTE
        )
    except Exception as error:  # every processor class raises its own
        raise ExportError(f"{path}: no image processor that can be read: {first_line(error)}") from error
    return processor if size_hw is None else _stretching_to(processor, size_hw)


def _stretching_to(processor: Any, size_hw: tuple[int, int]) -> Any:
    """A processor that gives one size, by stretching: no crop, no padding, no keeping of proportions."""
    size = {"height": size_hw[0], "width": size_hw[1]}
    if isinstance(processor, transformers.GLPNImageProcessor):
        # It knows the picture's own size alone; DPT's is the one that does all the rest alike.
        return transformers.DPTImageProcessor(
            size=size, resample=processor.resample, do_rescale=processor.do_rescale, do_normalize=False
        )
    processor.size = size
    for setting in ("do_center_crop", "do_pad", "keep_aspect_ratio"):
        if getattr(processor, setting, None):
            setattr(processor, setting, False)
    return processor


def _read_model(folder: Path, config: PretrainedConfig, task: ExportTask) -> PreTrainedModel:
    architecture = (config.architectures or [""])[0]
    # The class that the checkpoint names, where transformers has it: an auto class may know another head of the type.
    loader = getattr(transformers, architecture, None) or getattr(transformers, task.auto_class)
    has_safetensors = any(folder.glob("*.safetensors"))
    if not has_safetensors and not any(folder.glob("pytorch_model*.bin")):
        raise ExportError(f"{folder} holds no weights: expected model.safetensors; copy it there")
    model: PreTrainedModel
    try:
        model, loading = loader.from_pretrained(
            folder,
            config=config,
            use_safetensors=has_safetensors,
            weights_only=True,
            output_loading_info=True,
            local_files_only=True,
        )
    except ImportError as error:
        raise ExportError(
            f"{folder}: {architecture} is built with a library that is not here: {first_line(error)}; "
            "take a revision of the checkpoint without it"
        ) from error
    except Exception as error:  # transformers, safetensors and torch each raise their own
        raise ExportError(f"{folder}: weights that cannot be read: {first_line(error)}; copy them again") from error
    missing = sorted(loading["missing_keys"])
    if missing:
        raise ExportError(
            f"{folder}: the weights lack {missing[0]!r}"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            + f" of {architecture}; they are of another network"
        )
    model.train(mode=False)
    _settle_experts(model)
    return model


def _settle_experts(model: Any) -> None:
    """ViTPose++ has an expert a data set that it was trained on: here it is always asked as of COCO, the first."""
    backbone = getattr(model.config, "backbone_config", None)
    if model.config.model_type == "vitpose" and getattr(backbone, "num_experts", 1) > 1:
        model.register_forward_pre_hook(_as_of_coco, with_kwargs=True)


def _as_of_coco(_model: Any, arguments: Any, named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    # Where it is traced, Optimum says the same, and may not be told twice.
    expert = {} if _tracer.is_tracing() else {"dataset_index": torch.zeros(1, dtype=torch.long)}
    return arguments, expert | named


def first_line(error: BaseException) -> str:
    """What an error of a library says, as one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
