"""Pictures with a class for every pixel, as a training sees them, and as files that `mirilla evaluate` reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Part = Literal["training", "validation", "held_out"]

NOT_COUNTED = 255
"""The label of a pixel of which the data says nothing."""


_PARTS: dict[int, Part] = {9: "held_out", 19: "held_out", 14: "validation"}

T = TypeVar("T")


def part_of(rows: Sequence[T], part: Part) -> list[T]:
    """Of every twenty rows two are held out, and one is for validation."""
    return [row for number, row in enumerate(rows) if _PARTS.get(number % 20, "training") == part]


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
