"""What an address opens to: a libav container, its video stream, and what both say (reader thread of a connection)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import av.container
import av.error
import av.format
import av.video

from stream.errors import SourceError
from stream.sources.libav import TEXT_FORMATS, best_video_stream, declared_rate
from stream.sources.loss import LostError
from stream.sources.promise import Promise
from stream.sources.source import SourceOptions

PLAYLISTS = frozenset({"hls"})
"""Demuxers that fetch some seconds at once."""

_WITHOUT_BYTES = PLAYLISTS | {"rtsp", "mpjpeg"}
"""Demuxers for which the number of bytes says nothing: a playlist's are not those of its video."""

HIGHEST_RATE = 240
"""Frames a second above which a declared rate is a clock's unit rather than a rate."""

HTTP_OPTIONS = {"protocol_whitelist": "http,https,httpproxy,tcp,tls,crypto,data"}
"""libav's options: what a playlist may refer to, which is never a file of this machine."""

_PROXIED_FORMATS = "hls,mpegts,mov,mp4,matroska,webm,flv,avi,mpjpeg,mjpeg,ogg"
"""Demuxers that open what they name, if anything, through the same proxy."""


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What an open connection says of its stream.

    Attributes:
        is_live: whether it has no end that is known.
        time_base: seconds a tick of the pictures' times.
        has_clock: whether the pictures carry times of their own.
        rate: declared frames a second, or None.
        frame_count: of recorded material, where it is known.
        sample_aspect: width of a stored pixel by its height, None for square.
        audio: index and codec of the sound of recorded material, None where there is none.
    """

    is_live: bool
    time_base: Fraction
    has_clock: bool
    rate: Fraction | None
    frame_count: int | None
    sample_aspect: Fraction | None
    audio: tuple[int, str] | None = None


def open_address(address: str, options: SourceOptions) -> av.container.InputContainer:
    """Connect, and read as much as libav needs to know the streams.

    Raises:
        LostError: it cannot be reached, refuses, takes too long, or is no video.
    """
    began = time.monotonic()
    limit = options.connect_seconds
    try:
        container = av.open(
            address,
            options=_libav_options(address, options),
            timeout=(limit, options.lost_after_seconds),
            metadata_errors="replace",
        )
    except av.error.FFmpegError as error:
        # RTSP tells a time limit of ours as invalid data.
        is_late = time.monotonic() - began >= limit
        lost = LostError.silent(limit) if is_late else LostError.while_opening(error, address)
    else:
        if container.format.name not in TEXT_FORMATS:
            return container
        container.close()
        lost = LostError.no_video()
    # Outside of the handler: libav's error carries the address.
    raise lost


def video_of(container: av.container.InputContainer) -> av.video.stream.VideoStream:
    """The stream that a player would show.

    Raises:
        LostError: there is only sound, or no decoder for the picture.
    """
    try:
        return best_video_stream(container, "")
    except SourceError as error:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise LostError(f"has no picture that can be decoded (only {kinds})", "give another address of it") from error


def facts_of(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, promise: Promise
) -> StreamFacts:
    """What is known before the first picture."""
    is_live = _is_live(container)
    has_clock = not container.format.flags & cast("int", av.format.Flags.no_timestamps.value)
    rate = stream.average_rate if is_live else declared_rate(stream, is_interlaced=False)
    if is_live and not (has_clock and rate and rate <= HIGHEST_RATE):
        rate = None
    return StreamFacts(
        is_live=is_live,
        time_base=stream.time_base or Fraction(1, av.time_base),
        has_clock=has_clock,
        rate=rate,
        frame_count=None if is_live else promise.frame_count(),
        sample_aspect=stream.sample_aspect_ratio,
        audio=None if is_live else _audio_of(container),
    )


def _audio_of(container: av.container.InputContainer) -> tuple[int, str] | None:
    audio = container.streams.best("audio")
    # PyAV's stubs leave out that a stream without a decoder has no context.
    if audio is None or getattr(audio, "codec_context", None) is None:
        return None
    return audio.index, audio.codec_context.codec.canonical_name


def _is_live(container: av.container.InputContainer) -> bool:
    """Whether a stream has neither a duration nor, as a file has, a number of bytes."""
    if (container.duration or 0) > 0:
        return False
    return container.format.name in _WITHOUT_BYTES or container.size <= 0


def _libav_options(address: str, options: SourceOptions) -> dict[str, str]:
    # Looking long at a stream before the first picture would delay every reconnection.
    common = {"analyzeduration": "1000000", "fpsprobesize": "0"}
    limit_us = str(round(options.connect_seconds * 1_000_000))
    if address.lower().startswith("rtsp"):
        transport = options.rtsp_transport
        return {**common, "rtsp_transport": transport, "allowed_media_types": "video", "timeout": limit_us}
    proxied = {"http_proxy": options.http_proxy, "format_whitelist": _PROXIED_FORMATS} if options.http_proxy else {}
    return {**common, **HTTP_OPTIONS, **proxied, "rw_timeout": limit_us}
