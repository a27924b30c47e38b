"""What models are compared on: clips, and pictures in their own sizes. Opened anew for each model.

The folder source of a stream fits all pictures into one size, where annotations would no longer lie right; here each
keeps its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from stream.errors import ConfigError
from stream.frame import Frame, SourceInfo
from stream.sources import Source, open_source
from stream.sources.image_folder import pictures_in
from stream.sources.paths import existing_path, is_still_name
from stream.sources.still import read_still


@dataclass(frozen=True, slots=True)
class Material:
    """Frames that every model sees.

    Attributes:
        name: for tables and files.
        pictures: the file name of each frame, where frames are pictures of their own; None for a clip.
        open: opens the frames, from the first on.
    """

    name: str
    pictures: Sequence[str] | None
    open: Callable[[], Source]


class PicturesSource(Source):
    """Each picture a frame, at its own size, a second apart. Iterated by the capture thread, closed by any."""

    def __init__(self, name: str, files: Sequence[Path]) -> None:
        """Read the first picture.

        Raises:
            SourceError: it is missing, damaged or no picture.
        """
        self._files = files
        self._closed = threading.Event()
        height, width = read_still(files[0]).shape[:2]
        self.info = SourceInfo(name, width, height, rate=None, time_base=Fraction(1), frame_count=len(files))

    def __iter__(self) -> Iterator[Frame]:
        """The pictures; SourceError where one cannot be read."""
        for index, file in enumerate(self._files):
            if self._closed.is_set():
                return
            yield Frame(read_still(file), index, self.info.time_base, index, time.monotonic_ns())

    def close(self) -> None:
        """End the iteration before the next picture."""
        self._closed.set()


def gather_material(specs: Sequence[str]) -> list[Material]:
    """The clips, each by itself, and all single pictures and each folder of pictures, by what the user wrote.

    Raises:
        ConfigError: nothing is given, or the frames would not be the same for each model.
        SourceError: something is missing, or no kind of source.
    """
    if not specs:
        raise ConfigError("source: there is nothing to compare models on; give a clip, a picture or a folder")
    material: list[Material] = []
    singles: list[Path] = []
    for spec in specs:
        path = existing_path(spec)
        if path is not None and path.is_dir():
            material.append(_pictures(path.resolve().name, pictures_in(path)))
        elif path is not None and is_still_name(path):
            singles.append(path)
        else:
            material.append(_clip(spec))
    if singles:
        material.append(_pictures(singles[0].stem if len(singles) == 1 else "pictures", singles))
    return material


def _pictures(name: str, files: Sequence[Path]) -> Material:
    return Material(name, [file.name for file in files], lambda: PicturesSource(name, files))


def _clip(spec: str) -> Material:
    with open_source(spec) as source:
        if source.info.is_live:
            raise ConfigError(f"source: {spec!r} is live, so that no two models would see the same; record it first")
        return Material(source.info.name, None, lambda: open_source(spec))
