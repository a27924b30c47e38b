"""The networks that segmentation is trained with, how pictures become their input, and the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import (
    AutoImageProcessor,
    AutoModelForSemanticSegmentation,
    PreTrainedModel,
    SegformerConfig,
    SegformerForSemanticSegmentation,
    SegformerImageProcessor,
)

from models.networks.sketch_cnn import label_settings
from models.networks.unet import UNet, UNetConfig
from models.training.errors import TrainingError
from models.training.segmentation_pairs import NOT_COUNTED
from models.training.segmenter_settings import SegmenterSettings

_SMOOTH = 1.0


@dataclass(frozen=True, slots=True)
class Segmenter:
    """A network, and what it wants to be shown.

    Attributes:
        network: answers with logits (N, planes, h, w): one plane for two classes, or one a class.
        mean: of the levels 0..1, red, green, blue.
        std: by which they are divided.
        processor: of transformers, saved beside the weights; None where levels are shown as they are.
    """

    network: PreTrainedModel
    mean: tuple[float, ...]
    std: tuple[float, ...]
    processor: Any | None

    def tensor(self, pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Pictures uint8 (H, W, 3), BGR, of one size as float32 (N, 3, H, W)."""
        levels = torch.from_numpy(np.stack(pictures)).flip(3).permute(0, 3, 1, 2).float() / 255.0
        return (levels - torch.tensor(self.mean)[:, None, None]) / torch.tensor(self.std)[:, None, None]


def build_segmenter(settings: SegmenterSettings, class_names: tuple[str, ...]) -> Segmenter:
    """A network with fresh weights, or with those of the checkpoint that the settings start from.

    Raises:
        TrainingError: that checkpoint cannot be read.
    """
    labels = label_settings(class_names)
    if settings.start is not None:
        return _started(settings.start, settings.size, labels)
    if settings.architecture == "unet":
        binary = len(class_names) == 2
        config = UNetConfig(image_size=settings.size, channels=settings.channels, binary=binary, **labels)
        return Segmenter(UNet(config), (0.0,) * 3, (1.0,) * 3, None)
    channels = settings.channels
    tiny = SegformerConfig(  # type: ignore[no-untyped-call]
        depths=[2, 2, 2, 2],
        sr_ratios=[8, 4, 2, 1],
        hidden_sizes=list(channels),
        num_attention_heads=[1, 2, 4, 8],
        decoder_hidden_size=max(64, channels[2]),
        drop_path_rate=0.0,
        classifier_dropout_prob=0.0,
        **labels,
    )
    processor = SegformerImageProcessor(size={"height": settings.size, "width": settings.size})
    network = SegformerForSemanticSegmentation(tiny)  # type: ignore[no-untyped-call]
    return Segmenter(network, tuple(processor.image_mean), tuple(processor.image_std), processor)


def _started(start: Path, size: int, labels: dict[str, Any]) -> Segmenter:
    told: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        network = AutoModelForSemanticSegmentation.from_pretrained(
            start, ignore_mismatched_sizes=True, weights_only=True, **labels, **told
        )
        if isinstance(network, UNet):
            return Segmenter(network, (0.0,) * 3, (1.0,) * 3, None)
        processor: Any = AutoImageProcessor.from_pretrained(start, use_fast=False, **told)  # type: ignore[no-untyped-call]
    except Exception as error:  # every architecture raises its own
        lines = str(error).splitlines() or [type(error).__name__]
        raise TrainingError(f"start: {start} is no segmentation checkpoint that can be read: {lines[0]}") from error
    processor.size = {"height": size, "width": size}
    return Segmenter(network, tuple(processor.image_mean), tuple(processor.image_std), processor)


def segmentation_loss(logits: Tensor, labels: Tensor, dice: float) -> Tensor:
    """Cross-entropy of each pixel, and with two classes the Dice loss beside it (Milletari et al., V-Net, 2016).

    Args:
        logits: float32 (N, planes, h, w), enlarged to the labels; two classes have one plane or two.
        labels: int64 (N, H, W); `NOT_COUNTED` pixels count nothing.
        dice: weight of the Dice loss.
    """
    logits = enlarged(logits, labels.shape[1:])
    if logits.shape[1] > 2:
        return nn.functional.cross_entropy(logits, labels, ignore_index=NOT_COUNTED)
    counted = (labels != NOT_COUNTED).to(logits.dtype)
    wanted = (labels == 1).to(logits.dtype)
    for_it = logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
    cross = nn.functional.binary_cross_entropy_with_logits(for_it, wanted, weight=counted)
    likely = torch.sigmoid(for_it) * counted
    overlap, both = (likely * wanted).sum(), likely.sum() + (wanted * counted).sum()
    return cross + dice * (1 - (2 * overlap + _SMOOTH) / (both + _SMOOTH))


def best_classes(logits: Tensor, size_hw: Sequence[int]) -> Tensor:
    """The class of each pixel, int64 (N, H, W), as the runtime takes it of logits (N, planes, h, w)."""
    logits = enlarged(logits, size_hw)
    return (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(dim=1)


def enlarged(logits: Tensor, size_hw: Sequence[int]) -> Tensor:
    """Logits (N, planes, h, w) at another size, between which is interpolated."""
    if tuple(logits.shape[2:]) == tuple(size_hw):
        return logits
    return nn.functional.interpolate(logits, size=tuple(size_hw), mode="bilinear", align_corners=False)
