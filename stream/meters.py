"""What figures are made of: rates over a sliding window, and measured values with their percentiles.

Held by `stream.metrics`, under its lock; nothing here reads a clock.
"""

from __future__ import annotations

import random
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence

import numpy as np

LIMITS_MS = (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
"""Upper limits of the classes in which `Histogram` counts; the last class, without a limit, comes after them."""

_WINDOW_NS = 2_000_000_000
_SAMPLES_KEPT = 100_000
_SILENT_AFTER_INTERVALS = 3


class RateMeter:
    """Events a second, over a sliding window and over all."""

    def __init__(self, window_ns: int = _WINDOW_NS) -> None:
        self._window_ns = window_ns
        self._times_ns: deque[int] = deque()
        self._first_ns: int | None = None
        self._last_ns = 0
        self._count = 0

    def tick(self, now_ns: int) -> None:
        """Note an event."""
        if self._first_ns is None:
            self._first_ns = now_ns
        self._last_ns = now_ns
        self._count += 1
        self._times_ns.append(now_ns)
        self._forget_before(now_ns - self._window_ns)

    def recent(self, now_ns: int | None = None) -> float | None:
        """Events a second in the window that ends now; None before there are two.

        While events come as they did, these are the intervals in the window over their span. Once the next event is
        overdue, the time without it counts too, and the rate falls; it is 0 when neither the window nor three intervals
        have seen an event. What comes more seldom than the window is long is judged by its last two events.

        Args:
            now_ns: the end of the window; the last event where it is not given.
        """
        now_ns = self._last_ns if now_ns is None else now_ns
        self._forget_before(now_ns - self._window_ns)
        if len(self._times_ns) < 2:
            return None
        span_ns = self._times_ns[-1] - self._times_ns[0]
        if span_ns <= 0:
            return None
        interval_ns = span_ns / (len(self._times_ns) - 1)
        silent_ns = now_ns - self._times_ns[-1]
        if silent_ns <= interval_ns:
            return 1e9 / interval_ns
        if silent_ns > max(self._window_ns, _SILENT_AFTER_INTERVALS * interval_ns):
            return 0.0
        return len(self._times_ns) * 1e9 / (now_ns - self._times_ns[0])

    @property
    def overall(self) -> float | None:
        """Events a second from the first event to the last; None before there are two."""
        if self._first_ns is None or self._count < 2 or self._last_ns <= self._first_ns:
            return None
        return (self._count - 1) * 1e9 / (self._last_ns - self._first_ns)

    def _forget_before(self, least_ns: int) -> None:
        while len(self._times_ns) > 2 and self._times_ns[0] < least_ns:
            self._times_ns.popleft()


class Histogram:
    """Milliseconds counted by class.

    Attributes:
        counts: how many values lie in each class of `LIMITS_MS`.
        total_ms: the sum of all values.
    """

    def __init__(self) -> None:
        self.counts = [0] * (len(LIMITS_MS) + 1)
        self.total_ms = 0.0

    def add(self, milliseconds: float) -> None:
        """Count a value."""
        self.counts[bisect_left(LIMITS_MS, milliseconds)] += 1
        self.total_ms += milliseconds

    def copy(self) -> Histogram:
        """The same, which counts nothing more."""
        same = Histogram()
        same.counts, same.total_ms = list(self.counts), self.total_ms
        return same


class Samples:
    """Measured values, exact up to a hundred thousand, then a uniform sample of all (Vitter 1985, algorithm R).

    Attributes:
        histogram: all of them by class.
    """

    def __init__(self, kept: int = _SAMPLES_KEPT, recent: int = 120) -> None:
        self.histogram = Histogram()
        self._values = array("f")
        self._kept = kept
        self._count = 0
        self._recent: deque[float] = deque(maxlen=recent)
        self._random = random.Random(0)

    def add(self, value: float) -> None:
        """Note a value."""
        self.histogram.add(value)
        self._count += 1
        self._recent.append(value)
        if len(self._values) < self._kept:
            self._values.append(value)
        elif (place := self._random.randrange(self._count)) < self._kept:
            self._values[place] = value

    def percentiles(self, ranks: Sequence[int]) -> dict[str, float]:
        """`{"p50": ...}` over all values, linear between neighbours; empty before there is one."""
        return _percentiles(self._values, ranks)

    def recent_percentiles(self, ranks: Sequence[int]) -> dict[str, float]:
        """The same over the last values only."""
        return _percentiles(self._recent, ranks)


def _percentiles(values: Sequence[float] | deque[float], ranks: Sequence[int]) -> dict[str, float]:
    if not values:
        return {}
    found = np.percentile(np.fromiter(values, np.float64), ranks)
    return {f"p{rank}": round(float(value), 3) for rank, value in zip(ranks, found, strict=True)}
