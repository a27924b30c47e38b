"""A sketchpad that is watched: a live source whose pictures are painted from the strokes as they are now.

Made when a player shares a pad; frames are painted on the capture thread. It is no kind of `--source`: there is no pad
to be named before somebody draws.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.frame import Frame, SourceInfo
from stream.sources.source import Source
from stream.web.sketchpad_drawing import SIDE, Drawing, Points

SIZE_WH = (1080, 720)
"""The sheet to the left, room for what is guessed to the right."""

SHEET_XYXY = (20, 20, 700, 700)
RATE = Fraction(25)
_MILLISECOND = Fraction(1, 1000)
_SCALE = (SHEET_XYXY[2] - SHEET_XYXY[0]) / SIDE
_DESK, _SHEET, _INK = (222, 226, 221), (255, 255, 255), (38, 32, 24)
_FRACTION_BITS = 4


class SketchpadSource(Source):
    """Paints the drawing as it is at each moment.

    There are 25 pictures a second, also where nothing changes: who comes later to watch waits for the next one.
    """

    def __init__(self, drawing: Callable[[], Drawing], clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Begin with a blank sheet.

        Args:
            drawing: the drawing as it is now; called on the capture thread.
            clock_ns: gives presentation times and times of capture.
        """
        self.info = SourceInfo("sketchpad", *SIZE_WH, RATE, _MILLISECOND, is_live=True)
        self._drawing = drawing
        self._clock_ns = clock_ns
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        """Pictures until it is closed."""
        painter = SheetPainter()
        image = painter.paint(Drawing())
        shown = Drawing()
        begin_ns = due_ns = self._clock_ns()
        index = 0
        while not self._closed.wait(max(0.0, (due_ns - self._clock_ns()) / 1e9)):
            now_ns = self._clock_ns()
            if (drawing := self._drawing()) is not shown:
                shown, image = drawing, painter.paint(drawing)
            yield Frame(image, (now_ns - begin_ns) // 1_000_000, _MILLISECOND, index, now_ns)
            index += 1
            due_ns = max(due_ns + int(1_000_000_000 / RATE), now_ns)

    def close(self) -> None:
        """End at the next picture, at once where it is waited for."""
        self._closed.set()


class SheetPainter:
    """Paints drawings on a sheet; where one only goes on, only what is new is painted."""

    def __init__(self) -> None:
        """A blank sheet on its desk."""
        width, height = SIZE_WH
        self._canvas = np.full((height, width, 3), _DESK, np.uint8)
        self._painted = Drawing()
        self._wipe()

    def paint(self, drawing: Drawing) -> NDArray[np.uint8]:
        """The picture of a drawing, uint8 (720, 1080, 3), BGR; another array every time."""
        if not _goes_on(self._painted, drawing):
            self._wipe()
            self._painted = Drawing()
        for number, pieces in drawing.strokes.items():
            count = len(self._painted.strokes.get(number, ()))
            # From the last point that is painted, so that no gap is left between the pieces.
            before = pieces[count - 1][-1:] if count else pieces[0][:0]
            if new := pieces[count:]:
                self._ink(np.concatenate([before, *new]))
        self._painted = drawing
        return self._canvas.copy()

    def _wipe(self) -> None:
        left, top, right, bottom = SHEET_XYXY
        self._canvas[top:bottom, left:right] = _SHEET

    def _ink(self, points: Points) -> None:
        left, top, right, bottom = SHEET_XYXY
        sheet = self._canvas[top:bottom, left:right]
        places = np.rint(points[:, :2] * _SCALE * (1 << _FRACTION_BITS)).astype(np.int32)
        # Measured: OpenCV 5 draws smooth lines about 1.5 px too wide.
        widths = np.maximum(1, np.rint(points[:, 2] * _SCALE - 1.5)).astype(int)
        if len(places) == 1:
            places, widths = np.repeat(places, 2, axis=0), np.repeat(widths, 2)
        # Runs of one width are one line each.
        ends = [*(np.flatnonzero(np.diff(widths[1:])) + 1), len(places) - 1]
        first = 0
        for last in ends:
            line = places[first : last + 1]
            cv2.polylines(sheet, [line], False, _INK, int(widths[last]), cv2.LINE_AA, _FRACTION_BITS)
            first = last


def _goes_on(before: Drawing, now: Drawing) -> bool:
    """Whether nothing of a drawing was taken away."""
    return all(
        number in now.strokes and now.strokes[number][: len(pieces)] == pieces
        for number, pieces in before.strokes.items()
    )
