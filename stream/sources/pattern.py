"""A moving test picture that needs no file; every frame carries its number where a program can read it.

For tests of the whole way of a frame, and for seeing at a glance what a sink, a browser or a link does to a picture.
Drawn on the capture thread.

The number stands in a strip of cells (`stream.cell_strip`) over the full width of the lowest eighth:

    1 0 | 20 bits of the index, highest first | 4 bits: the index modulo 15 | 0 1
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.cell_strip import draw_cells, read_cells
from stream.errors import SourceError
from stream.frame import Frame, SourceInfo
from stream.sources.source import Source, SourceKind, SourceOptions

INDEX_BITS = 20
CHECK_BITS = 4
STRIP_SHARE = 8
"""The strip is this part of the picture's height."""

SMALLEST_WH = (64, 48)
LARGEST_SIDE = 8192
MOST_FRAMES = 1 << INDEX_BITS

BARS_BGR = (
    (255, 255, 255),
    (0, 255, 255),
    (255, 255, 0),
    (0, 255, 0),
    (255, 0, 255),
    (0, 0, 255),
    (255, 0, 0),
    (0, 0, 0),
)
"""White, yellow, cyan, green, magenta, red, blue, black, from left to right."""

BAR_BOTTOM, RAMP_BOTTOM = 0.5, 0.625
"""Down to which share of the height the colour bars and the grey ramp reach; a disc moves below."""

LOOP_FRAMES = 90
"""The disc crosses the picture and comes back in as many frames."""


class PatternSpec(NamedTuple):
    """What to draw: size in pixels, frames a second, number of frames."""

    width: int = 1280
    height: int = 720
    rate: Fraction = Fraction(30)
    frames: int = 300

    @classmethod
    def parse(cls, text: str) -> PatternSpec:
        """Read `pattern`, `pattern:640x480`, `pattern:640x480@25` or `pattern:640x480@30000/1001x100`.

        Raises:
            SourceError: the text has another form, or a number is out of range.
        """
        match = re.fullmatch(r"pattern(?::(\d+)x(\d+)(?:@(\d+(?:\.\d+|/\d+)?)(?:x(\d+))?)?)?", text, re.ASCII)
        if not match:
            raise SourceError(
                f"source: {text!r} is no pattern; write pattern:WIDTHxHEIGHT@RATExFRAMES, as in {EXAMPLE}"
            )
        width, height, rate, frames = match.groups()
        default = cls()
        try:
            spec = cls(
                int(width or default.width),
                int(height or default.height),
                Fraction(rate or default.rate),
                int(frames or default.frames),
            )
        except ZeroDivisionError:
            raise SourceError(f"source: {text!r} has a rate over 0; give frames a second, as in {EXAMPLE}") from None
        spec._check(text)
        return spec

    def _check(self, text: str) -> None:
        for side, smallest in zip((self.width, self.height), SMALLEST_WH, strict=True):
            if not smallest <= side <= LARGEST_SIDE:
                least = "x".join(map(str, SMALLEST_WH))
                raise SourceError(f"source: {text!r}: give a size from {least} to {LARGEST_SIDE}x{LARGEST_SIDE}")
        if not 0 < self.rate <= 1000:
            raise SourceError(f"source: {text!r}: give a rate above 0 and up to 1000 frames a second")
        if not 0 < self.frames <= MOST_FRAMES:
            raise SourceError(f"source: {text!r}: give a number of frames from 1 to {MOST_FRAMES}")


EXAMPLE = "pattern:640x480@25x100"


class PatternSource(Source):
    """The test picture: the same frames on every run."""

    def __init__(self, spec: PatternSpec, *, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Draw what does not move.

        Args:
            spec: size, rate and number of frames.
            clock_ns: what `captured_at_ns` is read from.
        """
        self._spec = spec
        self._clock_ns = clock_ns
        self._closed = threading.Event()
        self._still = _still_part(spec.width, spec.height)
        self.info = SourceInfo(
            name="pattern",
            width=spec.width,
            height=spec.height,
            rate=spec.rate,
            time_base=1 / spec.rate,
            frame_count=spec.frames,
        )

    def __iter__(self) -> Iterator[Frame]:
        """The frames, as fast as they are taken: a pattern is a recording, not a live source."""
        for index in range(self._spec.frames):
            if self._closed.is_set():
                return
            image = self._still.copy()
            _draw_disc(image, index)
            _draw_index(image, index)
            yield Frame(image, index, self.info.time_base, index, self._clock_ns())

    def close(self) -> None:
        """End the iteration before the next frame."""
        self._closed.set()


def read_pattern_index(image: NDArray[np.uint8]) -> int | None:
    """The number of a pattern's frame, or None where no strip can be read.

    Args:
        image: uint8 (H, W, 3), BGR; the whole picture, at any size, after any codec.
    """
    bits = read_cells(_strip_of(image), INDEX_BITS + CHECK_BITS)
    if bits is None:
        return None
    index = int("".join(map(str, bits[:INDEX_BITS])), 2)
    return index if bits == _bits_of(index) else None


def _strip_of(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height = image.shape[0]
    return image[height - height // STRIP_SHARE :]


def _bits_of(index: int) -> list[int]:
    """The strip of an index, from left to right."""
    # The remainder by 15 changes with any one cell, and with any two neighbours: 15 divides neither 2^k nor 3 * 2^k.
    check = index % ((1 << CHECK_BITS) - 1)
    return [int(bit) for bit in f"{index:0{INDEX_BITS}b}{check:0{CHECK_BITS}b}"]


def _still_part(width: int, height: int) -> NDArray[np.uint8]:
    """Colour bars, and a ramp from black to white under them, on dark grey."""
    image = np.full((height, width, 3), 64, np.uint8)
    bars = np.array(BARS_BGR, np.uint8)[np.arange(width) * len(BARS_BGR) // width]
    image[: round(height * BAR_BOTTOM)] = bars
    ramp = np.linspace(0, 255, width).round().astype(np.uint8)
    image[round(height * BAR_BOTTOM) : round(height * RAMP_BOTTOM)] = ramp[:, None]
    return image


def _draw_disc(image: NDArray[np.uint8], index: int) -> None:
    """A white disc that goes to and fro between the ramp and the strip."""
    height, width = image.shape[:2]
    top, bottom = round(height * RAMP_BOTTOM), height - height // STRIP_SHARE
    radius = max(2, (bottom - top) // 3)
    phase = index % LOOP_FRAMES / LOOP_FRAMES
    share = 2 * phase if phase < 0.5 else 2 - 2 * phase
    centre = (round(radius + share * (width - 2 * radius)), (top + bottom) // 2)
    cv2.circle(image, centre, radius, (255, 255, 255), cv2.FILLED, cv2.LINE_AA)


def _draw_index(image: NDArray[np.uint8], index: int) -> None:
    draw_cells(_strip_of(image), _bits_of(index))


def _accepts(text: str) -> bool:
    return text == "pattern" or text.startswith("pattern:")


def _open(text: str, _: SourceOptions) -> PatternSource:
    return PatternSource(PatternSpec.parse(text))


SOURCE = SourceKind("pattern", _accepts, _open)
