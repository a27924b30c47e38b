"""Sketchpads that others watch: each becomes a stream of the server for as long as its player likes (loop's thread).

The stream is like any other: a pipeline on threads of its own, and the shared encoder. Its source paints the strokes,
and its model only repeats what was guessed of them, so that all see what the player sees.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from itertools import count
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.model import StageTimer, untimed
from models.onnx_session import CPU
from models.results import SketchGuess
from stream.config import OverlaySettings
from stream.live_parts import Look
from stream.pipeline import Pipeline
from stream.web.hub import Hub
from stream.web.served_stream import ServedStream
from stream.web.sketchpad_drawing import SIDE
from stream.web.sketchpad_guesser import TASK
from stream.web.sketchpad_session import SketchpadSession
from stream.web.sketchpad_source import SHEET_XYXY, SketchpadSource
from stream.web.stream_views import StreamViews

STREAM = "sketchpad"
MOST_SHARED = 4
"""Each takes an encoder while somebody watches."""

_NOTHING = SketchGuess(TASK, np.empty(0, np.int64), np.empty(0, np.float32), ())


class Guessed(Protocol):
    """Somebody who knows what was guessed last."""

    @property
    def guess(self) -> SketchGuess | None:
        """The newest guess; None before the first."""


class RepeatedGuess:
    """The model of a shared pad: says what was guessed last of the strokes, whatever picture it is shown."""

    name = STREAM
    provider = CPU

    def __init__(self, session: Guessed) -> None:
        """Repeat what a session knows."""
        self._session = session

    def __call__(self, image: NDArray[np.uint8], timer: StageTimer = untimed) -> SketchGuess:  # noqa: ARG002 - the protocol's
        """The guess, with its region in the picture."""
        guess = self._session.guess
        if guess is None or guess.region_xyxy is None:
            return _NOTHING
        left, top, right, _ = SHEET_XYXY
        region = guess.region_xyxy * ((right - left) / SIDE) + np.array([left, top, left, top])
        return replace(guess, region_xyxy=region.astype(np.float32))


class SharedPads:
    """The pads that are shown at this moment."""

    def __init__(self, hub: Hub, bitrate_kbps: int) -> None:
        """Nothing is shown.

        Args:
            hub: shared pads are put among its streams, and taken away again.
            bitrate_kbps: of each pad's encoder.
        """
        self._hub = hub
        self._streams = hub.streams
        self._bitrate_kbps = bitrate_kbps
        self._shared: dict[SketchpadSession, ServedStream] = {}
        self._endings: set[asyncio.Task[None]] = set()

    def begin(self, session: SketchpadSession) -> str | None:
        """Let others watch; the name of the stream, or None where as many are shown as may."""
        if (shown := self._shared.get(session)) is not None:
            return shown.name
        if len(self._shared) >= MOST_SHARED:
            return None
        name = next(name for number in count(1) if (name := _name(number)) not in self._streams)
        views = StreamViews(self._bitrate_kbps, OverlaySettings(hud=False))
        source = SketchpadSource(lambda: session.drawing)
        pipeline = Pipeline(source, [RepeatedGuess(session)], [views.sink], look=Look(hud=False))
        stream = ServedStream(name, name, views, pipeline)
        self._shared[session] = self._streams[name] = stream
        threading.Thread(target=stream.run, name=f"mirilla-stream-{name}", daemon=True).start()
        return name

    def end(self, session: SketchpadSession) -> None:
        """Let nobody watch; a pad that is not shown may be ended, too."""
        stream = self._shared.pop(session, None)
        if stream is None:
            return
        del self._streams[stream.name]
        stream.pipeline.stop()
        ending = asyncio.get_running_loop().create_task(self._hub.end_stream(stream.name))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)


def _name(number: int) -> str:
    return STREAM if number == 1 else f"{STREAM}-{number}"
