"""Random changes to a photograph and its labels together: turned, scaled, shifted, mirrored, lit anew.

Written with OpenCV: the kept augmentation libraries bring opencv-python-headless, which takes the place of the OpenCV
that the window needs, or torchvision.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.segmentation_pairs import NOT_COUNTED
from models.training.webcam_light import as_a_camera_sees_it, lit_anew


def augment_pair(
    picture: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    size_wh: tuple[int, int],
    strength: float,
    random: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A picture uint8 (H, W, 3), BGR, and its labels uint8 (H, W), both changed and stretched to a size.

    Args:
        picture: any size.
        labels: of that size; where the picture comes to lie beside itself, they become `NOT_COUNTED`.
        size_wh: in pixels.
        strength: how far the changes go; 0 only stretches.
        random: decides.
    """
    if strength <= 0:
        small = np.asarray(cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
        return small, np.asarray(cv2.resize(labels, size_wh, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
    to_size = _map((picture.shape[1], picture.shape[0]), size_wh, strength, random)
    shrink = math.sqrt(abs(float(np.linalg.det(to_size[:, :2]))))
    if shrink < 1:
        # Warping does not average what it shrinks.
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 / shrink), np.uint8)
    changed = np.asarray(cv2.warpAffine(picture, to_size, size_wh, borderMode=cv2.BORDER_REFLECT_101), np.uint8)
    moved = cv2.warpAffine(
        labels,
        to_size,
        size_wh,
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=NOT_COUNTED,
    )
    changed = lit_anew(changed, 0.5 * strength, random)
    if random.random() < 0.5:
        changed = as_a_camera_sees_it(changed, random)
    return changed, np.asarray(moved, np.uint8)


def _map(
    from_wh: tuple[int, int], to_wh: tuple[int, int], strength: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """A map (2, 3) from one size to another: mirrored or not, turned, scaled in x and y apart, shifted."""
    turn = math.radians(random.normal(0.0, 12.0 * strength))
    scales = np.exp(random.normal(0.05, 0.15 * strength, 2))
    mirror = -1.0 if random.random() < 0.5 else 1.0
    shift = random.normal(0.0, 0.05 * strength, 2)
    cos, sin = math.cos(turn), math.sin(turn)
    turned = np.array([[cos, -sin], [sin, cos]]) @ np.diag([scales[0] * mirror, scales[1]])
    # Turned as the picture is seen, so in units that are alike in both directions.
    side = float(max(from_wh))
    linear = np.diag(np.array(to_wh) / np.array(from_wh) * side) @ turned / side
    centre = np.array(from_wh) / 2
    moved = np.array(to_wh) * (0.5 + shift) - linear @ centre
    return np.concatenate([linear, moved[:, None]], axis=1)
