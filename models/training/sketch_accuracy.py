"""How often a sketch network is right, and what it takes for what; plain arrays in, figures out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from models.networks.sketch_cnn import SketchModel
from models.training.sketch_batches import as_pixel_values

_BATCH = 1024


@dataclass(frozen=True, slots=True, eq=False)
class SketchAccuracy:
    """How often a network was right on drawings that it had not seen.

    Attributes:
        top1: share of the drawings that are named right.
        top5: share of them whose name is among the first five guesses.
        count: how many drawings these shares are of.
        confusion: counts (classes, classes): row is what was drawn, column what was guessed first.
    """

    top1: float
    top5: float
    count: int
    confusion: NDArray[np.int64] = field(repr=False)

    @classmethod
    def of(cls, logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Self:
        """The figures of logits (N, classes) for drawings with these labels (N,)."""
        return cls(*top_k_shares(logits, labels), len(labels), confusion_matrix(logits, labels))


def predict(model: SketchModel, bitmaps: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Logits float32 (N, classes) of bitmaps uint8 (N, 28, 28); leaves the model in evaluation mode."""
    model.train(mode=False)
    with torch.inference_mode():
        batches = [
            model(as_pixel_values(bitmaps[start : start + _BATCH])).logits for start in range(0, len(bitmaps), _BATCH)
        ]
    logits: NDArray[np.float32] = torch.cat(batches).numpy()
    return logits


def top_k_shares(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[float, float]:
    """The shares of rows whose label is the first guess, and among the first five guesses."""
    order = np.argsort(-logits, axis=1, kind="stable")[:, :5]
    hits = order == labels[:, None]
    return float(hits[:, 0].mean()), float(hits.any(axis=1).mean())


def confusion_matrix(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts (classes, classes): row is what was drawn, column what was guessed first."""
    classes = logits.shape[1]
    pairs = np.bincount(labels * classes + logits.argmax(axis=1), minlength=classes * classes)
    return pairs.reshape(classes, classes).astype(np.int64)


def most_confused(
    confusion: NDArray[np.int64], class_names: Sequence[str], count: int
) -> list[tuple[str, str, int, float]]:
    """The `count` pairs that are taken for each other most: both names, how often, and the share of both's drawings.

    Pairs count in both directions together and are sorted by the share, then by name.
    """
    mistakes = confusion + confusion.T
    totals = confusion.sum(axis=1)
    pairs = [
        (class_names[a], class_names[b], int(mistakes[a, b]), float(mistakes[a, b] / (totals[a] + totals[b])))
        for a, b in np.argwhere(np.triu(mistakes, 1)).tolist()
    ]
    return sorted(pairs, key=lambda pair: (-pair[3], pair[0], pair[1]))[:count]
