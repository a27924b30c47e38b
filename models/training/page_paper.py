"""What is drawn on, and how it lies: paper, boards and screens, their rules, folds, shadows and light.

Called by `models/training/pages.py` once a page, before the ink is laid (surface, rules) and after it (shade).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Kind = Literal["paper", "blackboard", "whiteboard", "screen"]
Quad = NDArray[np.float64]

_SHADE_SHRINK = 4
_SUBPIXEL_BITS = 4
_KINDS: tuple[Kind, ...] = ("paper", "blackboard", "whiteboard", "screen")
_KIND_CHANCES = (0.74, 0.08, 0.10, 0.08)


@dataclass(frozen=True, slots=True)
class Surface:
    """A thing to draw on, as it lies in the picture.

    Attributes:
        kind: what it is.
        place: 3x3, from the sheet (0..aspect by 0..1) to pixels of the picture.
        aspect: width over height of the sheet.
        colour_bgr: of the blank sheet.
        corners: (4, 2), pixels of the picture.
    """

    kind: Kind
    place: NDArray[np.float64]
    aspect: float
    colour_bgr: NDArray[np.float64]
    corners: Quad


def choose_surface(size_wh: tuple[int, int], random: np.random.Generator, held_up: bool) -> Surface:
    """A sheet somewhere in the picture, or all over it; `held_up` is one before a person's chest, never all over."""
    kind = "paper" if held_up else _KINDS[int(random.choice(len(_KINDS), p=_KIND_CHANCES))]
    aspect = float(random.choice([0.71, 1.41, 1.0, 1.33, 1.78])) * float(np.exp(random.normal(0, 0.05)))
    size = np.asarray(size_wh, np.float64)
    if held_up:
        height = random.uniform(0.25, 0.75) * size[1]
        centre = size * [random.uniform(0.2, 0.8), random.uniform(0.45, 0.85)]
        turn, tilt = random.normal(0, 0.1), 0.10
    elif random.random() < 0.35:
        height = max(size[1], size[0] / aspect) * random.uniform(1.0, 1.9)
        centre = size * random.uniform(0.35, 0.65, 2)
        turn, tilt = random.normal(0, 0.08), 0.06
    else:
        height = min(size[1], size[0] / aspect) * random.uniform(0.45, 1.15)
        centre = size * random.uniform(0.3, 0.7, 2)
        turn, tilt = random.normal(0, 0.22), 0.12
    corners = np.array([[-aspect, -1], [aspect, -1], [aspect, 1], [-aspect, 1]]) * height / 2
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    # Seen from aside: each corner is nearer or farther by its own depth, which is what perspective does.
    depth = 1 + (corners / height) @ random.normal(0, tilt * 2, 2)
    seen = corners @ rotation.T / np.clip(depth, 0.5, 2.0)[:, None] + centre
    seen += random.normal(0, 0.01 * height, (4, 2))
    sheet = np.array([[0, 0], [aspect, 0], [aspect, 1], [0, 1]], np.float32)
    place = cv2.getPerspectiveTransform(sheet, seen.astype(np.float32))
    return Surface(kind, np.asarray(place), aspect, _colour(kind, random), seen)


def paint_surface(surface: Surface, size_wh: tuple[int, int], random: np.random.Generator) -> NDArray[np.uint8]:
    """The blank sheet all over the picture, with its tooth and its rules; uint8 (H, W, 3)."""
    width, height = size_wh
    clouds = _smooth_field(size_wh, 5, random)[:, :, None] * np.float32(random.uniform(0, 5))
    speckle = random.standard_normal((height, width, 1), np.float32) * np.float32(random.uniform(0, 3))
    if surface.kind == "blackboard":
        # Wiped chalk lies in broad streaks.
        clouds = clouds + _smooth_field(size_wh, 9, random)[:, :, None] * np.float32(random.uniform(2, 14))
    blank = surface.colour_bgr.astype(np.float32) + clouds + speckle
    page: NDArray[np.uint8] = np.clip(blank, 0, 255).astype(np.uint8)
    if surface.kind == "paper" and random.random() < 0.45:
        _rule(page, surface, random)
    return page


