"""What lies or reaches into a page's picture: fingers and arms, pens, mugs, cables; painted without any photograph.

Called by `models/training/pages.py` after the ink, so that they hide part of it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
_SUBPIXEL_BITS = 4
_SKINS_BGR = ((170, 195, 235), (140, 170, 220), (110, 145, 200), (80, 110, 165), (55, 78, 120), (38, 52, 84))


def lay_props(picture: Image, random: np.random.Generator) -> NDArray[np.uint8]:
    """Lay a few things over the edges of a picture, in place.

    Returns:
        What is hidden now: uint8 (H, W), 255 where something lies.
    """
    height, width = picture.shape[:2]
    hidden = np.zeros((height, width), np.uint8)
    for _ in range(int(random.integers(1, 3))):
        layer = np.zeros((height, width), np.uint8)
        kind = random.random()
        if kind < 0.6:
            colour = _hand(layer, random)
        elif kind < 0.85:
            colour = _stick(layer, random)
        else:
            colour = _round(layer, random)
        _blend(picture, layer, colour, random)
        cv2.max(hidden, layer, dst=hidden)
    return hidden


def _hand(layer: Image, random: np.random.Generator) -> NDArray[np.float64]:
    """An arm from beyond the edge, a palm, fingers spread or together."""
    height, width = layer.shape
    side = min(width, height)
    start, towards = _from_edge(width, height, random)
    along = towards / max(float(np.hypot(*towards)), 1e-6)
    across = np.array([-along[1], along[0]])
    palm = start + along * side * random.uniform(0.02, 0.3)
    thick = side * random.uniform(0.05, 0.11)
    _limb(layer, start - along * side, palm, thick * 0.9)
    for finger in range(4):
        aside = (finger - 1.5) * random.uniform(0.35, 0.6)
        root = palm + across * aside * thick
        tip = root + (along + across * aside * random.uniform(0.05, 0.5)) * thick * random.uniform(0.9, 2.2)
        _limb(layer, root, tip, thick * 0.33)
    thumb = palm + across * thick * random.choice([-1.0, 1.0])
    _limb(layer, palm, thumb + along * thick * random.uniform(0, 1.2), thick * 0.36)
    return np.asarray(_SKINS_BGR[int(random.integers(len(_SKINS_BGR)))], np.float64) + random.normal(0, 8, 3)


def _stick(layer: Image, random: np.random.Generator) -> NDArray[np.float64]:
    """A pen, a ruler, a cable's end."""
    height, width = layer.shape
    side = min(width, height)
    start, towards = _from_edge(width, height, random)
    end = start + towards * random.uniform(0.1, 0.5)
    _limb(layer, start - towards * 0.2, end, side * random.uniform(0.012, 0.05))
    return random.uniform(0, 255, 3)


def _round(layer: Image, random: np.random.Generator) -> NDArray[np.float64]:
    """A mug, a lid, a roll of tape."""
    height, width = layer.shape
    start, towards = _from_edge(width, height, random)
    radius = min(width, height) * random.uniform(0.06, 0.18)
    centre = start + towards / max(float(np.hypot(*towards)), 1e-6) * radius * random.uniform(-0.3, 0.6)
    cv2.circle(layer, _fixed(centre), round(radius * 16), 255, -1, cv2.LINE_AA, _SUBPIXEL_BITS)
    return random.uniform(0, 255, 3)


def _from_edge(width: int, height: int, random: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A point on the picture's edge, more often below or aside, and the way from it towards the middle."""
    share = random.uniform(0.05, 0.95)
    edge = int(random.choice(4, p=[0.45, 0.23, 0.23, 0.09]))
    start = np.array([(share, 1.0), (0.0, share), (1.0, share), (share, 0.0)][edge]) * (width, height)
    middle = np.array([width, height]) * random.uniform(0.35, 0.65, 2)
    return start, middle - start


def _limb(layer: Image, start: NDArray[np.float64], end: NDArray[np.float64], radius: float) -> None:
    cv2.line(layer, _fixed(start), _fixed(end), 255, max(1, round(radius * 2)), cv2.LINE_AA, _SUBPIXEL_BITS)


def _blend(picture: Image, layer: Image, colour: NDArray[np.float64], random: np.random.Generator) -> None:
    """Paint the layer with a rounded shade, and let it cast a soft shadow."""
    height, width = layer.shape
    small = cv2.resize(layer, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), max(0.5, min(width, height) / 60))
    drop = np.array([[1, 0, random.uniform(-2, 3)], [0, 1, random.uniform(0, 4)]])
    cast = cv2.resize(cv2.warpAffine(soft, drop, (soft.shape[1], soft.shape[0])), (width, height))
    dark = 1 - cast.astype(np.float32)[:, :, None] * np.float32(random.uniform(0.15, 0.5) / 255)
    # The blurred outline is brightest in the middle of a limb: it stands for its roundness.
    body = cv2.resize(soft, (width, height)).astype(np.float32)[:, :, None] / 255
    shape = np.float32(0.55) + np.float32(0.5) * body
    share = layer.astype(np.float32)[:, :, None] / 255
    mixed = picture * dark * (1 - share) + colour.astype(np.float32) * shape * share
    picture[:] = np.clip(mixed, 0, 255).astype(np.uint8)


def _fixed(point: NDArray[np.float64]) -> tuple[int, int]:
    return (round(float(point[0]) * 16), round(float(point[1]) * 16))
