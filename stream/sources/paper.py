"""What the camera of the built-in drawing session sees: a hand-held sheet over a desk, uneven light, a little sway.

Painted by `stream.sources.doodles` on the capture thread; everything comes from code and a seed. Lengths are in units
of 1/720 of the usual picture's height and scaled to the picture's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Matrix = NDArray[np.float64]

SHEET_WH = (780.0, 600.0)
_INK_BGR = (66, 44, 38)
_SKIN_BGR = (128, 160, 214)
_SLEEVE_BGR = (120, 78, 52)
_SUBPIXEL_BITS = 4
_SHADOW_SHRINK = 8


@dataclass(frozen=True, slots=True)
class Sprite:
    """Something painted once and laid over the picture: `colour` uint8 (H, W, 3) times `alpha` uint8 (H, W, 3).

    `origin` is where its top left corner lies on the sheet, in pixels.
    """

    colour: Image
    alpha: Image
    origin: tuple[float, float]


class Sheet:
    """One sheet of paper, drawn on with `ink`."""

    def __init__(self, scale: float, rng: np.random.Generator) -> None:
        """A blank sheet, `scale` pixels a unit."""
        width, height = (max(8, round(side * scale)) for side in SHEET_WH)
        fibres = rng.normal(0, 2.2, (height, width)).astype(np.float32)
        cloudy = cv2.resize(
            rng.normal(0, 2.0, (6, 8)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        grain = cv2.GaussianBlur(fibres, (0, 0), 0.7) + cloudy
        tone = np.array([230, 240, 244], np.float32)
        self.image: Image = np.clip(tone + grain[:, :, None], 0, 255).astype(np.uint8)
        self._scale = scale

    def ink(self, points: NDArray[np.float64], thickness: float) -> None:
        """Draw along points (N, 2) in units of the sheet."""
        fixed = np.rint(points * self._scale * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        width = max(1, round(thickness * self._scale))
        cv2.polylines(self.image, [fixed], False, _INK_BGR, width, cv2.LINE_AA, _SUBPIXEL_BITS)


class Scene:
    """The desk, the light and the hand; `frame` puts sheets into it."""

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        """Paint everything that stays the same."""
        self.size_wh = (width, height)
        self.scale = min(width / 1280, height / 720)
        self._light = _light(width, height)
        self._margin = max(1, round(14 * self.scale))
        self._desk = _desk(width + 2 * self._margin, height + 2 * self._margin, self.scale, rng)
        lit = cv2.resize(self._light, (self._desk.shape[1], self._desk.shape[0]))
        self._desk = np.asarray(cv2.multiply(self._desk, lit, scale=1 / 255), np.uint8)
        self._arm, self._thumb = _hand(self.scale)
        self._phases = rng.uniform(0, 2 * np.pi, (8, 3))

    def frame(self, seconds: float, sheets: list[tuple[Sheet, float]]) -> Image:
        """The picture uint8 (H, W, 3) at a time; each sheet with how far it is to the right, in picture widths."""
        width, height = self.size_wh
        sway = self._sway(seconds)
        centre = (
            (self._desk.shape[1] - 1) / 2 + 4 * self.scale * sway[0],
            (self._desk.shape[0] - 1) / 2 + 3 * self.scale * sway[1],
        )
        picture: Image = np.asarray(cv2.getRectSubPix(self._desk, (width, height), centre), np.uint8)
        for sheet, offset in sheets:
            pose = self._pose(sheet, offset, sway)
            self._cast_shadow(picture, sheet, pose)
            _lay(picture, self._arm, pose)
            self._lay_sheet(picture, sheet, pose)
            _lay(picture, self._thumb, pose)
        return picture

    def _sway(self, seconds: float) -> NDArray[np.float64]:
        """How far a hand and a camera have drifted, about -1..1 each: slow sway with a little tremor."""
        rates = np.array([0.31, 0.83, 2.3]) * 2 * np.pi
        return np.asarray(np.sin(rates * seconds + self._phases) @ np.array([0.62, 0.3, 0.08]))

    def _pose(self, sheet: Sheet, offset: float, sway: NDArray[np.float64]) -> Matrix:
        """The homography from pixels of the sheet to pixels of the picture."""
        height, width = sheet.image.shape[:2]
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
        centred = corners - [width / 2, height / 2]
        angle = np.radians(-1.6 + 1.1 * sway[2] + 14 * offset)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        depth = 1 + centred @ np.array([0.035 + 0.02 * sway[3], -0.06 + 0.02 * sway[4]]) / width
        place = np.array([self.size_wh[0] * (0.5 + offset), self.size_wh[1] * 0.5])
        moved = centred @ turn / depth[:, None] + place + self.scale * np.array([9 * sway[5], 6 * sway[6]])
        return np.asarray(cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32)))

    def _cast_shadow(self, picture: Image, sheet: Sheet, pose: Matrix) -> None:
        """Darken the desk to the lower right of the sheet, softly."""
        drop = self.scale * np.array([16, 22])
        corners = (_corners(sheet, pose) + drop) / _SHADOW_SHRINK
        small = np.full([max(1, -(-side // _SHADOW_SHRINK)) for side in picture.shape[:2]], 255, np.uint8)
        cv2.fillConvexPoly(small, np.rint(corners).astype(np.int32), 120)
        soft = cv2.GaussianBlur(small, (0, 0), max(0.5, 20 * self.scale / _SHADOW_SHRINK))
        size = (picture.shape[1], picture.shape[0])
        cv2.multiply(picture, cv2.cvtColor(cv2.resize(soft, size), cv2.COLOR_GRAY2BGR), picture, scale=1 / 255)

    def _lay_sheet(self, picture: Image, sheet: Sheet, pose: Matrix) -> None:
        corners = _corners(sheet, pose)
        area = _area(corners, picture)
        if area is None:
            return
        left, top, right, bottom = area
        view = picture[top:bottom, left:right]
        moved = _shifted(pose, left, top)
        size = (right - left, bottom - top)
        seen = cv2.warpPerspective(sheet.image, moved, size, borderMode=cv2.BORDER_REPLICATE)
        seen = cv2.multiply(seen, self._light[top:bottom, left:right], scale=1 / 255)
        outline = np.rint((corners - [left, top]) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        inside = cv2.fillConvexPoly(np.zeros(view.shape[:2], np.uint8), outline, 255, cv2.LINE_8, _SUBPIXEL_BITS)
        cv2.copyTo(seen, inside, view)
        # The fold of light along the paper's edge also smooths the steps that the mask leaves.
        cv2.polylines(
            view, [outline], True, (176, 186, 190), max(1, round(1.6 * self.scale)), cv2.LINE_AA, _SUBPIXEL_BITS
        )


def _corners(sheet: Sheet, pose: Matrix) -> NDArray[np.float64]:
    height, width = sheet.image.shape[:2]
    return _moved(np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64), pose)


def _moved(points: NDArray[np.float64], pose: Matrix) -> NDArray[np.float64]:
    return np.asarray(cv2.perspectiveTransform(points[None], pose)[0], np.float64)


def _shifted(pose: Matrix, left: int, top: int) -> Matrix:
    return np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], np.float64) @ pose


def _area(points: NDArray[np.float64], picture: Image) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the part of a picture that points enclose, or None where they lie beside it."""
    left, top = np.maximum(np.floor(points.min(axis=0)) - 1, 0).astype(int)
    right, bottom = np.minimum(np.ceil(points.max(axis=0)) + 2, picture.shape[1::-1]).astype(int)
    return (int(left), int(top), int(right), int(bottom)) if left < right and top < bottom else None


