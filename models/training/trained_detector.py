"""What a detector training reports: how far it is, and what it has become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DetectorReport:
    """How far a training is.

    Attributes:
        step: steps that are done.
        steps: that the schedule is made for.
        loss: mean since the report before.
        map: on the watched scenes.
        ap50: on them, by class.
        seconds: since the report before.
    """

    step: int
    steps: int
    loss: float
    map: float
    ap50: dict[str, float | None]
    seconds: float

    def __str__(self) -> str:
        """One line for people."""
        classes = ", ".join(f"{name} {value:.3f}" for name, value in self.ap50.items() if value is not None)
        return (
            f"step {self.step} of {self.steps}: loss {self.loss:.3f}, mAP {self.map:.3f}; AP50 {classes}; "
            f"{self.seconds:.0f} s"
        )


@dataclass(frozen=True, slots=True)
class TrainedDetector:
    """A finished training, or a finished portion of one.

    Attributes:
        checkpoint: transformers folder, ready for the exporter.
        class_names: in the order of the logits.
        history: the reports, those before a resumption included.
        losses: of every step.
        command: makes the weights again: a line for each portion of the training.
    """

    checkpoint: Path
    class_names: tuple[str, ...]
    history: Sequence[DetectorReport]
    losses: Sequence[float]
    command: str
