"""Finds what a drawing may stand on: a sheet, a board, a canvas, light or dark, in part of a frame or all of it.

Used by `models.tasks.ink` on the infer thread; pure functions.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_COARSE = 4
"""The ground is found in a picture this much smaller still."""
CLOSING_PX = 7
"""In the coarse picture: lines narrower than this do not break a ground apart."""
_FLAT_LEVELS = 14
"""Between neighbours in the coarse picture: more is an edge, less is uneven light."""
_BEYOND_PX = 6
"""In the coarse picture: the margin that is added around it."""
_MIN_GROUND_SHARE = 0.04
"""Of the picture's area."""
_MIN_PART = 0.01
"""Of the picture's area: smaller flat regions are not tried as parts of a sheet."""
_MAX_PARTS = 6
_MIN_LIGHT = 80
"""Mean level of a light ground, in its darkest channel, at least."""
_MAX_DARK = 105
"""Mean level of a dark ground, in its brightest channel, at most: boards are darker than wood and asphalt."""
_MIN_SCORE = 0.05
"""A ground scores its share of the picture (the middle counts more) times the square of its brightness (0..1)."""
_RIVAL_SCORE = 0.25
"""A ground this much weaker than the best one is not looked at."""
_MIN_GAIN = 1.05
"""Area of a ground's hull over its own, from which the hull is another ground."""
_MIN_SOLIDITY = 0.8
"""Area over area of the hull from which a region is taken for a whole sheet."""
_MIN_JOINED_SOLIDITY = 0.9
"""The same for regions that are joined: stricter, as much in a room has nearly the same colour."""
_DEEPEST_SHADOW = 0.45
"""Brightness in a shadow over brightness beside it, at least."""
_SAME_TINT = 0.02
"""Difference of a channel's share of all light, at most."""

