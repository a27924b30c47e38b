"""Pens, and what they leave on a page: every drawing inked through the page's perspective, at half-pixel widths.

Called by `models/training/pages.py` for each drawing and each line of handwriting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.page_drawings import Drawing

_FINE = 2
"""Ink is drawn this many times as large and averaged down: pens may be half a pixel wide."""
_SUBPIXEL_BITS = 4
INK_LEVEL = 96
"""A pixel is ink where the pen covers at least this much of 255."""
_INKS_BGR = ((30, 28, 30), (130, 50, 25), (170, 70, 30), (40, 40, 175), (60, 120, 30), (70, 40, 90))


@dataclass(frozen=True, slots=True)
class Pen:
    """What draws.

    Attributes:
        colour_bgr: of full ink.
        opacity: 0..1, of full ink.
        width_px: in the finished picture; OpenCV adds about a pixel of antialiasing, so that none is very fine.
        grain: 0..1, how much of the paper shows through, as with chalk, crayon and pencil.
        fill_bgr: what closed shapes are filled with before they are outlined, or None.
        solid: that the drawing is a silhouette; its filling counts as ink.
    """

    colour_bgr: tuple[float, float, float]
    opacity: float
    width_px: float
    grain: float = 0.0
    fill_bgr: tuple[float, float, float] | None = None
    solid: bool = False


@dataclass(frozen=True, slots=True)
class Ink:
    """Where one drawing's ink lies in the picture.

    Attributes:
        left, top: of the covered rectangle, in pixels of the picture, inside it.
        cover: uint8 (h, w), how much of each pixel the pen covers.
        fill: uint8 (h, w), the same of the filling.
        whole: how much ink there would be if the picture had no edges, in the same sum as `cover`.
    """

    left: int
    top: int
    cover: NDArray[np.uint8]
    fill: NDArray[np.uint8] | None
    whole: float


def choose_pen(paper_bgr: NDArray[np.float64], marker_board: bool, side_px: float, random: np.random.Generator) -> Pen:
    """A pen whose ink can be told from the paper; `side_px` is the shorter side of the picture, which widths go by."""
    for _ in range(8):
        pen = _any_pen(float(paper_bgr.mean()) < 100, marker_board, side_px, random)
        difference = np.abs(np.asarray(pen.colour_bgr) - paper_bgr).max() * pen.opacity * (1 - 0.4 * pen.grain)
        # Thin lines lose contrast to the pixels beside them.
        if difference > (75 if pen.width_px < 1.5 else 50):
            break
    return pen


def _any_pen(dark_board: bool, marker_board: bool, side_px: float, random: np.random.Generator) -> Pen:
    kind = random.random()
    if dark_board:
        base = random.uniform(190, 255)
        tint = random.uniform(0.55, 1.0, 3) if random.random() < 0.35 else np.ones(3)
        return Pen(_bgr(base * tint), random.uniform(0.7, 1.0), side_px * _log(random, 0.005, 0.022), 0.35)
    if marker_board:
        return Pen(_any_ink(random), random.uniform(0.85, 1.0), side_px * _log(random, 0.006, 0.022))
    if kind < 0.35:
        return Pen(_any_ink(random), random.uniform(0.75, 1.0), side_px * _log(random, 0.003, 0.008))
    if kind < 0.50:
        grey = random.uniform(40, 110)
        return Pen((grey, grey, grey), random.uniform(0.5, 0.9), side_px * _log(random, 0.003, 0.009), 0.25)
    if kind < 0.62:
        return Pen(_vivid(random), random.uniform(0.7, 0.95), side_px * _log(random, 0.008, 0.03), 0.4)
    colour = (25.0, 22.0, 24.0) if random.random() < 0.5 else _vivid(random)
    return Pen(colour, random.uniform(0.85, 1.0), side_px * _log(random, 0.006, 0.03))


def with_filling(pen: Pen, paper_bgr: NDArray[np.float64], random: np.random.Generator) -> Pen:
    """The same pen on a drawing that is coloured in, or that is one dark silhouette."""
    if random.random() < 0.35:
        return Pen(pen.colour_bgr, pen.opacity, pen.width_px, pen.grain, pen.colour_bgr, True)
    mixed = np.asarray(_vivid(random)) * 0.6 + paper_bgr * 0.4
    return Pen(pen.colour_bgr, pen.opacity, pen.width_px, pen.grain, _bgr(mixed))


def ink_drawing(
    drawing: Drawing, place: NDArray[np.float64], pen: Pen, size_wh: tuple[int, int], smooth: bool
) -> Ink | None:
    """Ink a drawing; None where all of it lies beside the picture.

    Args:
        drawing: in its box of one unit.
        place: 3x3, from that box to pixels of the picture.
        pen: what draws it.
        size_wh: of the picture.
        smooth: round the corners that a simplified stroke has.
    """
    if drawing.picture is not None:
        return _ink_picture(drawing, place, size_wh)
    strokes = [_rounded(stroke) if smooth and len(stroke) > 2 else stroke for stroke in drawing.strokes]
    return ink_lines(strokes, place, pen, size_wh)


def ink_lines(
    strokes: Sequence[NDArray[np.float32]], place: NDArray[np.float64], pen: Pen, size_wh: tuple[int, int]
) -> Ink | None:
    """Ink polylines (N, 2) through a perspective; None where all of them lie beside the picture."""
    moved = [cv2.perspectiveTransform(stroke[None].astype(np.float64), place)[0] for stroke in strokes]
    points = np.concatenate(moved)
    # Half the width and a pixel of antialiasing lie around the line.
    margin = pen.width_px / 2 + 1.5
    low, high = np.floor(points.min(axis=0) - margin), np.ceil(points.max(axis=0) + margin)
    whole_wh = (high - low).astype(int)
    left, top = np.maximum(low, 0).astype(int)
    right, bottom = np.minimum(high, size_wh).astype(int)
    if left >= right or top >= bottom or whole_wh.max() > 6 * max(size_wh):
        return None
    # A pen narrower than the finest line is drawn as that line, paler.
    fine_width = pen.width_px * _FINE
    width = max(1, round(fine_width))
    strength = min(1.0, fine_width)
    area = (bottom - top) * _FINE, (right - left) * _FINE
    fixed = [
        np.rint(((stroke - [left, top]) * _FINE - 0.5) * (1 << _SUBPIXEL_BITS)).astype(np.int32) for stroke in moved
    ]
    lines = np.zeros(area, np.uint8)
    cv2.polylines(lines, fixed, False, 255, width, cv2.LINE_AA, _SUBPIXEL_BITS)
    fill = None
    if pen.fill_bgr is not None:
        fine_fill = np.zeros(area, np.uint8)
        for stroke in fixed:
            cv2.fillPoly(fine_fill, [stroke], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        fill = _averaged(fine_fill)
        if pen.solid:
            lines = cv2.max(lines, fine_fill)
    cover = _averaged(lines)
    inside = float(_length_inside(moved, size_wh))
    whole = float(cover.sum()) / max(inside, 1e-3)
    if strength < 1:
        cover = np.asarray(cv2.convertScaleAbs(cover, alpha=strength), np.uint8)
    return Ink(int(left), int(top), cover, fill, whole * strength)


def lay_ink(page: NDArray[np.uint8], ink: Ink, pen: Pen, grain: NDArray[np.float32]) -> None:
    """Blend ink into a page, in place.

    Args:
        page: uint8 (H, W, 3).
        ink: of one drawing.
        pen: its colours.
        grain: float32 (H, W), 0..1, the tooth of the paper.
    """
    height, width = ink.cover.shape
    window = np.s_[ink.top : ink.top + height, ink.left : ink.left + width]
    view = page[window].astype(np.float32)
    if ink.fill is not None and pen.fill_bgr is not None:
        share = ink.fill.astype(np.float32)[:, :, None] * np.float32(0.85 / 255)
        view += (np.asarray(pen.fill_bgr, np.float32) - view) * share
    share = ink.cover.astype(np.float32) * np.float32(pen.opacity / 255)
    if pen.grain > 0:
        share = share * (1 - np.float32(pen.grain) * grain[window])
    view += (np.asarray(pen.colour_bgr, np.float32) - view) * share[:, :, None]
    page[window] = np.clip(view, 0, 255).astype(np.uint8)


def _ink_picture(drawing: Drawing, place: NDArray[np.float64], size_wh: tuple[int, int]) -> Ink | None:
    picture = drawing.picture
    assert picture is not None
    longer = max(picture.shape)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64) * drawing.size_wh
    seen = cv2.perspectiveTransform(corners[None], place)[0]
    low, high = np.floor(seen.min(axis=0)) - 1, np.ceil(seen.max(axis=0)) + 1
    left, top = np.maximum(low, 0).astype(int)
    right, bottom = np.minimum(high, size_wh).astype(int)
    if left >= right or top >= bottom:
        return None
    whole_wh = (high - low).astype(int)
    if whole_wh.max() > 6 * max(size_wh):
        return None
    into_box = np.diag([1 / longer, 1 / longer, 1.0])
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]], np.float64)
    fine = np.diag([_FINE, _FINE, 1.0])
    whole = cv2.warpPerspective(
        picture, fine @ shift @ place @ into_box, (int(whole_wh[0]) * _FINE, int(whole_wh[1]) * _FINE)
    )
    whole = _averaged(np.asarray(whole, np.uint8))
    x, y = int(left - low[0]), int(top - low[1])
    cover = np.ascontiguousarray(whole[y : y + bottom - top, x : x + right - left])
    return Ink(int(left), int(top), cover, None, float(whole.sum()))


def _averaged(fine: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = fine.shape
    return np.asarray(cv2.resize(fine, (width // _FINE, height // _FINE), interpolation=cv2.INTER_AREA), np.uint8)


def _length_inside(strokes: Sequence[NDArray[np.float64]], size_wh: tuple[int, int]) -> float:
    """The share of the lines' length, 0..1, of which the middle of the segment lies in the picture."""
    inside = total = 0.0
    for stroke in strokes:
        middles = (stroke[1:] + stroke[:-1]) / 2
        lengths = np.hypot(*(stroke[1:] - stroke[:-1]).T)
        within = ((middles >= 0) & (middles < size_wh)).all(axis=1)
        inside += float(lengths[within].sum())
        total += float(lengths.sum())
    return inside / total if total > 0 else 1.0


