"""Results to draw, made by code: as many objects and classes as wanted, at places and of shapes that a seed decides."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.results import Detections, SegmentationMap

WIDTH, HEIGHT = 1280, 720
CLASS_NAMES = tuple(f"class {number}" for number in range(80))


def picture() -> NDArray[np.uint8]:
    """Noise uint8 (720, 1280, 3): nothing about it is easy to compress or to blend."""
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def objects(count: int) -> Detections:
    """Boxes of 20 to 130 pixels everywhere, many of them on one another, in 80 classes."""
    chance = np.random.default_rng(1)
    starts = chance.uniform((0, 0), (WIDTH - 130, HEIGHT - 100), (count, 2))
    boxes = np.hstack([starts, starts + chance.uniform((20, 20), (130, 100), (count, 2))])
    class_ids = np.arange(count) * 7 % len(CLASS_NAMES)
    return Detections("object_detection", boxes.astype(np.float32), _scores(count), class_ids, CLASS_NAMES)


def instances(count: int) -> Detections:
    """Wavy shapes of 120 to 380 pixels, each with its box."""
    chance = np.random.default_rng(2)
    angles = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    waves = np.arange(2, 14)[:, None]
    masks = np.zeros((count, HEIGHT, WIDTH), np.uint8)
    for mask in masks:
        sizes, phases = chance.normal(0, 0.06, (12, 1)), chance.uniform(0, 6, (12, 1))
        radii = chance.uniform(60, 160) * (1 + (sizes * np.cos(waves * angles + phases)).sum(axis=0))
        outline = np.stack([0.7 * radii * np.cos(angles), 1.2 * radii * np.sin(angles)], axis=1)
        cv2.fillPoly(mask, [(outline + chance.uniform((100, 100), (1180, 620))).astype(np.int32)], 1)
    rectangles = np.array([cv2.boundingRect(mask) for mask in masks], np.float32)
    boxes = np.hstack([rectangles[:, :2], rectangles[:, :2] + rectangles[:, 2:]])
    class_ids = np.arange(count) % 7
    return Detections("instance_segmentation", boxes, _scores(count), class_ids, CLASS_NAMES, masks.astype(np.bool_))


def segmentation_map(class_count: int, *, background: bool) -> SegmentationMap:
    """Regions with wavy borders that cover the whole picture; the first class is the background, or one as any."""
    chance = np.random.default_rng(3)
    planes = chance.normal(size=(class_count, 23, 40)).astype(np.float32)
    large = [cv2.resize(plane, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) for plane in planes]
    names = ("background", *CLASS_NAMES[1:class_count]) if background else CLASS_NAMES[:class_count]
    return SegmentationMap("semantic_segmentation", np.argmax(large, axis=0).astype(np.uint16), names)


def _scores(count: int) -> NDArray[np.float32]:
    return np.linspace(0.95, 0.4, count).astype(np.float32)
