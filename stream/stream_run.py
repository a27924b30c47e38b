"""Runs the streams of a configuration side by side, and says what each did.

Called by the command on the main thread, which is where signals arrive.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

from models import MirillaError, Model, TopDown, load_model
from models.chain import LoadedModel
from models.drawing_chain import DrawingChain
from models.tasks.object_detection import DEFAULT_THRESHOLD
from stream.capture_stage import Limits
from stream.config import ModelSettings, Settings, StreamSettings
from stream.counting import ObjectCounter
from stream.emphasis_choice import TASKS_WITH_BOXES, background_for, emphasis_for
from stream.errors import ConfigError
from stream.event_log import log_event
from stream.metrics import Metrics
from stream.model_chains import POSES, with_detector
from stream.model_step import ModelStep
from stream.opencv_threads import opencv_on_one_thread
from stream.pipeline import Pipeline
from stream.sinks import Sink, make_sink
from stream.sinks.web import PageSink
from stream.sources import Source, open_source
from stream.sources.address import redacted
from stream.sources.paced import PacedSource
from stream.sources.source import SourceOptions
from stream.stream_group import GroupListener, StreamGroup
from stream.tracking import LEAST_SCORE, Tracker
from stream.watermark import LEAST_WIDTH_PX

Opening = Callable[[str, SourceOptions], Source]


class RunView(Protocol):
    """Shows a run while it goes on: a progress bar, plain lines, or nothing."""

    def following(self, name: str, pipeline: Pipeline) -> Callable[[], None]:
        """What to call now and then while a stream runs."""

    def finished(self, outcome: StreamOutcome) -> None:
        """A stream has ended, well or not; its files are closed."""


@dataclass(frozen=True, slots=True)
class StreamOutcome:
    """What one stream did.

    Attributes:
        name: of the stream.
        report: the schema of `--report`.
        paths: what was made, as the user named it.
        error: what broke the stream, or None.
    """

    name: str
    report: Mapping[str, Any]
    paths: Sequence[str]
    error: Exception | None = None

    @property
    def exit_code(self) -> int:
        """What the stream makes of the command's: 0 where all went well, 1 where it broke after its first frame."""
        if self.error is None:
            return 0
        has_begun = self.report["frames"]["captured"] > 0
        return 1 if has_begun or not isinstance(self.error, MirillaError) else self.error.exit_code


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A stream that is ready to run: everything that can be wrong with the input was looked at."""

    name: str
    source: Source
    pipeline: Pipeline
    models: Sequence[LoadedModel]
    sinks: Sequence[Sink]

    def outcome(self, error: Exception | None) -> StreamOutcome:
        about = {model.name: _about(model) for model in self.models}
        paths = [path for sink in self.sinks for path in sink.paths()]
        report = self.pipeline.metrics.report(about)
        if self.pipeline.counts:
            report["counts"] = self.pipeline.counts
        if (status := self.source.status) is not None:
            report["source"] = {"reconnects": status.reconnects, "lost_seconds": round(status.lost_ns / 1e9, 3)}
        return StreamOutcome(self.name, report, paths, error)


def run_settings(
    settings: Settings,
    view: RunView,
    extra_sinks: Sequence[Sink] = (),
    say: Callable[[str], None] = lambda _: None,
) -> list[StreamOutcome]:
    """Run all streams at the same time, as `stream.stream_group` says; one that breaks leaves the others alone.

    Args:
        settings: what to run.
        view: told of every stream.
        extra_sinks: also given the frames; only where there is one stream.
        say: prints a line for the user: where the page is, if the streams are shown in one.

    Returns:
        What each stream did, in the settings' order; without those that had not begun when the user stopped the run.

    Raises:
        MirillaError: something is wrong with the input; no frame was read of any stream.
    """
    outcomes: dict[str, StreamOutcome] = {}
    with opencv_on_one_thread(), ExitStack() as opened:
        streams = {stream.name: stream for stream in _prepare(settings, extra_sinks, opened)}

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
        with stopping_on_signals(group.stop):
            group.run()
    return [outcomes[name] for name in streams if name in outcomes]


class _Shown(Protocol):
    """A stream in the run's page, which is told how it fares."""

    def begin(self) -> None: ...

    def end(self, error: Exception | None) -> None: ...


def _page(
    settings: Settings, streams: Mapping[str, _Prepared], say: Callable[[str], None]
) -> AbstractContextManager[Mapping[str, _Shown]]:
    """The page of those streams that are to be shown in one; where there are none, nothing of it is loaded."""
    if not any(isinstance(sink, PageSink) for stream in streams.values() for sink in stream.sinks):
        return nullcontext({})
    from stream.web.run_page import run_page

    return run_page(settings, {name: (stream.pipeline, stream.sinks) for name, stream in streams.items()}, say)


def prepare_stream(
    settings: Settings, name: str, sinks: Sequence[Sink], opened: ExitStack, *, opening: Opening
) -> Pipeline:
    """One stream of several that run side by side: ready to run, with models of its own.

    Args:
        settings: what to run.
        name: of the stream.
        sinks: given its frames besides its own sinks.
        opened: closes the source at the end.
        opening: opens the source.

    Raises:
        MirillaError: something is wrong with the input.
    """
    alone = settings.model_copy(update={"streams": {name: settings.streams[name]}})
    return _prepare(alone, sinks, opened, opening)[0].pipeline


