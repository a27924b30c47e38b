"""What every kind of result offers, what a user wants of one, and the checks that results are built with.

Each kind is a module of its own; `models.results` offers them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ResultFilter:
    """What of a result is worth showing.

    Attributes:
        threshold: the least score, 0..1.
        classes: the only class names to keep; None keeps all.
        top: at most so many classes of a classification.
        max_detections: at most so many objects of a detection.
    """

    threshold: float = 0.0
    classes: frozenset[str] | None = None
    top: int = 5
    max_detections: int = 300

    def passes(self, labels: Iterable[str], scores: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Bool (N,): which of N labels with scores float32 (N,) have score and class enough."""
        keep = scores >= self.threshold
        if self.classes is not None:
            keep &= np.fromiter((label in self.classes for label in labels), bool, len(scores))
        return np.asarray(keep)


class Result(Protocol):
    """What every kind of result offers to models, sinks and overlays."""

    @property
    def task(self) -> str:
        """The task that the model answered, as its manifest names it: `sketch_classification`."""

    def filtered(self, wanted: ResultFilter) -> Self:
        """The result with only what is wanted."""

    def to_dict(self) -> dict[str, Any]:
        """The result in the words of the transformers pipelines, ready for JSON."""


def box_dict(box_xyxy: Iterable[float]) -> dict[str, float]:
    """A box in the words of the pipelines, to a tenth of a pixel: `{"xmin", "ymin", "xmax", "ymax"}`."""
    corners = (round(float(value), 1) for value in box_xyxy)
    return dict(zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))


def check_array(name: str, value: NDArray[Any], dtype: type[np.generic], shape: tuple[int | None, ...]) -> None:
    """Raise ValueError where an array has another dtype or shape; None stands for any length."""
    expected = f"{np.dtype(dtype).name} {tuple('any' if n is None else n for n in shape)}"
    if value.dtype != dtype:
        raise ValueError(f"{name}: expected {expected}, got {value.dtype}")
    if value.ndim != len(shape) or any(n not in (None, got) for n, got in zip(shape, value.shape, strict=True)):
        raise ValueError(f"{name}: expected {expected}, got shape {value.shape}")


def check_falling(scores: NDArray[np.float32]) -> None:
    """Raise ValueError where scores are not finite, or not in falling order."""
    if not np.isfinite(scores).all():
        raise ValueError(f"scores: expected finite numbers, got {scores}")
    if np.any(np.diff(scores) > 0):
        raise ValueError(f"scores: expected falling order, got {scores}")


def check_ids(class_ids: NDArray[np.int64], class_names: tuple[str, ...]) -> None:
    """Raise ValueError where an id has no name."""
    if len(class_ids) and (class_ids.min() < 0 or class_ids.max() >= len(class_names)):
        raise ValueError(f"class_ids: expected 0..{len(class_names) - 1}, got {class_ids}")


def freeze_arrays(result: Any) -> None:
    """Make the arrays of a dataclass read-only."""
    for f in fields(result):
        value = getattr(result, f.name)
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
