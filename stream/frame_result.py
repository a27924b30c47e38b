"""What is known of one frame after the models have seen it: handed from the infer stage to overlays and sinks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.results import Result
from stream.counting import Counts
from stream.frame import Frame
from stream.tracking import Tail


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """A frame, what each model said of it, and how long that took.

    Attributes:
        frame: the frame as captured.
        results: by model name, in the order in which they are drawn.
        found_on: by the name of each model that did not run on this frame, an earlier frame, on which its result holds.
            It is carried here by motion and drawn, so that nothing flickers; it is not written as if it had been seen
            here.
        strengths: by name of a carried result that has grown stale, how much of it is still drawn, 0..1.
        tails: where tracked objects have lately been, by model name; only of models that track.
        counts: what has been counted up to this frame, by model name; only of models that count.
        stage_ms: by model name, then by stage (`preprocess`, `inference`, `postprocess`), in milliseconds.
    """

    frame: Frame
    results: Mapping[str, Result] = field(default_factory=dict)
    stage_ms: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    found_on: Mapping[str, Frame] = field(default_factory=dict)
    strengths: Mapping[str, float] = field(default_factory=dict)
    tails: Mapping[str, Sequence[Tail]] = field(default_factory=dict)
    counts: Mapping[str, Counts] = field(default_factory=dict)

    @property
    def carried(self) -> frozenset[str]:
        """The models that did not run on this frame."""
        return frozenset(self.found_on)

    def to_dict(self, *, with_carried: bool = False) -> dict[str, Any]:
        """One line of a results file: `{"index", "pts_seconds", "results": {MODEL: {...}}, "counts": {MODEL: {...}}}`.

        `counts` is left out where no model counts.

        Args:
            with_carried: whether what is carried from earlier frames is in it; else only models that ran on this one.
        """
        left_out = frozenset() if with_carried else self.carried
        told = {name: result.to_dict() for name, result in self.results.items() if name not in left_out}
        line = {"index": self.frame.index, "pts_seconds": round(self.frame.pts_seconds, 6), "results": told}
        if self.counts:
            line["counts"] = {name: counts.to_dict() for name, counts in self.counts.items() if name in told}
        return line
