"""A folder of pictures as a stream: each picture is a frame. Iterated by the capture thread, closed by any."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from stream.errors import SourceError
from stream.frame import Frame, SourceInfo
from stream.sources.paths import existing_path, is_still_name
from stream.sources.source import Source, SourceKind, SourceOptions
from stream.sources.still import letterboxed, read_still

SECONDS_PER_PICTURE = Fraction(1)
"""Pictures carry no time: each stands for this long unless the caller says otherwise."""

TIME_BASE = Fraction(1, 1000)


class ImageFolderSource(Source):
    """The pictures directly in a folder, in natural order of their names: `2.png` before `10.png`.

    All frames have the size of the first picture: a video has one size. A picture of another size is letterboxed: its
    proportions are kept, with black around it. Hidden files and files that are no pictures are passed over.
    """

    def __init__(
        self,
        path: Path,
        *,
        seconds_per_picture: Fraction = SECONDS_PER_PICTURE,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """List the folder and read its first picture.

        Args:
            path: the folder.
            seconds_per_picture: time from one picture to the next.
            clock_ns: what `captured_at_ns` is read from.

        Raises:
            SourceError: the folder cannot be listed or holds no picture, or the first one cannot be read.
        """
        self._clock_ns = clock_ns
        self._closed = threading.Event()
        self._ticks = round(seconds_per_picture / TIME_BASE)
        self._files = pictures_in(path)
        self._first = read_still(self._files[0])
        height, width = self._first.shape[:2]
        self.info = SourceInfo(
            name=path.resolve().name or str(path),
            width=width,
            height=height,
            rate=None,
            time_base=TIME_BASE,
            frame_count=len(self._files),
        )

    def __iter__(self) -> Iterator[Frame]:
        """The pictures.

        Raises:
            SourceError: a picture cannot be read; the message names it.
        """
        size_wh = (self.info.width, self.info.height)
        for index, file in enumerate(self._files):
            if self._closed.is_set():
                return
            image = letterboxed(read_still(file), size_wh) if index else self._first
            yield Frame(image, index * self._ticks, TIME_BASE, index, self._clock_ns())

    def close(self) -> None:
        """End the iteration before the next picture."""
        self._closed.set()


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """A sort key under which numbers inside names count as numbers, whatever the case of the letters."""
    parts = re.findall(r"(\d+)|(\D+)", name.casefold(), re.ASCII)
    return [(0, int(digits), "") if digits else (1, 0, letters) for digits, letters in parts]


def pictures_in(path: Path) -> list[Path]:
    """The pictures directly in a folder, in natural order; SourceError where there are none."""
    try:
        entries = list(path.iterdir())
    except OSError as error:
        reason = error.strerror or str(error)
        raise SourceError(f"source: folder '{path}' cannot be listed ({reason}); give one that can") from error
    files = [entry for entry in entries if is_still_name(entry) and entry.is_file() and not entry.name.startswith(".")]
    if not files:
        raise SourceError(f"source: folder '{path}' holds no pictures; give a folder with .jpg or .png files in it")
    # Names that differ only in case or leading zeros still come in one order on every machine.
    return sorted(files, key=lambda file: (natural_order(file.name), file.name))


def _accepts(text: str) -> bool:
    path = existing_path(text)
    return path is not None and path.is_dir()


def _open(text: str, _: SourceOptions) -> ImageFolderSource:
    return ImageFolderSource(Path(text).expanduser())


SOURCE = SourceKind("folder of images", _accepts, _open)
