"""One stream of a run: its settings as they are now, what was made of them, and its pipeline.

Made on the main thread before the first frame; changed on the thread of `stream.live_changes`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models import MirillaError
from models.chain import LoadedModel
from models.drawing_chain import DrawingChain
from models.prompted_model import PromptedModel
from stream.capture_stage import Limits
from stream.config import ModelSettings, StreamSettings
from stream.counting import ObjectCounter
from stream.emphasis_choice import TASKS_WITH_BOXES, background_for, emphasis_for
from stream.errors import ConfigError, SinkError
from stream.live_parts import LiveParts, Look
from stream.metrics import Metrics
from stream.model_chains import POSES
from stream.model_shelf import ModelShelf, about, threshold_of
from stream.model_step import ModelStep, Step
from stream.pipeline import Pipeline
from stream.pointing.pointed_step import PointedStep
from stream.sinks import Sink, make_sink
from stream.sinks.late_start import LateStart
from stream.sources import Source
from stream.sources.address import redacted
from stream.tracking import Tracker
from stream.watermark import LEAST_WIDTH_PX

CHANGEABLE = ("models", "sinks", "overlay", "max_age_ms")
"""What of a stream's settings may change while it runs; all else concerns the source."""


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
class Made:
    """What settings amount to.

    Attributes:
        settings: the settings.
        steps: a model and its step each.
        sinks: what the user wrote and the sink each.
    """

    settings: StreamSettings
    steps: Sequence[tuple[LoadedModel, Step]] = ()
    sinks: Sequence[tuple[str, Sink]] = ()

    def step_like(self, wanted: ModelSettings) -> tuple[LoadedModel, Step] | None:
        """The step of a model with these settings, but for what does not concern the step."""
        for model, made in zip(self.settings.models, self.steps, strict=False):
            if model.model_copy(update={"alternatives": wanted.alternatives}) == wanted:
                return made
        return None

    def step_before(self, wanted: ModelSettings) -> tuple[ModelSettings, ModelStep] | None:
        """The settings and the step that a model with these settings takes the place of, if it is the same package."""
        for model, made in zip(self.settings.models, self.steps, strict=False):
            step = made[1]
            if (model.package, model.name) == (wanted.package, wanted.name) and isinstance(step, ModelStep):
                return model, step
        return None


