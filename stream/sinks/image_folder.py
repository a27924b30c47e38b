"""A folder of annotated pictures: `frames/` gets `frame_000000.png` and so on, by frames' indices (write thread)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from stream.frame import SourceInfo
from stream.frame_result import FrameResult
from stream.sinks.picture_folder import PictureFolder
from stream.sinks.sink import Sink, SinkKind

_OURS = re.compile(r"frame_\d{6,}\.png")


class ImageFolderSink(Sink):
    """Writes one PNG a frame."""

    def __init__(self, spec: str, overwrite: bool) -> None:
        """Touches no disk; see `open`.

        Args:
            spec: the folder as the user wrote it.
            overwrite: whether the pictures of an earlier run in that folder may be replaced.
        """
        self._folder = PictureFolder(spec, spec, _OURS, overwrite=overwrite)

    @override
    def open(self, info: SourceInfo) -> None:
        """Create the folder, or see that it is empty."""
        self._folder.open()

    @override
    def write(self, image: NDArray[np.uint8], result: FrameResult) -> None:
        """Write one picture."""
        self._folder.write(f"frame_{result.frame.index:06d}", image)

    def close(self) -> None:
        """Remove the folder again where it is new and nothing came."""
        self._folder.close()

    def paths(self) -> list[str]:
        """The folder, once there is a picture in it."""
        return self._folder.paths()


def _accepts(spec: str) -> bool:
    # An existing folder with a dot in its name needs the slash: `out.mp4` means a video, whatever stands there.
    path = Path(spec)
    return spec.endswith(("/", "\\")) or (spec != "" and path.suffix == "" and path.is_dir())


SINK = SinkKind(name="folder of images (frames/)", accepts=_accepts, make=ImageFolderSink)
