"""Proof that an ONNX model does what its PyTorch model does: both run on the same inputs, and the difference is kept.

Optimum only warns where they differ; here a package whose difference passes the tolerance is marked as failed, and the
runtime refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from exporters.agreement import STRICT, Agreement, Likeness, Outputs
from models.errors import ModelError
from models.manifest import ParitySpec
from models.onnx_session import OnnxSession

Reference = Callable[[Outputs], Outputs]
"""The PyTorch model as a function of named arrays."""

_BEYOND_MEASURE = float(np.finfo(np.float32).max)
_LEAST_PEAK = 1e-6
_ROUNDING = 1e-6
_SELF_MARGIN = 0.1


@dataclass(frozen=True, slots=True)
class Gate:
    """What passes.

    Attributes:
        tolerance: the largest difference of an output's element, as a share of the output's largest magnitude.
        agreement: the least share of decoded results that are alike.
        unordered: the outputs whose second axis is a set: detectors that rank their queries give them in any order.
        likeness: how near two decoded results have to be to be alike.
        rows: the share of that set's rows that have to be within the tolerance; with near-equal ranks the last of the
            queries may be another one.
    """

    tolerance: float = 1e-3
    agreement: float = 1.0
    likeness: Likeness = STRICT
    unordered: tuple[str, ...] = ()
    rows: float = 1.0


@dataclass(slots=True)
class ParityLog:
    """What the runs of one export found: the worst difference, and how much decodes alike."""

    gate: Gate
    inputs: int
    batch_sizes: set[int] = field(default_factory=set)
    sizes_hw: set[tuple[int, int]] = field(default_factory=set)
    max_abs: dict[str, float] = field(default_factory=dict)
    relative: dict[str, float] = field(default_factory=dict)
    agreement: dict[str, float] = field(default_factory=dict)
    """By what was compared: the least share of any run."""
    shaken: ParityLog | None = None
    """Of detectors that rank their queries: PyTorch against itself, with inputs changed by a rounding error."""

    def merge(self, other: ParityLog) -> None:
        """Take over what another log found."""
        self.batch_sizes |= other.batch_sizes
        self.sizes_hw |= other.sizes_hw
        for mine, theirs in ((self.max_abs, other.max_abs), (self.relative, other.relative)):
            mine.update({name: max(value, mine.get(name, value)) for name, value in theirs.items()})
        self.agreement.update({what: min(v, self.agreement.get(what, v)) for what, v in other.agreement.items()})
        if self.shaken is not None and other.shaken is not None:
            self.shaken.merge(other.shaken)

    def note(self, expected: Outputs, got: Outputs, agreement: Agreement) -> None:
        """Compare one run's outputs by name, PyTorch's and ONNX Runtime's; an output that is not there differs."""
        if self.gate.unordered and got:
            got = _in_order(expected, got, self.gate.unordered)
        for name, wanted in expected.items():
            gap, share = _difference(got.get(name), wanted, self.gate.rows if name in self.gate.unordered else 1.0)
            self.max_abs[name] = max(self.max_abs.get(name, 0.0), gap)
            self.relative[name] = max(self.relative.get(name, 0.0), share)
        comparable = all(name in got and got[name].shape == wanted.shape for name, wanted in expected.items())
        shares = agreement(expected, got, self.gate.likeness) if comparable else {"results": 0.0}
        for what, share in shares.items():
            self.agreement[what] = min(share, self.agreement.get(what, 1.0))

    @property
    def complaints(self) -> list[str]:
        """What does not pass, one sentence each; none where all does."""
        found = [
            f"{name} by up to {self.max_abs[name]:.3g}, which is {gap:.3g} of its largest magnitude "
            f"(allowed {self._allowed(name):.3g})"
            for name, gap in self.relative.items()
            if gap > self._allowed(name)
        ]
        return found + [
            f"only {share:.1%} of the {name} are alike (needed {self._needed(name):.1%})"
            for name, share in self.agreement.items()
            if share < self._needed(name)
        ]

    def _allowed(self, name: str) -> float:
        """The tolerance, or twice what PyTorch differs from itself by."""
        own = 0.0 if self.shaken is None else self.shaken.relative.get(name, 0.0)
        return max(self.gate.tolerance, 2 * own)

    def _needed(self, what: str) -> float:
        """The share that has to be alike, or a little less than PyTorch has in common with itself."""
        own = 1.0 if self.shaken is None else self.shaken.agreement.get(what, 1.0)
        return self.gate.agreement if own >= self.gate.agreement else max(0.0, own - _SELF_MARGIN)

    def spec(self) -> ParitySpec:
        """The manifest's record of it."""
        return ParitySpec(
            passed=not self.complaints,
            inputs=self.inputs,
            batch_sizes=tuple(sorted(self.batch_sizes)),
            sizes_hw=tuple(sorted(self.sizes_hw)),
            tolerance=self.gate.tolerance,
            max_abs_difference=self.max_abs,
            relative_difference=self.relative,
            top1_agreement=self.agreement.get("top1"),
            agreement=self.agreement,
            self_agreement={} if self.shaken is None else self.shaken.agreement,
        )


