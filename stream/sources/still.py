"""One picture from an image file, as frames carry it; used by the image and the folder source on the capture thread."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.errors import SourceError
from stream.sources.upright import over_white

_PNG = struct.Struct(">8s8xII")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_still(path: Path) -> NDArray[np.uint8]:
    """Read an image file: uint8 (H, W, 3), BGR, upright by its EXIF orientation, transparent parts over white.

    Grey, palette and 16-bit pictures become 8-bit BGR. Of a picture with transparency the EXIF orientation is not
    known to OpenCV and is left alone.

    Raises:
        SourceError: the file is missing, empty, unreadable or no picture that OpenCV decodes.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SourceError(f"source: '{path}' cannot be read ({reason}); give a picture that can") from error
    if not data.size:
        raise SourceError(f"source: '{path}' is empty (0 bytes); copy it again")
    if _has_no_pixels(data):
        raise SourceError(f"source: '{path}' has no pixels; give a picture of at least 1x1")
    try:
        stored = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        if stored is not None and stored.ndim == 3 and stored.shape[2] == 4:
            return over_white(_eight_bit(stored))
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise SourceError(f"source: '{path}' cannot be decoded ({error.err}); convert it to PNG or JPEG") from error
    if stored is None or image is None:
        raise SourceError(f"source: '{path}' is damaged or no picture; convert it to PNG or JPEG")
    return cast("NDArray[np.uint8]", image)


def letterboxed(image: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Fit a picture into a size: scaled with its proportions kept, centred, black around it.

    Args:
        image: uint8 (H, W, 3).
        size_wh: width and height in pixels of the result.
    """
    height, width = image.shape[:2]
    if (width, height) == size_wh:
        return image
    scale = min(size_wh[0] / width, size_wh[1] / height)
    inner_w, inner_h = (
        max(1, min(round(side * scale), limit)) for side, limit in zip((width, height), size_wh, strict=True)
    )
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    left, top = (size_wh[0] - inner_w) // 2, (size_wh[1] - inner_h) // 2
    canvas[top : top + inner_h, left : left + inner_w] = cv2.resize(image, (inner_w, inner_h), interpolation=method)
    return canvas


def _has_no_pixels(data: NDArray[np.uint8]) -> bool:
    """Whether it is a PNG without width or height, for which libpng writes lines of its own on standard error."""
    if len(data) < _PNG.size:
        return False
    signature, width, height = _PNG.unpack(data[: _PNG.size].tobytes())
    return bool(signature == _PNG_SIGNATURE and 0 in (width, height))


def _eight_bit(image: cv2.typing.MatLike) -> NDArray[np.uint8]:
    """An 8- or 16-bit picture in 8 bits; white stays white."""
    if image.dtype == np.uint16:
        return cast("NDArray[np.uint8]", cv2.convertScaleAbs(image, alpha=255 / 65535))
    return image.astype(np.uint8, copy=False)
