"""Tells the log how streams begin, fare and end: with `--log json`, beside what else shows the run (main thread)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from stream.event_log import log_event
from stream.metrics import Snapshot
from stream.pipeline import Pipeline
from stream.running_stream import StreamOutcome
from stream.stream_run import RunView

_SUMMARY_EVERY_NS = 10_000_000_000


class EventLogView:
    """Logs how streams begin, fare and end; another view shows them (main thread)."""

    def __init__(self, view: RunView) -> None:
        """Log what the other view shows."""
        self._view = view

    def following(self, name: str, pipeline: Pipeline) -> Callable[[], None]:
        """Log the start; what is returned logs what has happened since it was last called."""
        show, follow = self._view.following(name, pipeline), _Follower(name, pipeline)

        def both() -> None:
            show()
            follow()

        return both

    def finished(self, outcome: StreamOutcome) -> None:
        """Log the end, with what was dropped and what went wrong."""
        frames = outcome.report["frames"]
        figures = {
            "stream": outcome.name,
            "frames": frames,
            "fps": outcome.report["fps"],
            "latency_ms": outcome.report["latency_ms"],
            "wall_seconds": outcome.report["wall_seconds"],
            "error": None if outcome.error is None else str(outcome.error),
        }
        ended = "broke off" if outcome.error else "ended"
        log_event("end", f"{outcome.name} {ended} after {frames['written']} frames", figures)
        self._view.finished(outcome)


class _Follower:
    def __init__(self, name: str, pipeline: Pipeline) -> None:
        self._name = name
        self._pipeline = pipeline
        self._is_lost = False
        self._dropped: Counter[str] = Counter()
        self._next_summary_ns = pipeline.metrics.clock_ns() + _SUMMARY_EVERY_NS
        info = pipeline.info
        figures = {
            "stream": name,
            "source": info.name,
            "width": info.width,
            "height": info.height,
            "rate": None if info.rate is None else round(float(info.rate), 3),
            "live": info.is_live,
            "models": pipeline.providers,
        }
        log_event("start", f"{name} begins: {info.width}x{info.height}", figures)

    def __call__(self) -> None:
        now = self._pipeline.metrics.snapshot()
        self._tell_of_the_source(now)
        if self._pipeline.metrics.clock_ns() >= self._next_summary_ns:
            self._next_summary_ns += _SUMMARY_EVERY_NS
            self._tell_of_drops(now)

    def _tell_of_the_source(self, now: Snapshot) -> None:
        is_lost = now.stale_seconds is not None
        if is_lost == self._is_lost:
            return
        self._is_lost = is_lost
        if is_lost:
            figures = {"stream": self._name, "silent_seconds": round(now.silent_seconds, 1)}
            log_event("source_lost", f"{self._name} gives no frames", figures, logging.WARNING)
        else:
            log_event("source_found", f"{self._name} gives frames again", {"stream": self._name})

    def _tell_of_drops(self, now: Snapshot) -> None:
        new = Counter(now.dropped) - self._dropped
        self._dropped = Counter(now.dropped)
        if new:
            figures = {"stream": self._name, "dropped": dict(new), "captured": now.captured, "written": now.written}
            log_event("dropped", f"{self._name} dropped {new.total()} frames", figures)
