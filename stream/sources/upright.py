"""A decoded libav picture becomes the BGR array of a frame: right colours, square pixels, upright, nothing see-through.

Called by the sources that decode with libav, on the capture thread, once a frame: it has to be fast.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import NamedTuple, cast

import av
import cv2
import numpy as np
from av.buffer import Buffer
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

HD_HEIGHT_PX = 720
"""A picture that names no colour matrix is BT.709 from this height up and BT.601 below: what players assume."""

KNOWN_MATRICES = frozenset({1, 4, 5, 6, 7, 9})
"""libav's AVColorSpace numbers of the matrices that swscale converts from: 709, FCC, 601 twice, 240M, 2020."""

SANE_SAMPLE_ASPECTS = (Fraction(1, 10), Fraction(10))
"""Outside of these a declared pixel shape is a writer's mistake, and pixels are taken as square."""


class Orientation(NamedTuple):
    """How a stored picture is turned to stand upright: transposed first, then mirrored."""

    transposed: bool = False
    flipped_x: bool = False
    flipped_y: bool = False

    @classmethod
    def from_display_matrix(cls, matrix: bytes) -> Orientation:
        """Read a display matrix, rounded to a multiple of 90 degrees.

        Args:
            matrix: nine native int32, row by row, by which a player multiplies the row vector (x, y, 1):
                AV_FRAME_DATA_DISPLAYMATRIX of libavutil/display.h, ISO/IEC 14496-12 8.3.2.
        """
        xx, xy, _, yx, yy, *_ = struct.unpack("=9i", matrix)
        if abs(xx) >= abs(xy):
            return cls(False, xx < 0, yy < 0)
        return cls(True, yx < 0, xy < 0)

    @classmethod
    def of(cls, frame: av.VideoFrame) -> Orientation:
        """The orientation that a frame carries.

        PyAV ties a frame to the list of its side data in a cycle, so that its buffer, once asked for, waits for the
        garbage collector: not to be called on every frame.
        """
        try:
            # PyAV's stub describes the frame's side data by other keys than the container takes.
            matrix = cast("Mapping[SideDataType, Buffer]", frame.side_data).get(SideDataType.DISPLAYMATRIX)
        except ValueError:
            # PyAV 18 cannot list side data younger than itself (EXIF); the angle alone it still knows.
            return _FROM_DEGREES[round(frame.rotation / 90) % 4]
        return cls() if matrix is None else cls.from_display_matrix(bytes(matrix))

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The upright picture; the picture itself where nothing is to be done."""
        if self.transposed:
            image = cast("NDArray[np.uint8]", cv2.transpose(image))
        if self.flipped_x or self.flipped_y:
            code = -1 if self.flipped_x and self.flipped_y else int(self.flipped_x)
            image = cast("NDArray[np.uint8]", cv2.flip(image, code))
        return image


_FROM_DEGREES = {
    0: Orientation(),
    1: Orientation(True, False, True),
    2: Orientation(False, True, True),
    3: Orientation(True, True, False),
}
"""By `VideoFrame.rotation`, which counts counter-clockwise, in quarters."""


class UprightConverter:
    """Makes upright BGR pictures of one stream's frames; keeps libav's scaler between frames. One thread at a time."""

    def __init__(self, sample_aspect: Fraction | None = None) -> None:
        """Make ready.

        Args:
            sample_aspect: width of a stored pixel by its height; None for square. Widths are scaled by it, since
                models and overlays take pixels for square.
        """
        low, high = SANE_SAMPLE_ASPECTS
        self._sample_aspect = sample_aspect if sample_aspect and low <= sample_aspect <= high else Fraction(1)
        self._reformatter = VideoReformatter()
        self._orientations: dict[int, Orientation] = {}

    def size_wh(self, frame: av.VideoFrame) -> tuple[int, int]:
        """Width and height in pixels of the upright picture of a frame."""
        width = max(1, round(frame.width * self._sample_aspect))
        return (frame.height, width) if self._orientation_of(frame).transposed else (width, frame.height)

    def convert(self, frame: av.VideoFrame, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
        """The upright picture of a frame: uint8 (H, W, 3), BGR, contiguous.

        Transparent parts lie over white. High dynamic range (PQ, HLG) is not tone mapped.

        Args:
            frame: as decoded.
            size_wh: the stream's announced size; a frame of another size is scaled to it.
        """
        orientation = self._orientation_of(frame)
        width, height = (size_wh[1], size_wh[0]) if orientation.transposed else size_wh
        is_scaled = (frame.width, frame.height) != (width, height)
        has_alpha = _has_alpha(frame.format.name)
        picture = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="bgra" if has_alpha else "bgr24",
            src_colorspace=_assumed_matrix(frame),
            interpolation=Interpolation.BICUBIC if is_scaled else Interpolation.BILINEAR,
            threads=1,
        ).to_ndarray()
        image = np.ascontiguousarray(picture, dtype=np.uint8)
        return orientation.apply(over_white(image) if has_alpha else image)

    def _orientation_of(self, frame: av.VideoFrame) -> Orientation:
        """The frame's orientation, read anew only where its angle is a new one in this stream."""
        angle = frame.rotation
        if angle not in self._orientations:
            self._orientations[angle] = Orientation.of(frame)
        return self._orientations[angle]


def over_white(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a picture with straight alpha over white: uint8 (H, W, 4) BGRA to uint8 (H, W, 3) BGR."""
    colour = cv2.cvtColor(image, cv2.COLOR_BGRA2BGR)
    alpha = cv2.extractChannel(image, 3)
    if int(alpha.min()) < 255:
        alpha = cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR)
        colour = cv2.add(cv2.multiply(colour, alpha, scale=1 / 255), cv2.bitwise_not(alpha))
    return cast("NDArray[np.uint8]", colour)


def _assumed_matrix(frame: av.VideoFrame) -> int | None:
    """The matrix to convert with where the frame names none that is known; None where it does."""
    if frame.format.is_rgb or frame.colorspace in KNOWN_MATRICES:
        return None
    return Colorspace.ITU709 if frame.height >= HD_HEIGHT_PX else Colorspace.ITU601


@cache
def _has_alpha(format_name: str) -> bool:
    """Whether pictures of a pixel format can be transparent; libav does not count a palette's alpha."""
    return format_name == "pal8" or any(part.is_alpha for part in av.VideoFormat(format_name).components)
