"""What a model says about one picture: one frozen type a kind of answer, checked where it is built.

A result never knows which frame it belongs to nor when it was made; `stream.frame_result.FrameResult` does.
Arrays are made read-only, so that a result may be shared between threads.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray


class Result(Protocol):
    """What every kind of result offers to sinks and overlays."""

    @property
    def task(self) -> str:
        """The task that the model answered, as its manifest names it: `sketch_classification`."""

    def to_dict(self) -> dict[str, Any]:
        """The result in the words of the transformers pipelines, ready for JSON."""


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """The best classes of a whole picture, best first.

    Attributes:
        task: the task that was answered.
        class_ids: int64 (K,), indices into `class_names`.
        scores: float32 (K,), 0..1, falling.
        class_names: the names of all classes that the model knows.
    """

    task: str
    class_ids: NDArray[np.int64]
    scores: NDArray[np.float32]
    class_names: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        """Raise ValueError where shapes, dtypes, order or ids do not hold."""
        _check_array("class_ids", self.class_ids, np.int64, (None,))
        _check_array("scores", self.scores, np.float32, (len(self.class_ids),))
        _check_falling(self.scores)
        _check_ids(self.class_ids, self.class_names)
        _freeze_arrays(self)

    def __len__(self) -> int:
        """The number of classes K that are reported."""
        return len(self.class_ids)

    @property
    def labels(self) -> list[str]:
        """The names of the reported classes, best first."""
        return [self.class_names[class_id] for class_id in self.class_ids]

    def __getitem__(self, keep: NDArray[np.bool_] | slice) -> Self:
        """The same result with only the classes that a bool mask (K,) or a slice keeps."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["class_ids"], values["scores"] = self.class_ids[keep], self.scores[keep]
        return type(self)(**values)

    def to_dict(self) -> dict[str, Any]:
        """`{"task": ..., "labels": [{"label": ..., "score": ...}]}`."""
        pairs = zip(self.labels, self.scores, strict=True)
        labels = [{"label": label, "score": round(float(score), 4)} for label, score in pairs]
        return {"task": self.task, "labels": labels}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SketchGuess(Classification):
    """A classification of the drawing that was found in a picture; no classes where no drawing was found.

    Attributes:
        region_xyxy: float32 (4,), the drawing's extent in pixels of the frame, or None where there was none.
        drawing: uint8 (28, 28), white strokes on black, exactly what the network saw, or None.
    """

    region_xyxy: NDArray[np.float32] | None = None
    drawing: NDArray[np.uint8] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Raise ValueError where shapes, dtypes, order or ids do not hold."""
        # Not super().__post_init__(): dataclasses with slots are made anew, which breaks the zero-argument form.
        Classification.__post_init__(self)
        if self.region_xyxy is not None:
            _check_array("region_xyxy", self.region_xyxy, np.float32, (4,))
        if self.drawing is not None:
            _check_array("drawing", self.drawing, np.uint8, (28, 28))

    def to_dict(self) -> dict[str, Any]:
        """As a classification, with `"box"` in the words of detections where a drawing was found."""
        line = Classification.to_dict(self)
        if self.region_xyxy is not None:
            corners = (round(float(value), 1) for value in self.region_xyxy)
            line["box"] = dict(zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))
        return line


def _check_array(name: str, value: NDArray[Any], dtype: type[np.generic], shape: tuple[int | None, ...]) -> None:
    expected = f"{np.dtype(dtype).name} {tuple('any' if n is None else n for n in shape)}"
    if value.dtype != dtype:
        raise ValueError(f"{name}: expected {expected}, got {value.dtype}")
    if value.ndim != len(shape) or any(n not in (None, got) for n, got in zip(shape, value.shape, strict=True)):
        raise ValueError(f"{name}: expected {expected}, got shape {value.shape}")


def _check_falling(scores: NDArray[np.float32]) -> None:
    if not np.isfinite(scores).all():
        raise ValueError(f"scores: expected finite numbers, got {scores}")
    if np.any(np.diff(scores) > 0):
        raise ValueError(f"scores: expected falling order, got {scores}")


def _check_ids(class_ids: NDArray[np.int64], class_names: tuple[str, ...]) -> None:
    if len(class_ids) and (class_ids.min() < 0 or class_ids.max() >= len(class_names)):
        raise ValueError(f"class_ids: expected 0..{len(class_names) - 1}, got {class_ids}")


def _freeze_arrays(result: Any) -> None:
    for f in fields(result):
        value = getattr(result, f.name)
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