def _about(model: LoadedModel) -> dict[str, str]:
    said = {"provider": model.provider, "package": model.package.origin}
    if isinstance(model, TopDown):
        said["detector"] = model.detector.package.origin
    if model.why_not_cuda is not None:
        said["why_not_cuda"] = model.why_not_cuda
    return said


def _prepare(
    settings: Settings,
    extra_sinks: Sequence[Sink],
    opened: ExitStack,
    opening: Opening = open_source,
) -> list[_Prepared]:
    """Every stream, with its source open, before the first of them runs."""
    models: dict[str, LoadedModel] = {}
    streams = []
    for name, stream in settings.streams.items():
        sinks = [*(make_sink(sink, overwrite=settings.overwrite) for sink in stream.sinks), *extra_sinks]
        source = opened.enter_context(_source(stream, opening))
        steps = [_step(model, models) for model in stream.models]
        chosen = [models[_loading_key(model)] for model in stream.models]
        names = [model.name for model in chosen]
        for model in chosen:
            if model.takes_any_size:
                model.warm_up(source.info.width, source.info.height)
        if len(set(names)) < len(names):
            raise ConfigError(f"models: {', '.join(names)}: two models have one name; give one of them another 'name'")
        pipeline = Pipeline(
            source,
            steps,
            sinks,
            metrics=Metrics(names, source=source.info),
            hud=stream.overlay.hud,
            watermark=stream.overlay.watermark,
            emphasis=emphasis_for(stream.overlay, chosen),
            background=background_for(stream.overlay, chosen),
            limits=Limits(stream.frames, stream.duration),
            timing=stream.overlay.results,
            max_age_ms=stream.max_age_ms,
        )
        streams.append(_Prepared(name, source, pipeline, chosen, sinks))
    for model in models.values():
        users = sum(model in stream.models for stream in streams)
        if users > 1:
            model.share(users)
    return streams


def _source(stream: StreamSettings, opening: Opening) -> Source:
    source = opening(stream.source, stream.source_options())
    if stream.realtime and not source.info.is_live:
        source = PacedSource(source)
    shown = redacted(stream.source)
    if stream.max_age_ms is not None and not source.info.is_live:
        source.close()
        raise ConfigError(f"max_age_ms: {shown!r} is recorded, and loses no frame; add 'realtime: true'")
    if stream.overlay.watermark and source.info.width < LEAST_WIDTH_PX:
        source.close()
        raise ConfigError(f"watermark: {shown!r} is {source.info.width} wide; it takes {LEAST_WIDTH_PX}")
    return source


def _step(settings: ModelSettings, models: dict[str, LoadedModel]) -> ModelStep:
    """A model as one stream uses it; loaded once for all streams that load it alike."""
    key = _loading_key(settings)
    if key not in models:
        models[key] = with_detector(_loaded(settings), settings)
        loaded = models[key]
        about = {"model": loaded.name, **_about(loaded)}
        log_event("model_loaded", f"{loaded.name} runs on {loaded.provider}", about)
    model, count = models[key], settings.count
    wanted = "track" if settings.track else "count"
    if (settings.track or count is not None) and model.manifest.task not in (*TASKS_WITH_BOXES, POSES):
        raise ConfigError(f"models: {model.name}: {wanted}: the model finds no objects; leave {wanted!r} out")
    if count is not None and count.lines and not settings.track:
        raise ConfigError(f"models: {model.name}: count.lines: only tracked objects cross lines; add 'track: true'")
    # What drawings are taken for is steadied over the frames that show them.
    is_followed = settings.track or isinstance(model, DrawingChain)
    tracker = Tracker(_threshold(settings)) if is_followed else None
    counter = None
    if settings.track or count is not None:
        counter = ObjectCounter(count.lines, count.zones) if count else ObjectCounter()
    return ModelStep(
        model, every=settings.every, skip_unchanged=settings.skip_unchanged, tracker=tracker, counter=counter
    )


def _loading_key(settings: ModelSettings) -> str:
    return settings.model_dump_json(exclude={"every", "skip_unchanged", "count"})


def _threshold(settings: ModelSettings) -> float:
    """Of the boxes that are followed: a pose model's are its detector's."""
    threshold = settings.threshold if settings.detector is None else settings.detector.threshold
    return DEFAULT_THRESHOLD if threshold is None else threshold


def _loaded(settings: ModelSettings) -> Model:
    # A tracker is shown the unsure boxes, too, and decides itself; poses of those would cost more than they tell.
    is_shown_more = settings.track and settings.detector is None
    threshold = min(LEAST_SCORE, _threshold(settings)) if is_shown_more else settings.threshold
    return load_model(
        settings.package,
        name=settings.name,
        device=settings.device,
        threads=settings.threads,
        graph_optimization=settings.graph_optimization,
        threshold=threshold,
        classes=settings.classes,
        top=settings.top,
        max_detections=settings.max_detections,
        unverified=settings.unverified,
        texts=settings.texts,
    )


@contextmanager
def stopping_on_signals(end: Callable[[], None]) -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM end what runs, so that it is finished well; a second one ends the program at once.

    Args:
        end: called on the main thread, after the event that is given was set; must not wait.
    """
    stopped = threading.Event()
    before: dict[signal.Signals, Any] = {}

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()
        for number, handler in before.items():
            signal.signal(number, handler)
        end()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
