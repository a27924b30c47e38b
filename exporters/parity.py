"""Proof that an ONNX model does what its PyTorch model does: both run on the same inputs, and the difference is kept.

Optimum only warns where they differ; here a package whose difference passes the tolerance is marked as failed, and the
runtime refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from models.manifest import ParitySpec
from models.onnx_session import OnnxSession

BATCH_SIZES = (1, 2, 8)
TOLERANCE = 1e-4
_BEYOND_MEASURE = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class _Difference:
    """Of one run: the largest absolute difference by output, and the share of rows with the same best class."""

    max_abs: Mapping[str, float]
    top1_agreement: float


def measure_parity(
    model: PreTrainedModel,
    session: OnnxSession,
    pictures: NDArray[np.float32],
    *,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    tolerance: float = TOLERANCE,
) -> ParitySpec:
    """Run both models on every picture in every batch size and compare every output.

    Args:
        model: the PyTorch model, in evaluation mode, with the output `logits`.
        session: the exported graph, on the CPU, where arithmetic is closest to PyTorch's.
        pictures: float32 (N, C, H, W), N at least 1, as the model takes them; a last batch is filled up from the first.
        batch_sizes: 1 alone where the graph's batch is fixed.
        tolerance: the largest absolute difference that passes; values that are not finite never pass.
    """
    differences = []
    for batch_size in batch_sizes:
        for start in range(0, len(pictures), batch_size):
            chosen = np.arange(start, start + batch_size) % len(pictures)
            differences.append(_compare(model, session, pictures[chosen]))
    names = differences[0].max_abs
    largest = {name: max(difference.max_abs[name] for difference in differences) for name in names}
    agreement = float(np.mean([difference.top1_agreement for difference in differences]))
    return ParitySpec(
        passed=max(largest.values()) <= tolerance and agreement == 1.0,
        inputs=len(pictures),
        batch_sizes=tuple(batch_sizes),
        tolerance=tolerance,
        max_abs_difference=largest,
        top1_agreement=agreement,
    )


def _compare(model: PreTrainedModel, session: OnnxSession, batch: NDArray[np.float32]) -> _Difference:
    with torch.inference_mode():
        expected = model(torch.from_numpy(batch))
    got = session.run({session.inputs[0].name: batch})
    max_abs = {name: _max_abs(values, expected[name].numpy()) for name, values in got.items()}
    same = got["logits"].argmax(axis=-1) == expected["logits"].numpy().argmax(axis=-1)
    return _Difference(max_abs, float(same.mean()))


def _max_abs(got: NDArray[Any], wanted: NDArray[Any]) -> float:
    """The largest absolute difference; beyond measure where shapes differ or a value is not finite."""
    if got.shape != wanted.shape:
        return _BEYOND_MEASURE
    gap = float(np.abs(got.astype(np.float64) - wanted).max())
    return gap if np.isfinite(gap) else _BEYOND_MEASURE
