"""Where frames come from: one module a kind, found by itself.

`open_source("clip.mp4")` is what the command and the library use.
"""

from __future__ import annotations

import sys
from pathlib import Path

from models.discovery import modules_with
from stream.errors import SourceError
from stream.sources.address import redacted
from stream.sources.paths import existing_path
from stream.sources.source import Source, SourceKind, SourceOptions, SourceStatus

__all__ = ["Source", "SourceKind", "SourceOptions", "SourceStatus", "open_source", "source_kinds"]


def source_kinds() -> list[SourceKind]:
    """Every kind of source, in the order of their module names."""
    return [module.SOURCE for module in modules_with(sys.modules[__name__], "SOURCE")]


def open_source(spec: str | Path, options: SourceOptions | None = None) -> Source:
    """Open a source by what the user wrote: a path, an address, `doodles`, `pattern`.

    Args:
        spec: what the user wrote.
        options: of sources that are reached over a network.

    Raises:
        SourceError: nothing is there, or it cannot be read; the message ends with what to do.
    """
    text = str(spec)
    kinds = source_kinds()
    for kind in kinds:
        if kind.accepts(text):
            return kind.open(text, options or SourceOptions())
    known = ", ".join(kind.name for kind in kinds)
    text = redacted(text)
    if existing_path(text) is not None:
        raise SourceError(f"source: {text!r} is no kind of source that Mirilla knows; it takes: {known}")
    raise SourceError(f"source: {text!r} does not exist; give a path that does, or one of: {known}")
