"""Runs the streams of a configuration side by side, and says what each did.

Called by the command on the main thread, which is where signals arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Protocol

from stream.config import Settings
from stream.config_file import ConfigFile
from stream.live_changes import LiveChanges
from stream.model_shelf import ModelShelf
from stream.opencv_threads import opencv_on_one_thread
from stream.pipeline import Pipeline
from stream.running_stream import RunningStream, StreamOutcome
from stream.signals import stopping_on_signals
from stream.sinks import Sink
from stream.sinks.web import PageSink
from stream.sources import Source, open_source
from stream.sources.paced import PacedSource
from stream.sources.source import SourceOptions
from stream.stream_group import GroupListener, StreamGroup

Opening = Callable[[str, SourceOptions], Source]


class RunView(Protocol):
    """Shows a run while it goes on: a progress bar, plain lines, or nothing."""

    def following(self, name: str, pipeline: Pipeline) -> Callable[[], None]:
        """What to call now and then while a stream runs."""

    def finished(self, outcome: StreamOutcome) -> None:
        """A stream has ended, well or not; its files are closed."""


def run_settings(
    settings: Settings,
    view: RunView,
    extra_sinks: Sequence[Sink] = (),
    config: ConfigFile | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[StreamOutcome]:
    """Run all streams at the same time, as `stream.stream_group` says; one that breaks leaves the others alone.

    Args:
        settings: what to run.
        view: told of every stream.
        extra_sinks: also given the frames; only where there is one stream.
        config: where the settings come from; when it changes, so do the streams.
        say: prints a line for the user: where the page is, if the streams are shown in one.

    Returns:
        What each stream did, in the settings' order; without those that had not begun when the user stopped the run.

    Raises:
        MirillaError: something is wrong with the input; no frame was read of any stream.
    """
    outcomes: dict[str, StreamOutcome] = {}
    with opencv_on_one_thread(), ExitStack() as opened:
        shelf = ModelShelf()
        streams = {name: prepare_stream(settings, name, extra_sinks, opened, models=shelf) for name in settings.streams}

        shown = opened.enter_context(_page(settings, streams, say))

        def begins(name: str, pipeline: Pipeline) -> Callable[[], None]:
            if name in shown:
                shown[name].begin()
            return view.following(name, pipeline)

        def ended(name: str, error: Exception | None) -> None:
            if name in shown:
                shown[name].end(error)
            outcomes[name] = streams[name].outcome(error)
            view.finished(outcomes[name])

        pipelines = {name: stream.pipeline for name, stream in streams.items()}
        group = StreamGroup(pipelines, GroupListener(begins, ended))
        with (
            LiveChanges(settings, streams, shelf, config) as changes,
            stopping_on_signals(group.stop, changes.reload if config else None),
        ):
            group.run()
    return [outcomes[name] for name in streams if name in outcomes]


class _Shown(Protocol):
    """A stream in the run's page, which is told how it fares."""

    def begin(self) -> None: ...

    def end(self, error: Exception | None) -> None: ...


def _page(
    settings: Settings, streams: Mapping[str, RunningStream], say: Callable[[str], None]
) -> AbstractContextManager[Mapping[str, _Shown]]:
    """The page of those streams that are to be shown in one; where there are none, nothing of it is loaded."""
    if not any(isinstance(sink, PageSink) for stream in streams.values() for sink in stream.sinks):
        return nullcontext({})
    from stream.web.run_page import run_page

    return run_page(settings, {name: (stream.pipeline, stream.sinks) for name, stream in streams.items()}, say)


def prepare_stream(
    settings: Settings,
    name: str,
    sinks: Sequence[Sink],
    opened: ExitStack,
    *,
    opening: Opening = open_source,
    models: ModelShelf,
) -> RunningStream:
    """One stream of several that run side by side: ready to run.

    Args:
        settings: what to run.
        name: of the stream.
        sinks: given its frames besides its own sinks.
        opened: closes the source at the end.
        opening: opens the source.
        models: where models are, or are put; `keep` them when all streams are there.

    Raises:
        MirillaError: something is wrong with the input.
    """
    stream = settings.streams[name]
    source = opening(stream.source, stream.source_options())
    if stream.realtime and not source.info.is_live:
        source = PacedSource(source)
    opened.enter_context(source)
    return RunningStream(name, stream, source, models, sinks, overwrite=settings.overwrite)
