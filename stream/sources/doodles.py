"""The source `doodles`: a built-in drawing session, so that a demo needs neither camera nor file nor network.

`doodles`, or `doodles:WIDTHxHEIGHT` for another size than 1280x720. Sheets of paper slide in, are drawn on stroke after
stroke, and are held still for a moment. The same size gives the same pictures, byte for byte, on one machine. Frames
are painted on the capture thread as they are asked for.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from stream.errors import SourceError
from stream.frame import Frame, SourceInfo
from stream.sources.doodle_strokes import DRAWINGS, Stroke
from stream.sources.paper import SHEET_WH, Scene, Sheet
from stream.sources.source import Source, SourceKind, SourceOptions

RATE = Fraction(25)
_SLIDE_FRAMES = 13
_DRAW_FRAMES = 45
_HOLD_FRAMES = 25
_SHEET_FRAMES = _SLIDE_FRAMES + _DRAW_FRAMES + _HOLD_FRAMES
_SEED = 20240229
_BOX = 430.0
"""Side of the square on the sheet that a drawing fills, in units of the sheet."""
_PEN_WIDTH = 8.5
_PATTERN = re.compile(r"doodles(?::([0-9]{1,5})x([0-9]{1,5}))?")
_MAX_SIDE = 7680


@dataclass(frozen=True, slots=True)
class Doodle:
    """What is drawn when, in indices of frames.

    Attributes:
        name: the class name of the drawing: `alarm clock`.
        first_index: the first frame with its sheet, still blank and sliding in.
        finished_index: the first frame with the whole drawing.
        last_index: the last frame with the whole drawing held still.
    """

    name: str
    first_index: int
    finished_index: int
    last_index: int


def doodle_schedule() -> tuple[Doodle, ...]:
    """The whole session: one entry a drawing, in order, without gaps."""
    starts = range(0, len(DRAWINGS) * _SHEET_FRAMES, _SHEET_FRAMES)
    return tuple(
        Doodle(name, start, start + _SLIDE_FRAMES + _DRAW_FRAMES - 1, start + _SHEET_FRAMES - 1)
        for name, start in zip(DRAWINGS, starts, strict=True)
    )


class Doodles(Source):
    """The drawing session at one size."""

    def __init__(self, width: int = 1280, height: int = 720) -> None:
        """Paint desk and hand; raises SourceError where a side is below 16 or above 7680 pixels."""
        if not (16 <= width <= _MAX_SIDE and 16 <= height <= _MAX_SIDE):
            raise SourceError(
                f"source: doodles:{width}x{height}: sides go from 16 to {_MAX_SIDE}; try doodles:1280x720"
            )
        count = len(DRAWINGS) * _SHEET_FRAMES
        self.info = SourceInfo("doodles", width, height, RATE, 1 / RATE, frame_count=count)
        self._rng = np.random.default_rng(_SEED)
        self._scene = Scene(width, height, self._rng)
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        """Every frame of the session, as fast as it is asked for."""
        index = 0
        previous: Sheet | None = None
        for strokes in DRAWINGS.values():
            sheet = Sheet(self._scene.scale, self._rng)
            pen = _Pen(sheet, strokes, self._rng)
            for step in range(_SHEET_FRAMES):
                if self._closed.is_set():
                    return
                pen.draw_to((step - _SLIDE_FRAMES + 1) / _DRAW_FRAMES)
                image = self._scene.frame(float(index / RATE), _places(step, previous, sheet))
                yield Frame(image, index, 1 / RATE, index, time.monotonic_ns())
                index += 1
            previous = sheet

    def close(self) -> None:
        """End the session at the next frame."""
        self._closed.set()


def _places(step: int, previous: Sheet | None, sheet: Sheet) -> list[tuple[Sheet, float]]:
    """The sheets to be seen, each with its offset to the right: the old one leaves as the new one comes."""
    if step >= _SLIDE_FRAMES:
        return [(sheet, 0.0)]
    left = (1 - (step + 1) / _SLIDE_FRAMES) ** 3
    leaving = [] if previous is None else [(previous, -1.25 * (1 - left))]
    return [*leaving, (sheet, 1.25 * left)]


class _Pen:
    """Draws strokes on a sheet bit by bit, with the small swings of a hand."""

    def __init__(self, sheet: Sheet, strokes: list[Stroke], rng: np.random.Generator) -> None:
        self._sheet = sheet
        corner = (np.array(SHEET_WH) - _BOX) / 2
        self._strokes = [_wobbly(stroke, rng) * (_BOX / 100) + corner for stroke in strokes]
        self._total = sum(len(stroke) for stroke in strokes)
        self._drawn = 0

    def draw_to(self, share: float) -> None:
        """Go on until this share (0..1, of all points) of the drawing is on the sheet."""
        wanted = round(min(max(share, 0.0), 1.0) * self._total)
        passed = 0
        for stroke in self._strokes:
            first, last = self._drawn - passed, wanted - passed
            if last > 0 and first < len(stroke):
                self._sheet.ink(stroke[max(0, first - 1) : last], _PEN_WIDTH)
            passed += len(stroke)
        self._drawn = wanted


def _wobbly(stroke: Stroke, rng: np.random.Generator) -> NDArray[np.float64]:
    """The stroke as a hand draws it: up to about a unit beside the way, changing slowly along it."""
    count = max(2, len(stroke) // 9 + 2)
    swings = rng.normal(0, 0.6, (count, 2))
    where = np.linspace(0, count - 1, len(stroke))
    aside = np.column_stack([np.interp(where, np.arange(count), swings[:, axis]) for axis in (0, 1)])
    kernel = np.hanning(9) / np.hanning(9).sum()
    padded = np.pad(aside, ((4, 4), (0, 0)), mode="edge")
    smooth = np.column_stack([np.convolve(padded[:, axis], kernel, mode="valid") for axis in (0, 1)])
    return np.asarray(stroke + smooth, np.float64)


def _open(text: str, _: SourceOptions) -> Doodles:
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise SourceError(f"source: {text!r}: expected doodles or doodles:WIDTHxHEIGHT, as in doodles:640x360")
    return Doodles(*(int(side) for side in match.groups() if side is not None))


def _accepts(text: str) -> bool:
    return text == "doodles" or text.startswith("doodles:")


SOURCE = SourceKind(name="doodles", accepts=_accepts, open=_open)
