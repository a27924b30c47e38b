"""What a camera does to a picture: defocus, motion, few pixels, colour, noise, and the blocks of JPEG and video.

Called by `models/training/pages.py` last, and by the detector's augmentation for photographs. Geometry never changes
here: labels hold.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_NOISE_SIDE = 640


def noise_bank(seed: int) -> NDArray[np.int8]:
    """Normal noise of deviation 30, int8 (640, 640, 3); cut at random places it is noise enough, and fast."""
    values = np.random.default_rng(seed).normal(0, 30, (_NOISE_SIDE, _NOISE_SIDE, 3))
    return np.clip(np.rint(values), -127, 127).astype(np.int8)


def photograph(
    image: NDArray[np.uint8], random: np.random.Generator, noise: NDArray[np.int8], strength: float = 1.0
) -> NDArray[np.uint8]:
    """The picture as a webcam sees it; uint8 (H, W, 3) BGR in and out.

    Args:
        image: a sharp picture.
        random: draws what happens.
        noise: of `noise_bank`.
        strength: 0..1, how likely each fault is.
    """
    seen = image
    if random.random() < 0.25 * strength:
        seen = _few_pixels(seen, random.uniform(0.45, 0.9))
    if random.random() < 0.45 * strength:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), random.uniform(0.3, 1.1)), np.uint8)
    if random.random() < 0.12 * strength:
        seen = _moved(seen, random)
    if random.random() < 0.7 * strength:
        seen = _developed(seen, random)
    if random.random() < 0.6 * strength:
        seen = _noisy(seen, random, noise)
    if random.random() < 0.25 * strength:
        seen = _sharpened(seen, random.uniform(0.3, 1.2))
    if random.random() < 0.6 * strength:
        seen = _compressed(seen, int(random.integers(25, 92)))
    return seen


def _few_pixels(image: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    small = cv2.resize(
        image, (max(1, round(width * share)), max(1, round(height * share))), interpolation=cv2.INTER_AREA
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _moved(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Motion during the exposure, a few pixels along a line."""
    side = int(random.choice([3, 5, 7]))
    kernel = np.zeros((side, side), np.float32)
    angle = random.uniform(0, np.pi)
    reach = (side - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
    middle = (side - 1) / 2
    a, b = np.rint(middle - reach).astype(int), np.rint(middle + reach).astype(int)
    cv2.line(kernel, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.uint8)


def _developed(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """White balance, exposure, contrast and gamma as one table a channel, then a little more or less colour."""
    levels = np.arange(256, dtype=np.float64) / 255
    gains = 1 + random.normal(0, 0.05, 3)
    bent = levels ** float(np.exp(random.normal(0, 0.2)))
    bent = (bent - 0.5) * float(np.exp(random.normal(0, 0.15))) + 0.5 + random.normal(0, 0.04)
    table = np.clip(255 * bent[:, None] * gains, 0, 255).astype(np.uint8)
    seen = np.asarray(cv2.LUT(image, table[None]), np.uint8)
    if random.random() < 0.3:
        grey = cv2.cvtColor(cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        share = random.uniform(-0.4, 1.0)
        seen = np.asarray(cv2.addWeighted(seen, 1 - share, grey, share, 0), np.uint8)
    return seen


def _noisy(image: NDArray[np.uint8], random: np.random.Generator, noise: NDArray[np.int8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    across, down = -(-width // _NOISE_SIDE), -(-height // _NOISE_SIDE)
    bank = np.tile(noise, (down, across, 1)) if max(across, down) > 1 else noise
    top, left = random.integers(bank.shape[0] - height + 1), random.integers(bank.shape[1] - width + 1)
    cut = bank[top : top + height, left : left + width]
    if random.random() < 0.4:
        cut = cut[:, :, :1].repeat(3, axis=2)
    strength = float(np.exp(random.uniform(np.log(1.0), np.log(14.0)))) / 30
    return np.asarray(
        cv2.add(image, cv2.multiply(cut, np.ones(1), scale=strength, dtype=cv2.CV_16S), dtype=cv2.CV_8U), np.uint8
    )


def _sharpened(image: NDArray[np.uint8], amount: float) -> NDArray[np.uint8]:
    """What cheap cameras do to look crisp: halos beside lines."""
    soft = cv2.GaussianBlur(image, (0, 0), 1.2)
    return np.asarray(cv2.addWeighted(image, 1 + amount, soft, -amount, 0), np.uint8)


def _compressed(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
