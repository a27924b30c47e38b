"""How far away every pixel of a picture is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from models.result import ResultFilter, check_array, freeze_arrays

DepthKind = Literal["metric", "inverse"]

_SAMPLED = 16384
_SHOWN_SHARES = (0.02, 0.98)
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class DepthMap:
    """A depth for every pixel.

    Attributes:
        task: the task that was answered.
        values: float32 (H, W) at the frame's size; NaN where nothing is known. `metric`: metres, greater is farther.
            `inverse`: without a unit, greater is nearer; right up to a factor and an offset, which may differ from
            picture to picture.
        kind: which of the two.
        shown_range: lowest and highest value that colours tell apart; a stream sets it, so that colours hold from frame
            to frame. None where there is only this picture.
    """

    task: str
    values: NDArray[np.float32] = field(repr=False)
    kind: DepthKind
    shown_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where shape, dtype, kind or range do not hold."""
        check_array("values", self.values, np.float32, (None, None))
        if self.kind not in get_args(DepthKind):
            raise ValueError(f"kind: expected one of {', '.join(get_args(DepthKind))}, got {self.kind!r}")
        if self.shown_range is not None and not -math.inf < self.shown_range[0] < self.shown_range[1] < math.inf:
            raise ValueError(f"shown_range: expected a lower and a higher number, got {self.shown_range}")
        freeze_arrays(self)

    @property
    def unit(self) -> str | None:
        """`m`, or None for values without a unit."""
        return "m" if self.kind == "metric" else None

    def sample(self) -> NDArray[np.float32]:
        """Known values float32 (K,), sorted; of a large map one of every few rows and columns."""
        step = max(1, math.isqrt(self.values.size // _SAMPLED))
        thinned = self.values[::step, ::step]
        return np.sort(thinned[np.isfinite(thinned)])

    def own_range(self) -> tuple[float, float] | None:
        """What this map alone would show: all but its lowest and highest fiftieth; None where nothing is known.

        A few stray pixels would leave one colour to all the others.
        """
        known = self.sample()
        if not len(known):
            return None
        low, high = (float(known[round(share * (len(known) - 1))]) for share in _SHOWN_SHARES)
        # A flat field has a colour too.
        return low, max(high, low + _LEAST_SPREAD * max(1.0, abs(low)))

    def filtered(self, wanted: ResultFilter) -> Self:  # noqa: ARG002 - Result; a depth has neither class nor score
        """The same map."""
        return self

    def to_dict(self) -> dict[str, Any]:
        """`{"task", "predicted_depth": {"kind", "unit", "min", "median", "max"}}`; null where nothing is known.

        The median of a large map is that of `sample`.
        """
        known = self.sample()
        figures: dict[str, float | None] = dict.fromkeys(("min", "median", "max"))
        if len(known):
            # What is no number is skipped by fmin and fmax.
            least, most = np.fmin.reduce(self.values, axis=None), np.fmax.reduce(self.values, axis=None)
            middles = known[(len(known) - 1) // 2], known[len(known) // 2]
            figures = {
                name: round(float(value), 4)
                for name, value in zip(figures, (least, np.mean(middles), most), strict=True)
            }
        return {"task": self.task, "predicted_depth": {"kind": self.kind, "unit": self.unit, **figures}}
