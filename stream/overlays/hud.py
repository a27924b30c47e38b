"""The HUD: how fast the run is and what it dropped, in one strip at the bottom of the picture (write thread)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stream.overlays.layout import Layout
from stream.overlays.panel import draw_panel
from stream.overlays.text import cap_height, draw_text, fit_text, text_width
from stream.overlays.theme import QUIET_TEXT, SEMIBOLD, TEXT, WARNING, Colour, Sizes

UNKNOWN = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class HudReading:
    """What the HUD shows; None is a value not known yet.

    Attributes:
        width, height: of the picture in pixels.
        source_fps: frames a second that the source gives.
        inference_fps: frames a second by model name.
        output_fps: frames a second that are written.
        latency_p50_ms, latency_p95_ms: from capture to sink.
        dropped: frames lost so far, for whatever reason.
        providers: ONNX Runtime's execution provider by model name: `CPUExecutionProvider`.
        result_age_ms: how much older than the picture the results on it are; None where they are its own.
        stale_seconds: since the last frame, where the next is overdue.
        status: what a source without frames is doing: `reconnecting`.
        encoder_ms, decoder_ms: how long the halves of a model that is pointed at take; None where there is none.
    """

    width: int
    height: int
    source_fps: float | None = None
    inference_fps: Mapping[str, float] = field(default_factory=dict)
    output_fps: float | None = None
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    dropped: int = 0
    providers: Mapping[str, str] = field(default_factory=dict)
    result_age_ms: float | None = None
    stale_seconds: float | None = None
    status: str | None = None
    encoder_ms: float | None = None
    decoder_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of the HUD.

    Attributes:
        caption: what is measured.
        value: as shown.
        widest: the widest value to expect, so that the strip does not twitch while figures change.
        colour: of the value.
    """

    caption: str
    value: str
    widest: str
    colour: Colour = TEXT


def hud_cells(reading: HudReading) -> Iterator[Cell]:
    """The figures of a reading, the most important first."""
    if reading.stale_seconds is None:
        yield Cell("source", _fps(reading.source_fps), "888.8 fps")
    else:
        status = f", {reading.status}" if reading.status else ""
        yield Cell("source", f"stale {reading.stale_seconds:.0f} s{status}", "", WARNING)
    for model in dict.fromkeys((*reading.inference_fps, *reading.providers)):
        provider = f"  {short_provider(reading.providers[model])}" if model in reading.providers else ""
        yield Cell(model, _fps(reading.inference_fps.get(model)) + provider, f"888.8 fps{provider}")
    if reading.encoder_ms is not None:
        halves = f"{_whole(reading.encoder_ms)} / {_whole(reading.decoder_ms)} ms"
        yield Cell("encoder / decoder", halves, "8888 / 88 ms")
    yield Cell("output", _fps(reading.output_fps), "888.8 fps")
    latency = f"{_whole(reading.latency_p50_ms)} / {_whole(reading.latency_p95_ms)} ms"
    yield Cell("latency p50 / p95", latency, "888 / 888 ms")
    if reading.result_age_ms is not None:
        yield Cell("result age", f"{_whole(reading.result_age_ms)} ms", "888 ms")
    yield Cell("dropped", str(reading.dropped), "8888", WARNING if reading.dropped else TEXT)
    yield Cell("picture", f"{reading.width}\N{MULTIPLICATION SIGN}{reading.height}", "")


def short_provider(name: str) -> str:
    """An execution provider as people call it: `CPUExecutionProvider` -> `CPU`."""
    return name.removesuffix("ExecutionProvider")


def draw_hud(canvas: NDArray[np.uint8], reading: HudReading, layout: Layout) -> None:
    """Draw the strip in place, in two rows where one is too short; figures for which there is no room are left out."""
    sizes = layout.sizes
    # More than a third of a low picture is too much for figures about it.
    row_limit = next((count for count in (2, 1) if 3 * _height(count, sizes) <= canvas.shape[0]), 0)
    rows = _arrange(list(hud_cells(reading)), row_limit, layout)
    if not rows:
        return
    width = 2 * sizes.padding + max(_row_width(row, sizes) for row in rows)
    place = layout.place_at_bottom(width, _height(len(rows), sizes))
    if place is None:
        return
    view = draw_panel(canvas, place, sizes.radius)
    for index, row in enumerate(rows):
        _draw_row(view, row, sizes.padding + index * _row_pitch(sizes), sizes)


def _draw_row(view: NDArray[np.uint8], row: Sequence[Cell], top: int, sizes: Sizes) -> None:
    left = sizes.padding
    for cell in row:
        width = _cell_width(cell, sizes)
        draw_text(view, fit_text(cell.caption, width, sizes.small), left, top, sizes.small, QUIET_TEXT)
        value_top = top + cap_height(sizes.small) + sizes.gap
        draw_text(view, cell.value, left, value_top, sizes.text, cell.colour, SEMIBOLD)
        left += width + sizes.text


def _arrange(cells: Sequence[Cell], row_limit: int, layout: Layout) -> list[Sequence[Cell]]:
    """As many of the first cells as fit, in one row or in two of like width; no rows where not one fits."""
    room = layout.width - 2 * layout.sizes.padding
    for count in range(len(cells), 0, -1):
        choices: list[list[Sequence[Cell]]] = [[cells[:count]]]
        if row_limit > 1 and _row_width(cells[:count], layout.sizes) > room:
            choices = [[cells[:split], cells[split:count]] for split in range(1, count)] or choices
        best = min(choices, key=lambda rows: max(_row_width(row, layout.sizes) for row in rows))
        if len(best) <= row_limit and all(_row_width(row, layout.sizes) <= room for row in best):
            return best
    return []


def _row_pitch(sizes: Sizes) -> int:
    """From the top of one row to the top of the next."""
    return cap_height(sizes.small) + cap_height(sizes.text) + 3 * sizes.gap


def _height(row_count: int, sizes: Sizes) -> int:
    """The height of a strip of rows."""
    return 2 * sizes.padding + row_count * _row_pitch(sizes) - 2 * sizes.gap


def _row_width(row: Sequence[Cell], sizes: Sizes) -> int:
    return sum(_cell_width(cell, sizes) for cell in row) + sizes.text * (len(row) - 1)


def _cell_width(cell: Cell, sizes: Sizes) -> int:
    caption = min(text_width(cell.caption, sizes.small), 9 * sizes.text)
    return max(caption, *(text_width(value, sizes.text, SEMIBOLD) for value in (cell.value, cell.widest)))


def _fps(value: float | None) -> str:
    return f"{UNKNOWN if value is None else format(value, '.1f')} fps"


def _whole(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0f}"
