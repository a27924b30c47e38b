"""Plain rooms behind people, and sheets of paper that they hold up: drawn, because no data set here has them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.webcam_light import Picture, lit_anew

_LINES = cv2.LINE_AA


def make_room(size_wh: tuple[int, int], random: np.random.Generator) -> Picture:
    """A wall uint8 (H, W, 3), BGR, with a ceiling's edge, doors, windows, shelves and pictures on it."""
    width, height = size_wh
    room = np.empty((height, width, 3), np.uint8)
    room[:] = _wall_colour(random)
    if random.random() < 0.4:
        edge = int(random.uniform(0.0, 0.35) * height)
        tilt = int(random.normal(0.0, 0.12) * height)
        ceiling = np.array([(0, 0), (width, 0), (width, edge + tilt), (0, edge - tilt)], np.int32)
        cv2.fillPoly(room, [ceiling], _wall_colour(random), _LINES)
    for _ in range(int(random.integers(0, 6))):
        _put_thing(room, random)
    if random.random() < 0.5:
        room = np.asarray(cv2.GaussianBlur(room, (0, 0), random.uniform(0.6, 4.0)), np.uint8)
    return lit_anew(room, 1.0, random)


def put_paper(
    picture: Picture, mask: NDArray[np.uint8], random: np.random.Generator
) -> tuple[Picture, NDArray[np.uint8]]:
    """A sheet with a few strokes before the person, in the picture and in the mask 0..255 (H, W)."""
    rows, columns = np.nonzero(mask[::4, ::4] > 127)
    if not len(rows):
        return picture, mask
    place = int(random.integers(len(rows)))
    centre = np.array([columns[place] * 4.0, rows[place] * 4.0])
    height, width = mask.shape
    half = np.array([random.uniform(0.09, 0.25), random.uniform(0.09, 0.25)]) * height
    turn = np.deg2rad(random.normal(0.0, 12.0))
    across, down = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    corners = centre + signs[:, :1] * half[0] * across + signs[:, 1:] * half[1] * down
    corners += random.normal(0.0, 0.06, (4, 2)) * half
    outline = [np.rint(corners).astype(np.int32)]
    sheet, shape = picture.copy(), np.zeros_like(mask)
    paper = random.uniform(150, 255)
    cv2.fillPoly(sheet, outline, tuple(float(paper + tint) for tint in random.normal(0.0, 8.0, 3)), _LINES)
    cv2.fillPoly(shape, outline, 255, _LINES)
    ink = tuple(float(level) for level in random.uniform(0, 120, 3))
    for _ in range(int(random.integers(1, 6))):
        along = np.cumsum(random.normal(0.0, 0.3, (12, 2)), axis=0) * 0.5 + random.uniform(-0.5, 0.5, 2)
        stroke = centre + np.clip(along, -0.8, 0.8) * half
        points = [np.rint(stroke).astype(np.int32)]
        cv2.polylines(sheet, points, False, ink, int(random.integers(1, 2 + width // 100)), _LINES)
    return sheet, np.maximum(mask, shape)


def _wall_colour(random: np.random.Generator) -> tuple[float, float, float]:
    """Mostly pale and of little colour."""
    level = random.uniform(60, 250)
    blue, green, red = np.clip(level * (1 + random.normal(0.0, 0.08, 3)), 0, 255).tolist()
    return blue, green, red


def _put_thing(room: Picture, random: np.random.Generator) -> None:
    """A door, a window, a shelf or a picture: a rectangle, often with a frame and bars."""
    height, width = room.shape[:2]
    size = np.array([random.uniform(0.05, 0.45) * width, random.uniform(0.05, 0.9) * height])
    left, top = (random.uniform(-0.2, 1.0, 2) * np.array([width, height])).astype(int).tolist()
    right, bottom = int(left + size[0]), int(top + size[1])
    colour = tuple(float(level) for level in random.uniform(10, 255, 3) * 0.4 + random.uniform(0, 150))
    cv2.rectangle(room, (left, top), (right, bottom), colour, -1)
    if random.random() < 0.6:
        frame = _wall_colour(random)
        thick = int(random.integers(1, 3 + height // 60))
        cv2.rectangle(room, (left, top), (right, bottom), frame, thick)
        for share in random.uniform(0.2, 0.8, int(random.integers(0, 4))):
            level = int(top + share * size[1])
            cv2.line(room, (left, level), (right, level), frame, thick)
    if random.random() < 0.3:
        # What stands on a shelf.
        for start in range(max(left, 0), min(right, width), max(2, width // 50)):
            spine = tuple(float(level) for level in random.uniform(0, 255, 3))
            low = int(top + random.uniform(0.0, 0.4) * size[1])
            cv2.rectangle(room, (start, low), (start + max(1, width // 60), bottom), spine, -1)
