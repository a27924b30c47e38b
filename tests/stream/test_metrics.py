"""Figures against a scripted clock: every expected number is worked by hand."""

from __future__ import annotations

import random

import numpy as np
import pytest

from stream.meters import LIMITS_MS, RateMeter, Samples
from stream.metrics import Metrics
from tests.stream.doubles import ScriptedClock, ScriptedSource

MS = 1_000_000
SECOND = 1_000_000_000


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
        # More seldom than the window is long: the last two count.
        ([0, 1000, 6000], 0.2, 1 / 3),
    ],
)
def test_a_rate_is_intervals_over_their_span(times_ms: list[int], recent: float | None, overall: float | None) -> None:
    meter = RateMeter()
    for time_ms in times_ms:
        meter.tick(time_ms * MS)
    assert meter.recent() == (recent if recent is None else pytest.approx(recent))
    assert meter.overall == (overall if overall is None else pytest.approx(overall))


@pytest.mark.parametrize("rate", [0.2, 1, 5, 12.5, 24000 / 1001, 29.97, 30, 59.94, 120, 1000])
@pytest.mark.parametrize("jitter", [0.0, 0.3])
def test_a_steady_rate_is_exact_to_one_percent_whenever_it_is_read(rate: float, jitter: float) -> None:
    meter, randomness = RateMeter(), random.Random(3)
    interval_ns = SECOND / rate
    for index in range(int(rate * 20) + 4):
        # What is late by a part of the interval is not late by more with every event: a camera under load.
        due_ns = (index + jitter * randomness.random()) * interval_ns
        meter.tick(round(due_ns))
        if index * interval_ns > 3 * SECOND and not jitter:
            for moment in (0.01, 0.5, 0.99):
                assert meter.recent(round(due_ns + moment * interval_ns)) == pytest.approx(rate, rel=0.01)
    if rate >= 12:  # seldom events that come late are truly seldom for a while
        assert meter.recent() == pytest.approx(rate, rel=0.02)


@pytest.mark.parametrize(
    ("silent_ms", "expected"),
    [
        (0, 25.0),
        (40, 25.0),  # the next is due now
        (1000, 25.0 * 26 / 50),  # 26 events lie in the two seconds from first to now
        (1990, 2 / 2.03),  # two are always kept: the last and the one 40 ms before it
        (2001, 0.0),
        (60_000, 0.0),
    ],
)
def test_a_rate_falls_to_nothing_when_events_stop(silent_ms: int, expected: float) -> None:
    meter = RateMeter()
    for index in range(1000):
        meter.tick(index * 40 * MS)
    assert meter.recent((999 * 40 + silent_ms) * MS) == pytest.approx(expected)


def test_a_live_source_is_timed_by_the_clock_and_a_recorded_one_on_its_own_time_line() -> None:
    for is_live, expected in ((True, 10.0), (False, 25.0)):
        clock = ScriptedClock()
        metrics = Metrics(clock_ns=clock, source=ScriptedSource(0, is_live=is_live).info)
        for index in range(21):
            clock.now_ns += 100 * MS
            metrics.frame_captured(pts_ns=index * 40 * MS)
        assert metrics.snapshot().source_fps == pytest.approx(expected)
        clock.now_ns += 5 * SECOND
        stalled = metrics.snapshot()
        assert stalled.source_fps == pytest.approx(0.0 if is_live else 25.0)
        assert stalled.silent_seconds == pytest.approx(5.0)
        assert stalled.stale_seconds == (pytest.approx(5.0) if is_live else None)


def test_values_are_counted_by_class_for_histograms() -> None:
    samples = Samples(kept=1)
    for value in (0.5, 1.0, 1.1, 42.0, 10_000.0, 10_001.0):  # a limit belongs to its class
        samples.add(value)
    counts = samples.histogram.counts
    assert (sum(counts), counts[:2], counts[LIMITS_MS.index(50)], counts[-2:]) == (6, [2, 1], 1, [1, 1])
    assert samples.histogram.total_ms == pytest.approx(20045.6)


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
        "fps_recent": {"source": 25.0, "inference": {"m": 100.0}, "output": 100.0},
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


def test_a_report_has_the_average_rates_and_those_of_the_last_two_seconds() -> None:
    clock = ScriptedClock()
    metrics = Metrics(["m"], clock, source=ScriptedSource(0, is_live=True).info)
    metrics.started()
    # Ten seconds at 5 frames a second, then five at 20; every second frame is inferred.
    for index in range(50 + 100):
        clock.advance(0.2 if index < 50 else 0.05)
        metrics.frame_captured(0)
        metrics.frame_written(clock.now_ns)
        if index % 2:
            metrics.frame_inferred("m")
    # Closing the files takes a while, which is no frame's fault.
    clock.advance(7)
    metrics.ended()
    report = metrics.report({})
    # 149 intervals in 9.8 + 5 seconds; of every second frame 74 in 9.6 + 5.
    assert report["fps"] == {"source": 10.07, "inference": {"m": 5.07}, "output": 10.07}
    assert report["fps_recent"] == {"source": 20.0, "inference": {"m": 10.0}, "output": 20.0}


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


def test_the_time_of_a_stage_is_the_median_of_late() -> None:
    clock = ScriptedClock()
    metrics = Metrics((), clock_ns=clock)
    assert metrics.recent_stage_ms() == {}
    for milliseconds in (4, 100, 5):
        with metrics.stage("overlay"):
            clock.advance(milliseconds / 1000)
    assert metrics.recent_stage_ms() == {"overlay": 5.0}
