"""`--metrics HOST:PORT`: the figures of all streams for Prometheus, while a run goes on.

prometheus-client answers on a thread of its own; each answer is read from the streams' `Metrics` at that moment. Rates
are left to Prometheus: `rate(mirilla_frames_written_total[10s])` is what the HUD calls output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate

from prometheus_client import start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from typing_extensions import override

from stream.errors import ConfigError
from stream.meters import LIMITS_MS, Histogram
from stream.metrics import Metrics, Totals
from stream.pipeline import Pipeline
from stream.running_stream import StreamOutcome
from stream.stream_run import RunView

_HIGHEST_PORT = 65535


class MetricsCollector(Collector):
    """Tells Prometheus of the streams that it has been shown."""

    def __init__(self) -> None:
        """No streams yet."""
        self._streams: dict[str, Metrics] = {}

    def watch(self, name: str, metrics: Metrics) -> None:
        """Tell of one more stream from now on."""
        # Read by the server's thread, which must not see a mapping grow.
        self._streams = {**self._streams, name: metrics}

    @override
    def collect(self) -> Iterator[Metric]:
        """Every family once, with all streams in it."""
        streams = {name: metrics.totals() for name, metrics in self._streams.items()}
        yield from _frame_counters(streams)
        yield from _histograms(streams)
        silent = GaugeMetricFamily(
            "mirilla_source_silent_seconds", "Time since the source's last frame.", labels=["stream"]
        )
        for name, totals in streams.items():
            silent.add_metric([name], totals.silent_seconds)
        yield silent


class MetricsView:
    """Shows every stream that runs to the collector; another view shows the run to people."""

    def __init__(self, view: RunView, collector: MetricsCollector) -> None:
        """Put the collector beside a view."""
        self._view = view
        self._collector = collector

    def following(self, name: str, pipeline: Pipeline) -> Callable[[], None]:
        """Watch a stream, and follow it as the other view does."""
        self._collector.watch(name, pipeline.metrics)
        return self._view.following(name, pipeline)

    def finished(self, outcome: StreamOutcome) -> None:
        """As the other view does; the stream's last figures stay until the end."""
        self._view.finished(outcome)


@contextmanager
def metrics_server(address: str) -> Iterator[MetricsCollector]:
    """Serve Prometheus until the block ends, on `http://HOST:PORT/metrics`.

    Args:
        address: `HOST:PORT`; an IPv6 host stands in brackets.

    Raises:
        ConfigError: the address is none, or cannot be listened on.
    """
    host, port = _parsed(address)
    registry, collector = CollectorRegistry(), MetricsCollector()
    registry.register(collector)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"metrics: {address} cannot be listened on ({reason}); choose another") from error
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _parsed(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= _HIGHEST_PORT:
        raise ConfigError(f"metrics: {address!r} is no HOST:PORT; write it as in 127.0.0.1:9090")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _frame_counters(streams: dict[str, Totals]) -> Iterator[Metric]:
    captured = CounterMetricFamily("mirilla_frames_captured", "Frames from the source.", labels=["stream"])
    written = CounterMetricFamily("mirilla_frames_written", "Frames that all sinks took.", labels=["stream"])
    dropped = CounterMetricFamily("mirilla_frames_dropped", "Frames not written.", labels=["stream", "reason"])
    inferred = CounterMetricFamily(
        "mirilla_frames_inferred", "Frames that a model looked at.", labels=["stream", "model"]
    )
    skipped = CounterMetricFamily(
        "mirilla_frames_skipped", "Frames on which a model rested: nothing had changed.", labels=["stream", "model"]
    )
    for name, totals in streams.items():
        captured.add_metric([name], totals.captured)
        written.add_metric([name], totals.written)
        for family, counts in ((dropped, totals.dropped), (inferred, totals.inferred), (skipped, totals.skipped)):
            for label, count in counts.items():
                family.add_metric([name, label], count)
    yield from (captured, written, dropped, inferred, skipped)


def _histograms(streams: dict[str, Totals]) -> Iterator[Metric]:
    latency = HistogramMetricFamily("mirilla_latency_seconds", "From capture to written.", labels=["stream"])
    stages = HistogramMetricFamily("mirilla_stage_seconds", "One pass through a stage.", labels=["stream", "stage"])
    models = HistogramMetricFamily(
        "mirilla_model_seconds", "One pass of a model through a stage.", labels=["stream", "model", "stage"]
    )
    for name, totals in streams.items():
        latency.add_metric([name], *_buckets_and_sum(totals.latency_ms))
        for stage, histogram in totals.stage_ms.items():
            stages.add_metric([name, stage], *_buckets_and_sum(histogram))
        for (model, stage), histogram in totals.model_ms.items():
            models.add_metric([name, model, stage], *_buckets_and_sum(histogram))
    yield from (latency, stages, models)


def _buckets_and_sum(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    """In Prometheus's way: how many are at most as long as each limit in seconds, and the sum in seconds."""
    limits = [*(str(limit / 1000) for limit in LIMITS_MS), "+Inf"]
    buckets = [(limit, float(count)) for limit, count in zip(limits, accumulate(histogram.counts), strict=True)]
    return buckets, histogram.total_ms / 1000