def _lay(picture: Image, sprite: Sprite, pose: Matrix) -> None:
    """Blend a sprite over the picture."""
    height, width = sprite.colour.shape[:2]
    there = pose @ np.array([[1, 0, sprite.origin[0]], [0, 1, sprite.origin[1]], [0, 0, 1]], np.float64)
    area = _area(_moved(np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64), there), picture)
    if area is None:
        return
    left, top, right, bottom = area
    view = picture[top:bottom, left:right]
    moved, size = _shifted(there, left, top), (right - left, bottom - top)
    colour = cv2.warpPerspective(sprite.colour, moved, size)
    alpha = cv2.warpPerspective(sprite.alpha, moved, size)
    view[:] = cv2.add(cv2.multiply(view, cv2.bitwise_not(alpha), scale=1 / 255), colour)


def _light(width: int, height: int) -> Image:
    """Uint8 (H, W, 3): a warm lamp at the upper left, darker towards the corners."""
    y, x = np.mgrid[0:72, 0:128].astype(np.float32) / np.array([72, 128], np.float32)[:, None, None]
    lamp = 1.03 - 0.33 * np.hypot((x - 0.36) * 1.1, y - 0.3)
    vignette = 1 - 0.3 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    warmth = np.array([0.955, 0.985, 1.0], np.float32)
    levels = np.clip(255 * (lamp * vignette)[:, :, None] * warmth, 0, 255)
    return np.asarray(cv2.resize(levels, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255), np.uint8)


