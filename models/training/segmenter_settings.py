"""What the training of a segmentation network is asked for: everything that the weights depend on stands here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from models.training.errors import TrainingError
from models.training.settings_texts import command_of, settings_from_texts

Kind = Literal["person-segmenter", "drawing-segmenter", "unet"]

_SIDE_MULTIPLE = 32
_OPTIONS = ("backgrounds", "architecture", "steps", "seed", "start")
"""Settings with an option of their own; the others are given by `--set`."""

KIND_DEFAULTS: dict[Kind, dict[str, Any]] = {
    "person-segmenter": {"size": 160, "steps": 5000},
    "drawing-segmenter": {
        "size": 256,
        "channels": (8, 16, 32, 48, 64),
        "steps": 12000,
        "batch_size": 8,
        "dice": 1.0,
    },
    "unet": {},
}
"""What differs from the defaults below for what is learned."""


@dataclass(frozen=True, slots=True)
class SegmenterSettings:
    """Settings of a training; its weights are the same for the same settings, files and processor.

    Attributes:
        kind: what is learned.
        data: portraits and hands for `person-segmenter`, Quick, Draw! files for `drawing-segmenter`; or for every kind
            a folder of the user's own pictures and masks.
        output: folder for the checkpoint.
        backgrounds: pictures that people and sheets of paper are put before.
        architecture: `unet`, the course's, or `segformer`, in a tiny configuration.
        start: a checkpoint folder to start from instead of fresh weights; its architecture is taken.
        size: side of the square that pictures are stretched to.
        channels: of the stages, the outermost first; four for `segformer`.
        steps: batches that the schedule is made for.
        stop_after: end after this step all the same; `resume` goes on, with another schedule if it is given one.
        batch_size: pictures a step.
        learning_rate: the highest; it rises over the first steps and falls along a cosine.
        rise: how many steps it rises.
        weight_decay: of kernels and matrices.
        dice: weight of the Dice loss beside the cross-entropy; with two classes only.
        ema_decay: how slowly the averaged weights, which are the result, follow.
        augmentation: how far pictures of the user's own are changed; 0 leaves them as they are.
        held_out: share of the user's own pictures that is never trained on; 0 trains on all, and measures on them too.
        held_out_pages: pages of a seed of their own that a `drawing-segmenter` is measured on.
        report_every: steps between two reports, after each of which the training can be resumed.
        seed: of everything random.
        mixed_precision: bfloat16 where it is safe; half the time on processors that have it.
        resume: go on from the last report in `output`.
        device: of torch: `cpu`, `cuda`.
        threads: of torch.
    """

    kind: Kind
    data: Path
    output: Path
    backgrounds: Path | None = None
    architecture: Literal["unet", "segformer"] = "unet"
    start: Path | None = None
    size: int = 224
    channels: tuple[int, ...] = (8, 16, 32, 64, 128)
    steps: int = 4000
    stop_after: int | None = None
    batch_size: int = 16
    learning_rate: float = 3e-3
    rise: int = 100
    weight_decay: float = 0.01
    dice: float = 0.5
    ema_decay: float = 0.998
    augmentation: float = 1.0
    held_out: float = 0.1
    held_out_pages: int = 500
    report_every: int = 100
    seed: int = 0
    mixed_precision: bool = True
    resume: bool = False
    device: str = "cpu"
    threads: int = 1

    def __post_init__(self) -> None:
        """Raise TrainingError where a setting makes no sense."""
        expectations = {
            f"size: expected a multiple of {_SIDE_MULTIPLE}": self.size > 0 and self.size % _SIDE_MULTIPLE == 0,
            "channels: expected 2 to 6 stages": 2 <= len(self.channels) <= 6 and min(self.channels) >= 1,
            "channels: expected 4 stages for segformer": self.architecture == "unet" or len(self.channels) == 4,
            "steps: expected at least 1": self.steps >= 1,
            "stop_after: expected at least 1": self.stop_after is None or self.stop_after >= 1,
            "batch_size: expected at least 1": self.batch_size >= 1,
            "learning_rate: expected a number above 0": self.learning_rate > 0,
            "rise: expected at least 1": self.rise >= 1,
            "dice: expected at least 0": self.dice >= 0,
            "ema_decay: expected a share of at least 0 and below 1": 0 <= self.ema_decay < 1,
            "augmentation: expected at least 0": self.augmentation >= 0,
            "held_out: expected a share of at least 0 and below 1": 0 <= self.held_out < 1,
            "held_out_pages: expected at least 1": self.held_out_pages >= 1,
            "report_every: expected at least 1": self.report_every >= 1,
            "seed: expected at least 0": self.seed >= 0,
            "threads: expected at least 1": self.threads >= 1,
        }
        for expectation, holds in expectations.items():
            if not holds:
                raise TrainingError(f"{expectation}, got {getattr(self, expectation.split(':')[0])!r}")

    @classmethod
    def from_texts(cls, texts: Sequence[str], **settings: Any) -> Self:
        """The settings that words of a command line amount to; `texts` and errors as of `settings_from_texts`."""
        return settings_from_texts(cls, texts, settings)

    @property
    def size_wh(self) -> tuple[int, int]:
        """The network's input, in pixels."""
        return self.size, self.size

    def command(self) -> str:
        """The command line that makes these weights again, less what the machine alone decides."""
        return command_of(self, self.kind, _OPTIONS)


def settings_of(given: dict[str, Any], texts: Sequence[str]) -> SegmenterSettings:
    """The settings that options and `--set` amount to; what is None is left to the kind, and then to all kinds.

    Raises:
        TrainingError: one of them makes no sense.
    """
    options = {name: value for name, value in given.items() if value is not None}
    defaults = KIND_DEFAULTS[given["kind"]]
    if options.get("architecture", defaults.get("architecture")) != defaults.get("architecture"):
        # The kind's own channels and rate are for its own network.
        defaults = {}
    return SegmenterSettings.from_texts(texts, **{**defaults, **options})
