"""Annotated GIFs: looping, at the source's size, each frame with a palette of its own (write thread).

A GIF counts in 1/100 s from its first frame, and players slow down anything quicker than 2/100 s. A frame that comes
sooner after the one before it is left out, which is said once. Size and rate are never changed otherwise.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.filter import Graph
from av.video.stream import VideoStream
from numpy.typing import NDArray

from stream.errors import SinkError
from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.sinks.partial_file import PartialFile
from stream.sinks.sink import Sink, SinkKind

TICK = Fraction(1, 100)
"""Seconds a tick of every GIF."""

MIN_DELAY_TICKS = 2
"""The shortest time that players show a frame for."""

DITHER = "sierra2_4a"
"""How colours between those of the palette are mixed; on a 720p frame about as small as none, without bands."""

_log = logging.getLogger("mirilla")


class GifSink(Sink):
    """Writes one animated GIF."""

    def __init__(self, spec: str, overwrite: bool) -> None:
        """Touches no disk; see `open`.

        Args:
            spec: the path that the user wrote.
            overwrite: whether an existing file may be replaced.
        """
        self._file = PartialFile(spec, overwrite=overwrite)
        self._writer: _Writer | None = None
        self._size_wh = (0, 0)
        self._first_seconds: Fraction | None = None
        self._last_ticks = -MIN_DELAY_TICKS
        self._left_out = 0

    def open(self, info: SourceInfo) -> None:
        """Create the partial file."""
        path = self._file.reserve()
        self._size_wh = (info.width, info.height)
        try:
            container = av.open(str(path.absolute()), "w", format="gif", container_options={"flush_packets": "1"})
            # Where a palette is the first picture's again, libav takes like indices in two palettes for like colours.
            whole = {"gifflags": "-offsetting-transdiff"}
            stream = container.add_stream("gif", options=whole, width=info.width, height=info.height)
            stream.pix_fmt = "pal8"
            stream.codec_context.time_base = TICK
            self._writer = _Writer(container, stream, _palette_graph(info.width, info.height))
            container.start_encoding()
        except (av.FFmpegError, OSError) as error:
            raise self._fail(error) from error

    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Find the frame's palette and write it; a frame that comes too soon for a GIF is left out."""
        if self._writer is None:
            raise SinkError(f"sink: {self._file.spec}: not open; see the error before this one")
        width, height = self._size_wh
        if image.shape != (height, width, 3):
            sizes = f"{width}x{height}, got {image.shape[1]}x{image.shape[0]}"
            mend = "write pictures of several sizes to a folder (frames/)"
            raise SinkError(f"sink: {self._file.spec}: expected a picture of {sizes}; {mend}")
        seconds = result.frame.pts * result.frame.time_base
        if self._first_seconds is None:
            self._first_seconds = seconds
        ticks = round((seconds - self._first_seconds) / TICK)
        if ticks < self._last_ticks + MIN_DELAY_TICKS:
            self._left_out += 1
            return
        self._last_ticks = ticks
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "bgr24")
        picture.pts, picture.time_base = ticks, TICK
        self._feed(self._writer, picture)

    def close(self) -> None:
        """Write what is held back and give the file its name."""
        writer = self._writer
        if writer is None:
            return
        if self._first_seconds is None:
            self._release()
            self._file.discard()
            return
        try:
            self._feed(writer, None)
            writer.container.mux(writer.stream.encode(None))
            writer.container.close()
        except (av.FFmpegError, OSError) as error:
            raise self._fail(error) from error
        self._release()
        self._file.publish()
        if self._left_out:
            rest = f"{self._left_out} frames came sooner and are left out"
            _log.warning("%s: a GIF shows at most 50 frames a second; %s", self._file.spec, rest)

    def paths(self) -> list[str]:
        """The file, once it stands under its name."""
        return [self._file.spec] if self._file.is_published else []

    def _feed(self, writer: _Writer, picture: av.VideoFrame | None) -> None:
        try:
            writer.graph.vpush(picture)
            for paletted in _ready(writer.graph):
                writer.container.mux(writer.stream.encode(paletted))
        except (av.FFmpegError, OSError) as error:
            raise self._fail(error) from error

    def _fail(self, error: Exception) -> SinkError:
        self._release()
        return self._file.failure(error)

    def _release(self) -> None:
        # After a failure libav cannot finish the file either; the failure itself is reported.
        with contextlib.suppress(av.FFmpegError, OSError):
            if self._writer is not None:
                self._writer.container.close()
        self._writer = None


@dataclass(frozen=True, slots=True)
class _Writer:
    container: OutputContainer
    stream: VideoStream
    graph: Graph


def _palette_graph(width: int, height: int) -> Graph:
    graph = Graph()
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("bgr24"), time_base=TICK)
    split, sink = graph.add("split"), graph.add("buffersink")
    # One palette a frame: a palette for all would need all frames in memory.
    generate = graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
    use = graph.add("paletteuse", f"new=1:dither={DITHER}")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(generate, 1, 0)
    generate.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    return graph


def _ready(graph: Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return


SINK = SinkKind(
    name="animated picture (.gif)",
    accepts=lambda spec: Path(spec).suffix.lower() == ".gif" and not spec.endswith(("/", "\\")),
    make=GifSink,
)
