"""What Prometheus reads while a run goes on, by Prometheus's own parser."""

from __future__ import annotations

import socket
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stream.errors import ConfigError
from stream.metrics import Metrics
from stream.metrics_server import MetricsCollector, metrics_server
from tests.stream.doubles import ScriptedClock

MS = 1_000_000
Sample = tuple[str, frozenset[tuple[str, str]]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read(address: str) -> dict[Sample, float]:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def sample(name: str, **labels: str) -> Sample:
    return name, frozenset(labels.items())


def one_run(clock: ScriptedClock) -> Metrics:
    """Four frames captured, three written after 20 ms each, one superseded; two inferred, in 8 ms each."""
    metrics = Metrics(["yolo"], clock)
    for index in range(4):
        metrics.frame_captured(index * 40 * MS)
    metrics.frame_dropped("superseded")
    for _ in range(2):
        metrics.add_stage_ms("inference", 8.0, "yolo")
        metrics.frame_inferred("yolo")
    metrics.frame_skipped("yolo")
    for _ in range(3):
        metrics.frame_written(clock() - 20 * MS)
    return metrics


def test_every_figure_is_there_in_base_units_with_its_labels() -> None:
    clock = ScriptedClock()
    address = f"127.0.0.1:{free_port()}"
    with metrics_server(address) as collector:
        collector.watch("door", one_run(clock))
        collector.watch("yard", Metrics(clock_ns=clock))
        clock.advance(2.5)
        found = read(address)
    expected = {
        sample("mirilla_frames_captured_total", stream="door"): 4,
        sample("mirilla_frames_captured_total", stream="yard"): 0,
        sample("mirilla_frames_written_total", stream="door"): 3,
        sample("mirilla_frames_dropped_total", stream="door", reason="superseded"): 1,
        sample("mirilla_frames_inferred_total", stream="door", model="yolo"): 2,
        sample("mirilla_frames_skipped_total", stream="door", model="yolo"): 1,
        sample("mirilla_source_silent_seconds", stream="door"): 2.5,
        # Three of 20 ms: none is as short as 10 ms, all are as short as 25 ms.
        sample("mirilla_latency_seconds_bucket", stream="door", le="0.01"): 0,
        sample("mirilla_latency_seconds_bucket", stream="door", le="0.025"): 3,
        sample("mirilla_latency_seconds_bucket", stream="door", le="+Inf"): 3,
        sample("mirilla_latency_seconds_count", stream="door"): 3,
        sample("mirilla_latency_seconds_sum", stream="door"): pytest.approx(0.06),
        sample("mirilla_latency_seconds_count", stream="yard"): 0,
        sample("mirilla_stage_seconds_count", stream="door", stage="inference"): 2,
        sample("mirilla_model_seconds_sum", stream="door", model="yolo", stage="inference"): pytest.approx(0.016),
    }
    assert {key: found[key] for key in expected} == expected


def test_the_port_is_free_again_at_the_end_and_taken_only_once() -> None:
    address = f"127.0.0.1:{free_port()}"
    with (
        metrics_server(address),
        pytest.raises(ConfigError, match=rf"^metrics: {address} cannot be listened on \(.+\); choose another$"),
        metrics_server(address),
    ):
        pass
    with metrics_server(address) as collector:
        assert isinstance(collector, MetricsCollector)
        assert not any(name.startswith("mirilla") for name, _ in read(address))


@pytest.mark.parametrize("address", ["", "9090", ":9090", "localhost:", "localhost:http", "localhost:70000", "h:-1"])
def test_an_address_that_is_none_is_refused_in_one_line(address: str) -> None:
    with (
        pytest.raises(ConfigError, match=r"^metrics: .* is no HOST:PORT; write it as in 127\.0\.0\.1:9090$"),
        metrics_server(address),
    ):
        pass
