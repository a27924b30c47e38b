"""Trains the webcam detector, or any RT-DETR on pictures with boxes, and writes a checkpoint ready for the exporter.

Called by `mirilla train webcam-detector`. Every step's scenes, rates and noise depend on the seed and the step alone,
so a training that was stopped goes on as if nothing had happened. The result is the running average of the weights.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import torch
import transformers
from torch import nn
from transformers import AutoConfig, AutoModelForObjectDetection, PreTrainedModel

from models.networks.tiny_rt_detr import DetectorShape, build_detector, stretching_processor
from models.training.detector_batches import Labels, SceneMaker, as_input, batches
from models.training.detector_settings import DetectorTrainingSettings
from models.training.detector_watch import watch
from models.training.errors import TrainingError
from models.training.partial_labels import PartialLabelLoss
from models.training.running_average import follow
from models.training.trained_detector import DetectorReport, TrainedDetector

RESUME_FILE = "resume.pt"
_GRADIENT_NORM = 1.0
_SAVE_EVERY = 100
_FAMILY = ("rt_detr", "rt_detr_v2")
"""Architectures whose loss `PartialLabelLoss` is."""


@dataclass(slots=True)
class _Progress:
    """What a checkpoint has to hold to go on as if nothing had happened."""

    model: PreTrainedModel
    average: PreTrainedModel
    optimizer: torch.optim.Optimizer
    step: int = 0
    losses: list[float] = field(default_factory=list)
    history: list[DetectorReport] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def save(self, path: Path) -> None:
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "losses": self.losses,
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
            self.step, self.losses, self.commands = state["step"], state["losses"], state["commands"]
            self.history = [DetectorReport(**report) for report in state["history"]]
        except Exception as error:  # a torn file breaks torch's reader in ways of its own
            raise TrainingError(
                f"{path} is of another network or damaged; give the settings it was begun with, or leave out --resume"
            ) from error


def train_detector(
    settings: DetectorTrainingSettings,
    maker: SceneMaker,
    watched: SceneMaker,
    class_names: Sequence[str],
    on_report: Callable[[DetectorReport], None],
) -> TrainedDetector:
    """Train from nothing, from `start`, or with `resume` from the last saved step, and write the checkpoint folder.

    Args:
        settings: everything that the weights depend on.
        maker: what is trained on.
        watched: what is looked at now and then.
        class_names: of the detector.
        on_report: told after each look.

    Raises:
        TrainingError: a picture, `start`, or the state to resume is not what it should be.
    """
    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(1)
    # It would list every weight of the layers that are made anew for other classes.
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    settings.output.mkdir(parents=True, exist_ok=True)
    progress = _begin(settings, class_names)
    scenes = [watched.scene(index) for index in range(settings.watched)]
    started = time.perf_counter()
    todo = batches(maker, settings.batch_size, progress.step, settings.last_step, settings.loaders)
    for images, labels in todo:
        progress.losses.append(_train_step(progress, images, labels, settings))
        progress.step += 1
        ends = progress.step == settings.last_step
        if progress.step % settings.report_every == 0 or ends:
            recent = progress.losses[-settings.report_every :]
            seen = watch(progress.average, scenes, class_names)
            seconds = time.perf_counter() - started
            loss = sum(recent) / len(recent)
            report = DetectorReport(progress.step, settings.steps, loss, seen.map, dict(seen.ap50), seconds)
            progress.history.append(report)
            started = time.perf_counter()
            on_report(report)
        if progress.step % _SAVE_EVERY == 0 or ends:
            progress.save(settings.output / RESUME_FILE)
    progress.average.save_pretrained(settings.output)
    stretching_processor(settings.size_wh).save_pretrained(settings.output)
    command = "\n".join([progress.commands[0], *(f"{later} --resume" for later in progress.commands[1:])])
    return TrainedDetector(
        settings.output, tuple(class_names), tuple(progress.history), tuple(progress.losses), command
    )


def _begin(settings: DetectorTrainingSettings, class_names: Sequence[str]) -> _Progress:
    torch.manual_seed(settings.seed)
    model, average = (_model(settings, class_names) for _ in range(2))
    average.load_state_dict(model.state_dict())
    # The method, not the module: torch would make a part of the network of a module.
    model.loss_function = PartialLabelLoss(model.config).of_outputs
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=settings.learning_rate,
    )
    progress = _Progress(model, average, optimizer)
    if settings.resume and (settings.output / RESUME_FILE).is_file():
        progress.restore(settings.output / RESUME_FILE)
    if settings.command() not in progress.commands[-1:]:
        progress.commands.append(settings.command())
    return progress


def _model(settings: DetectorTrainingSettings, class_names: Sequence[str]) -> PreTrainedModel:
    channels, depths = settings.channels, settings.depths
    shape = DetectorShape(
        (channels[0], channels[1], channels[2], channels[3]),
        (depths[0], depths[1], depths[2], depths[3]),
        settings.model_width,
        settings.feed_forward,
        settings.decoder_layers,
        settings.queries,
        settings.denoising,
    )
    model = build_detector(shape, class_names) if settings.start is None else _begun(settings.start, class_names)
    there: Any = model  # transformers hides the signature of `to`
    moved: PreTrainedModel = there.to(device=settings.device, memory_format=torch.channels_last)
    return moved


def _begun(start: Path, class_names: Sequence[str]) -> PreTrainedModel:
    """A checkpoint's network with a new last layer for these classes.

    Raises:
        TrainingError: the folder holds no detector of the RT-DETR family.
    """
    offline = {"local_files_only": True, "trust_remote_code": False}
    try:
        kind = AutoConfig.from_pretrained(start, **offline).model_type
        if kind not in _FAMILY:
            raise TrainingError(f"start: {start} is a {kind}; give one of {', '.join(_FAMILY)}, or leave it out")
        model: PreTrainedModel = AutoModelForObjectDetection.from_pretrained(
            start,
            id2label=dict(enumerate(class_names)),
            label2id={name: index for index, name in enumerate(class_names)},
            ignore_mismatched_sizes=True,
            **offline,
        )
    except (OSError, ValueError) as error:
        line = str(error).splitlines()[0]
        raise TrainingError(f"start: {start} holds no checkpoint of transformers ({line}); give its folder") from error
    return model


def _train_step(progress: _Progress, images: torch.Tensor, labels: Labels, settings: DetectorTrainingSettings) -> float:
    """One step; what is random in it depends on seed and step alone."""
    torch.manual_seed(settings.seed * 1_000_003 + progress.step)
    device = torch.device(settings.device)
    for group in progress.optimizer.param_groups:
        group["lr"] = settings.learning_rate_at(progress.step)
    progress.model.train()
    there = [{key: value.to(device) for key, value in label.items()} for label in labels]
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=settings.mixed_precision):
        loss: Any = progress.model(as_input(images, device), labels=there).loss
    progress.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(progress.model.parameters(), _GRADIENT_NORM)
    progress.optimizer.step()
    done = progress.step
    follow(progress.average, progress.model, min(settings.ema_decay, (1 + done) / (10 + done)))
    return float(loss.detach())
