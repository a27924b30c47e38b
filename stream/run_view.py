"""What a person sees while a run goes on, and when it has ended: a progress bar, plain lines, or nothing.

Progress goes to standard error, results to standard output (main thread).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from stream.metrics import Snapshot
from stream.pipeline import Pipeline
from stream.running_stream import StreamOutcome

_PLAIN_LINE_EVERY_NS = 5_000_000_000


class QuietView:
    """Shows nothing."""

    def following(self, name: str, pipeline: Pipeline) -> Callable[[], None]:  # noqa: ARG002 - RunView
        """Nothing to call."""
        return lambda: None

    def finished(self, outcome: StreamOutcome) -> None:
        """Nothing."""


class TerminalView:
    """A progress bar a stream where standard error is a terminal, plain lines every five seconds where it is not."""

    def __init__(self, out: Console, err: Console | None) -> None:
        """Write results to `out` and progress to `err`, or no progress."""
        self._out = out
        self._err = err
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def following(self, name: str, pipeline: Pipeline) -> Callable[[], None]:
        """Begin to show a stream."""
        if self._err is None:
            return lambda: None
        if not self._err.is_terminal:
            return _PlainLines(self._err, name, pipeline)
        if self._progress is None:
            self._progress = _progress(self._err)
            self._progress.start()
        progress = self._progress
        self._tasks[name] = task = progress.add_task(name, total=pipeline.frame_count, figures="")

        def show() -> None:
            now = pipeline.metrics.snapshot()
            progress.update(task, completed=now.written, figures=_figures(now))

        return show

    def finished(self, outcome: StreamOutcome) -> None:
        """End the stream's bar and print the table of its figures; the bars of others stand below it."""
        if self._progress is None:
            self._out.print(outcome_table(outcome))
            return
        own = self._tasks.pop(outcome.name, None)
        # Bars and table may share a screen: the stream's own bar is left above its table, those of others go on below.
        self._show_others(is_visible=False)
        self._progress.stop()
        self._out.print(outcome_table(outcome))
        if not self._tasks:
            self._progress = None
            return
        if own is not None:
            self._progress.remove_task(own)
        self._show_others(is_visible=True)
        self._progress.start()

    def _show_others(self, *, is_visible: bool) -> None:
        if self._progress is not None:
            for task in self._tasks.values():
                self._progress.update(task, visible=is_visible)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        console=console,
    )


class _PlainLines:
    def __init__(self, console: Console, name: str, pipeline: Pipeline) -> None:
        self._console = console
        self._name = name
        self._pipeline = pipeline
        self._next_ns = pipeline.metrics.clock_ns() + _PLAIN_LINE_EVERY_NS

    def __call__(self) -> None:
        if self._pipeline.metrics.clock_ns() < self._next_ns:
            return
        self._next_ns += _PLAIN_LINE_EVERY_NS
        now = self._pipeline.metrics.snapshot()
        total = self._pipeline.frame_count
        of = f" of {total}" if total else ""
        self._console.print(f"{self._name}: {now.written}{of} frames, {_figures(now)}", highlight=False)


def outcome_table(outcome: StreamOutcome) -> Table:
    """The report of one stream as a table for people."""
    report = outcome.report
    frames, fps = report["frames"], report["fps"]
    table = Table(
        title=f"{outcome.name}: {'broke off' if outcome.error else 'done'}", title_justify="left", show_header=False
    )
    dropped = ", ".join(f"{count} {reason}" for reason, count in frames["dropped"].items()) or "0"
    table.add_row("frames", f"{frames['captured']} captured, {frames['written']} written, {dropped} dropped")
    inference = "".join(f", {name} {_number(rate)}" for name, rate in fps["inference"].items())
    table.add_row("frames a second", f"source {_number(fps['source'])}{inference}, output {_number(fps['output'])}")
    for name, count in frames.get("skipped", {}).items():
        table.add_row(f"{name} rested", f"on {count} frames that showed nothing new")
    table.add_row("latency", _percentiles(report["latency_ms"]))
    if "result_age_ms" in report:
        table.add_row("age of carried results", _percentiles(report["result_age_ms"]))
    for stage, percentiles in report["stage_ms"].items():
        if percentiles:
            table.add_row(stage, _percentiles(percentiles))
    for name, about in report["models"].items():
        reason = f" (no CUDA: {about['why_not_cuda']})" if "why_not_cuda" in about else ""
        table.add_row(name, f"{about['package']} on {about['provider'].removesuffix('ExecutionProvider')}{reason}")
    for name, counts in report.get("counts", {}).items():
        table.add_row(f"{name} counted", "; ".join(_counted(counts)))
    if (lost := report.get("source", {})).get("reconnects"):
        table.add_row("reconnected", f"{lost['reconnects']} times, {lost['lost_seconds']:.1f} s without pictures")
    table.add_row("time", f"{report['wall_seconds']:.1f} s")
    for path in outcome.paths:
        table.add_row("made", path)
    return table


def _counted(counts: Mapping[str, Any]) -> Iterator[str]:
    for label, count in counts.get("unique", {}).items():
        yield f"{label} {count}"
    for name, line in counts.get("lines", {}).items():
        yield f"{name}: {line['in']} in, {line['out']} out"


def _figures(now: Snapshot) -> str:
    latency = f", latency {now.latency_ms['p50']:.0f} ms" if now.latency_ms else ""
    dropped = sum(now.dropped.values())
    return f"{_number(now.output_fps)} fps{latency}" + (f", {dropped} dropped" if dropped else "")


def _number(rate: float | None) -> str:
    return "unknown" if rate is None else f"{rate:.1f}"


def _percentiles(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{rank} {value:.1f} ms" for rank, value in values.items()) or "unknown"
