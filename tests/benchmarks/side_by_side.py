"""Times several ways of doing one thing in turn, so that whatever else the machine does slows all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

Way = Callable[[], object]


def milliseconds(
    ways: Mapping[str, Way],
    *,
    rounds: int,
    before: Way = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """How long each way took in each round, in milliseconds; a first round, which fills caches, is not counted.

    Args:
        ways: by name.
        rounds: how often each is timed.
        before: called before each, untimed.
        clock: in seconds; `time.process_time` where other work would spoil the wall's.
    """
    times: dict[str, list[float]] = {name: [] for name in ways}
    for counted in [False] + [True] * rounds:
        for name, way in ways.items():
            before()
            began = clock()
            way()
            if counted:
                times[name].append((clock() - began) * 1000)
    return times


def p50_p95(times_ms: list[float]) -> tuple[float, float]:
    """The median and the 95th percentile."""
    p50, p95 = np.percentile(times_ms, (50, 95))
    return float(p50), float(p95)
