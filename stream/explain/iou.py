"""Draws two boxes, what they share and what they cover together, with the value of intersection over union."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.matching import areas, box_overlaps, intersections
from stream.errors import ConfigError
from stream.overlays.text import cap_height, draw_text, fit_size, text_width
from stream.overlays.theme import DARK, REGULAR, SEMIBOLD, Colour
from stream.sinks.partial_file import PartialFile

Box = tuple[float, float, float, float]

_WIDTH, _HEIGHT, _MARGIN, _CAPTION = 960, 680, 48, 132
_PAPER: Colour = (250, 249, 248)
_A: Colour = (196, 122, 28)
_B: Colour = (30, 120, 232)
_SHARED: Colour = (92, 150, 46)
_QUIET: Colour = (110, 104, 100)
_TINT = 0.22


def parse_box(option: str, text: str) -> Box:
    """A box from `x1,y1,x2,y2`.

    Raises:
        ConfigError: it is none; names the option.
    """
    try:
        values = [float(part) for part in re.split(r"\s*,\s*", text.strip())]
    except ValueError:
        values = []
    if len(values) != 4 or not np.isfinite(values).all() or values[0] >= values[2] or values[1] >= values[3]:
        raise ConfigError(f"{option}: expected x1,y1,x2,y2 with x1 below x2 and y1 below y2, got {text!r}; mend it")
    x1, y1, x2, y2 = values
    return x1, y1, x2, y2


def write_iou(a: Box, b: Box, path: Path, *, overwrite: bool) -> float:
    """Draw two boxes to a PNG and return their intersection over union.

    Raises:
        ConfigError: the file's name does not end in `.png`.
        SinkError: the file exists or cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise ConfigError(f"output: {path} is no .png; give a name that ends so")
    file = PartialFile(str(path), overwrite=overwrite)
    partial = file.reserve()
    try:
        partial.write_bytes(cv2.imencode(".png", draw_iou(a, b))[1].tobytes())
        file.publish()
    except OSError as error:
        raise file.failure(error) from error
    return float(box_overlaps(np.array([a]), np.array([b]))[0, 0])


def draw_iou(a: Box, b: Box) -> NDArray[np.uint8]:
    """The picture uint8 (680, 960, 3), BGR."""
    canvas = np.full((_HEIGHT, _WIDTH, 3), _PAPER, np.uint8)
    place_a, place_b = _placed(a, b)
    shared = np.concatenate([np.maximum(place_a[:2], place_b[:2]), np.minimum(place_a[2:], place_b[2:])])
    for place, colour in ((place_a, _A), (place_b, _B)):
        _tint(canvas, place, colour, _TINT)
    if (shared[:2] < shared[2:]).all():
        _tint(canvas, shared, _SHARED, 0.75)
    for place, colour in ((place_a, _A), (place_b, _B)):
        cv2.rectangle(canvas, place[:2].tolist(), (place[2:] - 1).tolist(), colour, 3)
    # A's name above its top left corner, B's below its bottom right one: apart wherever the boxes lie.
    draw_text(canvas, "A", int(place_a[0]), int(place_a[1]) - 30, 28, _A, SEMIBOLD)
    right = int(place_b[2]) - text_width("B", 28, SEMIBOLD)
    draw_text(canvas, "B", right, int(place_b[3]) + 9, 28, _B, SEMIBOLD)
    _draw_caption(canvas, a, b)
    return canvas


def _placed(a: Box, b: Box) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both boxes in whole pixels of the canvas, as large as its upper part allows, in their proportions."""
    corners = np.array([a, b], np.float64).reshape(4, 2)
    low, extent = corners.min(axis=0), np.ptp(corners, axis=0)
    room = np.array([_WIDTH - 2 * _MARGIN, _HEIGHT - _CAPTION - 2 * _MARGIN])
    scale = float((room / extent).min())
    offset = _MARGIN + (room - extent * scale) / 2
    placed = np.rint((corners - low) * scale + offset).astype(np.int64).reshape(2, 4)
    return placed[0], placed[1]


def _tint(canvas: NDArray[np.uint8], place: NDArray[np.int64], colour: Colour, alpha: float) -> None:
    left, top, right, bottom = place.tolist()
    view = canvas[top:bottom, left:right]
    view[:] = np.rint(view * (1 - alpha) + np.array(colour) * alpha).astype(np.uint8)


def _draw_caption(canvas: NDArray[np.uint8], a: Box, b: Box) -> None:
    boxes = np.array([a, b], np.float64)
    area_a, area_b = areas(boxes).tolist()
    shared = float(intersections(boxes[:1], boxes[1:])[0, 0])
    union = area_a + area_b - shared
    top = _HEIGHT - _CAPTION
    canvas[top : top + 1] = (220, 218, 216)
    value = f"IoU {shared / union:.3f}"
    value_width = text_width(value, 44, SEMIBOLD)
    draw_text(canvas, value, _WIDTH - _MARGIN - value_width, top + (_CAPTION - cap_height(44)) // 2, 44, DARK, SEMIBOLD)
    covered = f"{_number(area_a)} + {_number(area_b)} \N{MINUS SIGN} {_number(shared)} = {_number(union)}"
    rows = [
        ("intersection", _number(shared), _SHARED, SEMIBOLD),
        ("union", f"A + B \N{MINUS SIGN} intersection = {covered}", DARK, REGULAR),
        ("IoU", f"intersection / union = {_number(shared)} / {_number(union)}", _QUIET, REGULAR),
    ]
    room = _WIDTH - 3 * _MARGIN - value_width
    for index, (name, text, colour, weight) in enumerate(rows):
        size = fit_size(f"{name}  {text}", room, 20, 11, weight)
        draw_text(canvas, f"{name}  {text}", _MARGIN, top + 24 + 34 * index, size, colour, weight)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value - round(value)) < 1e-6 else f"{value:,.2f}"
