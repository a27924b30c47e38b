"""A single picture as a stream of one frame; read by the command's thread, handed out by the capture thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2

from stream.frame import Frame, SourceInfo
from stream.sources.libav import is_recording
from stream.sources.paths import existing_path, is_still_name, is_video_name
from stream.sources.source import Source, SourceKind, SourceOptions
from stream.sources.still import read_still


class ImageSource(Source):
    """One frame at time 0: a picture has no clock, so no rate is declared."""

    def __init__(self, path: Path, *, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Read the picture.

        Args:
            path: the image file.
            clock_ns: what `captured_at_ns` is read from.

        Raises:
            SourceError: the file is missing, empty, unreadable or no picture.
        """
        image = read_still(path)
        height, width = image.shape[:2]
        self.info = SourceInfo(path.name, width, height, rate=None, time_base=Fraction(1, 1000), frame_count=1)
        self._frame: Frame | None = Frame(image, 0, self.info.time_base, 0, clock_ns())

    def __iter__(self) -> Iterator[Frame]:
        """The picture, once."""
        frame, self._frame = self._frame, None
        if frame is not None:
            yield frame

    def close(self) -> None:
        """Let the picture go."""
        self._frame = None


def _accepts(text: str) -> bool:
    path = existing_path(text)
    if path is None or not path.is_file() or is_video_name(path):
        return False
    return is_still_name(path) or (cv2.haveImageReader(str(path)) and not is_recording(path))


def _open(text: str, _: SourceOptions) -> ImageSource:
    return ImageSource(Path(text).expanduser())


SOURCE = SourceKind("image", _accepts, _open)
