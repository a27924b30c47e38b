"""How much a network has to do for one picture, and how many threads are worth it.

Called once an export. Measured on the 2-core machine of docs/benchmarks.md with nothing beside: of a network with 22
million multiply-adds a second thread made the picture slower (0.23 for 0.22 ms), of the bundled ones it won 0.08 of
0.95 ms, of one with 175 million 0.6 of 1.5 ms. In a run decoder and encoder want that core too.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from torch import Tensor, nn

_ONE_THREAD_UP_TO = 125_000_000
"""Multiply-adds: about a millisecond on one core."""


def worthwhile_threads(module: nn.Module, run: Callable[[], object]) -> int | None:
    """One thread for what one core does in about a millisecond; None leaves the number to ONNX Runtime.

    Args:
        module: that runs, or that has the parts in it that run.
        run: shows it one picture.
    """
    return 1 if multiply_adds(module, run) <= _ONE_THREAD_UP_TO else None


def multiply_adds(module: nn.Module, run: Callable[[], object]) -> int:
    """The multiply-adds of convolutions and linear layers, which are nearly all that such networks do."""
    counted: list[int] = []

    def count(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(layer, nn.Linear):
            counted.append(output.numel() * layer.in_features)
        elif isinstance(layer, nn.ConvTranspose2d):
            counted.append(inputs[0].numel() * layer.out_channels // layer.groups * prod(layer.kernel_size))
        else:
            counted.append(output.numel() * layer.in_channels // layer.groups * prod(layer.kernel_size))

    kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    hooks = [layer.register_forward_hook(count) for layer in module.modules() if isinstance(layer, kinds)]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counted)
