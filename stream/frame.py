"""One picture of a stream, and what a source says of its stream.

Sources build frames (capture thread); nothing downstream changes one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture with the time that its source gave it.

    Attributes:
        image: uint8 (H, W, 3), BGR, upright, read-only.
        pts: presentation time in ticks of `time_base`, exactly as the source gave it.
        time_base: seconds a tick.
        index: 0, 1, 2, ... as captured; a gap between two frames that arrive somewhere means that frames were dropped.
        captured_at_ns: `time.monotonic_ns()` when the picture was there.
    """

    image: NDArray[np.uint8] = field(repr=False)
    pts: int
    time_base: Fraction
    index: int
    captured_at_ns: int

    def __post_init__(self) -> None:
        """Raise ValueError where the picture or the time cannot be one."""
        image = self.image
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
            raise ValueError(f"image: expected uint8 (H, W, 3), got {image.dtype} {image.shape}")
        if self.time_base <= 0:
            raise ValueError(f"time_base: expected more than 0, got {self.time_base}")
        if self.index < 0:
            raise ValueError(f"index: expected 0 or more, got {self.index}")
        image.setflags(write=False)

    @property
    def pts_seconds(self) -> float:
        """Presentation time in seconds on the source's own clock."""
        return float(self.pts * self.time_base)

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.image.shape[:2]
        return width, height


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """Where the sound of a recorded source lies: a sink reads the packets from the file itself, on the same time line.

    Attributes:
        path: the file, or the address, which may hold credentials.
        stream_index: the audio stream's index in that file.
        codec: libav's name of the codec: `aac`.
    """

    path: Path | str = field(repr=False)
    stream_index: int
    codec: str


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source knows of its stream before the first frame.

    Attributes:
        name: what to call the stream in messages and reports: `clip.mp4`.
        width, height: of the upright picture in pixels.
        rate: declared frames a second, or None where the source declares none (a folder of stills, a variable rate).
        time_base: seconds a tick of the frames' `pts`.
        is_live: whether frames come by the clock, so that what is not fetched in time is lost.
        frame_count: number of frames, where the source knows it (an estimate for containers that do not count).
        audio: the sound that belongs to the picture, if any.
    """

    name: str
    width: int
    height: int
    rate: Fraction | None
    time_base: Fraction
    is_live: bool = False
    frame_count: int | None = None
    audio: AudioTrack | None = None
