"""Recorded video: everything that libav decodes. The first station of a file's frames.

Opened by the command's thread, iterated by the capture thread, closed by any.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, cast

import av
import av.container
import av.error
import av.video
from numpy import uint8
from numpy.typing import NDArray

from stream.errors import SourceError
from stream.frame import AudioTrack, Frame, SourceInfo
from stream.sources.libav import (
    best_video_stream,
    declared_rate,
    decoder_of,
    is_recording,
    libav_errors,
    open_container,
)
from stream.sources.paths import existing_path, is_still_name, is_video_name
from stream.sources.promise import Promise
from stream.sources.source import Source, SourceKind, SourceOptions
from stream.sources.upright import UprightConverter

ASSUMED_RATE = Fraction(25)
"""For streams with neither timestamps nor a rate: what libav's raw demuxers assume."""

VideoPacket: TypeAlias = "av.Packet[av.video.stream.VideoStream]"

logger = logging.getLogger(__name__)


class VideoFileSource(Source):
    """The frames of one video file, in presentation order.

    - `pts` are libav's best effort: the container's own, or, where it stores none for a frame (AVI, raw MPEG), the
      decoding time. A stream without any time (raw H.264) counts by its declared rate.
    - Frames are upright (rotation and mirroring applied), with square pixels (widths scaled by the sample aspect
      ratio), and all of one size: where the size changes in mid-file, frames are scaled to the first.
    - A damaged packet is skipped and counted in `damaged_packets`; decoding goes on. A file that ends well before
      what it promised (see `stream.sources.promise`) raises SourceError after its last frame.
    - Interlaced pictures are left as they are.
    """

    def __init__(self, path: Path, *, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Open the file and decode its first frame.

        Args:
            path: the file.
            clock_ns: what `captured_at_ns` is read from.

        Raises:
            SourceError: the file is missing, empty, no video, or not one frame of it decodes.
        """
        self.damaged_packets = 0
        self._read_error: av.error.FFmpegError | None = None
        self._path = path
        self._clock_ns = clock_ns
        self._closed = threading.Event()
        # libav crashes when a container is closed while another thread reads it: whoever touches it holds this.
        self._lock = threading.Lock()
        self._container = open_container(path)
        try:
            self._stream = best_video_stream(self._container, path)
            self._promise = Promise(self._container, self._stream)
            self._decoded: Iterator[av.VideoFrame] = self._decode()
            self._first = next(self._decoded, None)
            if self._first is None:
                codec = self._stream.codec_context.name
                raise SourceError(
                    f"source: '{path}' has no frame that can be decoded ({codec}); copy or record it again"
                ) from self._read_error
            self._converter = UprightConverter(self._stream.sample_aspect_ratio)
            self.info = self._describe(self._first)
        except BaseException:
            self._container.close()
            raise

    def __iter__(self) -> Iterator[Frame]:
        """The frames.

        Raises:
            SourceError: reading failed, or the file ended before what it promised; after the last frame that decodes.
        """
        try:
            index = 0
            pts = None
            while (frame := self._next_decoded()) is not None:
                pts = self._pts_of(frame, pts)
                image = self._image_of(frame)
                yield Frame(image, pts, self.info.time_base, index, self._clock_ns())
                index += 1
            if not self._closed.is_set():
                self._judge_the_end(index)
        finally:
            self.close()

    def close(self) -> None:
        """Stop and release the file; waits for the packet that is being decoded."""
        self._closed.set()
        with self._lock:
            # The generator and this object hold each other, and with them the decoder and its pictures: until the
            # garbage collector came round, every closed file would keep a hundred megabytes.
            self._decoded = iter(())
            self._first = None
            self._container.close()

    def _next_decoded(self) -> av.VideoFrame | None:
        """The next picture, or None at the end or once closed."""
        with self._lock:
            if self._closed.is_set():
                return None
            if self._first is not None:
                frame, self._first = self._first, None
                return frame
            return next(self._decoded, None)

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Pictures as they leave the decoder; skips damaged packets and keeps count of what was read."""
        decoder = decoder_of(self._stream)
        # All streams are read: how far the sound reaches tells a file that was cut from one whose picture is shorter.
        packets = self._container.demux()
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                self._read_error = error
                yield from self._decode_packet(decoder, None)
                return
            self._promise.saw(packet)
            if packet.stream_index == self._stream.index:
                yield from self._decode_packet(decoder, cast("VideoPacket", packet))

    def _decode_packet(self, decoder: av.VideoCodecContext, packet: VideoPacket | None) -> list[av.VideoFrame]:
        """What the decoder gives for a packet, or, for None, what it still holds."""
        try:
            return decoder.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError as error:
            self.damaged_packets += 1
            logger.debug("%s: skipped a damaged packet: %s", self._path, error)
            return []

    def _pts_of(self, frame: av.VideoFrame, previous: int | None) -> int:
        """The frame's time in ticks; the rate's next tick where the file gives none."""
        if frame.pts is not None:
            return frame.pts
        if previous is None:
            return 0
        rate = self._stream.guessed_rate or ASSUMED_RATE
        return previous + max(1, round(1 / (rate * self.info.time_base)))

    def _image_of(self, frame: av.VideoFrame) -> NDArray[uint8]:
        with libav_errors(self._path):
            return self._converter.convert(frame, (self.info.width, self.info.height))

    def _judge_the_end(self, frames: int) -> None:
        """Raise SourceError where the file ended early; say how much was damaged where it did not."""
        if self.damaged_packets:
            logger.warning("%s: skipped %d damaged packets", self._path, self.damaged_packets)
        error = self._read_error
        if reason := (error.strerror if error else self._promise.missing()):
            raise SourceError(f"source: '{self._path}' broke after {frames} frames: {reason}; copy it again") from error

    def _describe(self, first: av.VideoFrame) -> SourceInfo:
        stream = self._stream
        width, height = self._converter.size_wh(first)
        time_base = stream.time_base
        if not time_base:
            raise SourceError(f"source: '{self._path}' has no time base; convert it to .mp4")
        audio = self._container.streams.best("audio")
        track = None
        if audio is not None and audio.codec_context is not None:
            track = AudioTrack(self._path, audio.index, audio.codec_context.codec.canonical_name)
        return SourceInfo(
            name=self._path.name,
            width=width,
            height=height,
            rate=declared_rate(stream, is_interlaced=first.interlaced_frame),
            time_base=time_base,
            frame_count=self._promise.frame_count(),
            audio=track,
        )


def _accepts(text: str) -> bool:
    path = existing_path(text)
    if path is None or not path.is_file() or is_still_name(path):
        return False
    return is_video_name(path) or is_recording(path)


def _open(text: str, _: SourceOptions) -> VideoFileSource:
    return VideoFileSource(Path(text).expanduser())


SOURCE = SourceKind("video file", _accepts, _open)
