"""What an exported model's `manifest.json` says: put together from checkpoint, training record and parity."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PretrainedConfig

from exporters.errors import ExportError
from models.manifest import InputSpec, Manifest, ParitySpec, SourceSpec

TRAINING_RECORD = "training.json"


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """What our own training left beside the weights; all empty for checkpoints of other makers.

    Attributes:
        command: makes the weights again.
        accuracy: shares 0..1 on held-out drawings, by metric: `top1`, `top5`.
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
        accuracy = {metric: float(stored["held_out"][metric]) for metric in ("top1", "top5")}
        return TrainingRecord(stored["command"], accuracy, stored["licence"], stored["attribution"])
    except (ValueError, KeyError, TypeError) as error:
        raise ExportError(f"{path}: no training record that can be read ({error}); delete it or train again") from error


def sketch_manifest(
    name: str, config: PretrainedConfig, record: TrainingRecord, parity: ParitySpec, *, opset: int, sha256: str
) -> Manifest:
    """The manifest of a sketch network: grey drawings cut out by their ink, softmax over the logits."""
    return Manifest(
        name=name,
        task="sketch_classification",
        decoder="softmax",
        input=InputSpec(
            name="pixel_values",
            height=config.image_size,
            width=config.image_size,
            channels=1,
            colour_order="gray",
            resize="ink_crop",
            resample="area",
            mean=(0.0,),
            std=(1.0,),
            dynamic_batch=True,
        ),
        outputs=("logits",),
        class_names=tuple(name for _, name in sorted((config.id2label or {}).items())),
        source=SourceSpec(id=f"mirilla/{name}", licence=record.licence, attribution=record.attribution),
        opset=opset,
        sha256=sha256,
        parity=parity,
        accuracy=record.accuracy,
        trained_with=record.command,
    )
