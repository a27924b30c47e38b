"""Counts what classifications get right; plain numbers, one picture at a time or all at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_TOP = 5


class ClassificationTally:
    """How often a model is right, and what it takes for what.

    Attributes:
        names: of the K classes that both the model and the data have.
        confusion: int64 (K, K + 1), row is what it is, column the first guess; the last column stands for classes that
            the data does not have, and for no guess at all.
        in_top: int64 (K,), how often the right class is among the first five guesses.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Nothing counted yet."""
        self.names = tuple(names)
        self.confusion = np.zeros((len(names), len(names) + 1), np.int64)
        self.in_top = np.zeros(len(names), np.int64)

    def add(self, truth: NDArray[np.int64], guesses: NDArray[np.int64]) -> None:
        """Count pictures.

        Args:
            truth: int64 (N,), rows of `names`.
            guesses: int64 (N, at least 1), the best first; rows of `names`, or K for anything else.
        """
        np.add.at(self.confusion, (truth, guesses[:, 0]), 1)
        np.add.at(self.in_top, truth, (guesses[:, :_TOP] == truth[:, None]).any(axis=1))

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many pictures of each class there were, int64 (K,)."""
        return np.asarray(self.confusion.sum(axis=1))

    def figures(self) -> dict[str, float | None]:
        """`top1` and `top5` over all pictures, and `mean_class_top1`, in which each class counts the same."""
        counts, right = self.counts, self.confusion.diagonal()
        total, seen = int(counts.sum()), counts > 0
        if not total:
            return {"top1": None, "top5": None, "mean_class_top1": None}
        return {
            "top1": float(right.sum() / total),
            "top5": float(self.in_top.sum() / total),
            "mean_class_top1": float((right[seen] / counts[seen]).mean()),
        }

    def class_rows(self) -> list[dict[str, str | int | float | None]]:
        """A row a class: how many pictures, top-1, top-5, and what it is most often taken for."""
        rows: list[dict[str, str | int | float | None]] = []
        columns = (*self.names, "other")
        for index, (name, count) in enumerate(zip(self.names, self.counts.tolist(), strict=True)):
            mistakes = self.confusion[index].copy()
            mistakes[index] = 0
            worst = int(mistakes.argmax())
            rows.append(
                {
                    "class": name,
                    "pictures": count,
                    "top1": float(self.confusion[index, index] / count) if count else None,
                    "top5": float(self.in_top[index] / count) if count else None,
                    "taken for": columns[worst] if mistakes[worst] else None,
                }
            )
        return rows
