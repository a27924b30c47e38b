"""Trains a segmentation network and writes it as a transformers checkpoint, ready for the exporter.

Called by `mirilla train person-segmenter | drawing-segmenter | unet`; deterministic by its seed on one kind of
processor. Each step's batch depends on seed and step alone, so that a resumed training repeats what it would have been.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from models.evaluation.segmentation_figures import SegmentationTally
from models.training.errors import TrainingError
from models.training.running_average import follow
from models.training.segmentation_pairs import NOT_COUNTED, PairSource
from models.training.segmenter_networks import Segmenter, best_classes, build_segmenter, segmentation_loss
from models.training.segmenter_settings import SegmenterSettings
from models.training.training_state import TrainingState, cosine_rate, parameter_groups

_GRADIENT_NORM = 5.0
_WATCHED_PICTURES = 96
_WATCHING_SEED = 20_001


@dataclass(frozen=True, slots=True)
class StepReport:
    """Some steps.

    Attributes:
        step: how many are done.
        steps: how many there will be.
        loss: mean training loss since the last report.
        iou: of the averaged weights on the validation pictures; of the second class where there are two, else the mean.
        seconds: since the last report.
    """

    step: int
    steps: int
    loss: float
    iou: float
    seconds: float

    def __str__(self) -> str:
        """One line for people."""
        reached = f"loss {self.loss:.4f}, validation IoU {self.iou:.4f}"
        return f"step {self.step} of {self.steps}: {reached}, {self.seconds:.0f} s"


@dataclass(frozen=True, slots=True)
class TrainedSegmenter:
    """A finished training.

    Attributes:
        segmenter: with the averaged weights.
        class_names: in the order of the labels.
        history: the reports.
        command: makes the weights again: a line for each portion of the training.
    """

    segmenter: Segmenter
    class_names: tuple[str, ...]
    history: tuple[StepReport, ...]
    command: str


def train_segmenter(
    settings: SegmenterSettings,
    training: PairSource,
    validation: PairSource,
    on_step: Callable[[int], None],
    on_report: Callable[[StepReport], None],
) -> TrainedSegmenter:
    """Train from the first step, or with `resume` from the last report, and write the checkpoint folder.

    Args:
        settings: everything that the weights depend on.
        training: pictures to learn from.
        validation: pictures to watch the training by.
        on_step: told how many steps are done.
        on_report: told what `report_every` steps came to, when they can be resumed from.

    Raises:
        TrainingError: the checkpoint to start from or to resume is not what it should be, or there is no such device.
    """
    device = _device(settings)
    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(settings.seed)
    settings.output.mkdir(parents=True, exist_ok=True)
    segmenter = build_segmenter(settings, training.class_names)
    state = _begin(settings, segmenter, training.class_names, device)
    watched = _watched(segmenter, validation, settings)
    last = min(settings.steps, settings.stop_after or settings.steps)
    losses: list[float] = []
    started = time.perf_counter()
    for images, labels in _batches(segmenter, training, settings, state.done, last):
        losses.append(_train_step(state, images.to(device), labels.to(device), settings))
        state.done += 1
        on_step(state.done)
        if state.done % settings.report_every == 0 or state.done == last:
            iou = _validation_iou(state.average, watched, training.class_names, settings)
            seconds = time.perf_counter() - started
            report = StepReport(state.done, settings.steps, float(np.mean(losses)), iou, seconds)
            state.history.append(asdict(report))
            state.save(settings.output)
            on_report(report)
            losses, started = [], time.perf_counter()
    return _finish(settings, state, segmenter, training.class_names)


def _device(settings: SegmenterSettings) -> torch.device:
    try:
        device = torch.device(settings.device)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise TrainingError(
            f"device: {settings.device!r} cannot be used ({error}); give cpu, or cuda where it works"
        ) from error
    return device


def _begin(
    settings: SegmenterSettings, segmenter: Segmenter, class_names: tuple[str, ...], device: torch.device
) -> TrainingState[PreTrainedModel]:
    average = build_segmenter(settings, class_names).network
    average.load_state_dict(segmenter.network.state_dict())
    for network in (segmenter.network, average):
        _move(network, device, torch.channels_last)
    optimizer = torch.optim.AdamW(parameter_groups(segmenter.network, settings.weight_decay), lr=settings.learning_rate)
    state = TrainingState[PreTrainedModel](segmenter.network, average, optimizer)
    state.begin(settings.output, settings.command(), resume=settings.resume)
    return state


def _move(network: nn.Module, device: torch.device, layout: torch.memory_format) -> None:
    """Bring weights to a device, kernels in a layout."""
    network.to(device)
    # No signature of torch's names the layout.
    to: Any = network.to
    to(memory_format=layout)


def _batches(
    segmenter: Segmenter, source: PairSource, settings: SegmenterSettings, first: int, last: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of the steps `first` to `last`, each made while the one before it is learned from."""

    def make(step: int) -> tuple[Tensor, Tensor]:
        return _batch(segmenter, source, settings, settings.batch_size, np.random.default_rng((settings.seed, step)))

    with ThreadPoolExecutor(1) as maker:
        ahead = maker.submit(make, first) if first < last else None
        for step in range(first, last):
            assert ahead is not None
            ready = ahead.result()
            ahead = maker.submit(make, step + 1) if step + 1 < last else None
            yield ready