def _rounded(stroke: NDArray[np.float32]) -> NDArray[np.float32]:
    """Corners cut once by Chaikin's rule: each replaced by points a quarter and three quarters along its sides."""
    near, far = stroke[:-1], stroke[1:]
    cut = np.stack([near * 0.75 + far * 0.25, near * 0.25 + far * 0.75], axis=1).reshape(-1, 2)
    return np.concatenate([stroke[:1], cut, stroke[-1:]]).astype(np.float32)


def _any_ink(random: np.random.Generator) -> tuple[float, float, float]:
    if random.random() < 0.25:
        return _vivid(random)
    ink = np.asarray(_INKS_BGR[int(random.choice(len(_INKS_BGR), p=(0.4, 0.2, 0.15, 0.12, 0.08, 0.05)))], np.float64)
    return _bgr(np.clip(ink + random.normal(0, 12, 3), 0, 255))


def _vivid(random: np.random.Generator) -> tuple[float, float, float]:
    hue, saturation, value = random.uniform(0, 180), random.uniform(120, 255), random.uniform(60, 230)
    return _bgr(cv2.cvtColor(np.array([[[hue, saturation, value]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0])


def _bgr(values: NDArray[np.float64] | NDArray[np.uint8]) -> tuple[float, float, float]:
    blue, green, red = (float(value) for value in values)
    return (blue, green, red)


def _log(random: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(random.uniform(np.log(low), np.log(high))))
