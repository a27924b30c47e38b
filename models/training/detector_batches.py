"""Scenes in batches, made by processes of their own while the network learns from the batch before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from models.training.box_data import Scene

Labels = list[dict[str, Tensor]]
_PREFETCHED = 4


class SceneMaker(Protocol):
    """Anything that has scenes by number: the webcam's own, or the user's pictures."""

    def scene(self, index: int) -> Scene:
        """The scene of a number, the same whenever it is asked for, at the size of the network's input."""


class _Numbered(Dataset[Scene]):
    def __init__(self, maker: SceneMaker) -> None:
        self._maker = maker

    def __getitem__(self, index: int) -> Scene:
        return self._maker.scene(index)


def batches(
    maker: SceneMaker, batch_size: int, first_step: int, last_step: int, loaders: int
) -> Iterator[tuple[Tensor, Labels]]:
    """The batches of these steps, in order: images uint8 (B, 3, H, W) RGB and labels as transformers wants them.

    Scene `step * batch_size + i` is the i-th of a step, whatever the number of loading processes.
    """
    order = range(first_step * batch_size, last_step * batch_size)
    options: dict[str, Any] = {"prefetch_factor": _PREFETCHED} if loaders else {}
    loader = DataLoader(
        _Numbered(maker),
        batch_size=batch_size,
        sampler=order,
        num_workers=loaders,
        collate_fn=as_batch,
        worker_init_fn=_calm,
        **options,
    )
    yield from loader


def as_batch(scenes: Sequence[Scene]) -> tuple[Tensor, Labels]:
    """Images uint8 (B, 3, H, W) RGB; a picture's labels: `class_labels`, `boxes` (centre, size; 0..1), `complete`."""
    images = np.stack([scene.image[..., ::-1].transpose(2, 0, 1) for scene in scenes])
    return torch.from_numpy(images), [_labels(scene) for scene in scenes]


def as_input(images: Tensor, device: torch.device) -> Tensor:
    """What the network takes: float32 0..1, laid out for its convolutions."""
    return (images.to(device).float() / 255).contiguous(memory_format=torch.channels_last)


def _labels(scene: Scene) -> dict[str, Tensor]:
    height, width = scene.image.shape[:2]
    corners = scene.boxes_xyxy / np.array([width, height] * 2, np.float32)
    boxes = np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], axis=1)
    return {
        "class_labels": torch.from_numpy(scene.class_ids),
        "boxes": torch.from_numpy(boxes.astype(np.float32)),
        "complete": torch.from_numpy(scene.complete),
    }


def _calm(_: int) -> None:
    # One core each: loaders that take all of them starve the network they load for.
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
