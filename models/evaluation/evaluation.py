"""What an evaluation is asked, and what it says; made by the evaluators, shown by the command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.onnx_session import Device

OnProgress = Callable[[int, int], None]
"""Called with how many pictures are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """How to measure.

    Attributes:
        images: the folder of the pictures that COCO annotations name; None looks below the annotations' folder.
        held_out: of each Quick, Draw! file the last share that is looked at; None looks at all of it.
        score: the least score of detections whose precision and recall are given.
        iou: the least overlap at which a detection found an object, for the same figures.
        device, threads, unverified: as `models.model.load_model` takes them.
    """

    images: Path | None = None
    held_out: float | None = None
    score: float = 0.5
    iou: float = 0.5
    device: Device = "auto"
    threads: int | None = None
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good a model is on annotated data.

    Attributes:
        model: its name.
        task: that it answers.
        data: where the annotations lie.
        pictures: how many were looked at.
        figures: by metric, 0..1; None where the data has nothing to measure it on.
        classes: a row a class, with the same keys in every row; the first is `class`.
        settings: that the figures depend on.
        notes: what people should know besides.
        charts: by file name, what draws it to a path.
    """

    model: str
    task: str
    data: str
    pictures: int
    figures: Mapping[str, float | None]
    classes: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    charts: Mapping[str, Callable[[Path], None]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the charts, ready for JSON: the schema of `mirilla evaluate --json`."""
        return {
            "model": self.model,
            "task": self.task,
            "data": self.data,
            "pictures": self.pictures,
            "figures": dict(self.figures),
            "settings": dict(self.settings),
            "notes": list(self.notes),
            "classes": [dict(row) for row in self.classes],
        }
