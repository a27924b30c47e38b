"""`/metrics`: the figures of all streams and of the server itself, for Prometheus (loop's thread)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fastapi import FastAPI, Response
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.requests import Request
from typing_extensions import override

from stream.metrics_server import MetricsCollector
from stream.web.answers import BEHIND_TOKEN
from stream.web.rate_limit import RateLimit
from stream.web.served_stream import ServedStream


class WebCollector(Collector):
    """Tells Prometheus of those who are connected, and of those who were sent away."""

    def __init__(self, streams: Mapping[str, ServedStream], rate_limit: RateLimit) -> None:
        """Know whom to ask.

        Args:
            streams: by the name that they have in addresses; may change.
            rate_limit: counts refused requests.
        """
        self._streams = streams
        self._rate_limit = rate_limit

    @override
    def collect(self) -> Iterator[Metric]:
        """Every family once."""
        viewers = GaugeMetricFamily("mirilla_viewers", "Who watches now.", labels=["stream", "codec"])
        left_out = CounterMetricFamily(
            "mirilla_pictures_left_out", "Pictures not encoded because the server was behind.", labels=["stream"]
        )
        for name, stream in list(self._streams.items()):
            for codec, count in stream.views.viewers.items():
                viewers.add_metric([name, codec], count)
            left_out.add_metric([name], stream.views.left_out)
        refused = CounterMetricFamily("mirilla_requests_refused", "Requests of those who sent too many.")
        refused.add_metric([], self._rate_limit.refused)
        yield from (viewers, left_out, refused)


def add_metrics_route(app: FastAPI, streams: Mapping[str, ServedStream], rate_limit: RateLimit) -> None:
    """Let an application answer at `/metrics`."""
    registry = CollectorRegistry()
    registry.register(_AllStreams(streams))
    registry.register(WebCollector(streams, rate_limit))

    @app.get(
        "/metrics",
        response_class=Response,
        responses={
            200: {"description": "As Prometheus reads it.", "content": {"text/plain": {"schema": {"type": "string"}}}},
            **BEHIND_TOKEN,
        },
    )
    async def metrics(request: Request) -> Response:
        """All figures, for Prometheus."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=content_type)


class _AllStreams(Collector):
    """The collector of runs, shown the streams that there are at this moment."""

    def __init__(self, streams: Mapping[str, ServedStream]) -> None:
        self._streams = streams

    @override
    def collect(self) -> Iterator[Metric]:
        collector = MetricsCollector()
        for name, stream in list(self._streams.items()):
            collector.watch(name, stream.pipeline.metrics)
        yield from collector.collect()
