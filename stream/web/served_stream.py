"""A stream that the page shows: what it is called, how it is, and its broadcast.

Its pipeline runs on a thread of its own; the page's answers are made on the loop's thread.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel

from models.errors import MirillaError
from stream.frame import SourceInfo
from stream.pipeline import Pipeline
from stream.web.publisher import Seat
from stream.web.stream_views import StreamViews

State = Literal["starting", "running", "unpublished", "ended", "failed"]
"""`unpublished`: it runs, and nobody sends it at the moment."""

_log = logging.getLogger("mirilla")


class StreamFigures(BaseModel):
    """The server's figures of a stream; rates in frames a second, times in milliseconds."""

    captured: int
    written: int
    dropped: dict[str, int]
    left_out: int
    source_fps: float | None
    output_fps: float | None
    latency_ms: dict[str, float]
    stage_ms: dict[str, float]
    """The median of late; those of models stand beside each frame's results, too."""
    stale_seconds: float | None
    """Since the last picture, where a live source's next one is overdue."""


class StreamDescription(BaseModel):
    """A stream as the page lists it."""

    name: str
    title: str
    state: State
    problem: str | None
    width: int | None
    height: int | None
    rate: float | None
    viewers: dict[str, int]
    bitrate_kbps: int
    whep: str
    """Where to watch the annotated picture."""
    whep_plain: str | None
    """Where to watch the picture as it was captured; None where nobody may."""
    overlay: Literal["picture", "browser"]
    """Whether a page begins with the annotated picture, or draws itself."""
    whip: str | None
    """Where it is sent to; None where it has a source of its own."""
    camera: str | None
    """Where a visitor's camera is sent to, and comes back from with what this stream's models see."""
    is_added: bool
    """Whether a viewer has added it, and may take it away."""
    figures: StreamFigures


class ServedStream:
    """One stream of the server."""

    def __init__(
        self,
        name: str,
        title: str,
        views: StreamViews,
        pipeline: Pipeline,
        *,
        seat: Seat | None = None,
    ) -> None:
        """Bring the parts together; nothing runs yet.

        Args:
            name: what it is called in addresses.
            title: what it is called in the configuration.
            views: what is watched.
            pipeline: feeds the views.
            seat: of who sends it; None where it has a source of its own.
        """
        self.name = name
        self.title = title
        self.views = views
        self.pipeline = pipeline
        self.seat = seat
        self.takes_cameras = False
        """Whether visitors may send their cameras to its models."""
        self._state: State = "starting"
        self.error: Exception | None = None
        self.is_added = False
        views.tell_with_frames(self._told)

    @property
    def state(self) -> State:
        """How it is."""
        if self._state == "running" and self.seat is not None and not self.seat.is_heard:
            return "unpublished"
        return self._state

    def run(self) -> None:
        """Run the pipeline to its end, on the calling thread; what breaks it is kept in `error`."""
        self.begin()
        try:
            self.pipeline.run()
        except Exception as error:
            # Told here and by the page; the other streams go on.
            self.end(error)
            expected = isinstance(error, MirillaError)
            _log.error("%s: %s", self.title, error, exc_info=None if expected else error)
        else:
            self.end(None)

    def begin(self) -> None:
        """Say that the pipeline runs."""
        self._state = "running"

    def end(self, error: Exception | None) -> None:
        """Say that the pipeline has ended, and what broke it."""
        self.error = error
        self._state = "ended" if error is None else "failed"

    def _told(self) -> dict[str, Any]:
        """What pages are told with every frame: which objects are followed, and the newest notice."""
        controls = self.pipeline.controls
        told: dict[str, Any] = {}
        if controls.pointed_objects is not None:
            told["objects"] = [{"number": one.number, "lost": one.is_lost} for one in controls.pointed_objects]
        if controls.notice is not None:
            told["notice"] = {"number": controls.notice.number, "text": controls.notice.text}
        return told

    def figures(self) -> StreamFigures:
        """What the pipeline counts at this moment."""
        now = self.pipeline.metrics.snapshot()
        return StreamFigures(
            captured=now.captured,
            written=now.written,
            dropped=dict(now.dropped),
            left_out=self.views.left_out,
            source_fps=now.source_fps,
            output_fps=now.output_fps,
            latency_ms=dict(now.latency_ms),
            stage_ms=self.pipeline.metrics.recent_stage_ms(),
            stale_seconds=now.stale_seconds,
        )

    def description(self) -> StreamDescription:
        """What the page lists."""
        views = self.views
        info = views.drawn.info
        width, height = views.sink.size_wh or self._promised_wh(info)
        whep = f"/whep/{self.name}"
        return StreamDescription(
            name=self.name,
            title=self.title,
            state=self.state,
            problem=None if self.error is None else str(self.error),
            width=width,
            height=height,
            rate=float(info.rate) if info is not None and info.rate is not None else None,
            viewers={str(codec): count for codec, count in views.viewers.items()},
            bitrate_kbps=views.bitrate_kbps,
            whep=whep,
            whep_plain=None if views.plain is None else f"{whep}?picture=plain",
            overlay="browser" if views.is_drawn_by_pages else "picture",
            whip=f"/whip/{self.name}" if self.seat is not None else None,
            camera=f"/camera/{self.name}" if self.takes_cameras else None,
            is_added=self.is_added,
            figures=self.figures(),
        )

    def _promised_wh(self, info: SourceInfo | None) -> tuple[int, int] | tuple[None, None]:
        """Before the first picture; nobody knows what will be sent here."""
        return (None, None) if info is None or self.seat is not None else (info.width, info.height)


def address_names(titles: Iterable[str]) -> dict[str, str]:
    """A name for each title that may stand in an address: letters, digits, `.`, `_`, `-`; all different."""
    names: dict[str, str] = {}
    for title in titles:
        stem = re.sub(r"[^\w.-]+", "-", title, flags=re.ASCII).strip(".-") or "stream"
        name, number = stem, 2
        while name in names.values():
            name, number = f"{stem}-{number}", number + 1
        names[title] = name
    return names
