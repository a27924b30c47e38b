"""A folder that pictures are written to, each whole under its name at any time, also after `kill -9` (write thread).

Used by all that write a folder of them. A picture is written beside its name and renamed when whole.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.errors import SinkError
from stream.sinks.partial_file import describe_failure


class PictureFolder:
    """The folder of one sink.

    Attributes:
        spec: the sink as the user wrote it, for messages.
        count: pictures written so far.
    """

    def __init__(self, spec: str, folder: str, ours: re.Pattern[str], *, overwrite: bool) -> None:
        """Touches no disk; see `open`.

        Args:
            spec: the sink as the user wrote it.
            folder: where the pictures go.
            ours: what the names of this sink's pictures match.
            overwrite: whether the pictures of an earlier run in that folder may be replaced. They are removed when
                the first picture comes, so that two runs never mix; other files in the folder stay.
        """
        self.spec = spec
        self.count = 0
        self._folder = Path(folder)
        self._ours = ours
        self._overwrite = overwrite
        self._is_new = False

    def open(self) -> None:
        """Create the folder, or see that it is empty.

        Raises:
            SinkError: it is a file, not empty, or may not be written.
        """
        if self._folder.exists() and not self._folder.is_dir():
            raise SinkError(f"sink: {self.spec} is a file; give the name of a folder")
        try:
            self._is_new = not self._folder.exists()
            self._folder.mkdir(parents=True, exist_ok=True)
            is_empty = next(self._folder.iterdir(), None) is None
        except OSError as error:
            raise self._failure(error) from error
        if not is_empty and not self._overwrite:
            raise SinkError(f"sink: {self.spec} exists and is not empty; pass --overwrite or choose another name")
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise SinkError(f"sink: {self.spec}: it may not be written; choose a folder that you may write to")

    def write(self, name: str, image: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
        """Write one picture, uint8 (H, W), (H, W, 3) BGR or (H, W, 4) BGRA, or uint16 (H, W), as PNG.

        Args:
            name: of the file, without its ending.
            image: the picture.

        Raises:
            SinkError: it cannot be written.
        """
        path = self._folder / f"{name}.png"
        partial = path.with_suffix(".partial.png")
        # Encoded in memory: cv2.imwrite cannot open paths with letters beyond the code page on Windows.
        _, encoded = cv2.imencode(".png", image)
        try:
            if self.count == 0:
                self._remove_earlier_pictures()
            partial.write_bytes(encoded.tobytes())
            partial.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise self._failure(error) from error
        self.count += 1

    def close(self) -> None:
        """Remove the folder again where it is new and nothing came."""
        if self._is_new and self.count == 0:
            with contextlib.suppress(OSError):
                self._folder.rmdir()
        self._is_new = False

    def paths(self) -> list[str]:
        """The sink as the user wrote it, once there is a picture in it."""
        return [self.spec] if self.count else []

    def _remove_earlier_pictures(self) -> None:
        for path in self._folder.iterdir():
            if self._ours.fullmatch(path.name):
                path.unlink()

    def _failure(self, error: OSError) -> SinkError:
        kept = f"; pictures written until then: {self.count}" if self.count else ""
        return SinkError(f"sink: {self.spec}: {describe_failure(error)}{kept}")
