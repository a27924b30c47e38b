"""Makes a stream for everybody who brings a camera: its own pipeline, with the models that all streams share.

Asked on a thread that may wait; what it makes is started and ended on the loop's thread, and has threads of its own.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from weakref import WeakSet

from stream.config import Settings
from stream.model_shelf import ModelShelf
from stream.running_stream import RunningStream
from stream.sources.pushed import WORD, PushedSource
from stream.stream_run import prepare_stream
from stream.web.served_stream import ServedStream
from stream.web.stream_views import StreamViews

OF_THE_STREAM = {"source": WORD, "frames": None, "duration": None, "realtime": False, "sinks": ("null",)}
"""What a visitor's stream does not take from the one that it is like."""


class Visit:
    """One visitor's stream."""

    def __init__(self, stream: ServedStream, source: PushedSource, opened: ExitStack) -> None:
        """Nothing runs yet.

        Args:
            stream: what is watched.
            source: where the visitor's pictures go.
            opened: closed when all has ended.
        """
        self.stream = stream
        self.source = source
        self._opened = opened
        self.thread: threading.Thread | None = None
        self.is_over = False

    def start(self) -> None:
        """Look at pictures from now on."""
        self.thread = threading.Thread(target=self._run, name="mirilla-visit", daemon=True)
        self.thread.start()

    def end(self) -> None:
        """Take no further picture; the threads end by themselves. Never waits."""
        if self.thread is None:
            self._opened.close()
            self.is_over = True
        else:
            self.stream.pipeline.stop()

    def _run(self) -> None:
        with self._opened:
            self.stream.run()
        self.is_over = True


class Studio:
    """Where visits are made."""

    def __init__(self, settings: Settings, streams: Mapping[str, RunningStream], models: ModelShelf) -> None:
        """Make ready.

        Args:
            settings: of the whole.
            streams: those that visits may be like, by their names in addresses.
            models: what those streams use.
        """
        self._settings = settings
        self._streams = streams
        self._models = models
        self._numbers = itertools.count(1)
        # Those that are over are held by nobody.
        self._visits: WeakSet[Visit] = WeakSet()

    @property
    def threads(self) -> list[threading.Thread]:
        """Those of visits that are not over."""
        threads = [visit.thread for visit in list(self._visits)]
        return [thread for thread in threads if thread is not None and thread.is_alive()]

    def visit(self, like: str) -> Visit:
        """A stream with the models and overlays of another; takes a moment.

        Raises:
            MirillaError: it cannot run.
        """
        running, web = self._streams[like], self._settings.web
        # As they are now: they may change while the stream runs.
        stream = running.settings.model_copy(update=OF_THE_STREAM)
        settings = self._settings.model_copy(update={"streams": {running.name: stream}})
        source, views = PushedSource("camera", "the camera"), StreamViews(web.bitrate_kbps, stream.overlay)
        with ExitStack() as opened:
            made = prepare_stream(
                settings, running.name, [views.sink], opened, opening=lambda *_: source, models=self._models
            )
            number = next(self._numbers)
            served = ServedStream(f"camera-{number}", f"camera {number}", views, made.pipeline)
            visit = Visit(served, source, opened.pop_all())
        self._visits.add(visit)
        return visit
