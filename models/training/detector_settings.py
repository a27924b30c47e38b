"""What a detector training is asked for: everything that the weights depend on stands here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from models.training.errors import TrainingError
from models.training.settings_texts import command_of, settings_from_texts

WEIGHTS_LICENCE = "Apache-2.0"
_SIDE_MULTIPLE = 32
_OPTIONS = ("start", "steps", "seed")
"""Settings with an option of their own; the others are given by `--set`."""


@dataclass(frozen=True, slots=True)
class DetectorTrainingSettings:
    """Settings of a detector training; its weights are the same for the same settings, files and processor.

    Attributes:
        data: the folder with `quickdraw`, `people`, `coco` and `drawings`, or a COCO file of the user's own.
        output: folder for the checkpoint.
        start: a transformers detector to start from, of the RT-DETR family; None starts from nothing.
        width: of the input, pixels.
        height: of the input, pixels.
        channels: of the backbone's stages; for a network from nothing, as all down to `denoising`.
        depths: blocks of the stages.
        model_width: of encoder and decoder.
        feed_forward: inner width of their feed-forward layers.
        decoder_layers: how many.
        queries: the most objects in a picture.
        denoising: noisy queries a picture.
        steps: that the schedule is made for.
        stop_after: end after this step all the same; `resume` goes on, with a longer schedule if it is given one.
        fall: the last share of the steps, over which the learning rate falls to nothing; before it, it is constant, so
            that a training can be made longer as long as it has not begun to fall.
        batch_size: scenes a step.
        learning_rate: the highest; it rises over the first steps.
        rise: steps over which it does.
        weight_decay: of kernels and matrices.
        ema_decay: how slowly the averaged weights, which are the result, follow.
        held_out: last share of the user's own pictures, never trained on.
        seed: of everything random.
        mixed_precision: bfloat16 where it is safe; less than two thirds of the time on processors that have it.
        report_every: steps from one look at the accuracy to the next.
        watched: scenes that are looked at; new ones of the training's own material.
        resume: go on from the last saved step in `output`.
        threads: of torch.
        loaders: processes that make scenes.
        device: `cpu`, `cuda`, or another that torch knows.
    """

    data: Path
    output: Path
    start: Path | None = None
    width: int = 288
    height: int = 224
    channels: tuple[int, ...] = (24, 48, 96, 104)
    depths: tuple[int, ...] = (2, 2, 2, 2)
    model_width: int = 96
    feed_forward: int = 192
    decoder_layers: int = 3
    queries: int = 60
    denoising: int = 30
    steps: int = 12_000
    stop_after: int | None = None
    fall: float = 0.2
    batch_size: int = 16
    learning_rate: float = 1e-3
    rise: int = 300
    weight_decay: float = 1e-3
    ema_decay: float = 0.998
    held_out: float = 0.1
    seed: int = 0
    mixed_precision: bool = True
    report_every: int = 250
    watched: int = 160
    resume: bool = False
    threads: int = 1
    loaders: int = 1
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Raise TrainingError where a setting makes no sense."""
        checks = {
            f"width: expected a multiple of {_SIDE_MULTIPLE}": self.width % _SIDE_MULTIPLE == 0 < self.width,
            f"height: expected a multiple of {_SIDE_MULTIPLE}": self.height % _SIDE_MULTIPLE == 0 < self.height,
            "channels: expected four": len(self.channels) == 4,
            "depths: expected four of at least 2": len(self.depths) == 4 and min(self.depths) >= 2,
            "model_width: expected a multiple of 4": self.model_width % 4 == 0 < self.model_width,
            "steps: expected at least 1": self.steps >= 1,
            "stop_after: expected at least 1": self.stop_after is None or self.stop_after >= 1,
            "fall: expected a share of at least 0 and at most 1": 0 <= self.fall <= 1,
            "batch_size: expected at least 2": self.batch_size >= 2,
            "rise: expected at least 1": self.rise >= 1,
            "held_out: expected a share above 0 and below 1": 0 < self.held_out < 1,
            "seed: expected at least 0": self.seed >= 0,
            "report_every: expected at least 1": self.report_every >= 1,
            "watched: expected at least 1": self.watched >= 1,
            "threads: expected at least 1": self.threads >= 1,
            "loaders: expected at least 0": self.loaders >= 0,
        }
        for expectation, holds in checks.items():
            if not holds:
                raise TrainingError(f"{expectation}, got {getattr(self, expectation.split(':')[0])!r}")

    @classmethod
    def from_texts(cls, texts: Sequence[str], **settings: Any) -> Self:
        """The settings that `--set KEY=VALUE` and these fields amount to.

        Raises:
            TrainingError: a text has another form, or names no setting, or its value makes no sense.
        """
        return settings_from_texts(cls, texts, settings)

    def command(self) -> str:
        """The command line that makes these weights again, less what the machine alone decides."""
        return command_of(self, "webcam-detector", _OPTIONS)

    @property
    def size_wh(self) -> tuple[int, int]:
        """Of the input."""
        return self.width, self.height

    @property
    def last_step(self) -> int:
        """Where this portion of the training ends."""
        return min(self.steps, self.stop_after or self.steps)

    def learning_rate_at(self, step: int) -> float:
        """A linear rise, a long plateau, a linear fall to nothing; a function of the step and the settings alone."""
        rising = min(1.0, (step + 1) / self.rise)
        fall_from = self.steps * (1 - self.fall)
        falling = 1.0 if step < fall_from else (self.steps - step) / max(self.steps - fall_from, 1e-9)
        return self.learning_rate * min(rising, falling)
