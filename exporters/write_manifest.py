"""What an exported model's `manifest.json` says: put together from checkpoint, training record and parity."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PretrainedConfig

from exporters.checkpoint import Checkpoint
from exporters.errors import ExportError
from exporters.zero_shot import is_sigmoid, write_texts
from models.errors import ModelError
from models.image_processors import input_spec
from models.manifest import MODEL_NAME, InputSpec, Manifest, SourceSpec
from models.onnx_session import OnnxSession
from models.skeletons import skeleton_of
from models.transformers_package import read_transformers_folder

TRAINING_RECORD = "training.json"
# What training leaves beside the weights for people to read; it belongs to the package.
COMPANION_FILES = ("README.md", "confusion.png")
ANY_TEXT = "any text"
"""Stands for the classes of a zero-shot classifier whose user names them."""


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """What our own training left beside the weights; all empty for checkpoints of other makers.

    Attributes:
        command: makes the weights again.
        accuracy: shares 0..1 on held-out drawings, by metric: `top1`, `top5`; None where they are measured later.
        licence: of the training data.
        attribution: whom the training data's licence wants named.
    """

    command: str | None = None
    accuracy: dict[str, float] | None = None
    licence: str | None = None
    attribution: str | None = None


def read_training_record(checkpoint: Path) -> TrainingRecord:
    """The record in a checkpoint folder, an empty one where there is none.

    Raises:
        ExportError: the record is damaged.
    """
    path = checkpoint / TRAINING_RECORD
    if not path.is_file():
        return TrainingRecord()
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        shares = {metric: float(share) for metric, share in stored["held_out"].items() if metric != "drawings"}
        return TrainingRecord(stored["command"], shares or None, stored["licence"], stored["attribution"])
    except (ValueError, KeyError, TypeError) as error:
        raise ExportError(f"{path}: no training record that can be read ({error}); delete it or train again") from error


def copy_papers(checkpoint: Checkpoint, folder: Path) -> None:
    """Put what describes the model beside it: the layout that transformers, Optimum and the hub share.

    Args:
        checkpoint: with the processor as it was asked to work, `--size` included.
        folder: of the package.
    """
    for name in COMPANION_FILES:
        if (checkpoint.folder / name).is_file():
            shutil.copyfile(checkpoint.folder / name, folder / name)
    if checkpoint.processor is None:
        return
    checkpoint.model.config.save_pretrained(folder)
    checkpoint.processor.save_pretrained(folder)


def describe(
    checkpoint: Checkpoint, folder: Path, size_hw: tuple[int, int], texts: Sequence[str] | None = None
) -> Manifest:
    """The manifest of a model that lies in `folder` with its papers, all but what the export measured.

    Args:
        checkpoint: what was exported.
        folder: of the package.
        size_hw: of the pictures that the parity gate compared.
        texts: fixed at export, for zero-shot classifiers.

    Raises:
        ExportError: the checkpoint's own files do not say how pictures become input.
    """
    config = checkpoint.model.config
    if checkpoint.is_sketch:
        return _ours(config, "sketch_classification", "softmax", _ink_input(config))
    if checkpoint.processor is None:
        decoder = "binary" if getattr(config, "binary", False) else "argmax"
        return _ours(config, checkpoint.task.name.replace("-", "_"), decoder, _stretched_input(size_hw))
    if checkpoint.task.name == "zero-shot-image-classification":
        return _zero_shot(checkpoint, folder, size_hw, tuple(texts or ()))
    if checkpoint.task.runtime is not None:
        labels = config.id2label or {0: checkpoint.task.runtime[0]}
        names = tuple(name for _, name in sorted(labels.items()))
        return _declared(checkpoint, folder, checkpoint.task.runtime, size_hw, names)
    try:
        manifest, _ = read_transformers_folder(folder)
    except ModelError as error:
        raise ExportError(f"{error}; a --size that the network takes may help") from error
    return manifest


def _zero_shot(checkpoint: Checkpoint, folder: Path, size_hw: tuple[int, int], texts: tuple[str, ...]) -> Manifest:
    """The manifest of a plain classifier where the texts are fixed, else of one whose user gives them."""
    sigmoid = is_sigmoid(checkpoint.model)
    if texts:
        # The graph of a sigmoid model gives probabilities already.
        answers = ("image_classification", "probabilities" if sigmoid else "softmax")
        return _declared(checkpoint, folder, answers, size_hw, texts)
    answers = ("zero_shot_image_classification", "sigmoid" if sigmoid else "softmax")
    manifest = _declared(checkpoint, folder, answers, size_hw, (ANY_TEXT,))
    return manifest.model_copy(update={"texts": write_texts(checkpoint.model, checkpoint.folder, folder)})


def _declared(
    checkpoint: Checkpoint, folder: Path, answers: tuple[str, str], size_hw: tuple[int, int], names: tuple[str, ...]
) -> Manifest:
    """The manifest of a task that the table of tasks knows and the reader of transformers folders does not."""
    session = OnnxSession(folder / MODEL_NAME, device="cpu", graph_optimization="disabled")
    processor: Any = checkpoint.processor
    try:
        spec = input_spec(session, processor.to_dict())
    except (KeyError, TypeError, ValueError):
        spec = _shown(processor, session, size_hw)
    return Manifest(
        name=folder.name,
        task=answers[0],
        decoder=answers[1],
        input=spec,
        outputs=tuple(output.name for output in session.outputs),
        class_names=names,
        skeleton=_skeleton(checkpoint, names) if answers[0] == "keypoint_detection" else (),
        source=SourceSpec(id=folder.name),
        opset=0,
    )


def _skeleton(checkpoint: Checkpoint, names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    try:
        return skeleton_of(getattr(checkpoint.model.config, "edges", None), names)
    except (TypeError, ValueError) as error:
        raise ExportError(f"{checkpoint.folder / 'config.json'}: {error}; mend it") from error


def _shown(processor: Any, session: OnnxSession, size_hw: tuple[int, int]) -> InputSpec:
    """The input of a processor with a geometry of its own: as large as what the parity gate saw."""
    normalises = getattr(processor, "do_normalize", False)
    mean, std = (tuple(getattr(processor, f"image_{name}", None) or ()) for name in ("mean", "std"))
    return InputSpec(
        height=size_hw[0],
        width=size_hw[1],
        resize="stretch",
        mean=mean if normalises and mean else (0.0, 0.0, 0.0),
        std=std if normalises and std else (1.0, 1.0, 1.0),
        dynamic_batch=session.inputs[0].shape[0] is None,
    )


def _ours(config: PretrainedConfig, task: str, decoder: str, spec: InputSpec) -> Manifest:
    names = tuple(name for _, name in sorted((config.id2label or {}).items()))
    return Manifest(
        name=config.model_type,
        task=task,
        decoder=decoder,
        input=spec,
        outputs=("logits",),
        class_names=names,
        source=SourceSpec(id=config.model_type),
        opset=0,
    )


def _ink_input(config: PretrainedConfig) -> InputSpec:
    """Grey drawings cut out by their ink."""
    return InputSpec(
        height=config.image_size,
        width=config.image_size,
        channels=1,
        colour_order="gray",
        resize="ink_crop",
        resample="area",
        mean=(0.0,),
        std=(1.0,),
        dynamic_batch=True,
    )


def _stretched_input(size_hw: tuple[int, int]) -> InputSpec:
    """Colours 0..1, stretched to the network's size."""
    return InputSpec(height=size_hw[0], width=size_hw[1], resize="stretch", dynamic_batch=True)
