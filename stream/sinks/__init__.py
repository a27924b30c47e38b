"""Where annotated frames and results go: one module a kind, found by itself."""

from __future__ import annotations

import sys

from models.discovery import modules_with
from stream.errors import SinkError
from stream.sinks.sink import Sink, SinkKind

__all__ = ["Sink", "SinkKind", "make_sink", "sink_kinds"]


def sink_kinds() -> list[SinkKind]:
    """Every kind of sink, in the order of their module names."""
    return [module.SINK for module in modules_with(sys.modules[__name__], "SINK")]


def make_sink(spec: str, *, overwrite: bool = False) -> Sink:
    """A sink by what the user wrote: `out.mp4`, `results.jsonl`, `frames/`, `null`; not opened yet.

    Raises:
        SinkError: no kind of sink has that form.
    """
    kinds = sink_kinds()
    meant = [kind for kind in kinds if kind.prefix and (spec.startswith(kind.prefix) or kind.accepts(spec))]
    for kind in meant or [kind for kind in kinds if not kind.prefix]:
        if kind.accepts(spec):
            return kind.make(spec, overwrite)
    raise SinkError(
        f"sink: {spec!r} is no kind of sink that Mirilla knows; it takes: {', '.join(k.name for k in kinds)}"
    )
