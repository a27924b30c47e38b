"""One frame out of a source: a picture's only one, or what a recording shows at a time."""

from __future__ import annotations

from fractions import Fraction

from stream.errors import ConfigError, SourceError
from stream.frame import Frame
from stream.sources import open_source


def frame_at(spec: str, seconds: float) -> Frame:
    """What a source shows so many seconds after its first frame; frames before it are decoded and let go.

    Args:
        spec: a picture or recorded video, as `open_source` takes it.
        seconds: 0 or more.

    Raises:
        ConfigError: the time is below 0 or after the end, or the source is live.
        SourceError: the source cannot be read, or not up to there.
    """
    # As the user wrote it: 0.12 is three frames at 25 a second, and the nearest binary number is less.
    wanted = Fraction(str(seconds)) if 0 <= seconds < float("inf") else None
    if wanted is None:
        raise ConfigError(f"--at: expected seconds, 0 or more, got {seconds:g}; mend it")
    with open_source(spec) as source:
        if source.info.is_live:
            raise ConfigError(f"source: {spec!r} is live; give a picture or recorded video")
        shown: Frame | None = None
        start = since = lasting = Fraction(0)
        for frame in source:
            now = frame.pts * frame.time_base
            start = now if shown is None else start
            if shown is not None and now - start > wanted:
                return shown
            shown, lasting, since = frame, now - start - since, now - start
    if shown is None:
        raise SourceError(f"source: {spec!r} has no frame; give another")
    # The last frame is taken to last as long as the one before it.
    if wanted > since and wanted >= since + lasting:
        end = float(since + lasting)
        raise ConfigError(f"--at: {seconds:g} s is after the end of {spec!r}, at {end:.2f} s; give less")
    return shown
