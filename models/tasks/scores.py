"""From a network's logits to scores, and to classes in order; used by the tasks on the infer thread."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.results import Classification

_MOST = 1e30
"""Stands for infinity, from which nothing can be subtracted."""


def softmax(logits: NDArray[Any]) -> NDArray[np.float32]:
    """Probabilities float32 (K,), sum 1, of logits (K,); counted from the greatest, so that none overflows.

    Those of logits that are no numbers are 0.
    """
    levels = np.nan_to_num(logits.astype(np.float64), nan=-np.inf, posinf=_MOST, neginf=-_MOST)
    powers = np.exp(levels - max(levels.max(), -_MOST))
    return np.asarray(powers / max(powers.sum(), 1.0), np.float32)


def sigmoid(logits: NDArray[Any]) -> NDArray[np.float32]:
    """Probabilities float32 (K,) of logits (K,), each by itself; 0 of those that are no numbers."""
    shares = 0.5 * (1 + np.tanh(0.5 * logits.astype(np.float64)))
    return np.asarray(np.nan_to_num(shares, nan=0.0), np.float32)


def ranked(task: str, scores: NDArray[np.float32], class_names: tuple[str, ...]) -> Classification:
    """All classes, best first, with scores float32 (K,) by class."""
    order = np.argsort(-scores, kind="stable")
    return Classification(task, order.astype(np.int64), scores[order], class_names)