class RunningStream:
    """A stream that is ready to run, or runs: everything that can be wrong with the input was looked at."""

    def __init__(
        self,
        name: str,
        settings: StreamSettings,
        source: Source,
        shelf: ModelShelf,
        extra_sinks: Sequence[Sink] = (),
        *,
        overwrite: bool = False,
    ) -> None:
        """Load what the settings name; nothing starts, and the source becomes the pipeline's to close.

        Args:
            name: of the stream.
            settings: of the stream.
            source: open.
            shelf: where models are, or are put.
            extra_sinks: given the frames besides the settings' own.
            overwrite: whether existing output may be replaced.

        Raises:
            MirillaError: something is wrong with the settings.
        """
        self.name = name
        self._source = source
        self._shelf = shelf
        self._extra_sinks = extra_sinks
        self._lock = threading.Lock()
        self._models: dict[str, dict[str, Any]] = {}
        self._sinks: list[Sink] = []
        self._made = Made(settings)
        self._made = made = self._make(settings, overwrite)
        parts = self._parts(made)
        self.pipeline = Pipeline(
            source,
            parts.steps,
            parts.sinks,
            metrics=Metrics([model.name for model, _ in made.steps], source=source.info),
            look=parts.look,
            limits=Limits(settings.frames, settings.duration),
            timing=parts.timing,
            max_age_ms=parts.max_age_ms,
        )
        self._note(made)

    @property
    def sinks(self) -> Sequence[Sink]:
        """Those that were ever written to."""
        return self._sinks

    @property
    def settings(self) -> StreamSettings:
        """As the stream runs now, or will in a moment."""
        with self._lock:
            return self._made.settings

    def prepare(self, wanted: StreamSettings, overwrite: bool) -> Callable[[Callable[[SinkError | None], None]], None]:
        """Load all that other settings name, while the stream goes on as it is.

        Args:
            wanted: of its source nothing is heeded.
            overwrite: whether existing output may be replaced.

        Returns:
            Has the stream change; takes what is called with None when it has, or with what kept a sink from opening.

        Raises:
            MirillaError: something is wrong with the settings.
        """
        before = self._made
        made = self._make(self._changed(wanted), overwrite)
        self._check_run_wide(before, made)
        parts = self._parts(made)

        def change(on_done: Callable[[SinkError | None], None]) -> None:
            def done(error: SinkError | None) -> None:
                with self._lock:
                    if error is None:
                        self._note(made)
                    elif self._made is made:
                        self._made = before
                on_done(error)

            with self._lock:
                self._made = made
            self.pipeline.change(parts, done)

        return change

    def needs_restart(self, wanted: StreamSettings) -> list[str]:
        """The keys of other settings that differ and concern the source, which is not opened anew."""
        now = self.settings
        keys = [key for key in StreamSettings.model_fields if key not in CHANGEABLE]
        differ = [key for key in keys if getattr(now, key) != getattr(wanted, key)]
        # Recorded pictures on their way would be overtaken, and none of them may be lost.
        is_timed_anew = not self._source.info.is_live and now.overlay.results != wanted.overlay.results
        return [*differ, "overlay.results"] if is_timed_anew else differ

    def changes_to(self, wanted: StreamSettings) -> list[str]:
        """The keys of other settings that differ and may change."""
        now, then = self.settings, self._changed(wanted)
        return [key for key in CHANGEABLE if getattr(now, key) != getattr(then, key)]

    def outcome(self, error: Exception | None) -> StreamOutcome:
        """What it did; asked when it has ended."""
        paths = dict.fromkeys(path for sink in self._sinks for path in sink.paths())
        report = self.pipeline.metrics.report(self._models)
        if self.pipeline.counts:
            report["counts"] = self.pipeline.counts
        if (status := self._source.status) is not None:
            report["source"] = {"reconnects": status.reconnects, "lost_seconds": round(status.lost_ns / 1e9, 3)}
        return StreamOutcome(self.name, report, list(paths), error)

    def _changed(self, wanted: StreamSettings) -> StreamSettings:
        """The settings as they are, but for what may change."""
        now = self.settings
        changed = {key: getattr(wanted, key) for key in CHANGEABLE}
        if not self._source.info.is_live:
            changed["overlay"] = wanted.overlay.model_copy(update={"results": now.overlay.results})
        return now.model_copy(update=changed)

    def _make(self, settings: StreamSettings, overwrite: bool) -> Made:
        _check_fit(settings, self._source)
        steps = [self._made.step_like(model) or self._step(model) for model in settings.models]
        names = [model.name for model, _ in steps]
        if len(set(names)) < len(names):
            raise ConfigError(f"models: {', '.join(names)}: two models have one name; give one of them another 'name'")
        known, sinks = list(self._made.sinks), []
        for spec in settings.sinks:
            kept = next((pair for pair in known if pair[0] == spec), None)
            sinks.append(kept or (spec, self._sink(spec, overwrite)))
            known = [pair for pair in known if pair is not kept]
        return Made(settings, steps, sinks)

    def _check_run_wide(self, before: Made, made: Made) -> None:
        """Raise ConfigError where what holds for the whole run would change."""
        for some, others in ((before.sinks, made.sinks), (made.sinks, before.sinks)):
            left = [spec for spec, sink in some if sink.is_of_the_run and not any(sink is other for _, other in others)]
            if left:
                raise ConfigError(f"sinks: {left[0]!r} comes and goes with the run: needs a restart")
        was, will_be = before.settings.overlay, made.settings.overlay
        if any(sink.shows_plain for sink in self._sinks) and (was.isolate, was.background, was.browser) != (
            will_be.isolate,
            will_be.background,
            will_be.browser,
        ):
            raise ConfigError(
                "overlay: isolate, background and browser hold for all who watch in browsers: needs a restart"
            )

    def _parts(self, made: Made) -> LiveParts:
        overlay = made.settings.overlay
        models = [model for model, _ in made.steps]
        return LiveParts(
            [step for _, step in made.steps],
            [*(sink for _, sink in made.sinks), *self._extra_sinks],
            Look(overlay.hud, overlay.watermark, emphasis_for(overlay, models), background_for(overlay, models)),
            overlay.results,
            made.settings.max_age_ms,
        )

    def _note(self, made: Made) -> None:
        """Remember for the report what ran, also when it will have been exchanged."""
        for model, _ in made.steps:
            said: dict[str, Any] = about(model)
            before = self._models.get(model.name, said)
            packages = dict.fromkeys((*before.get("packages", ()), before["package"], said["package"]))
            self._models[model.name] = said | ({"packages": list(packages)} if len(packages) > 1 else {})
        sinks = [*(sink for _, sink in made.sinks), *self._extra_sinks]
        self._sinks += [sink for sink in sinks if not any(sink is known for known in self._sinks)]

    def _sink(self, spec: str, overwrite: bool) -> Sink:
        sink = make_sink(spec, overwrite=overwrite)
        return LateStart(sink) if sink.keeps_time and self._sinks else sink

    def _step(self, settings: ModelSettings) -> tuple[LoadedModel, Step]:
        """A model as the stream uses it; its objects keep their ids where only its settings are new."""
        model, count = self._shelf.take(settings), settings.count
        if isinstance(model, PromptedModel):
            return model, PointedStep(model)
        _check_step(settings, model)
        if model.takes_any_size:
            model.warm_up(self._source.info.width, self._source.info.height)
        before = self._made.step_before(settings)
        counter, threshold = None, threshold_of(settings)
        # What drawings are taken for is steadied over the frames that show them.
        is_followed = settings.track or isinstance(model, DrawingChain)
        tracker = (before and before[1].tracker) or Tracker(threshold) if is_followed else None
        if before and (before[0].track, before[0].count) == (settings.track, count):
            counter = before[1].counter
        elif settings.track or count is not None:
            counter = ObjectCounter(count.lines, count.zones) if count else ObjectCounter()
        return model, ModelStep(
            model,
            every=settings.every,
            skip_unchanged=settings.skip_unchanged,
            tracker=tracker,
            threshold=threshold,
            counter=counter,
        )


def _check_fit(settings: StreamSettings, source: Source) -> None:
    """Raise ConfigError where settings do not fit what the source gives."""
    shown = redacted(settings.source)
    if settings.max_age_ms is not None and not source.info.is_live:
        raise ConfigError(f"max_age_ms: {shown!r} is recorded, and loses no frame; add 'realtime: true'")
    if settings.overlay.watermark and source.info.width < LEAST_WIDTH_PX:
        raise ConfigError(f"watermark: {shown!r} is {source.info.width} wide; it takes {LEAST_WIDTH_PX}")


def _check_step(settings: ModelSettings, model: LoadedModel) -> None:
    """Raise ConfigError where a model is asked what it cannot do."""
    count = settings.count
    wanted = "track" if settings.track else "count"
    if (settings.track or count is not None) and model.manifest.task not in (*TASKS_WITH_BOXES, POSES):
        raise ConfigError(f"models: {model.name}: {wanted}: the model finds no objects; leave {wanted!r} out")
    if count is not None and count.lines and not settings.track:
        raise ConfigError(f"models: {model.name}: count.lines: only tracked objects cross lines; add 'track: true'")
