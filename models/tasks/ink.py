"""Finds the drawing in a video frame and redraws it as Quick, Draw! would have: 28x28, white strokes on black.

First half of `models.tasks.sketch_classification`, on the infer thread; pure functions. A frame goes through three
steps, all at reduced size: the ground (sheet, board, canvas) that the drawing stands on, the ink on that ground, and
the ink fitted into Quick, Draw!'s box. Where the pen is much thinner or thicker than Quick, Draw!'s, the ink's middle
lines are drawn again with the pen that it should have been.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.sketch_raster import BOX, LINE_DIAMETER, PADDING, SIDE_PX
from models.tasks.ground import CLOSING_PX, Ground, Image, Mask, above, find_grounds, square

_WORK_PX = 448
"""Longest side of the picture in which ink is looked for; coarser loses thin pens, finer costs time."""
_MIN_WORK_PX = 224
_MAX_FRAME_CONTACT = 0.1
"""Over the longest side: a stroke may leave the frame, a board's rim or an arm is cut off by it."""
_MIN_CONTRAST = 14
_MAX_NOISE = 50
"""Of 255, as the share of light that is missing: a ground more restless than this is no sheet but grass or a crowd."""
_MIN_PEAK = 45
"""In the same measure: what the ink takes at least; joints of a floor and grain of wood take less."""
_INK_SHARE_OF_PEAK = 0.4
_MIN_EXTENT_PX = 12
"""In the work picture: what is smaller is dirt."""
_MAX_LINE_SHARE = 0.3
"""Line width over extent: what is thicker is a thing and no drawing."""

_OWN_PEN = (0.6, 1.9)
"""Width of the ink's pen over that of Quick, Draw!'s: within, the ink is shown as it is; beyond, it is drawn again."""
_EDGE_GAIN = np.float32(3)
"""How much sharper than in the frame the edges of ink become that is shown as it is."""

_MASK_SOFTNESS_PX = 0.7

_CANVAS_PX = 8 * SIDE_PX
_UNITS_ACROSS = BOX + 2 * PADDING + LINE_DIAMETER
_UNIT_PX = _CANVAS_PX / _UNITS_ACROSS


@dataclass(frozen=True, slots=True, eq=False)
class InkDrawing:
    """The drawing in a frame.

    Attributes:
        drawing: uint8 (28, 28), white strokes on black, fitted and drawn as Quick, Draw! does.
        region_xyxy: float32 (4,), the ink's extent in pixels of the frame.
    """

    drawing: Image = field(repr=False)
    region_xyxy: NDArray[np.float32]


def find_drawing(image: Image) -> InkDrawing | None:
    """The drawing in a BGR frame uint8 (H, W, 3), or None where there is none.

    Dark ink on a light ground or light ink on a dark one; the ground may fill the frame or lie in a cluttered one. What
    touches the edge of the ground or of the frame (fingers, the table, a board's rim) is no ink.
    """
    work, frame_px = _reduce(image)
    for ground in find_grounds(work):
        ink_and_strength = _ink_on(ground)
        if ink_and_strength is None:
            continue
        ink, strength = ink_and_strength
        if not ink.any() and (whole := ground.whole()) is not None:
            # Dense ink at the edge of a shadow cuts the sheet up, and then lies on the border of what was found of it.
            ink, strength = _ink_on(whole) or (ink, strength)
        if not ink.any():
            # A blank sheet says that nothing is drawn; what lies around it is not asked.
            return None
        drawing = _redraw(ink, strength)
        if drawing is not None:
            x, y, width, height = cv2.boundingRect(ink)
            region = np.array([x, y, x + width, y + height], np.float32) * frame_px
            limit = np.array([image.shape[1], image.shape[0]] * 2, np.float32)
            return InkDrawing(drawing, np.minimum(region, limit))
    return None


