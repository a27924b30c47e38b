"""Figures against a scripted clock: every expected number is worked by hand."""

from __future__ import annotations

import random

import numpy as np
import pytest

from stream.metrics import Metrics, RateMeter, Samples

MS = 1_000_000
SECOND = 1_000_000_000


class ScriptedClock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_ns = 5 * SECOND

    def __call__(self) -> int:
        return self.now_ns


@pytest.mark.parametrize(
    ("times_ms", "recent", "overall"),
    [
        ([], None, None),
        ([0], None, None),
        ([7, 7], None, None),  # two at one moment have no rate
        ([0, 40], 25.0, 25.0),
        ([0, 40, 80, 120], 25.0, 25.0),
        ([0, 1000, 1010, 1020], 3000 / 1020, 3000 / 1020),
        # The first second is slow and leaves the window of two seconds; then ten a second.
        ([0, 1000, *range(2100, 4200, 100)], 10.0, 22 / 4.1),
    ],
)
def test_a_rate_is_intervals_over_their_span(times_ms: list[int], recent: float | None, overall: float | None) -> None:
    meter = RateMeter()
    for time_ms in times_ms:
        meter.tick(time_ms * MS)
    assert meter.recent == (recent if recent is None else pytest.approx(recent))
    assert meter.overall == (overall if overall is None else pytest.approx(overall))


def test_percentiles_are_exact_until_the_samples_are_too_many_to_keep() -> None:
    samples = Samples()
    for value in range(101):
        samples.add(value)
    assert samples.percentiles((50, 95, 99)) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}


def test_a_long_run_keeps_a_uniform_sample() -> None:
    values = list(range(20_000))
    random.Random(1).shuffle(values)
    samples = Samples(kept=2_000)
    for value in values:
        samples.add(value)
    kept = samples.percentiles((50,))["p50"]
    # The median of 2,000 draws from 0..20,000 has a standard deviation of 20,000 / (2 * sqrt(2000)) = 224.
    assert kept == pytest.approx(np.median(values), abs=4 * 224)


def test_recent_percentiles_forget_the_old() -> None:
    samples = Samples(recent=3)
    for value in (1000, 1, 2, 3):
        samples.add(value)
    assert samples.recent_percentiles((50,)) == {"p50": 2.0}


def test_a_report_of_a_run_of_three_frames() -> None:
    clock = ScriptedClock()
    metrics = Metrics(["m"], clock)
    metrics.started()
    for index in range(3):
        metrics.frame_captured(pts_ns=index * 40 * MS)
        captured_at_ns = clock.now_ns
        with metrics.stage("preprocess"):
            clock.now_ns += 2 * MS
        metrics.frame_inferred("m")
        clock.now_ns += 8 * MS
        metrics.frame_written(captured_at_ns)
    metrics.ended()
    clock.now_ns += SECOND
    report = metrics.report({"m": {"provider": "CPUExecutionProvider", "package": "p"}})
    assert report == {
        "frames": {"captured": 3, "inferred": {"m": 3}, "written": 3, "dropped": {}},
        "fps": {"source": 25.0, "inference": {"m": 100.0}, "output": 100.0},
        "latency_ms": {"p50": 10.0, "p95": 10.0, "p99": 10.0},
        "stage_ms": {
            "decode": {},
            "preprocess": {"p50": 2.0, "p95": 2.0},
            "inference": {},
            "postprocess": {},
            "overlay": {},
            "write": {},
        },
        "models": {"m": {"provider": "CPUExecutionProvider", "package": "p"}},
        "wall_seconds": 0.03,
    }


def test_the_ledger_balances_when_a_run_stops_early() -> None:
    metrics = Metrics(clock_ns=ScriptedClock())
    for index in range(10):
        metrics.frame_captured(pts_ns=index)
    metrics.frame_dropped("superseded", 3)
    for _ in range(5):
        metrics.frame_written(captured_at_ns=0)
    metrics.ended()
    frames = metrics.report({})["frames"]
    assert frames["dropped"] == {"superseded": 3, "stopped": 2}
    assert frames["captured"] == frames["written"] + sum(frames["dropped"].values())


def test_a_stage_that_fails_is_not_timed() -> None:
    metrics = Metrics(clock_ns=ScriptedClock())
    with pytest.raises(KeyError), metrics.stage("write"):
        raise KeyError
    assert metrics.report({})["stage_ms"]["write"] == {}
