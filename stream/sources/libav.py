"""The boundary to libav: files are opened here, and its errors become ours here.

Called where a source opens (any thread) and by the capture thread while it reads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import av.container
import av.error
import av.video

from stream.errors import SourceError

TEXT_FORMATS = frozenset({"tty"})
"""Demuxers that make pictures of any text file: `notes.txt` would be a video of its letters."""

SINGLE_PICTURE_SUFFIX = "_pipe"
"""libav names what it finds in a bare picture file `png_pipe`, `jpeg_pipe`, ..."""

ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""libav's own VP8 and VP9 decoders drop the transparency that a WebM declares by `alpha_mode`."""


@contextmanager
def libav_errors(path: Path) -> Iterator[None]:
    """Turn libav's errors into SourceError with the file's name and the mend."""
    try:
        yield
    except av.error.FileNotFoundError as error:
        raise SourceError(f"source: '{path}' does not exist; give a path that does") from error
    except av.error.PermissionError as error:
        raise SourceError(f"source: '{path}' may not be read (permission denied); allow it to be read") from error
    except av.error.IsADirectoryError as error:
        raise SourceError(f"source: '{path}' is a folder, not a video; give the file inside it") from error
    except (av.error.InvalidDataError, av.error.EOFError) as error:
        raise SourceError(
            f"source: '{path}' is cut short or no video at all; copy it again, or give a video file"
        ) from error
    except av.error.FFmpegError as error:
        raise SourceError(
            f"source: '{path}' cannot be read ({error.strerror}); check that it plays elsewhere, or convert it"
        ) from error


def open_container(path: Path) -> av.container.InputContainer:
    """Open a file for reading.

    Raises:
        SourceError: it is missing, empty, unreadable, or no format that libav knows.
    """
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"source: '{path}' is empty (0 bytes); copy or record it again")
    with libav_errors(path):
        # `file:` keeps a colon in a file's name from being taken for a protocol.
        return av.open(f"file:{path}", metadata_errors="replace")


def is_recording(path: Path) -> bool:
    """Whether libav finds moving pictures, or sound, in a file whose ending says nothing."""
    if not os.access(path, os.R_OK):
        return True  # so that opening it says what is wrong
    try:
        with av.open(f"file:{path}", metadata_errors="replace") as container:
            name = container.format.name
            has_media = bool(container.streams.video or container.streams.audio)
            return has_media and name not in TEXT_FORMATS and not _is_single_picture(name)
    except av.error.FFmpegError:
        return False


def best_video_stream(container: av.container.InputContainer, path: Path | str) -> av.video.stream.VideoStream:
    """The stream that a player would show.

    Raises:
        SourceError: the file has only sound (a cover picture does not count), or no decoder is there for its picture.
    """
    stream = container.streams.best("video")
    if not isinstance(stream, av.video.stream.VideoStream) or stream.disposition & av.stream.Disposition.attached_pic:
        kinds = ", ".join(sorted({other.type for other in container.streams})) or "nothing"
        raise SourceError(f"source: '{path}' has no picture (only {kinds}); give a file with a video stream")
    # PyAV's stubs leave out that a stream without a decoder has no context.
    if getattr(stream, "codec_context", None) is None:
        raise SourceError(f"source: '{path}' is in a codec that this build of libav cannot decode; convert it to H.264")
    return stream


def decoder_of(stream: av.video.stream.VideoStream) -> av.VideoCodecContext:
    """The stream's decoder, on as many threads as there are cores."""
    decoder = stream.codec_context
    name = ALPHA_DECODERS.get(decoder.name)
    if name and stream.metadata.get("alpha_mode") == "1" and name in av.codecs_available:
        decoder = cast("av.VideoCodecContext", av.CodecContext.create(name, "r"))
    decoder.thread_type = "AUTO"
    return decoder


def declared_rate(stream: av.video.stream.VideoStream, *, is_interlaced: bool) -> Fraction | None:
    """The constant rate that a stream declares, or None where it varies.

    libav's base rate is the slowest that meets every timestamp: in a stream of constant rate it is the average, or
    twice that where each picture is two fields.
    """
    if stream.start_time is None:  # no timestamps: libav's average is then its own assumption
        return stream.guessed_rate
    average, base = stream.average_rate, stream.base_rate
    if not average or not base:
        return average or None
    rates = (average, 2 * average) if is_interlaced else (average,)
    return average if any(abs(base / rate - 1) < Fraction(1, 100) for rate in rates) else None


def _is_single_picture(format_name: str) -> bool:
    return format_name.endswith(SINGLE_PICTURE_SUFFIX) or format_name == "image2"