def draw_ink(ink: Mask) -> Image | None:
    """A mask of ink, uint8 (H, W), 0 or 255, as Quick, Draw! would have drawn it; None where there are no lines in it.

    Small marks far from the rest are left out.

    Returns:
        uint8 (28, 28), white strokes on black.
    """
    if not cv2.countNonZero(ink):
        return None
    main = _main_cluster(ink)
    # Cells of a small mask would otherwise be steps of the line.
    soft = np.asarray(cv2.GaussianBlur(main, (0, 0), _MASK_SOFTNESS_PX), np.uint8)
    return _redraw(main, soft)


def _reduce(image: Image) -> tuple[Image, float]:
    """The work picture, and how many pixels of the frame one of its pixels spans."""
    height, width = image.shape[:2]
    longest = max(height, width)
    if longest < _MIN_WORK_PX:
        factor = math.ceil(_MIN_WORK_PX / longest)
        size = (width * factor, height * factor)
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8), 1 / factor
    # Halving is the one average for which OpenCV has a fast path.
    work, factor = image, 1
    while max(work.shape[:2]) > _WORK_PX:
        size = (max(1, work.shape[1] // 2), max(1, work.shape[0] // 2))
        even = work[: max(1, size[1] * 2), : max(1, size[0] * 2)]
        work, factor = np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.uint8), factor * 2
    return work, float(factor)


def _ink_on(ground: Ground) -> tuple[Mask, Image] | None:
    """The ink on a ground, and how strong (0..255) it is there; no ink where it is blank; None where it is no sheet."""
    # The share of light that is missing, not its amount: ink in a shadow is as strong as ink beside it.
    present = cv2.divide(ground.levels, _blank(ground.levels), scale=255)
    strength: Image = np.asarray(cv2.bitwise_and(cv2.bitwise_not(present), ground.mask), np.uint8)
    noise_level = _noise_level(strength, ground.mask)
    if noise_level > _MAX_NOISE:
        return None
    counts = cv2.calcHist([strength], [0], None, [256], [0, 256]).ravel()
    counts[: noise_level + 1] = 0
    peak = int(np.searchsorted(np.cumsum(counts), 0.8 * counts.sum()))
    if peak < _MIN_PEAK:
        return np.zeros_like(strength), strength
    ink = _without_border(above(strength, max(noise_level, _INK_SHARE_OF_PEAK * peak)), ground.mask)
    if not cv2.countNonZero(ink):
        return ink, strength
    ink = _main_cluster(ink)
    _, _, width, height = cv2.boundingRect(ink)
    if max(width, height) < _MIN_EXTENT_PX:
        return np.zeros_like(strength), strength
    whole = np.asarray(np.clip(strength * np.float32(255 / peak), 0, 255), np.uint8)
    return ink, np.asarray(cv2.bitwise_and(whole, cv2.dilate(ink, square(3))), np.uint8)


def _blank(levels: Image) -> Image:
    """The ground as if nothing had been drawn on it: lines closed, light and shadow kept."""
    height, width = levels.shape
    half = cv2.resize(levels, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA)
    closed = cv2.morphologyEx(half, cv2.MORPH_CLOSE, square(2 * CLOSING_PX + 1))
    return np.asarray(cv2.resize(cv2.blur(closed, (7, 7)), (width, height)), np.uint8)


def _noise_level(strength: Image, mask: Mask) -> int:
    """What a pixel has to exceed to be no noise: counted from the weakest 40 %, which even dense ink leaves blank."""
    counts = np.cumsum(cv2.calcHist([strength], [0], mask, [256], [0, 256]).ravel())
    low, high = (int(np.searchsorted(counts, share * counts[-1])) for share in (0.1, 0.4))
    return int(max(_MIN_CONTRAST, high + 5 * (high - low)))


def _without_border(ink: Mask, mask: Mask) -> Mask:
    """The ink less what touches its ground's border, or much of the frame's, and less single specks."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_16U)
    keep = stats[:, cv2.CC_STAT_AREA] >= 4
    # OpenCV's erosion leaves a region whole where it meets the frame's edge.
    border = cv2.bitwise_and(ink, cv2.subtract(mask, cv2.erode(mask, square(3))))
    keep[labels.flat[np.flatnonzero(border > 0)]] = False
    frame_edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    keep[np.bincount(frame_edge, minlength=len(keep)) > _MAX_FRAME_CONTACT * max(ink.shape)] = False
    return _kept(ink, np.asarray(labels, np.uint16), keep)


def _main_cluster(ink: Mask) -> Mask:
    """The ink less small marks far from the rest."""
    reach = max(ink.shape) // 16 | 1
    count, labels = cv2.connectedComponents(cv2.dilate(ink, square(reach)), ltype=cv2.CV_16U)
    areas = np.bincount(labels.flat[np.flatnonzero(ink > 0)], minlength=count)
    return _kept(ink, np.asarray(labels, np.uint16), areas >= 0.15 * areas.max(initial=0))


def _kept(ink: Mask, labels: NDArray[np.uint16], keep: NDArray[np.bool_]) -> Mask:
    """The ink whose label is to be kept."""
    where = np.flatnonzero(ink > 0)
    kept = np.zeros_like(ink)
    kept.flat[where[keep[labels.flat[where]]]] = 255
    return kept


def _redraw(ink: Mask, strength: Image) -> Image | None:
    """The ink as Quick, Draw! draws: fitted into its box, of its pen's width; None where there are no lines."""
    close_up = _enlarged(strength, cv2.boundingRect(ink), border=0.0)[0]
    shape = np.asarray(close_up > 255 * _INK_SHARE_OF_PEAK, np.uint8)
    # At most a pixel beside the ridge of the distance to the edge; wide fillings stay filled.
    depth = cv2.distanceTransform(shape, cv2.DIST_L2, 3)
    ridge = (depth >= cv2.dilate(depth, square(3)) - 0.6) & (shape > 0)
    if not ridge.any():
        return None
    half_width = float(np.median(depth[ridge]))
    if 2 * half_width > _MAX_LINE_SHARE * BOX * _UNIT_PX:
        return None
    middle = np.asarray(ridge | (depth > 2 * half_width + 2), np.uint8)
    extent = cv2.boundingRect(middle)
    radius_px = LINE_DIAMETER * _UNIT_PX / 2
    own, zoom = _enlarged(close_up, extent, border=0.0)
    if _OWN_PEN[0] <= half_width * zoom / radius_px <= _OWN_PEN[1]:
        line = np.clip((own / np.float32(255) - 0.5) * _EDGE_GAIN + 0.5, 0, 1)
    else:
        distance = np.asarray(cv2.distanceTransform(1 - middle, cv2.DIST_L2, 3), np.float32)
        fitted, zoom = _enlarged(distance, extent, border=float(_CANVAS_PX))
        line = np.clip(radius_px + 0.5 - fitted * np.float32(zoom), 0, 1)
    return np.asarray(np.rint(255 * cv2.resize(line, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)), np.uint8)


def _enlarged(plane: NDArray[Any], extent: Sequence[int], *, border: float) -> tuple[NDArray[Any], float]:
    """A plane's part `extent` (x, y, width, height) fitted into the box on the canvas, and how much it grew."""
    x, y, width, height = extent
    zoom = BOX * _UNIT_PX / max(width, height, 1)
    centre = (x + (width - 1) / 2, y + (height - 1) / 2)
    canvas = (_CANVAS_PX, _CANVAS_PX)
    return np.asarray(cv2.warpAffine(plane, _zoom_about(centre, zoom), canvas, borderValue=border)), zoom


def _zoom_about(centre: tuple[float, float], zoom: float) -> NDArray[np.float64]:
    """The affine map (2, 3) that enlarges and brings `centre` to the middle of the canvas."""
    middle = (_CANVAS_PX - 1) / 2
    return np.array([[zoom, 0, middle - zoom * centre[0]], [0, zoom, middle - zoom * centre[1]]])
