"""Random changes to drawings before the network sees them: to their strokes, or to bitmaps without blurring them.

Every function draws from the generator it is given, so that a seed fixes the whole training.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.sketch_raster import BOX, LINE_DIAMETER, PADDING, SIDE_PX, Strokes, draw_in_box

_BITMAP_UPSAMPLING = 3
_STROKE_SUPERSAMPLING = 5


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a drawing may be changed.

    Attributes:
        rotation_std_deg: standard deviation, as all `_std`s.
        scale_std: of the logarithm of the scale, in x and y apart.
        shear_std: of the share of y added to x.
        shift_std_px: of the finished picture.
        mirror_chance: left for right.
        wave_std: how far a smooth bend displaces points, in units of the box of 256.
        stroke_shift_std: of each stroke alone, in units of the box.
        stroke_scale_std: of each stroke alone.
        stroke_rotation_std_deg: of each stroke alone.
        truncate_chance: that the end of the drawing is missing.
        truncate_least: share of the points that is there at the least.
        drop_stroke_chance: of each stroke but the longest.
        line_diameter_range: of the pen, in units of the box; Quick, Draw!'s is 16.
        erase_chance: that a box of the picture is blank.
        level_range: of the grey level at which a bitmap is cut: lower is a wider pen.
        unchanged_chance: that a bitmap is at most mirrored, so that the network also meets true ones.
    """

    rotation_std_deg: float = 8.0
    scale_std: float = 0.10
    shear_std: float = 0.08
    shift_std_px: float = 1.0
    mirror_chance: float = 0.5
    wave_std: float = 5.0
    stroke_shift_std: float = 4.0
    stroke_scale_std: float = 0.05
    stroke_rotation_std_deg: float = 4.0
    truncate_chance: float = 0.2
    truncate_least: float = 0.6
    drop_stroke_chance: float = 0.05
    line_diameter_range: tuple[float, float] = (11.0, 21.0)
    erase_chance: float = 0.15
    level_range: tuple[float, float] = (70.0, 185.0)
    unchanged_chance: float = 0.0

    def times(self, strength: float) -> Augmentation:
        """All standard deviations, and the chance to lose a stroke, so many times as large."""
        grown = {field.name: strength * getattr(self, field.name) for field in fields(self) if "_std" in field.name}
        return replace(self, drop_stroke_chance=min(1.0, strength * self.drop_stroke_chance), **grown)


GENTLE = Augmentation(
    rotation_std_deg=6.0,
    scale_std=0.07,
    shear_std=0.05,
    shift_std_px=0.7,
    wave_std=3.0,
    truncate_chance=0.15,
    erase_chance=0.05,
    line_diameter_range=(13.0, 19.0),
    level_range=(95.0, 165.0),
    unchanged_chance=0.25,
)
HARD = Augmentation(
    rotation_std_deg=10.0,
    scale_std=0.15,
    shear_std=0.12,
    wave_std=7.0,
    stroke_shift_std=6.0,
    stroke_scale_std=0.08,
    stroke_rotation_std_deg=6.0,
    truncate_chance=0.25,
    drop_stroke_chance=0.06,
)


