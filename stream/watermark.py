"""The time of capture as a strip in the picture, for measuring from glass to glass: `--watermark`.

Drawn on the write thread, over everything else; read wherever the picture arrives, in a recording, a browser's
screenshot or a photograph of a screen that was cut to the picture:

    captured_ms = read_watermark(picture)
    latency_ms = time.time() * 1000 - captured_ms

The strip lies along the upper border over the full width. Its cells are `stream.cell_strip`'s: 42 bits of the time in
milliseconds since 1970 (until the year 2109), highest first, then 14 bits of its CRC-32.
"""

from __future__ import annotations

import time
import zlib

import numpy as np
from numpy.typing import NDArray

from stream.cell_strip import cell_count, draw_cells, read_cells

LEAST_WIDTH_PX = 4 * cell_count(42 + 14)
"""In narrower pictures a cell is too small for codecs."""

_TIME_BITS = 42
_CHECK_BITS = 14
_HEIGHT_SHARE = 48
_LEAST_HEIGHT_PX = 8


class CaptureClock:
    """Turns the monotonic time of capture into the time of day, on which two programs agree."""

    def __init__(self) -> None:
        """Compare the two clocks now; a clock that is set afterwards changes nothing."""
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def epoch_ms(self, captured_at_ns: int) -> int:
        """Milliseconds since 1970 at a moment of `time.monotonic_ns()`."""
        return (captured_at_ns + self._offset_ns) // 1_000_000


def draw_watermark(canvas: NDArray[np.uint8], captured_ms: int) -> None:
    """Draw the strip in place.

    Args:
        canvas: uint8 (H, W, 3), BGR, at least `LEAST_WIDTH_PX` wide for the strip to survive a codec.
        captured_ms: milliseconds since 1970.

    Raises:
        ValueError: the time is negative, or too large for the strip.
    """
    if not 0 <= captured_ms < 1 << _TIME_BITS:
        raise ValueError(f"captured_ms: expected 0 to {(1 << _TIME_BITS) - 1}, got {captured_ms}")
    text = f"{captured_ms:0{_TIME_BITS}b}{_check_of(captured_ms):0{_CHECK_BITS}b}"
    draw_cells(canvas[: _strip_height(canvas.shape[0])], [int(bit) for bit in text])


def read_watermark(picture: NDArray[np.uint8]) -> int | None:
    """The time of capture in milliseconds since 1970, or None where there is no watermark that can be read.

    Args:
        picture: uint8 (H, W, 3), BGR, the whole picture, at any size, after any codec.
    """
    bits = read_cells(picture[: _strip_height(picture.shape[0], least=1)], _TIME_BITS + _CHECK_BITS)
    if bits is None:
        return None
    text = "".join(map(str, bits))
    captured_ms, check = int(text[:_TIME_BITS], 2), int(text[_TIME_BITS:], 2)
    return captured_ms if check == _check_of(captured_ms) else None


def _strip_height(height: int, least: int = _LEAST_HEIGHT_PX) -> int:
    # What was drawn eight pixels high and scaled down since is read in its upper part, which is strip in any case.
    return max(least, round(height / _HEIGHT_SHARE))


def _check_of(captured_ms: int) -> int:
    return zlib.crc32(captured_ms.to_bytes(8, "big")) >> (32 - _CHECK_BITS)
