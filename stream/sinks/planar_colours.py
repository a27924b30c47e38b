"""BGR pictures become the planar YCbCr 4:2:0 that encoders take; used by the H.264 stream and the web (write thread).

OpenCV's own conversion knows BT.601 alone, and swscale takes twice as long as the matrix and the halving do here.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import av
import cv2
import numpy as np
from av.video.plane import VideoPlane
from numpy.typing import NDArray

Matrix = Literal["bt601", "bt709"]

ITU601 = 6
"""ISO/IEC 23001-8 table 4: SMPTE 170M, the code that players know BT.601 by."""

ITU709 = 1

_LUMA_OF_RED_BLUE: dict[Matrix, tuple[Fraction, Fraction]] = {
    "bt601": (Fraction(299, 1000), Fraction(114, 1000)),
    "bt709": (Fraction(2126, 10_000), Fraction(722, 10_000)),
}
"""ITU-R BT.601-7 and BT.709-6, item 3.2: what red and blue give to the luma; green gives the rest."""


def ycbcr_from_bgr(matrix: Matrix) -> NDArray[np.float64]:
    """The affine map (3, 4) from B, G, R in 0..255 to Y in 16..235, Cb and Cr in 16..240 (limited range).

    Cb is (B - Y) and Cr (R - Y), each scaled to a span of 1; ITU-R BT.709-6, items 3.3 and 3.4.
    """
    red, blue = (float(share) for share in _LUMA_OF_RED_BLUE[matrix])
    luma = np.array([blue, 1 - blue - red, red])
    cb = (np.array([1, 0, 0]) - luma) / (2 * (1 - blue))
    cr = (np.array([0, 0, 1]) - luma) / (2 * (1 - red))
    rows = np.stack([luma * 219, cb * 224, cr * 224]) / 255
    return np.concatenate([rows, [[16], [128], [128]]], axis=1)


class PlanarConverter:
    """Converts picture after picture with one matrix."""

    def __init__(self, matrix: Matrix) -> None:
        """Make ready."""
        self._map = ycbcr_from_bgr(matrix)

    def convert(self, image: NDArray[np.uint8]) -> av.VideoFrame:
        """A BGR picture uint8 (H, W, 3) as yuv420p; each chroma sample is the mean over its 2x2 pixels.

        Raises:
            ValueError: a side is odd: the format has one chroma sample for 2x2 pixels.
        """
        height, width = image.shape[:2]
        if height % 2 or width % 2:
            raise ValueError(f"image: expected even sides, got {width}x{height}")
        frame = av.VideoFrame(width, height, "yuv420p")
        luma, *chroma = (_pixels(plane) for plane in frame.planes)
        full = cv2.transform(image, self._map)
        cv2.extractChannel(full, 0, dst=luma)
        for channel, half in enumerate(chroma, start=1):
            plane = cv2.extractChannel(full, channel)
            cv2.resize(plane, (width // 2, height // 2), dst=half, interpolation=cv2.INTER_AREA)
        return frame


def with_even_sides(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture uint8 (H, W, 3); an odd side grows by one, its last line repeated: 4:2:0 has no odd sizes."""
    height, width = image.shape[:2]
    if not width % 2 and not height % 2:
        return image
    return np.asarray(cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE), np.uint8)


def _pixels(plane: VideoPlane) -> NDArray[np.uint8]:
    """A plane's own memory, uint8 (H, W); its rows are longer than the picture's."""
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
