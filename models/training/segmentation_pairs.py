"""Pictures with a class for every pixel, as a training sees them, and as files that `mirilla evaluate` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Part = Literal["training", "validation", "held_out"]

NOT_COUNTED = 255
"""The label of a pixel of which the data says nothing."""


class PairSource(Protocol):
    """Gives pictures and their labels, as many as are wanted."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order of the labels."""

    def sample(
        self, size_wh: tuple[int, int], random: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """A picture uint8 (H, W, 3), BGR, and its labels uint8 (H, W), stretched to a size; `random` decides all."""

    def write_pairs(self, writer: PairWriter) -> None:
        """Write what a finished network is measured on."""


class PairWriter:
    """Writes pairs in the layout that `mirilla evaluate` reads: `images/`, `masks/`, `classes.txt`."""

    def __init__(self, folder: Path, class_names: tuple[str, ...]) -> None:
        """Make the folders."""
        self._folder = folder
        for name in ("images", "masks"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "classes.txt").write_text("\n".join(class_names) + "\n", encoding="utf-8")

    def write(self, name: str, picture: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        """Write a picture (H, W, 3), BGR, and its labels (H, W)."""
        cv2.imwrite(str(self._folder / "images" / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
        cv2.imwrite(str(self._folder / "masks" / f"{name}.png"), labels)