def compare(
    reference: Reference, session: OnnxSession, feeds: Iterable[Outputs], agreement: Agreement, log: ParityLog
) -> None:
    """Run both on every feed and note what differs in `log`.

    Args:
        reference: PyTorch's answer.
        session: the exported graph, on the CPU, where arithmetic is closest to PyTorch's.
        feeds: arrays by input name, a batch each.
        agreement: what of the decoded outputs has to be alike.
        log: grows.
    """
    for feed in feeds:
        answered = reference(feed)
        expected = {node.name: answered[node.name] for node in session.outputs}
        try:
            got: Outputs = session.run(feed)
        except ModelError:
            # A graph that does not run on what PyTorch runs on differs in every output.
            got = {}
        log.note(expected, got, agreement)
        if log.gate.unordered:
            log.shaken = log.shaken or ParityLog(log.gate, log.inputs)
            again = reference(_shaken(feed))
            log.shaken.note(expected, {name: again[name] for name in expected}, agreement)
        log.batch_sizes.add(_batch_size(feed))
        if "pixel_values" in feed:
            log.sizes_hw.add(feed["pixel_values"].shape[2:])


def _batch_size(outputs: Outputs) -> int:
    return len(next(iter(outputs.values())))


def _shaken(feed: Outputs) -> Outputs:
    """The pictures with a rounding error: what ranks its queries by near-equal scores may rank them otherwise."""
    pixels = feed["pixel_values"]
    error = np.random.default_rng(1).standard_normal(pixels.shape).astype(np.float32) * np.float32(_ROUNDING)
    return {**feed, "pixel_values": pixels * (1 + error)}


def _difference(got: NDArray[Any] | None, wanted: NDArray[Any], rows: float) -> tuple[float, float]:
    """The largest absolute difference, and its share of the largest magnitude; beyond measure where not comparable."""
    if got is None or got.shape != wanted.shape or not (np.isfinite(got).all() and np.isfinite(wanted).all()):
        return _BEYOND_MEASURE, _BEYOND_MEASURE
    if not wanted.size:
        return 0.0, 0.0
    gaps = np.abs(got.astype(np.float64) - wanted)
    if rows < 1.0:
        gaps = np.quantile(gaps.max(axis=-1), rows, axis=1, method="lower")
    largest = float(gaps.max())
    return largest, largest / max(float(np.abs(wanted).max()), _LEAST_PEAK)


def _in_order(expected: Outputs, got: Outputs, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """`got` with the rows of its unordered outputs matched to those of `expected` with the least difference."""
    ordered = dict(got)
    if any(got[name].shape != expected[name].shape for name in names):
        return ordered
    for picture in range(len(expected[names[0]])):
        wanted, found = (
            np.concatenate([np.nan_to_num(outputs[name][picture].astype(np.float64)) for name in names], axis=-1)
            for outputs in (expected, got)
        )
        _, order = linear_sum_assignment(np.abs(wanted[:, None] - found[None]).sum(axis=-1))
        for name in names:
            ordered[name] = ordered[name].copy()
            ordered[name][picture] = got[name][picture][order]
    return ordered
