"""Counts what segmentation maps get right, pixel by pixel; plain arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class SegmentationTally:
    """How many pixels of each class were given to each class.

    Attributes:
        names: of the K classes that both the model and the data have.
        confusion: int64 (K, K + 1), row is what a pixel is, column what it was given to; the last column stands for
            classes that the data does not have, and for none.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Nothing counted yet."""
        self.names = tuple(names)
        self.confusion = np.zeros((len(names), len(names) + 1), np.int64)

    def add(self, truth: NDArray[np.integer], given: NDArray[np.integer]) -> None:
        """Count the pixels of one picture.

        Args:
            truth: (H, W), rows of `names`, or K where a pixel is not to be counted.
            given: (H, W), rows of `names`, or K for anything else.
        """
        width = len(self.names) + 1
        pairs = np.bincount(truth.ravel().astype(np.int64) * width + given.ravel(), minlength=width * width)
        self.confusion += pairs.reshape(width, width)[:-1]

    def figures(self) -> dict[str, float | None]:
        """`miou` and `mean_accuracy` over the classes, and `pixel_accuracy`.

        As in https://github.com/open-mmlab/mmsegmentation (`IoUMetric`): a class that neither the data nor the model
        has in any picture counts in no mean.
        """
        unions, overlaps = self._unions(), self.confusion.diagonal()
        pixels = self.confusion.sum(axis=1)
        total = int(pixels.sum())
        if not total:
            return {"miou": None, "pixel_accuracy": None, "mean_accuracy": None}
        seen = unions > 0
        there = pixels > 0
        return {
            "miou": float((overlaps[seen] / unions[seen]).mean()),
            "pixel_accuracy": float(overlaps.sum() / total),
            "mean_accuracy": float((overlaps[there] / pixels[there]).mean()),
        }

    def class_rows(self) -> list[dict[str, str | int | float | None]]:
        """A row a class: its share of all pixels, IoU, and the share of its pixels that the model gave it."""
        unions, overlaps, pixels = self._unions(), self.confusion.diagonal(), self.confusion.sum(axis=1)
        total = max(1, int(pixels.sum()))
        return [
            {
                "class": name,
                "share": float(pixels[row] / total),
                "iou": float(overlaps[row] / unions[row]) if unions[row] else None,
                "accuracy": float(overlaps[row] / pixels[row]) if pixels[row] else None,
            }
            for row, name in enumerate(self.names)
        ]

    def _unions(self) -> NDArray[np.int64]:
        square = self.confusion[:, :-1]
        return np.asarray(self.confusion.sum(axis=1) + square.sum(axis=0) - square.diagonal())
