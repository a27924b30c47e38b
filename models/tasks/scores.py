"""From a network's logits to scores; used by the tasks on the infer thread."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def softmax(logits: NDArray[Any]) -> NDArray[np.float32]:
    """Probabilities float32 (K,), sum 1, of logits (K,); counted from the greatest, so that none overflows."""
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(powers / powers.sum(), np.float32)
