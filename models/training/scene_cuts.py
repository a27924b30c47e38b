"""What a camera might have framed of a photograph: nearer, farther, squeezed, mirrored; boxes follow.

Called by `models/training/detector_scenes.py` for each picture that is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.box_data import Scene

_LEAST_LEFT = 0.4
_GONE = 0.05


@dataclass(frozen=True, slots=True)
class CutRange:
    """How a picture is framed.

    Attributes:
        near: the smallest share of the picture's sides that is shown.
        far: the largest; above 1 there is a margin around the picture.
        far_chance: that it is shown from afar.
        squeeze_std: of the logarithm of how much wider the picture becomes than it is.
        quarter_turn_chance: that it is turned by a quarter or half.
        least_side_px: objects that become smaller lose their boxes, and their class is no longer complete.
    """

    near: float = 0.45
    far: float = 2.5
    far_chance: float = 0.35
    squeeze_std: float = 0.2
    quarter_turn_chance: float = 0.0
    least_side_px: float = 5.0


def cut(
    scene: Scene, size_wh: tuple[int, int], how: CutRange, margin: NDArray[np.uint8], random: np.random.Generator
) -> Scene:
    """Frame a scene anew.

    Args:
        scene: of any size.
        size_wh: of the result.
        how: what may happen.
        margin: uint8 (H, W, 3) of the result's size, seen around a picture shown from afar.
        random: draws it.
    """
    if how.quarter_turn_chance and random.random() < how.quarter_turn_chance:
        scene = _turned(scene, int(random.integers(1, 4)))
    height, width = scene.image.shape[:2]
    window = _window(scene, size_wh, how, random)
    left, top, right, bottom = window
    zoom = np.array(size_wh) / (right - left, bottom - top)
    seen = np.array([max(left, 0), max(top, 0), min(right, width), min(bottom, height)]).round().astype(int)
    seen[2:] = np.maximum(seen[2:], seen[:2] + 1)
    seen = np.minimum(seen, [width, height] * 2)
    target = ((seen - [left, top] * 2) * np.tile(zoom, 2)).round().astype(int)
    target = np.clip(target, 0, list(size_wh) * 2)
    target[2:] = np.maximum(target[2:], np.minimum(target[:2] + 1, size_wh))
    target[:2] = np.minimum(target[:2], target[2:] - 1)
    part = scene.image[seen[1] : seen[3], seen[0] : seen[2]]
    part_wh = (int(target[2] - target[0]), int(target[3] - target[1]))
    shrinks = part.shape[1] * part.shape[0] > part_wh[0] * part_wh[1]
    image = margin.copy()
    image[target[1] : target[3], target[0] : target[2]] = cv2.resize(
        part, part_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    # By the whole pixels that were cut and filled, so that boxes stay exact.
    scale = (target[2:] - target[:2]) / (seen[2:] - seen[:2])
    boxes = (scene.boxes_xyxy - np.tile(seen[:2], 2)) * np.tile(scale, 2) + np.tile(target[:2], 2)
    framed = _clipped(image, boxes, scene, target, how.least_side_px)
    return mirrored(framed) if random.random() < 0.5 else framed


def mirrored(scene: Scene) -> Scene:
    """Left for right."""
    width = scene.image.shape[1]
    boxes = scene.boxes_xyxy.copy()
    boxes[:, [0, 2]] = width - scene.boxes_xyxy[:, [2, 0]]
    return Scene(np.ascontiguousarray(scene.image[:, ::-1]), boxes, scene.class_ids, scene.complete)


def _window(
    scene: Scene, size_wh: tuple[int, int], how: CutRange, random: np.random.Generator
) -> tuple[float, float, float, float]:
    """What is framed, in pixels of the picture; an object, where there is one, has its middle in it."""
    height, width = scene.image.shape[:2]
    squeeze = float(np.exp(random.normal(0, how.squeeze_std)))
    aspect = size_wh[0] / size_wh[1] * squeeze
    if random.random() < how.far_chance:
        share = float(np.exp(random.uniform(0, np.log(how.far))))
        tall = max(height, width / aspect) * share
    else:
        tall = min(height, width / aspect) * float(np.exp(random.uniform(np.log(how.near), 0)))
    window = np.array([tall * aspect, tall])
    picture = np.array([width, height], np.float64)
    slack = picture - window
    corner = random.random(2) * slack
    if len(scene.boxes_xyxy):
        box = scene.boxes_xyxy[int(random.integers(len(scene.boxes_xyxy)))]
        middle = (box[:2] + box[2:]) / 2
        corner = np.clip(corner, middle - window * 0.95, middle - window * 0.05)
    return (float(corner[0]), float(corner[1]), float(corner[0] + window[0]), float(corner[1] + window[1]))


def _clipped(
    image: NDArray[np.uint8],
    boxes: NDArray[np.float64],
    scene: Scene,
    frame: NDArray[np.int64],
    least_side_px: float,
) -> Scene:
    """Boxes cut off at the frame; what loses too much loses its box, and its class its completeness."""
    low, high = np.tile(frame[:2], 2), np.tile(frame[2:], 2)
    kept_boxes = np.clip(boxes, low, high)
    left_area = (kept_boxes[:, 2:] - kept_boxes[:, :2]).prod(axis=1)
    share = left_area / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6)
    sides = kept_boxes[:, 2:] - kept_boxes[:, :2]
    kept = (
        (share >= _LEAST_LEFT) & (sides.max(axis=1, initial=0) >= least_side_px) & (sides.min(axis=1, initial=9e9) > 1)
    )
    complete = scene.complete.copy()
    complete[scene.class_ids[~kept & (share > _GONE)]] = False
    return Scene(image, kept_boxes[kept].astype(np.float32), scene.class_ids[kept], complete)


def _turned(scene: Scene, quarters: int) -> Scene:
    """Turned against the clock by so many quarters."""
    image, boxes = scene.image, scene.boxes_xyxy
    for _ in range(quarters):
        width = image.shape[1]
        image = np.rot90(image)
        boxes = np.stack([boxes[:, 1], width - boxes[:, 2], boxes[:, 3], width - boxes[:, 0]], axis=1)
    return Scene(np.ascontiguousarray(image), np.asarray(boxes, np.float32), scene.class_ids, scene.complete)
