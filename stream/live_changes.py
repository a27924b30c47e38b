"""Changes of streams while they run: an edited configuration, SIGHUP, a person who wants another model.

One thread does them all, one after another, so that models are loaded while pictures go on, and no two changes meet.
What is wrong is said in one line, and all is as before. Each pipeline then takes over by itself: `Pipeline.change`.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

from models import MirillaError
from stream.config import Settings, StreamSettings
from stream.config_file import ConfigFile, FileWatch
from stream.errors import SinkError
from stream.event_log import log_event
from stream.model_choice import packages_to_choose
from stream.model_shelf import ModelShelf
from stream.running_stream import RunningStream

LOOK_EVERY_SECONDS = 0.5
"""At the configuration; an edit takes effect after two looks."""

_END_SECONDS = 5.0
_OLD_GOES_ON = "the configuration before goes on"


class LiveChanges:
    """The changes of the streams of one run; a context manager."""

    def __init__(
        self,
        settings: Settings,
        streams: Mapping[str, RunningStream],
        shelf: ModelShelf,
        config: ConfigFile | None = None,
    ) -> None:
        """Nothing is watched yet; the models on the shelf are made ready for as many streams as use them.

        Args:
            settings: that the streams were made of.
            streams: by name.
            shelf: where models are loaded.
            config: where the settings come from.

        Raises:
            ModelError: a graph failed on a trial.
        """
        self._settings = settings
        self._streams = streams
        self._shelf = shelf
        self._config = config
        self._watch = FileWatch(config.path) if config else None
        # Filled by a signal's handler, too, which must not meet a lock that its own thread holds.
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="mirilla-change", daemon=True)
        self._keep_models()
        for stream in streams.values():
            stream.pipeline.controls.step_model = partial(self._ask_for_model, stream)

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Begin no change any more, and wait for the one that is made; one that takes long is left behind."""
        self._tasks.put(None)
        self._thread.join(_END_SECONDS)

    def reload(self) -> None:
        """Read the configuration again, whether it has changed or not; for signal handlers."""
        self._tasks.put(self._reload)

    def _run(self) -> None:
        timeout = LOOK_EVERY_SECONDS if self._watch else None
        while True:
            try:
                task = self._tasks.get(timeout=timeout)
            except queue.Empty:
                if self._watch is not None and self._watch.has_changed():
                    self._reload()
                continue
            if task is None:
                return
            task()

    def _reload(self) -> None:
        if self._config is None:
            return
        try:
            settings = self._config.read()
            ready = [
                (stream, settings.streams[name], stream.prepare(settings.streams[name], settings.overwrite))
                for name, stream in self._streams.items()
                if name in settings.streams and stream.changes_to(settings.streams[name])
            ]
        except Exception as error:
            _tell_failure(f"{error}; {_OLD_GOES_ON}", error, {})
        else:
            for stream, wanted, change in ready:
                keys = stream.changes_to(wanted)
                change(partial(self._changed, stream, keys))
            self._tell_of_restarts(settings)
            self._settings = settings
        self._keep_models()

    def _changed(self, stream: RunningStream, keys: list[str], error: SinkError | None) -> None:
        """Say how a change went (on the stream's own thread)."""
        figures: dict[str, Any] = {"stream": stream.name, "changed": keys}
        if error is not None:
            _tell_failure(f"{stream.name}: {error}; {_OLD_GOES_ON}", error, figures)
            return
        line = f"{stream.name}: changed: {', '.join(keys)}"
        log_event("changed", line, {**figures, "models": stream.pipeline.providers})
        if self._config is not None:
            self._config.say(line)

    def _tell_of_restarts(self, settings: Settings) -> None:
        for name, wanted in settings.streams.items():
            known = self._streams.get(name)
            _tell_of_restart(name, known.needs_restart(wanted) if known else ["a new stream"])
        for name in self._streams.keys() - settings.streams.keys():
            _tell_of_restart(name, ["a stream taken out"])
        if settings.web != self._settings.web:
            log_event("needs_restart", "web: needs a restart", {"keys": ["web"]}, logging.WARNING)

    def _ask_for_model(self, stream: RunningStream, step: int) -> None:
        self._tasks.put(partial(self._step_model, stream, step))

    def _step_model(self, stream: RunningStream, step: int) -> None:
        controls = stream.pipeline.controls
        try:
            packages = packages_to_choose(stream.settings.models)
            place = (packages.index(stream.settings.models[0].package) + step) % len(packages)
            controls.tell(f"loading {packages[place]} ...")
            wanted = _with_package(stream.settings, packages[place], packages)
            change = stream.prepare(wanted, self._settings.overwrite)
        except Exception as error:
            controls.tell(str(error), is_warning=True)
            _tell_failure(f"{stream.name}: {error}; the model before goes on", error, {"stream": stream.name})
        else:
            change(partial(self._stepped, stream, f"{packages[place]} ({place + 1} of {len(packages)})"))
        self._keep_models()

    def _stepped(self, stream: RunningStream, model: str, error: SinkError | None) -> None:
        if error is None:
            stream.pipeline.controls.tell(model)
        self._changed(stream, ["models"], error)

    def _keep_models(self) -> None:
        self._shelf.keep(stream.settings.models for stream in self._streams.values())


def _with_package(settings: StreamSettings, package: str, packages: Sequence[str]) -> StreamSettings:
    first, *rest = settings.models
    chosen = first.model_copy(update={"package": package, "alternatives": tuple(packages)})
    return settings.model_copy(update={"models": (chosen, *rest)})


def _tell_of_restart(name: str, keys: list[str]) -> None:
    if keys:
        line = f"{name}: {', '.join(keys)}: needs a restart"
        log_event("needs_restart", line, {"stream": name, "keys": keys}, logging.WARNING)


def _tell_failure(line: str, error: Exception, figures: dict[str, Any]) -> None:
    log_event("change_refused", line, figures, logging.WARNING)
    if not isinstance(error, MirillaError):
        logging.getLogger("mirilla").error("a defect in Mirilla", exc_info=error)
