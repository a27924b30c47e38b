"""What a sketch training reports: its epochs as they end, and the finished network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training.quickdraw_data import SketchSet
from models.training.sketch_accuracy import SketchAccuracy


@dataclass(frozen=True, slots=True)
class EpochReport:
    """One epoch.

    Attributes:
        epoch: from 1.
        epochs: how many there will be.
        loss: mean training loss.
        top1: share of the validation drawings that the averaged weights name right; NaN where there are none.
        top5: share of them whose name is among the first five guesses; NaN where there are none.
        seconds: what the epoch took.
    """

    epoch: int
    epochs: int
    loss: float
    top1: float
    top5: float
    seconds: float

    def __str__(self) -> str:
        """One line for people; what was not measured is left out."""
        validation = "" if math.isnan(self.top1) else f", validation top-1 {self.top1:.4f}, top-5 {self.top5:.4f}"
        return f"epoch {self.epoch} of {self.epochs}: loss {self.loss:.4f}{validation}, {self.seconds:.0f} s"


@dataclass(frozen=True, slots=True, eq=False)
class TrainedSketch:
    """A finished training.

    Attributes:
        checkpoint: transformers folder, ready for the exporter.
        class_names: in the order of the logits.
        accuracy: of the checkpoint, in PyTorch, on the held-out drawings.
        held_out: the drawings that it was never trained on.
        calibration: drawings that it was trained on, uint8 (N, 28, 28); what sets the ranges of an int8 package.
        history: the epochs.
        command: makes the weights again: a line for each portion of the training.
    """

    checkpoint: Path
    class_names: tuple[str, ...]
    accuracy: SketchAccuracy
    held_out: SketchSet = field(repr=False)
    calibration: NDArray[np.uint8] = field(repr=False)
    history: tuple[EpochReport, ...] = field(repr=False)
    command: str
