"""Trains a sketch network on Quick, Draw! files and writes it as a transformers checkpoint, ready for the exporter.

Called by `mirilla train sketch`; deterministic by its seed on one kind of processor.
What makes a small network good here: drawings changed while they are still strokes, mixup, label smoothing, a cosine
schedule, and as the result the average of the weights over the last steps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.networks.sketch_cnn import (
    SketchCnn,
    SketchCnnConfig,
    SketchModel,
    SketchResNet,
    SketchResNetConfig,
    label_settings,
)
from models.training.errors import TrainingError
from models.training.quickdraw_data import SketchSet, Split, category_names, read_sketches, without_copies_of
from models.training.running_average import follow
from models.training.sketch_accuracy import SketchAccuracy, predict, top_k_shares
from models.training.sketch_batches import MixedBatch, balanced_order, make_batch, mixed_loss
from models.training.sketch_card import write_papers, write_record
from models.training.sketch_settings import SketchTrainingSettings
from models.training.trained_sketch import EpochReport, TrainedSketch

RESUME_FILE = "resume.pt"
_GRADIENT_NORM = 5.0
_CALIBRATION_DRAWINGS = 512


@dataclass(slots=True)
class _Progress:
    """What a checkpoint has to hold to go on as if nothing had happened."""

    model: SketchModel
    average: SketchModel
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    history: list[EpochReport] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def save(self, path: Path) -> None:
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "history": [asdict(report) for report in self.history],
            "commands": self.commands,
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    def restore(self, path: Path) -> None:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.epoch, self.commands = state["epoch"], state["commands"]
            self.history = [EpochReport(**report) for report in state["history"]]
        except Exception as error:  # a torn file breaks torch's reader in ways of its own
            raise TrainingError(
                f"{path} is of another network or damaged; give the settings it was begun with, or leave out --resume"
            ) from error


def train_sketch(settings: SketchTrainingSettings, on_epoch: Callable[[EpochReport], None]) -> TrainedSketch:
    """Train from the first epoch, or with `resume` from the last finished one, and write the checkpoint folder.

    Args:
        settings: everything that the weights depend on.
        on_epoch: told after each epoch, when it can be resumed from.

    Raises:
        TrainingError: the data folder holds no drawings, or a file of it or the checkpoint to resume is not what it
            should be.
    """
    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(settings.seed)
    sources, validation, held_out = _read_data(settings)
    settings.output.mkdir(parents=True, exist_ok=True)
    progress = _begin(settings, held_out.class_names)
    while progress.epoch < min(settings.epochs, settings.stop_after or settings.epochs):
        started = time.perf_counter()
        loss = _train_epoch(progress, sources, settings)
        progress.epoch += 1
        top1, top5 = _shares(progress.average, validation)
        report = EpochReport(progress.epoch, settings.epochs, loss, top1, top5, time.perf_counter() - started)
        progress.history.append(report)
        progress.save(settings.output / RESUME_FILE)
        on_epoch(report)
    return _finish(settings, progress, sources[0], held_out)


def build_model(settings: SketchTrainingSettings, class_names: tuple[str, ...]) -> SketchModel:
    """A network with fresh weights for these classes."""
    labels = label_settings(class_names)
    if settings.architecture == "notes":
        return SketchCnn(SketchCnnConfig(**labels))
    return SketchResNet(
        SketchResNetConfig(
            channels=settings.channels,
            depths=settings.depths,
            dropout=settings.dropout,
            mirrored=settings.mirrored,
            **labels,
        )
    )


def _begin(settings: SketchTrainingSettings, class_names: tuple[str, ...]) -> _Progress:
    model = build_model(settings, class_names)
    average = build_model(settings, class_names)
    average.load_state_dict(model.state_dict())
    optimizer = torch.optim.AdamW(_parameter_groups(model, settings), lr=settings.learning_rate)
    progress = _Progress(model, average, optimizer)
    resume_file = settings.output / RESUME_FILE
    if settings.resume and resume_file.is_file():
        progress.restore(resume_file)
    if settings.command() not in progress.commands[-1:]:
        progress.commands.append(settings.command())
    return progress


def _finish(
    settings: SketchTrainingSettings, progress: _Progress, training: SketchSet, held_out: SketchSet
) -> TrainedSketch:
    """Measure the averaged weights on the held-out drawings, and write them and their papers."""
    progress.average.save_pretrained(settings.output)
    trained = TrainedSketch(
        settings.output,
        held_out.class_names,
        SketchAccuracy.of(predict(progress.average, held_out.rendered()), held_out.labels),
        held_out,
        _calibration(training, settings.seed),
        tuple(progress.history),
        "\n".join([progress.commands[0], *(f"{later} --resume" for later in progress.commands[1:])]),
    )
    write_record(trained, settings.seed)
    write_papers(settings.output, settings, trained, trained.accuracy)
    return trained


def _calibration(training: SketchSet, seed: int) -> NDArray[np.uint8]:
    """Some of the drawings, every category equally often, an empty and a full picture; uint8 (N + 2, 28, 28).

    The last two are as far as a picture goes: what lies beyond the ranges of an int8 model is cut off.
    """
    order = balanced_order(training, min(_CALIBRATION_DRAWINGS, len(training)), np.random.default_rng(seed))
    drawings = training.rendered()[order]
    extremes = np.stack([np.full_like(drawings[0], level) for level in (0, 255)])
    return np.concatenate([drawings, extremes])


def _shares(model: SketchModel, sketches: SketchSet) -> tuple[float, float]:
    """Top-1 and top-5 on a set; NaN where it is empty."""
    if len(sketches) == 0:
        return math.nan, math.nan
    return top_k_shares(predict(model, sketches.rendered()), sketches.labels)


def _read_data(settings: SketchTrainingSettings) -> tuple[list[SketchSet], SketchSet, SketchSet]:
    """The training sets (`data`, then `extra_data`), the validation and the held-out set, no drawing in two of them."""
    names = category_names(settings.data)
    split = Split(settings.held_out, settings.validation)
    training = read_sketches(settings.data, "training", split, names)
    validation = read_sketches(settings.data, "validation", split, names)
    held_out = read_sketches(settings.data, "held_out", split, names)
    parts = {"training": training, "validation": validation, "held-out": held_out}
    for part, sketches in parts.items():
        if len(sketches) == 0 and (part != "validation" or settings.validation > 0):
            raise TrainingError(f"{settings.data}: too few drawings, none is left for the {part} part; add more")
    if settings.extra_data is None:
        return [training], validation, held_out
    extra = read_sketches(settings.extra_data, "training", Split(settings.extra_held_out, 0.0), names)
    extra = without_copies_of(without_copies_of(extra, held_out), validation)
    if len(extra) == 0:
        raise TrainingError(f"{settings.extra_data}: no drawings of the categories of {settings.data}; leave it out")
    return [training, extra], validation, held_out


def _parameter_groups(model: nn.Module, settings: SketchTrainingSettings) -> list[dict[str, Any]]:
    """Weight decay for the matrices and kernels, none for biases and batch norm."""
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _train_epoch(progress: _Progress, sources: list[SketchSet], settings: SketchTrainingSettings) -> float:
    """One pass; returns its mean loss. What is random depends on seed and epoch alone, so that resuming repeats it."""
    random = np.random.default_rng((settings.seed, progress.epoch))
    torch.manual_seed(settings.seed * 1_000_003 + progress.epoch)
    shares = [1.0] if len(sources) == 1 else [1.0 - settings.extra_share, settings.extra_share]
    sizes = [max(1, round(settings.batch_size * share)) for share in shares]
    steps = max(1, (settings.drawings_per_epoch or len(sources[0])) // sizes[0])
    orders = [balanced_order(source, steps * size, random) for source, size in zip(sources, sizes, strict=True)]
    progress.model.train()
    total = 0.0
    for step in range(steps):
        rate = _learning_rate(progress.epoch + step / steps, settings)
        for group in progress.optimizer.param_groups:
            group["lr"] = rate
        batches = [
            make_batch(source, order[step * size : (step + 1) * size], settings, random)
            for source, order, size in zip(sources, orders, sizes, strict=True)
        ]
        total += _train_step(progress, batches, settings)
        done = progress.epoch * steps + step
        follow(progress.average, progress.model, min(settings.ema_decay, (1 + done) / (10 + done)))
    return total / steps


def _train_step(progress: _Progress, batches: list[MixedBatch], settings: SketchTrainingSettings) -> float:
    images = torch.cat([batch.images for batch in batches]).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.mixed_precision):
        logits = progress.model(images).logits.float()
    loss = torch.zeros(())
    pieces = torch.split(logits, [len(batch.images) for batch in batches])
    for batch, piece in zip(batches, pieces, strict=True):
        loss = loss + mixed_loss(piece, batch, settings.label_smoothing) * (len(piece) / len(logits))
    progress.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(progress.model.parameters(), _GRADIENT_NORM)
    progress.optimizer.step()
    return float(loss.detach())


def _learning_rate(done_epochs: float, settings: SketchTrainingSettings) -> float:
    """A linear rise over the first epoch (a tenth of all, if that is shorter), then half a cosine down to nothing."""
    rise = min(1.0, settings.epochs / 10)
    if done_epochs < rise:
        return settings.learning_rate * (done_epochs / rise * 0.99 + 0.01)
    fall = (done_epochs - rise) / (settings.epochs - rise)
    return settings.learning_rate * (0.5 + 0.5 * math.cos(math.pi * fall)) + 1e-6
