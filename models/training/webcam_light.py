"""What light and a cheap camera do to a picture: colour casts, slanting light, blur, noise, compression.

Every function draws from the generator it is given, so that a seed fixes the whole training.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

_LEVELS = np.arange(256, dtype=np.float64) / 255


def lit_anew(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """A picture uint8 (H, W, 3) under another light: another colour and gamma, and brighter from one side.

    Args:
        picture: BGR.
        strength: how far it may go; 1 makes noon of a lamp-lit room at times.
        random: decides.
    """
    gamma = np.exp(random.normal(0.0, 0.28 * strength))
    gains = np.exp(random.normal(0.0, 0.18 * strength) + random.normal(0.0, 0.07 * strength, 3))
    curves = 255 * np.clip(_LEVELS**gamma, 0, 1)[:, None] * gains
    lit = cv2.LUT(picture, np.clip(curves, 0, 255).astype(np.uint8)[None])
    slant, angle = random.uniform(0.0, 0.5 * strength), random.uniform(0.0, 2 * np.pi)
    height, width = picture.shape[:2]
    across = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None] * np.float32(slant * np.cos(angle))
    down = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None] * np.float32(slant * np.sin(angle))
    light = cv2.merge([1.0 + across + down] * 3)
    return np.asarray(cv2.multiply(lit, light, dtype=cv2.CV_8U), np.uint8)


def as_a_camera_sees_it(picture: Picture, random: np.random.Generator) -> Picture:
    """A picture uint8 (H, W, 3) through a cheap lens, a noisy sensor and a codec; each of them not always."""
    seen = lit_anew(picture, 0.5, random)
    if random.random() < 0.08:
        grey = cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY)
        seen = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    if random.random() < 0.35:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), random.uniform(0.4, 1.3)), np.uint8)
    if random.random() < 0.6:
        # A sensor's noise has grains as large as the codec leaves them, not of one pixel only.
        height, width = seen.shape[:2]
        coarse = int(random.integers(1, 3))
        shape = (-(-height // coarse), -(-width // coarse), 3)
        grains = random.normal(0.0, random.uniform(2.0, 14.0), shape).astype(np.float32)
        noise = cv2.resize(grains, (width, height), interpolation=cv2.INTER_LINEAR) if coarse > 1 else grains
        seen = np.asarray(cv2.add(seen, noise, dtype=cv2.CV_8U), np.uint8)
    if random.random() < 0.5:
        quality = int(random.integers(25, 90))
        _, coded = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, quality])
        seen = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return seen
