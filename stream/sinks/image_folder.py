"""A folder of annotated pictures: `frames/` gets `frame_000000.png` and so on, by the frames' indices (write thread).

Each picture is written beside its name and renamed when whole: what stands under a picture's name is a whole picture
at any time, also after `kill -9`.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from stream.errors import SinkError
from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.sinks.partial_file import describe_failure
from stream.sinks.sink import Sink, SinkKind

_OURS = re.compile(r"frame_\d{6,}\.png")


class ImageFolderSink(Sink):
    """Writes one PNG a frame."""

    def __init__(self, spec: str, overwrite: bool) -> None:
        """Touches no disk; see `open`.

        Args:
            spec: the folder as the user wrote it.
            overwrite: whether the pictures of an earlier run in that folder may be replaced. They are removed when
                the first picture comes, so that two runs never mix; other files in the folder stay.
        """
        self._spec = spec
        self._folder = Path(spec)
        self._overwrite = overwrite
        self._is_new = False
        self._count = 0

    @override
    def open(self, info: SourceInfo) -> None:
        """Create the folder, or see that it is empty."""
        if self._folder.exists() and not self._folder.is_dir():
            raise SinkError(f"sink: {self._spec} is a file; give the name of a folder")
        try:
            self._is_new = not self._folder.exists()
            self._folder.mkdir(parents=True, exist_ok=True)
            is_empty = next(self._folder.iterdir(), None) is None
        except OSError as error:
            raise self._failure(error) from error
        if not is_empty and not self._overwrite:
            raise SinkError(f"sink: {self._spec} exists and is not empty; pass --overwrite or choose another name")
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise SinkError(f"sink: {self._spec}: it may not be written; choose a folder that you may write to")

    @override
    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Write one picture."""
        path = self._folder / f"frame_{result.frame.index:06d}.png"
        partial = path.with_suffix(".partial.png")
        # Encoded in memory: cv2.imwrite cannot open paths with letters beyond the code page on Windows.
        _, encoded = cv2.imencode(".png", image)
        try:
            if self._count == 0:
                self._remove_earlier_pictures()
            partial.write_bytes(encoded.tobytes())
            partial.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise self._failure(error) from error
        self._count += 1

    def close(self) -> None:
        """Remove the folder again where it is new and nothing came."""
        if self._is_new and self._count == 0:
            with contextlib.suppress(OSError):
                self._folder.rmdir()
        self._is_new = False

    def paths(self) -> list[str]:
        """The folder, once there is a picture in it."""
        return [self._spec] if self._count else []

    def _remove_earlier_pictures(self) -> None:
        for path in self._folder.iterdir():
            if _OURS.fullmatch(path.name):
                path.unlink()

    def _failure(self, error: OSError) -> SinkError:
        kept = f"; pictures written until then: {self._count}" if self._count else ""
        return SinkError(f"sink: {self._spec}: {describe_failure(error)}{kept}")


def _accepts(spec: str) -> bool:
    # An existing folder with a dot in its name needs the slash: `out.mp4` means a video, whatever stands there.
    path = Path(spec)
    return spec.endswith(("/", "\\")) or (spec != "" and path.suffix == "" and path.is_dir())


SINK = SinkKind(name="folder of images (frames/)", accepts=_accepts, make=ImageFolderSink)
