"""The running average of a network's weights, which is better than the weights themselves; every training's result."""

from __future__ import annotations

import torch
from torch import nn


def follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the averaged weights, and batch norm's statistics, towards the model's, in place.

    Args:
        average: of the same architecture.
        model: that is being trained.
        decay: 0..1, the share that stays.
    """
    with torch.no_grad():
        for kept, new in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(new, 1.0 - decay)
            else:
                kept.copy_(new)
