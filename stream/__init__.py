"""Streams: everything that has a clock; sources, the frame loop, overlays, sinks.

`open_source("clip.mp4")` and `draw(image, result)` are what a library's user needs.
"""

from stream.errors import ConfigError, SinkError, SourceError
from stream.frame import Frame, SourceInfo
from stream.overlays.drawing import draw
from stream.sources import Source, open_source

__all__ = ["ConfigError", "Frame", "SinkError", "Source", "SourceError", "SourceInfo", "draw", "open_source"]
