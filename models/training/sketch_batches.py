"""Batches of augmented, mixed drawings for the training loop, and the loss that goes with them.

Mixup is Zhang et al. 2018 (https://arxiv.org/abs/1710.09412): two drawings are blended, and so are their labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.training.augment import GENTLE, HARD, Augmentation, augment_bitmap, augment_strokes
from models.training.quickdraw_data import SketchSet
from models.training.sketch_settings import SketchTrainingSettings


@dataclass(frozen=True, slots=True, eq=False)
class MixedBatch:
    """Blended drawings of one source.

    Attributes:
        images: float32 (N, 1, 28, 28), 0..1.
        labels: int64 (N,), of the first drawing in each blend.
        other_labels: int64 (N,), of the second.
        share: of the first in the blend, 0..1.
        classes: int64, the labels that the source knows, rising; None where it knows all.
    """

    images: Tensor
    labels: Tensor
    other_labels: Tensor
    share: float
    classes: Tensor | None


def make_batch(
    source: SketchSet, chosen: NDArray[np.int64], settings: SketchTrainingSettings, random: np.random.Generator
) -> MixedBatch:
    """Augment the drawings at the positions `chosen` (N,) and blend each with another of them."""
    how: Augmentation = (HARD if settings.hard_augmentation else GENTLE).times(settings.augmentation_strength)
    if not settings.mirrored:
        how = replace(how, mirror_chance=0.0)
    bitmap_count = len(source.bitmaps)
    pictures = np.stack(
        [
            augment_bitmap(source.bitmaps[index], how, random)
            if index < bitmap_count
            else augment_strokes(source.drawings[index - bitmap_count], how, random)
            for index in chosen
        ]
    )
    images, labels = as_pixel_values(pictures), torch.from_numpy(source.labels[chosen])
    share = float(random.beta(settings.mixup_alpha, settings.mixup_alpha)) if settings.mixup_alpha > 0 else 1.0
    partner = torch.from_numpy(random.permutation(len(chosen)))
    known = np.unique(source.labels)
    classes = torch.from_numpy(known) if len(known) < len(source.class_names) else None
    return MixedBatch(share * images + (1.0 - share) * images[partner], labels, labels[partner], share, classes)


def mixed_loss(logits: Tensor, batch: MixedBatch, smoothing: float) -> Tensor:
    """Cross-entropy of logits float32 (N, classes) against both labels of each blend.

    Where a source knows only some categories, only these compete: it must not speak against the others.
    """
    labels, others = batch.labels, batch.other_labels
    if batch.classes is not None:
        logits = logits[:, batch.classes]
        labels, others = torch.searchsorted(batch.classes, labels), torch.searchsorted(batch.classes, others)
    first = nn.functional.cross_entropy(logits, labels, label_smoothing=smoothing)
    second = nn.functional.cross_entropy(logits, others, label_smoothing=smoothing)
    return batch.share * first + (1.0 - batch.share) * second


def balanced_order(source: SketchSet, count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """`count` positions in random order: every category as often as any other, and within it every drawing."""
    members = [np.flatnonzero(source.labels == label) for label in np.unique(source.labels)]
    per_category = math.ceil(count / len(members))
    picked = []
    for own in members:
        rounds = math.ceil(per_category / len(own))
        picked.append(np.concatenate([random.permutation(own) for _ in range(rounds)])[:per_category])
    order: NDArray[np.int64] = random.permutation(np.concatenate(picked))[:count]
    return order


def as_pixel_values(bitmaps: NDArray[np.uint8]) -> Tensor:
    """Bitmaps uint8 (N, 28, 28) as the networks take them: float32 (N, 1, 28, 28), 0..1."""
    return torch.from_numpy(bitmaps).unsqueeze(1).float() / 255.0