Image = NDArray[np.uint8]
Mask = NDArray[np.uint8]
"""uint8 (H, W), 255 where it holds."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """A flat region; `levels` uint8 (H, W) is the work picture turned so that this ground is bright, ink dark."""

    levels: Image
    mask: Mask

    def whole(self) -> Ground | None:
        """The same with all that lies within its hull, for what was found of a sheet need not be convex; or None."""
        hull = _hull(self.mask)
        is_more = cv2.countNonZero(hull) > _MIN_GAIN * cv2.countNonZero(self.mask)
        return Ground(self.levels, hull) if is_more else None


def find_grounds(work: Image) -> Iterator[Ground]:
    """The flat regions of a BGR picture that could be a sheet or a board, the likeliest first.

    A region is the likelier the larger, the nearer to the middle, and the brighter (a dark ground: darker) it is.
    """
    height, width = work.shape[:2]
    size = (max(1, width // _COARSE), max(1, height // _COARSE))
    coarse = _continued(np.asarray(cv2.resize(work, size, interpolation=cv2.INTER_AREA), np.uint8))
    light = [(score, False, region) for region, score in _bright_regions(coarse, _MIN_LIGHT)]
    inverted = np.asarray(cv2.bitwise_not(coarse), np.uint8)
    dark = [(score, True, region) for region, score in _bright_regions(inverted, 255 - _MAX_DARK)]
    found = sorted(light + dark, key=lambda candidate: -candidate[0])
    for score, is_dark, region in found:
        if score < max(_MIN_SCORE, _RIVAL_SCORE * found[0][0]):
            return
        levels = _darkest_channel(np.asarray(cv2.bitwise_not(work) if is_dark else work, np.uint8))
        yield Ground(levels, _filled(region, (width, height)))


def _bright_regions(coarse: Image, min_level: int) -> list[tuple[NDArray[np.uint8], float]]:
    """The flat regions uint8 (H, W) of the coarse picture that are bright enough to be grounds, with their scores."""
    colours = np.asarray(cv2.morphologyEx(coarse, cv2.MORPH_CLOSE, square(CLOSING_PX)), np.uint8)
    closed = _darkest_channel(colours)
    if cv2.countNonZero(above(closed, min_level - _FLAT_LEVELS)) < _MIN_PART * closed.size:
        return []
    steps = cv2.morphologyEx(cv2.blur(colours, (3, 3)), cv2.MORPH_GRADIENT, square(3))
    # Opened, so that a flat strip beside the sheet does not join it to what lies behind.
    even = above(_darkest_channel(np.asarray(cv2.bitwise_not(steps), np.uint8)), 254 - _FLAT_LEVELS)
    flat = np.asarray(cv2.morphologyEx(even, cv2.MORPH_OPEN, square(5)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    importance = _middle_weights(closed.shape) * (closed.astype(np.float32) / 255) ** 2
    scores = np.bincount(labels.ravel(), weights=importance.ravel(), minlength=count)
    likely = [n for n in np.argsort(-scores)[:_MAX_PARTS] if n and stats[n, cv2.CC_STAT_AREA] >= _MIN_PART * flat.size]
    parts = [_Part(np.asarray(labels == n, np.uint8), colours, float(scores[n])) for n in likely]
    bright = [part for part in parts if part.colour.min() >= min_level]
    joined = [_joined(seed, parts) for seed in bright[:2]]
    return [found for found in joined if cv2.countNonZero(found[0]) >= _MIN_GROUND_SHARE * flat.size]


def _continued(coarse: Image) -> Image:
    """The picture with a margin: a board that fills it goes on beyond it, else ink near its edge would cut it up."""
    edge = np.concatenate([coarse[0], coarse[-1], coarse[:, 0], coarse[:, -1]])
    colour = np.median(edge, axis=0)
    plain = np.mean(np.abs(edge - colour).max(axis=1) <= _FLAT_LEVELS) > 0.5
    kind = cv2.BORDER_CONSTANT if plain else cv2.BORDER_REPLICATE
    margins = (_BEYOND_PX, _BEYOND_PX, _BEYOND_PX, _BEYOND_PX)
    return np.asarray(cv2.copyMakeBorder(coarse, *margins, kind, value=colour.tolist()), np.uint8)


class _Part:
    """A flat region of the coarse picture: uint8 (H, W) 0/1, its mean colour (3,), whether it meets the edge."""

    def __init__(self, region: NDArray[np.uint8], colours: Image, score: float) -> None:
        self.region, self.score = region, score
        self.colour = np.array(cv2.mean(colours, region)[:3])
        self.meets_frame = bool(region[[0, -1]].any() or region[:, [0, -1]].any())

    def is_same_sheet(self, other: _Part) -> bool:
        """Whether the colours differ by no more than a shadow: in brightness, and little in tint."""
        darker, brighter = sorted((self.colour.sum(), other.colour.sum()))
        tints = [part.colour / (part.colour.sum() + 1) for part in (self, other)]
        alike = darker > _DEEPEST_SHADOW * brighter and np.abs(tints[0] - tints[1]).max() < _SAME_TINT
        return bool(alike and (self.meets_frame or not other.meets_frame))


def _joined(seed: _Part, parts: list[_Part]) -> tuple[NDArray[np.uint8], float]:
    """A region with what the edge of a shadow or dense ink cut off from it, as long as the whole stays convex."""
    region, score = seed.region, seed.score
    for part in parts:
        if part is not seed and seed.is_same_sheet(part):
            both = cv2.bitwise_or(region, part.region)
            together = np.asarray(cv2.morphologyEx(both, cv2.MORPH_CLOSE, square(CLOSING_PX)), np.uint8)
            if _solidity(together) > _MIN_JOINED_SOLIDITY:
                region, score = together, score + part.score
    return region, score


def _solidity(region: NDArray[np.uint8]) -> float:
    """Area over area of the convex hull, 0..1."""
    return cv2.countNonZero(region) / cv2.countNonZero(_hull(region))


def _hull(region: NDArray[np.uint8]) -> Mask:
    # The hull of the outlines is that of all pixels, and much sooner found.
    contours, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.concatenate(contours))
    return np.asarray(cv2.fillConvexPoly(np.zeros_like(region), hull, 255), np.uint8)


@functools.lru_cache(maxsize=16)
def _middle_weights(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Float32 (H, W), sum 1: how much a pixel counts, falling from the middle of the picture."""
    down, across = (np.exp(-2 * np.linspace(-1, 1, n, dtype=np.float32) ** 2) for n in shape)
    weights = down[:, None] * across[None, :]
    return np.asarray(weights / weights.sum(), np.float32)


def _filled(region: NDArray[np.uint8], size: tuple[int, int]) -> Mask:
    """A coarse region with its holes and bays (thick or dense ink) closed, at work size.

    Sheets and boards are convex. Where a region is far from convex (a hand covers a part of it), only holes close.
    """
    bridged = cv2.morphologyEx(region, cv2.MORPH_CLOSE, square(CLOSING_PX))
    contours, _ = cv2.findContours(bridged, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    whole = np.asarray(cv2.drawContours(np.zeros_like(region), contours, -1, 255, cv2.FILLED), np.uint8)
    if _solidity(whole) > _MIN_SOLIDITY:
        whole = _hull(whole)
    within = whole[_BEYOND_PX:-_BEYOND_PX, _BEYOND_PX:-_BEYOND_PX]
    return np.asarray(cv2.resize(within, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _darkest_channel(turned: Image) -> Image:
    """Uint8 (H, W): on a light ground any colour of ink counts in full."""
    blue, green, red = cv2.split(turned)
    return np.asarray(cv2.min(cv2.min(blue, green), red), np.uint8)


def above(levels: Image, floor: float) -> Mask:
    """Where levels exceed a floor."""
    return np.asarray(cv2.threshold(levels, floor, 255, cv2.THRESH_BINARY)[1], np.uint8)


def square(side: int) -> NDArray[np.uint8]:
    """The neighbourhood of morphology."""
    return np.ones((side, side), np.uint8)