def shade(
    surface: Surface,
    size_wh: tuple[int, int],
    random: np.random.Generator,
    photographed: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """How bright the light is on the sheet, float32 (H, W, 3), about 0.3..1.2.

    Args:
        surface: a screen shines itself and has no folds or shadows.
        size_wh: of the picture.
        random: draws everything.
        photographed: light on a real sheet, float32 (h, w), mean 1, to be used instead of an invented one.
    """
    width, height = size_wh
    small_wh = (-(-width // _SHADE_SHRINK), -(-height // _SHADE_SHRINK))
    if photographed is not None:
        light = cv2.resize(photographed[:: random.choice([-1, 1]), :: random.choice([-1, 1])], small_wh)
    else:
        light = 1 + _smooth_field(small_wh, 3, random) * np.float32(random.uniform(0.0, 0.13))
        light = light * _slope(small_wh, random.uniform(0, 0.35), random)
    if surface.kind in ("paper", "whiteboard"):
        for _ in range(int(random.choice([0, 1, 2], p=[0.45, 0.4, 0.15]))):
            light = light * _shadow(small_wh, random)
    if surface.kind == "paper" and random.random() < 0.35:
        light = light * _folds(small_wh, random)
    if surface.kind in ("whiteboard", "screen", "blackboard") and random.random() < 0.5:
        light = light + _glare(small_wh, random)
    level = np.exp(random.normal(-0.12, 0.16))
    if random.random() < 0.1 and surface.colour_bgr.mean() > 150:
        level *= random.uniform(0.35, 0.7)
    warmth = 1 + np.array([-1.0, 0.0, 0.8]) * random.normal(0, 0.07)
    tinted = np.asarray(light, np.float32)[:, :, None] * (warmth * level).astype(np.float32)
    large: NDArray[np.float32] = np.asarray(cv2.resize(tinted, size_wh, interpolation=cv2.INTER_LINEAR), np.float32)
    return large


def cover_of(surface: Surface, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """How much of each pixel the sheet covers, uint8 (H, W)."""
    mask = np.zeros(size_wh[::-1], np.uint8)
    outline = np.rint((surface.corners - 0.5) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillConvexPoly(mask, outline, 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    return mask


def cast_shadow(behind: NDArray[np.uint8], surface: Surface, random: np.random.Generator) -> NDArray[np.uint8]:
    """What lies behind, darkened around the sheet: by much where the sheet lies on it, by little where it is far."""
    height, width = behind.shape[:2]
    small = np.zeros((-(-height // _SHADE_SHRINK), -(-width // _SHADE_SHRINK)), np.uint8)
    away = random.normal(0, 0.015, 2) * (width, height)
    cv2.fillConvexPoly(small, np.rint((surface.corners + away) / _SHADE_SHRINK).astype(np.int32), 255)
    soft = cv2.GaussianBlur(small, (0, 0), max(0.5, width / _SHADE_SHRINK * random.uniform(0.008, 0.05)))
    dark = cv2.resize(soft, (width, height)).astype(np.float32)[:, :, None] * np.float32(random.uniform(0, 0.6) / 255)
    return np.asarray(behind * (1 - dark), np.uint8)


def _colour(kind: Kind, random: np.random.Generator) -> NDArray[np.float64]:
    if kind == "blackboard":
        return np.asarray(random.choice([[52, 62, 45], [42, 42, 44], [70, 82, 40]]) + random.normal(0, 8, 3))
    if kind == "whiteboard":
        return np.full(3, random.uniform(225, 252)) + random.normal(0, 3, 3)
    if kind == "screen":
        dark = random.random() < 0.25
        return np.full(3, random.uniform(12, 45) if dark else random.uniform(240, 255)) + random.normal(0, 2, 3)
    if random.random() < 0.22:  # coloured card, kraft paper, sticky notes
        hsv = np.array([[[random.uniform(0, 180), random.uniform(20, 150), random.uniform(150, 250)]]], np.uint8)
        return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0], np.float64)
    return np.full(3, random.uniform(205, 254)) + np.array([-6.0, 0.0, 2.0]) * random.uniform(0, 2.5)


def _rule(page: NDArray[np.uint8], surface: Surface, random: np.random.Generator) -> None:
    """Lines, squares or dots, in place."""
    step = random.uniform(0.022, 0.05)
    style = random.choice(["lines", "squares", "dots"], p=[0.4, 0.5, 0.1])
    ink = surface.colour_bgr * random.uniform(0.55, 0.92) + np.array([25.0, 8, 0]) * random.uniform(0, 1)
    rows = np.arange(step, 1, step)
    columns = np.arange(step, surface.aspect, step)
    if style == "dots":
        grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
        for x, y in cv2.perspectiveTransform(grid[None], surface.place)[0]:
            cv2.circle(page, (round(x * 16), round(y * 16)), 10, ink.tolist(), -1, cv2.LINE_AA, _SUBPIXEL_BITS)
        return
    ends = [[[0, y], [surface.aspect, y]] for y in rows]
    if style == "squares":
        ends += [[[x, 0], [x, 1]] for x in columns]
    elif random.random() < 0.5:
        ends += [[[step * 3, 0], [step * 3, 1]]]
    lines = cv2.perspectiveTransform(np.asarray(ends, np.float64), surface.place)
    layer = page.copy()
    fixed = np.rint(lines * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.polylines(layer, list(fixed), False, ink.tolist(), 1, cv2.LINE_AA, _SUBPIXEL_BITS)
    strength = random.uniform(0.35, 1.0)
    cv2.addWeighted(layer, strength, page, 1 - strength, 0, dst=page)


def _smooth_field(size_wh: tuple[int, int], cells: int, random: np.random.Generator) -> NDArray[np.float32]:
    """A cloud, float32 (H, W), of about unit deviation."""
    coarse = random.standard_normal((cells, cells), np.float32)
    return np.asarray(cv2.resize(coarse, size_wh, interpolation=cv2.INTER_CUBIC), np.float32)


def _axes(size_wh: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    x = np.linspace(-1, 1, size_wh[0], dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, size_wh[1], dtype=np.float32)[:, None]
    return x, y


def _slope(size_wh: tuple[int, int], depth: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Light that falls off to one side."""
    angle = random.uniform(0, 2 * np.pi)
    x, y = _axes(size_wh)
    return np.asarray(1 + np.float32(depth) * (np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y) / 1.4)


def _shadow(size_wh: tuple[int, int], random: np.random.Generator) -> NDArray[np.float32]:
    """The shadow of a head, an arm or a window's frame, hard or soft."""
    width, height = size_wh
    dark = np.full((height, width), 1.0, np.float32)
    count = int(random.integers(3, 7))
    around = np.sort(random.uniform(0, 2 * np.pi, count))
    reach = random.uniform(0.25, 0.9, count)[:, None]
    centre = random.uniform(-0.2, 1.2, 2)
    outline = (centre + 0.6 * reach * np.stack([np.cos(around), np.sin(around)], axis=1)) * size_wh
    cv2.fillPoly(dark, [np.rint(outline).astype(np.int32)], float(random.uniform(0.5, 0.92)))
    soft = float(np.exp(random.uniform(np.log(0.012), np.log(0.12)))) * width
    return np.asarray(cv2.GaussianBlur(dark, (0, 0), max(soft, 1.0)), np.float32)


def _folds(size_wh: tuple[int, int], random: np.random.Generator) -> NDArray[np.float32]:
    """Creases across the sheet: brighter on one side, darker on the other, fading away from the line."""
    x, y = _axes(size_wh)
    light = np.ones((size_wh[1], size_wh[0]), np.float32)
    crumpled = random.random() < 0.3
    for _ in range(int(random.integers(4, 12)) if crumpled else int(random.integers(1, 4))):
        angle = random.uniform(0, np.pi) if crumpled else random.choice([0, np.pi / 2]) + random.normal(0, 0.06)
        distance = np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y - np.float32(random.uniform(-0.8, 0.8))
        depth = random.uniform(0.03, 0.14) * random.choice([-1, 1])
        reach = random.uniform(0.04, 0.5)
        light *= 1 + np.float32(depth) * np.tanh(distance * 60) * np.exp(-np.abs(distance) / np.float32(reach))
    return light


def _glare(size_wh: tuple[int, int], random: np.random.Generator) -> NDArray[np.float32]:
    """A lamp's reflection."""
    x, y = _axes(size_wh)
    cx, cy = (np.float32(value) for value in random.uniform(-1, 1, 2))
    rx, ry = (np.float32(value) for value in random.uniform(0.1, 0.6, 2))
    strength = np.float32(random.uniform(0.1, 0.5))
    return np.asarray(strength * np.exp(-(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2)), np.float32)
