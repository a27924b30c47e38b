"""What a sketch training is asked for: everything that the weights depend on stands here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from models.training.errors import TrainingError
from models.training.settings_texts import command_of, settings_from_texts

Architecture = Literal["notes", "resnet"]
QUICKDRAW_CREDIT = "Trained on drawings of Quick, Draw! by Google (quickdraw.withgoogle.com/data), CC BY 4.0"
_OPTIONS = ("architecture", "epochs", "seed")
"""Settings with an option of their own; the others are given by `--set`."""
WEIGHTS_LICENCE = "Apache-2.0 (weights), CC-BY-4.0 (training data)"


@dataclass(frozen=True, slots=True)
class SketchTrainingSettings:
    """Settings of a sketch training; its weights are the same for the same settings, files and processor.

    Attributes:
        data: folder of drawings, one file a category; these are the categories that the network will know.
        output: folder for the checkpoint.
        extra_data: more training drawings of the same categories, in another form; those that are held out of `data`
            are left out here too.
        architecture: `notes`, the course's network, or `resnet`, the stronger one.
        channels: of the stages of `resnet`.
        depths: residual blocks of the stages of `resnet`.
        dropout: before the classifier of `resnet`.
        epochs: passes that the schedule is made for.
        stop_after: end after this epoch all the same; `resume` goes on, with another schedule if it is given one.
        drawings_per_epoch: of `data`, in one pass; None takes as many as there are.
        batch_size: drawings a step, `data` and `extra_data` together.
        extra_share: of a batch, from `extra_data`.
        learning_rate: the highest; it rises over the first epoch and falls along a cosine.
        weight_decay: of kernels and matrices.
        label_smoothing: share of a label given to all classes alike.
        mixup_alpha: of the beta distribution that pictures are mixed by; 0 mixes none.
        ema_decay: how slowly the averaged weights, which are the result, follow.
        hard_augmentation: for few drawings a category.
        augmentation_strength: how many times as far the augmentation goes.
        mirrored: the categories look alike in a mirror: drawings are mirrored at random, and `resnet` answers with the
            mean over a picture and its mirror image.
        seed: of everything random.
        held_out: last share of each file of `data`, never trained on.
        extra_held_out: the same of `extra_data`.
        validation: last share of what remains of `data`, for watching the training; 0 trains on all of it, unwatched.
        package_precision: of the finished package; `int8` is calibrated on drawings of the training part.
        mixed_precision: bfloat16 where it is safe; half the time on processors that have it.
        resume: go on from the last finished epoch in `output`.
        threads: of torch.
    """

    data: Path
    output: Path
    extra_data: Path | None = None
    architecture: Architecture = "resnet"
    channels: tuple[int, ...] = (32, 64, 128)
    depths: tuple[int, ...] = (1, 2, 1)
    dropout: float = 0.1
    epochs: int = 30
    stop_after: int | None = None
    drawings_per_epoch: int | None = None
    batch_size: int = 256
    extra_share: float = 0.5
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.05
    mixup_alpha: float = 0.2
    ema_decay: float = 0.998
    hard_augmentation: bool = False
    augmentation_strength: float = 1.0
    mirrored: bool = True
    seed: int = 0
    held_out: float = 0.1
    extra_held_out: float = 0.1
    validation: float = 0.05
    package_precision: Literal["fp32", "int8"] = "fp32"
    mixed_precision: bool = True
    resume: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        """Raise TrainingError where a setting makes no sense."""
        checks = {
            "architecture: expected notes or resnet": self.architecture in ("notes", "resnet"),
            "depths: expected one for each of channels": len(self.depths) == len(self.channels),
            "epochs: expected at least 1": self.epochs >= 1,
            "stop_after: expected at least 1": self.stop_after is None or self.stop_after >= 1,
            "drawings_per_epoch: expected at least 1": self.drawings_per_epoch is None or self.drawings_per_epoch >= 1,
            "batch_size: expected at least 8": self.batch_size >= 8,
            "extra_share: expected a share above 0 and below 1": 0 < self.extra_share < 1,
            "held_out: expected a share above 0 and below 1": 0 < self.held_out < 1,
            "extra_held_out: expected a share of at least 0 and below 1": 0 <= self.extra_held_out < 1,
            "validation: expected a share of at least 0 and below 1": 0 <= self.validation < 1,
            "augmentation_strength: expected at least 0": self.augmentation_strength >= 0,
            "seed: expected at least 0": self.seed >= 0,
            "threads: expected at least 1": self.threads >= 1,
        }
        for expectation, holds in checks.items():
            if not holds:
                raise TrainingError(f"{expectation}, got {getattr(self, expectation.split(':')[0])!r}")

    @classmethod
    def from_texts(cls, texts: Sequence[str], **settings: Any) -> Self:
        """The settings that words of a command line amount to.

        Args:
            texts: `KEY=VALUE` each, a tuple's values with commas between them; they win over `settings`.
            settings: fields by name.

        Raises:
            TrainingError: a text has another form, or names no setting, or its value makes no sense.
        """
        return settings_from_texts(cls, texts, settings)

    def command(self) -> str:
        """The command line that makes these weights again, less what the machine alone decides."""
        return command_of(self, "sketch", _OPTIONS)