def augment_bitmap(bitmap: NDArray[np.uint8], how: Augmentation, random: np.random.Generator) -> NDArray[np.uint8]:
    """Turn, shear, scale and bend a bitmap and draw it with another pen; uint8 (28, 28) in and out.

    Warping at 28x28 would blur the strokes. So the bitmap is warped onto a finer grid, cut at a random level, which
    makes the strokes sharp again and sets their width, and brought back with an area filter, as antialiasing does.
    """
    if how.unchanged_chance > 0 and random.random() < how.unchanged_chance:
        return np.ascontiguousarray(bitmap[:, ::-1]) if random.random() < how.mirror_chance else bitmap
    side = SIDE_PX * _BITMAP_UPSAMPLING
    matrix = _linear_map(how, random)
    shift = random.normal(0.0, how.shift_std_px, 2)
    # From places on the fine grid back to the bitmap, both around their centres.
    axis = (np.arange(side, dtype=np.float32) + 0.5) / _BITMAP_UPSAMPLING - SIDE_PX / 2
    inverse = np.linalg.inv(matrix)
    waves = _wave(how, random, SIDE_PX / BOX)
    map_x = (inverse[0, 0] * axis)[None, :] + (inverse[0, 1] * axis)[:, None] + waves[0, :side][:, None]
    map_y = (inverse[1, 0] * axis)[None, :] + (inverse[1, 1] * axis)[:, None] + waves[1, :side][None, :]
    centre = SIDE_PX / 2 - 0.5
    warped = cv2.remap(
        bitmap,
        (map_x + (centre + shift[0])).astype(np.float32),
        (map_y + (centre + shift[1])).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    level = random.uniform(*how.level_range)
    ramp = np.clip((_LEVELS - level) * 4.0 + 127.0, 0.0, 255.0).astype(np.uint8)
    small = cv2.resize(cv2.LUT(warped, ramp), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return _maybe_erased(small.astype(np.uint8), how, random)


def augment_strokes(strokes: Strokes, how: Augmentation, random: np.random.Generator) -> NDArray[np.uint8]:
    """Cut strokes short, shake them one by one, bend and turn them together, draw them with another pen.

    `strokes` lie in the box of 256; the picture is uint8 (28, 28). Cutting keeps the drawing order, so that the network
    also learns unfinished drawings.
    """
    kept = _dropped(_truncated(strokes, how, random), how, random)
    lengths = [len(stroke) for stroke in kept]
    owner = np.repeat(np.arange(len(kept)), lengths)
    points = np.concatenate(kept).astype(np.float32)
    points = _shaken(points, owner, lengths, how, random)
    waves = _wave(how, random, 1.0)
    place = np.clip((points / BOX * (_WAVE_LENGTH - 1)).astype(np.int64), 0, _WAVE_LENGTH - 1)
    points = points + np.stack([waves[0, place[:, 1]], waves[1, place[:, 0]]], axis=1)
    points = (points - BOX / 2) @ _linear_map(how, random).T.astype(np.float32)
    low, high = points.min(axis=0), points.max(axis=0)
    zoom = (BOX - 1) / max(float((high - low).max()), 1.0) * min(1.0, random.normal(0.97, 0.05))
    points = (points - low) * np.float32(zoom)
    diameter = random.uniform(*how.line_diameter_range)
    pieces = np.split(points, np.cumsum(lengths)[:-1])
    # A lone point is a slip of the pen as often as an eye: it leaves no ink here, and must not be relied upon.
    drawn = draw_in_box(
        pieces,
        line_diameter=diameter,
        padding=PADDING + (LINE_DIAMETER - diameter) / 2,
        supersampling=_STROKE_SUPERSAMPLING,
        dots=False,
    )
    shift = np.rint(random.normal(0.0, how.shift_std_px / 2, 2)).astype(int)
    drawn = np.roll(drawn, (int(shift[0]), int(shift[1])), axis=(0, 1)) if shift.any() else drawn
    return _maybe_erased(drawn, how, random)


_LEVELS = np.arange(256, dtype=np.float32)
_WAVE_LENGTH = SIDE_PX * _BITMAP_UPSAMPLING


def _linear_map(how: Augmentation, random: np.random.Generator) -> NDArray[np.float64]:
    """A 2x2 map: mirror, scale in x and y apart, shear, turn."""
    turn = np.deg2rad(random.normal(0.0, how.rotation_std_deg))
    scales = np.exp(random.normal(0.0, how.scale_std, 2))
    mirror = -1.0 if random.random() < how.mirror_chance else 1.0
    shear = random.normal(0.0, how.shear_std)
    cos, sin = np.cos(turn), np.sin(turn)
    turned = np.array([[cos, -sin], [sin, cos]])
    stretched = np.array([[scales[0] * mirror, shear], [0.0, scales[1]]])
    return np.asarray(turned @ stretched, np.float64)


def _wave(how: Augmentation, random: np.random.Generator, unit: float) -> NDArray[np.float32]:
    """Two smooth bends, of x along y and of y along x: (2, _WAVE_LENGTH), in units of the box times `unit`."""
    place = np.linspace(0.0, 2 * np.pi, _WAVE_LENGTH)
    periods, phases = random.uniform(0.4, 1.6, (2, 1)), random.uniform(0.0, 2 * np.pi, (2, 1))
    bends = random.normal(0.0, how.wave_std * unit, (2, 1)) * np.sin(periods * place + phases)
    return bends.astype(np.float32)


def _truncated(strokes: Strokes, how: Augmentation, random: np.random.Generator) -> Strokes:
    """With a chance, only the first strokes and a part of the last: the drawing as it stood a moment earlier."""
    if random.random() >= how.truncate_chance:
        return strokes
    total = sum(len(stroke) for stroke in strokes)
    left = max(2, round(total * random.uniform(how.truncate_least, 1.0)))
    kept: Strokes = []
    for stroke in strokes:
        kept.append(stroke[:left])
        left -= len(stroke)
        if left <= 0:
            break
    return kept


def _dropped(strokes: Strokes, how: Augmentation, random: np.random.Generator) -> Strokes:
    """Each stroke lost with a chance, the longest never."""
    if len(strokes) < 3:
        return strokes
    longest = max(range(len(strokes)), key=lambda index: len(strokes[index]))
    lost = random.random(len(strokes)) < how.drop_stroke_chance
    return [stroke for index, stroke in enumerate(strokes) if index == longest or not lost[index]]


def _shaken(
    points: NDArray[np.float32],
    owner: NDArray[np.int64],
    lengths: list[int],
    how: Augmentation,
    random: np.random.Generator,
) -> NDArray[np.float32]:
    """Every stroke shifted, scaled and turned a little around its own middle; `owner` (P,) says whose a point is."""
    count = len(lengths)
    weights = np.asarray(lengths, dtype=np.float32)
    middles = np.stack([np.bincount(owner, points[:, axis], count) for axis in (0, 1)], axis=1) / weights[:, None]
    scales = np.exp(random.normal(0.0, how.stroke_scale_std, (count, 2)))
    turns = np.deg2rad(random.normal(0.0, how.stroke_rotation_std_deg, count))
    shifts = random.normal(0.0, how.stroke_shift_std, (count, 2))
    arms = (points - middles[owner]) * scales[owner]
    cos, sin = np.cos(turns)[owner], np.sin(turns)[owner]
    turned = np.stack([cos * arms[:, 0] - sin * arms[:, 1], sin * arms[:, 0] + cos * arms[:, 1]], axis=1)
    shaken: NDArray[np.float32] = (turned + middles[owner] + shifts[owner]).astype(np.float32)
    return shaken


def _maybe_erased(bitmap: NDArray[np.uint8], how: Augmentation, random: np.random.Generator) -> NDArray[np.uint8]:
    """With a chance, a box of 4 to 10 pixels a side goes black (random erasing, Zhong et al. 2017)."""
    if random.random() >= how.erase_chance:
        return bitmap
    height, width = random.integers(4, 11, 2)
    top, left = random.integers(0, SIDE_PX - height + 1), random.integers(0, SIDE_PX - width + 1)
    erased = bitmap.copy()
    erased[top : top + height, left : left + width] = 0
    return erased
