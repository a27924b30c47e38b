"""From a network's logits to scores, and to classes in order; used by the tasks on the infer thread."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.results import Classification


def softmax(logits: NDArray[Any]) -> NDArray[np.float32]:
    """Probabilities float32 (K,), sum 1, of logits (K,); counted from the greatest, so that none overflows."""
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(powers / powers.sum(), np.float32)


def sigmoid(logits: NDArray[Any]) -> NDArray[np.float32]:
    """Probabilities float32 (K,) of logits (K,), each by itself; without an overflow of the exponential."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits.astype(np.float64))), np.float32)


def ranked(task: str, scores: NDArray[np.float32], class_names: tuple[str, ...]) -> Classification:
    """All classes, best first, with scores float32 (K,) by class."""
    order = np.argsort(-scores, kind="stable")
    return Classification(task, order.astype(np.int64), scores[order], class_names)
