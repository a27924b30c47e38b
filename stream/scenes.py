"""Animated GIFs of a few scenes, each a picture under a bar that says what it shows.

Made by `mirilla explain` and `mirilla segment`, on their one thread.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frame import Frame, SourceInfo
from stream.frame_result import FrameResult
from stream.overlays.text import cap_height, draw_text, fit_text, text_width
from stream.overlays.theme import DARK, QUIET_TEXT, SEMIBOLD, TEXT, sizes_for
from stream.sinks.gif import TICK, GifSink

_LONGEST_SIDE_PX = 720


def shrunk(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """A picture uint8 (H, W, 3) at a size for animations, and how much smaller that is: 1 where it is small enough."""
    height, width = image.shape[:2]
    scale = min(1.0, _LONGEST_SIDE_PX / max(width, height))
    size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA), np.uint8), scale


class Captions:
    """Puts pictures of one size under a bar.

    Attributes:
        sizes: of text and lines on such pictures.
        picture_wh: width and height of the pictures in pixels.
        size_wh: width and height of the scenes in pixels, bar included.
    """

    def __init__(self, picture_wh: tuple[int, int]) -> None:
        """Take the pictures' width and height in pixels."""
        width, height = self.picture_wh = picture_wh
        self.sizes = sizes_for(width, height)
        self._bar = cap_height(self.sizes.text) + 2 * self.sizes.padding
        self.size_wh = (width, height + self._bar)

    def framed(self, picture: NDArray[np.uint8], title: str, note: str) -> NDArray[np.uint8]:
        """The scene: a picture uint8 (H, W, 3), a title over it at the left, and a note at the right."""
        width, height = self.size_wh
        scene = np.full((height, width, 3), DARK, np.uint8)
        scene[self._bar :] = picture
        sizes = self.sizes
        room = width - 2 * sizes.padding
        title = fit_text(title, room, sizes.text, SEMIBOLD)
        note = fit_text(note, room - text_width(title, sizes.text, SEMIBOLD) - sizes.padding, sizes.text)
        draw_text(scene, title, sizes.padding, sizes.padding, sizes.text, TEXT, SEMIBOLD)
        left = width - sizes.padding - text_width(note, sizes.text)
        draw_text(scene, note, left, sizes.padding, sizes.text, QUIET_TEXT)
        return scene


class SceneGif:
    """One animation on its way to its file."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        """Touches no disk; see `open`.

        Args:
            path: of the `.gif` file.
            overwrite: whether it may be replaced.
        """
        self._sink = GifSink(str(path), overwrite)
        self._ticks = 0
        self._index = 0
        self._last: NDArray[np.uint8] | None = None

    def open(self, name: str, size_wh: tuple[int, int]) -> None:
        """Create the partial file.

        Raises:
            SinkError: the file exists, or cannot be written there.
        """
        self._sink.open(SourceInfo(name, *size_wh, rate=None, time_base=TICK))

    def show(self, picture: NDArray[np.uint8], ticks: int) -> None:
        """Add a scene, for so many hundredths of a second.

        Raises:
            SinkError: it cannot be written.
        """
        self._write(picture)
        self._ticks += ticks
        self._last = picture

    def close(self) -> None:
        """Give the file its name. Players show the last frame as long as they like: it ends where it comes again."""
        if self._last is not None:
            self._write(self._last)
            self._last = None
        self._sink.close()

    def _write(self, picture: NDArray[np.uint8]) -> None:
        self._sink.write(picture, FrameResult(Frame(picture, self._ticks, TICK, self._index, 0)))
        self._index += 1
