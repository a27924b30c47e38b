"""A few pictures out of a source, for calibrating and for tuning an export; called by the command."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.errors import SourceError
from stream.sources import open_source

_MOST = 32
_READ = 512


def sample_pictures(spec: str, most: int = _MOST) -> list[NDArray[np.uint8]]:
    """At most `most` pictures uint8 (H, W, 3) BGR, spread over the first 512 of a source.

    Raises:
        SourceError: the source cannot be read, or has no picture.
    """
    pictures: list[NDArray[np.uint8]] = []
    step = 1
    with open_source(spec) as source:
        for index, frame in enumerate(source):
            if index >= _READ:
                break
            if index % step == 0:
                pictures.append(frame.image)
            if len(pictures) > most:
                # Twice as sparse from here on; what was kept is thinned to match.
                pictures, step = pictures[::2], step * 2
    if not pictures:
        raise SourceError(f"source: {spec!r} has no pictures; give images or a video")
    return pictures[:most]
