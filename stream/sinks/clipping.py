"""What a person keeps of a stream that they watch: pictures, and recordings begun and ended at will.

Pictures are saved on the thread of the view, recordings are written on the write thread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.errors import SinkError
from stream.file_names import file_name
from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.sinks.late_start import LateStart
from stream.sinks.partial_file import describe_failure
from stream.sinks.video import VideoSink


def clipping_path(folder: Path, name: str, suffix: str, now: Callable[[], datetime] = datetime.now) -> Path:
    """A path that is free, with the stream's name and the time in it: `out/webcam-0-20261120-142233.png`.

    Args:
        folder: where it lies.
        name: of the stream.
        suffix: `.png` or `.mp4`.
        now: the time of day.
    """
    stem = f"{file_name(Path(name).stem, 'stream')}-{now():%Y%m%d-%H%M%S}"
    path, count = folder / f"{stem}{suffix}", 1
    while path.exists():
        count += 1
        path = folder / f"{stem}-{count}{suffix}"
    return path


def save_picture(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a picture, uint8 (H, W, 3) BGR, as PNG.

    Raises:
        SinkError: it cannot be written.
    """
    partial = path.with_suffix(".partial.png")
    _, encoded = cv2.imencode(".png", image)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(encoded.tobytes())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise SinkError(f"{path}: {describe_failure(error)}") from error


class Recording:
    """A part of a stream as a video file of its own, without sound, whose time begins at 0."""

    def __init__(self, path: Path, info: SourceInfo, image: NDArray[np.uint8]) -> None:
        """Open the file for pictures of the size of the first.

        Raises:
            SinkError: it cannot be written.
        """
        self.path = path
        self._sink = LateStart(VideoSink(str(path), overwrite=False))
        height, width = image.shape[:2]
        self._sink.open(replace(info, width=width, height=height, audio=None))

    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Add a frame.

        Raises:
            SinkError: the disk is full, or the picture has another size.
        """
        self._sink.write(image, result)

    def close(self) -> bool:
        """Finish the file; whether there is one.

        Raises:
            SinkError: it could not be finished.
        """
        self._sink.close()
        return bool(self._sink.paths())