def _desk(width: int, height: int, scale: float, rng: np.random.Generator) -> Image:
    """Wooden boards out of focus, with a mug and crayons at the edge of the picture."""
    grain = cv2.resize(
        rng.normal(0, 1, (max(2, height // 2), 12)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    waves = cv2.resize(rng.normal(0, 1, (10, 5)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    boards = np.zeros((height, width), np.float32)
    edges = np.linspace(0, height, 6).astype(int)
    for (top, bottom), tone in zip(pairwise(edges), rng.normal(0, 9, 5), strict=True):
        boards[top:bottom] = tone
        boards[top : top + max(1, round(3 * scale))] = -38
    wood = np.array([62, 98, 140], np.float32) + (7 * grain + 8 * waves + boards)[:, :, None] * np.array(
        [0.6, 0.85, 1], np.float32
    )
    desk: Image = np.clip(wood, 0, 255).astype(np.uint8)
    _mug(desk, (width - 118 * scale, 112 * scale), scale)
    for row, colour in enumerate([(58, 58, 200), (70, 160, 70), (200, 120, 40), (60, 190, 230)]):
        start = np.array([width - (52 + 46 * row) * scale, height - (250 - 24 * row) * scale])
        _crayon(desk, start, start + scale * np.array([60 - 14 * row, 200]), colour, scale)
    return np.asarray(cv2.GaussianBlur(desk, (0, 0), max(0.4, 3.2 * scale)), np.uint8)


def _mug(desk: Image, centre: tuple[float, float], scale: float) -> None:
    x, y = round(centre[0]), round(centre[1])
    shade = (44, 66, 92)
    cv2.circle(desk, (round(x + 14 * scale), round(y + 18 * scale)), round(92 * scale), shade, cv2.FILLED, cv2.LINE_AA)
    cv2.ellipse(
        desk,
        (round(x - 88 * scale), y),
        (round(44 * scale), round(26 * scale)),
        -20,
        0,
        360,
        (150, 112, 60),
        max(1, round(16 * scale)),
        cv2.LINE_AA,
    )
    for radius, colour in ((88, (168, 128, 70)), (78, (120, 88, 44)), (74, (30, 44, 66)), (58, (36, 54, 80))):
        cv2.circle(desk, (x, y), round(radius * scale), colour, cv2.FILLED, cv2.LINE_AA)


def _crayon(
    desk: Image, start: NDArray[np.float64], end: NDArray[np.float64], bgr: tuple[int, int, int], scale: float
) -> None:
    def stroke(a: NDArray[np.float64], b: NDArray[np.float64], colour: tuple[int, ...], units: float) -> None:
        ends = [(round(float(p[0])), round(float(p[1]))) for p in (a, b)]
        cv2.line(desk, ends[0], ends[1], colour, max(1, round(units * scale)), cv2.LINE_AA)

    along = (end - start) / max(float(np.hypot(*(end - start))), 1e-6)
    stroke(start + 8 * scale, end + 8 * scale, (44, 66, 92), 22)
    stroke(start, end, bgr, 20)
    stroke(start - 3 * scale, end - 3 * scale, tuple(min(255, value + 40) for value in bgr), 5)
    stroke(start - along * 14 * scale, start, (150, 190, 215), 11)


def _hand(scale: float) -> tuple[Sprite, Sprite]:
    """The arm and fingers behind the sheet's lower left edge, and the thumb before it."""
    low = SHEET_WH[1]
    arm_parts: list[Limb] = [
        ((-40, low - 150), (60, low - 210), 27, _SKIN_BGR),
        ((-48, low - 110), (60, low - 150), 27, _SKIN_BGR),
        ((-70, low - 40), (-20, low - 130), 56, _SKIN_BGR),
        ((-150, low + 110), (-70, low - 20), 50, _SKIN_BGR),
        ((-320, low + 360), (-165, low + 120), 74, _SLEEVE_BGR),
    ]
    thumb_parts: list[Limb] = [
        ((-66, low - 66), (-6, low - 118), 31, _SKIN_BGR),
        ((-6, low - 118), (50, low - 158), 25, _SKIN_BGR),
        ((46, low - 156), (58, low - 164), 14, (168, 190, 232)),
    ]
    return _painted(arm_parts, scale, 0.82), _painted(thumb_parts, scale, 1.0)


Limb = tuple[tuple[float, float], tuple[float, float], float, tuple[int, int, int]]
"""From, to, half width in units of the sheet, colour."""


def _painted(limbs: list[Limb], scale: float, brightness: float) -> Sprite:
    """Limbs with round ends that flow into each other, darker towards the edge, on a sprite just large enough."""
    reach = np.array(
        [np.array(end) + side * width for *ends, width, _ in limbs for end in ends for side in (-1, 1)], np.float64
    )
    origin = reach.min(axis=0) - 4
    width, height = np.ceil((reach.max(axis=0) + 4 - origin) * scale).astype(int)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    colour = np.zeros((height, width, 3), np.float32)
    alpha = np.zeros((height, width), np.float32)
    for bgr in dict.fromkeys(limb[3] for limb in limbs):
        depth = np.zeros((height, width), np.float32)
        cover = np.zeros((height, width), np.float32)
        for start, end, half_width, _ in (limb for limb in limbs if limb[3] == bgr):
            a, b = ((np.array(point) - origin) * scale for point in (start, end))
            along = b - a
            share = np.clip(((xs - a[0]) * along[0] + (ys - a[1]) * along[1]) / float(along @ along), 0, 1)
            away = np.hypot(xs - a[0] - share * along[0], ys - a[1] - share * along[1])
            cover = np.maximum(cover, np.clip(half_width * scale - away + 0.5, 0, 1))
            depth = np.maximum(depth, 1 - np.clip(away / (half_width * scale), 0, 1))
        shade = cv2.GaussianBlur(brightness * (1 - 0.3 * (1 - depth) ** 3), (0, 0), max(0.3, 4 * scale))
        colour = colour * (1 - cover[:, :, None]) + (cover * shade)[:, :, None] * np.array(bgr, np.float32)
        alpha = np.maximum(alpha, cover)
    covers = np.repeat(np.rint(255 * alpha).astype(np.uint8)[:, :, None], 3, axis=2)
    return Sprite(np.rint(colour).astype(np.uint8), covers, (float(origin[0] * scale), float(origin[1] * scale)))