def _batch(
    segmenter: Segmenter, source: PairSource, settings: SegmenterSettings, count: int, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Input float32 (N, 3, H, W) and labels int64 (N, H, W)."""
    pairs = [source.sample(settings.size_wh, random) for _ in range(count)]
    labels = torch.from_numpy(np.stack([labels for _, labels in pairs])).long()
    images = segmenter.tensor([picture for picture, _ in pairs])
    return images.contiguous(memory_format=torch.channels_last), labels


def _watched(segmenter: Segmenter, validation: PairSource, settings: SegmenterSettings) -> list[tuple[Tensor, Tensor]]:
    random = np.random.default_rng((_WATCHING_SEED, settings.seed))
    rounds = max(1, _WATCHED_PICTURES // settings.batch_size)
    return [_batch(segmenter, validation, settings, settings.batch_size, random) for _ in range(rounds)]


def _train_step(
    state: TrainingState[PreTrainedModel], images: Tensor, labels: Tensor, settings: SegmenterSettings
) -> float:
    for group in state.optimizer.param_groups:
        group["lr"] = cosine_rate(
            state.done, settings.steps, min(settings.rise, settings.steps / 2), settings.learning_rate
        )
    state.model.train()
    with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=settings.mixed_precision):
        logits = state.model(images).logits.float()
    loss = segmentation_loss(logits, labels, settings.dice)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(state.model.parameters(), _GRADIENT_NORM)
    state.optimizer.step()
    decay = min(settings.ema_decay, (1 + state.done) / (10 + state.done))
    follow(state.average, state.model, decay)
    return float(loss.detach())


def _validation_iou(
    network: PreTrainedModel,
    watched: list[tuple[Tensor, Tensor]],
    class_names: tuple[str, ...],
    settings: SegmenterSettings,
) -> float:
    tally = SegmentationTally(class_names)
    network.train(mode=False)
    with torch.inference_mode():
        for images, labels in watched:
            with torch.autocast(settings.device.split(":")[0], dtype=torch.bfloat16, enabled=settings.mixed_precision):
                logits = network(images.to(network.device)).logits.float()
            truth = labels.numpy()
            tally.add(
                np.where(truth == NOT_COUNTED, len(class_names), truth),
                best_classes(logits, labels.shape[1:]).cpu().numpy(),
            )
    iou = tally.class_rows()[1]["iou"] if len(class_names) == 2 else tally.figures()["miou"]
    return float(iou or 0.0)


def _finish(
    settings: SegmenterSettings,
    state: TrainingState[PreTrainedModel],
    segmenter: Segmenter,
    class_names: tuple[str, ...],
) -> TrainedSegmenter:
    result = Segmenter(state.average, segmenter.mean, segmenter.std, segmenter.processor)
    result.network.train(mode=False)
    _move(result.network, torch.device("cpu"), torch.contiguous_format)
    result.network.save_pretrained(settings.output)
    if result.processor is not None:
        result.processor.save_pretrained(settings.output)
    history = tuple(StepReport(**report) for report in state.history)
    return TrainedSegmenter(result, class_names, history, state.told_commands())
