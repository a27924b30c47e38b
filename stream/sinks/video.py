"""Annotated video files, `.mp4` and `.mkv`: H.264 with every frame's own time and the source's sound (write thread).

A recording survives `kill -9`. An MP4 grows as fragments of half a second in `out.partial.mp4`, which players open, and
is written anew with its index first when it is closed; a Matroska file grows in clusters and only changes its name.
MP4 keeps time stamps to the tick; Matroska counts in milliseconds and rounds to them.
"""

from __future__ import annotations

import contextlib
import logging
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from stream.errors import SinkError
from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.sinks.audio_copy import AudioCopy
from stream.sinks.faststart import mp4_timescales, write_faststart
from stream.sinks.h264_stream import H264Stream, video_timescale
from stream.sinks.partial_file import PartialFile
from stream.sinks.sink import Sink, SinkKind
from stream.sources.address import redacted

FRAGMENT_SECONDS = 0.5
"""Media time between two writes to the disk."""

_FORMATS = {".mp4": "mp4", ".mkv": "matroska"}
_log = logging.getLogger("mirilla")


class VideoSink(Sink):
    """Writes one video file."""

    keeps_time = True

    def __init__(self, spec: str, overwrite: bool) -> None:
        """Touches no disk; see `open`.

        Args:
            spec: the path that the user wrote; its ending decides the container.
            overwrite: whether an existing file may be replaced.
        """
        self._file = PartialFile(spec, overwrite=overwrite)
        self._format = _FORMATS[self._file.final.suffix.lower()]
        self._container: OutputContainer | None = None
        self._video: H264Stream | None = None
        self._audio: AudioCopy | None = None

    def open(self, info: SourceInfo) -> None:
        """Create the partial file and write its header."""
        path = self._file.reserve()
        try:
            self._start(path, info)
        except (av.FFmpegError, OSError, ValueError) as error:
            self._release()
            self._file.discard()
            raise self._file.failure(error) from error

    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Encode one frame and write what the encoder gives back."""
        if self._video is None or self._container is None:
            raise SinkError(f"sink: {self._file.spec}: not open; see the error before this one")
        expected = self._video.size_wh
        if image.shape != (expected[1], expected[0], 3):
            sizes = f"{expected[0]}x{expected[1]}, got {image.shape[1]}x{image.shape[0]}"
            mend = "write pictures of several sizes to a folder (frames/)"
            raise SinkError(f"sink: {self._file.spec}: expected a picture of {sizes}; {mend}")
        try:
            self._mux(self._container, self._video.encode(image, result.frame))
        except (av.FFmpegError, OSError) as error:
            raise self._fail(error) from error

    def close(self) -> None:
        """Write what is held back, put the file in its final layout and give it its name."""
        video, container = self._video, self._container
        if video is None or container is None:
            return
        if video.last_seconds is None or video.end_seconds is None:
            self._release()
            self._file.discard()
            return
        try:
            self._mux(container, video.finish())
            if self._audio is not None:
                self._audio.finish(video.last_seconds, video.end_seconds)
            container.close()
            self._publish(video.timescale)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._fail(error) from error
        finally:
            self._release()

    def paths(self) -> list[str]:
        """The file, once it stands under its name."""
        return [self._file.spec] if self._file.is_published else []

    def _start(self, path: Path, info: SourceInfo) -> None:
        if info.audio is not None:
            try:
                self._start_container(path, info)
            except (av.FFmpegError, OSError, ValueError, IndexError) as error:
                where = redacted(str(info.audio.path))
                _log.warning("%s: the sound is left out: it cannot be copied (%s)", where, redacted(str(error)))
                self._release()
            else:
                return
        self._start_container(path, info, with_audio=False)

    def _start_container(self, path: Path, info: SourceInfo, *, with_audio: bool = True) -> None:
        layout = _container_options(self._format, video_timescale(info.time_base))
        # The absolute path: libav takes what stands before a colon in a relative one for a protocol.
        container = av.open(str(path.absolute()), "w", format=self._format, container_options=layout)
        self._container = container
        self._video = H264Stream(container, info)
        if with_audio and info.audio is not None:
            self._audio = AudioCopy(info.audio, container)
        container.start_encoding()

    def _mux(self, container: OutputContainer, packets: list[Packet[VideoStream]]) -> None:
        for packet in packets:
            if self._audio is not None and packet.pts is not None:
                self._audio.write_until(Fraction(packet.pts * packet.time_base))
            try:
                container.mux(packet)
            except av.FFmpegError as error:
                if self._audio is None or not self._audio.give_up(error):
                    raise

    def _publish(self, timescale: int) -> None:
        if self._format != "mp4" or self._file.partial is None:
            self._file.publish()
            return
        whole = self._file.partial.with_suffix(".whole.mp4")
        try:
            write_faststart(self._file.partial, whole, timescale=timescale)
            self._file.publish(whole)
        finally:
            whole.unlink(missing_ok=True)

    def _fail(self, error: Exception) -> SinkError:
        self._release()
        return self._file.failure(error)

    def _release(self) -> None:
        # After a failure libav cannot finish the file either; the failure itself was or will be reported.
        with contextlib.suppress(av.FFmpegError, OSError, ValueError):
            if self._container is not None:
                self._container.close()
        if self._audio is not None:
            self._audio.close()
        self._container = self._video = self._audio = None


def _container_options(name: str, timescale: int) -> dict[str, str]:
    # Sound and pictures are handed over in order, so libav need not hold one back until the other comes.
    options = {"flush_packets": "1", "max_interleave_delta": "1"}
    if name == "matroska":
        return {**options, "cluster_time_limit": str(round(FRAGMENT_SECONDS * 1000))}
    return {
        **options,
        # delay_moov: the header waits for the first fragment, and so knows at what time each track begins.
        "movflags": "empty_moov+default_base_moof+delay_moov",
        "frag_duration": str(round(FRAGMENT_SECONDS * 1_000_000)),
        **mp4_timescales(timescale),
    }


SINK = SinkKind(
    name="video (.mp4, .mkv)",
    accepts=lambda spec: Path(spec).suffix.lower() in _FORMATS and not spec.endswith(("/", "\\")),
    make=VideoSink,
)
