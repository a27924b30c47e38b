"""Draws everything that is known of a frame on its picture: all results, then the HUD.

The pipeline paints in place on the one copy that it made (write thread); library users call `draw`, which copies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import stream.overlays
from models.discovery import modules_with
from models.results import Result, objects_of
from stream.counting import Counts
from stream.overlays.background import Background
from stream.overlays.counts import draw_count_marks, draw_count_panel
from stream.overlays.emphasis import Emphasis
from stream.overlays.hud import HudReading, draw_hud
from stream.overlays.layout import Layout
from stream.overlays.overlay import Overlay
from stream.overlays.tails import draw_tails
from stream.tracking import Tail


class Painter:
    """Holds one overlay a kind of result, for one stream."""

    def __init__(self) -> None:
        """Find and make the overlays."""
        kinds = [module.OVERLAY for module in modules_with(stream.overlays, "OVERLAY")]
        self._overlays: dict[type, Overlay[Any]] = {kind.result_type: kind.make() for kind in kinds}

    @property
    def result_types(self) -> frozenset[type]:
        """The types of results that can be drawn."""
        return frozenset(self._overlays)

    def paint(
        self,
        canvas: NDArray[np.uint8],
        results: Mapping[str, Result],
        hud: HudReading | None = None,
        *,
        tails: Mapping[str, Sequence[Tail]] = MappingProxyType({}),
        counts: Mapping[str, Counts] = MappingProxyType({}),
        strengths: Mapping[str, float] = MappingProxyType({}),
        emphasis: Emphasis | None = None,
        background: Background | None = None,
        seconds: float = 0.0,
    ) -> None:
        """Draw results, and the HUD where there is a reading, in place.

        Args:
            canvas: uint8 (H, W, 3), BGR, contiguous and writable.
            results: by model name; the first model's panel is the topmost.
            hud: the run's figures.
            tails: where objects have lately been, by model name.
            counts: what has been counted, by model name.
            strengths: of the results that are drawn faintly, 0..1, by model name.
            emphasis: the label that stands alone, or before all others.
            background: what comes behind people.
            seconds: presentation time of the picture, by which a background keeps its edge steady.

        Raises:
            ValueError: the canvas is no such array.
            TypeError: there is no overlay for a result's type.
        """
        if canvas.dtype != np.uint8 or canvas.ndim != 3 or canvas.shape[2] != 3 or 0 in canvas.shape:
            raise ValueError(f"canvas: expected uint8 (H, W, 3), got {canvas.dtype} {canvas.shape}")
        height, width = canvas.shape[:2]
        layout = Layout(width, height)
        overlays = {title: self._overlay_for(result) for title, result in results.items()}
        drawn = results
        if background is not None:
            background.apply(canvas, results, seconds)
            drawn = results = background.drawn(results)
        if emphasis is not None:
            emphasis.apply(canvas, results)
            drawn = emphasis.drawn(results)
        for title, result in drawn.items():
            with _faintly(canvas, strengths.get(title, 1.0)):
                overlays[title].draw_areas(canvas, result, layout)
        for counted in counts.values():
            draw_count_marks(canvas, counted, layout)
        for title, tracks in tails.items():
            with _faintly(canvas, strengths.get(title, 1.0)):
                draw_tails(canvas, _tails_of(tracks, drawn.get(title)), layout)
        for title, result in drawn.items():
            with _faintly(canvas, strengths.get(title, 1.0)):
                overlays[title].draw_marks(canvas, result, layout)
        if hud is not None:
            draw_hud(canvas, hud, layout)
        for title, result in results.items():
            with _faintly(canvas, strengths.get(title, 1.0)):
                overlays[title].draw_panel(canvas, result, title, layout)
        for title, counted in counts.items():
            draw_count_panel(canvas, counted, title, layout)

    def _overlay_for(self, result: Result) -> Overlay[Any]:
        overlay = self._overlays.get(type(result))
        if overlay is None:
            known = ", ".join(sorted(kind.__name__ for kind in self.result_types))
            raise TypeError(f"result: expected one of {known}, got {type(result).__name__}")
        return overlay


@contextmanager
def _faintly(canvas: NDArray[np.uint8], strength: float) -> Iterator[None]:
    """Let what was there show through what is drawn within, at a strength 0..1."""
    if strength >= 1:
        yield
        return
    before = canvas.copy()
    yield
    cv2.addWeighted(canvas, strength, before, 1 - strength, 0, dst=canvas)


def _tails_of(tails: Sequence[Tail], result: Result | None) -> list[Tail]:
    """The tails of the objects that are drawn."""
    objects = None if result is None else objects_of(result)
    if objects is None or objects.track_ids is None:
        return []
    track_ids = set(objects.track_ids.tolist())
    return [tail for tail in tails if tail.track_id in track_ids]


def draw(image: NDArray[np.uint8], result: Result | Mapping[str, Result]) -> NDArray[np.uint8]:
    """A picture with what a model said drawn on it; the image itself is left as it is.

    Args:
        image: uint8 (H, W, 3), BGR.
        result: one model's, or several models' by name.

    Returns:
        A new picture uint8 (H, W, 3), BGR.

    Raises:
        ValueError: the image is no such array.
        TypeError: the result is nothing that can be drawn.
    """
    results = result if isinstance(result, Mapping) else {result.task.replace("_", " "): result}
    picture = np.array(image, order="C")
    _shared_painter().paint(picture, results)
    return picture


@cache
def _shared_painter() -> Painter:
    return Painter()
