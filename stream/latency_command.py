"""`mirilla latency`: reads the watermarks of `run --watermark` off a camera's, a stream's or a file's pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import numpy as np
import typer

from stream.errors import ConfigError
from stream.frame import Frame
from stream.sources import open_source
from stream.sources.address import redacted
from stream.terminal import Debug, log_to_terminal, out, tell
from stream.watermark import CaptureClock, read_watermark


@dataclass(slots=True)
class LatencyReading:
    """What the watermarks of a stream say.

    Attributes:
        frames: how many frames were looked at.
        captured_ms: by the watermarks that could be read, milliseconds since 1970.
        ages_ms: of those, how long before this machine had the picture.
    """

    frames: int = 0
    captured_ms: list[int] = field(default_factory=list)
    ages_ms: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, frames: Iterable[Frame], clock: CaptureClock) -> LatencyReading:
        """Read every frame's watermark.

        Args:
            frames: as a source gives them.
            clock: tells the time of day at which each frame was there.
        """
        reading = cls()
        for frame in frames:
            reading.frames += 1
            captured_ms = read_watermark(frame.image)
            if captured_ms is not None:
                reading.captured_ms.append(captured_ms)
                reading.ages_ms.append(clock.epoch_ms(frame.captured_at_ns) - captured_ms)
        return reading


def read_latency(
    source: Annotated[str, typer.Argument(help="What shows the picture: a webcam, an address, a video, an image.")],
    frames: Annotated[int, typer.Option(min=1, help="Look at so many frames.")] = 300,
    debug: Debug = False,
) -> None:
    """Say how old pictures are that were made with --watermark; both machines' clocks have to agree."""
    log_to_terminal(debug)
    with open_source(source) as opened:
        reading = LatencyReading.of(islice(opened, frames), CaptureClock())
        is_live = opened.info.is_live
    if not reading.captured_ms:
        raise ConfigError(
            f"latency: no watermark in {reading.frames} frames of {redacted(source)!r}; run with --watermark"
        )
    lines = [f"{len(reading.captured_ms)} of {reading.frames} frames have a watermark that can be read"]
    if is_live:
        lines.append(f"latency: {_percentiles(reading.ages_ms)}")
    else:
        # How old a recording is says nothing of how it was made.
        first, last = min(reading.captured_ms), max(reading.captured_ms)
        lines.append(f"captured from {_moment(first)} to {_moment(last)}")
    for line in lines:
        tell(out, line)


def _percentiles(values: Sequence[int]) -> str:
    found = np.percentile(values, (50, 95, 99))
    return ", ".join(f"p{rank} {math.floor(value)} ms" for rank, value in zip((50, 95, 99), found, strict=True))


def _moment(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(sep=" ", timespec="milliseconds")
