"""Hands that are held up to a webcam, with their forearms: no portrait here shows them, every webcam does.

Hands are cut out of photographs by their boxes and colours (Rother, Kolmogorov and Blake, GrabCut, 2004, as OpenCV has
it), which is exact enough to learn from and not to measure on. Read by `models.training.webcam_people`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.evaluation.pictures import read_picture
from models.training.errors import TrainingError
from models.training.segmentation_pairs import Part, part_of
from models.training.webcam_light import Picture, lit_anew

_SIDE_PX = 128
_AIR = 0.25
_ROUNDS = 3
_FILLED = (0.3, 0.9)
"""Of a hand's box: where less or more is taken for a hand, the cut has failed."""
_MOST = 800
_SESSIONS = "s_"
"""Names of pictures of one man before a webcam: kept to look at, never cut out."""


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """A hand with the fingers mostly up.

    Attributes:
        image: uint8 (H, W, 3), BGR.
        mask: uint8 (H, W), 0 or 255.
    """

    image: Picture
    mask: NDArray[np.uint8]


def read_hands(folder: Path, part: Part) -> list[Hand]:
    """The hands of one part that could be cut out.

    Args:
        folder: pictures, and `hands.json`, COCO boxes.
        part: every tenth picture is held out.

    Raises:
        TrainingError: a file is missing or damaged.
    """
    try:
        told = json.loads((folder / "hands.json").read_text(encoding="utf-8"))
        boxes: dict[int, list[list[float]]] = {}
        for row in told["annotations"]:
            boxes.setdefault(row["image_id"], []).append(row["bbox"])
        rows = sorted(told["images"], key=lambda row: str(row["file_name"]))
        alone = [
            row
            for row in rows
            if len(boxes.get(row["id"], ())) == 1 and _SESSIONS not in Path(row["file_name"]).name[:2]
        ]
        chosen = part_of(alone[:: max(1, len(alone) // _MOST)], part)
        pictures = {path.name: path for path in folder.rglob("*.jpg")}
        cut = [_cut_out(read_picture(pictures[Path(row["file_name"]).name]), boxes[row["id"]][0]) for row in chosen]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{folder}: no hands with hands.json ({error}); mend it") from error
    return [hand for hand in cut if hand is not None]


def put_hand(
    picture: Picture, mask: NDArray[np.uint8], hand: Hand, cloth: Picture, random: np.random.Generator
) -> tuple[Picture, NDArray[np.uint8]]:
    """A hand and its forearm over a picture uint8 (H, W, 3) and its mask 0..255 (H, W).

    Args:
        picture: BGR.
        mask: of what belongs to people; it grows.
        hand: is lit anew.
        cloth: uint8 (h, w, 3), what the sleeve is of.
        random: decides.
    """
    height, width = mask.shape
    size = random.uniform(0.15, 0.6) * height / max(hand.mask.shape)
    turn = math.radians(random.normal(0.0, 30.0))
    mirror = -1.0 if random.random() < 0.5 else 1.0
    linear = (
        size * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]) @ np.diag([mirror, 1])
    )
    centre = np.array([random.uniform(0.05, 0.95) * width, random.uniform(0.15, 0.9) * height])
    middle = np.array([hand.mask.shape[1], hand.mask.shape[0]]) / 2
    to_frame = np.concatenate([linear, (centre - linear @ middle)[:, None]], axis=1)
    alpha = np.asarray(cv2.warpAffine(hand.mask, to_frame, (width, height)), np.uint8)
    colours = cv2.warpAffine(lit_anew(hand.image, 0.6, random), to_frame, (width, height))
    arm = np.zeros_like(mask)
    wrist = linear @ (_wrist(hand) - middle) + centre
    along = np.array([-math.sin(turn), math.cos(turn)]) * height
    thick = max(2, int(size * hand.mask.shape[1] * random.uniform(0.45, 0.8)))
    cuff = wrist + along * random.uniform(-0.02, 0.12)
    elbow = wrist + along * random.uniform(0.4, 1.2) + random.normal(0.0, 0.1, 2) * width
    ends = [tuple(np.rint(point).astype(int).tolist()) for point in (wrist, cuff, elbow)]
    seen = picture
    for start, stop, is_sleeve in ((ends[0], ends[1], False), (ends[1], ends[2], True)):
        part = np.zeros_like(mask)
        cv2.line(part, start, stop, 255, thick if is_sleeve else max(2, int(thick * 0.8)), cv2.LINE_AA)
        stuff = cloth if is_sleeve else _skin(hand)
        seen = over(seen, np.asarray(cv2.resize(stuff, (width, height)), np.uint8), part)
        arm = np.maximum(arm, part)
    return over(seen, np.asarray(colours, np.uint8), alpha), np.maximum(mask, np.maximum(arm, alpha))


def over(picture: Picture, above: Picture, alpha: NDArray[np.uint8]) -> Picture:
    """One picture over another where an alpha 0..255 (H, W) says so."""
    weight = cv2.merge([alpha] * 3)
    shown = cv2.multiply(above, weight, scale=1 / 255)
    left = cv2.multiply(picture, cv2.bitwise_not(weight), scale=1 / 255)
    return np.asarray(cv2.add(shown, left), np.uint8)


def _wrist(hand: Hand) -> NDArray[np.float64]:
    """The middle of the lowest tenth of a hand."""
    rows, columns = np.nonzero(hand.mask)
    lowest = rows >= np.quantile(rows, 0.9)
    return np.array([columns[lowest].mean(), rows[lowest].mean()])


def _skin(hand: Hand) -> Picture:
    """A patch of a hand's own colours, around its middle."""
    rows, columns = np.nonzero(hand.mask)
    y, x = int(np.median(rows)), int(np.median(columns))
    reach = max(2, min(hand.mask.shape) // 10)
    return hand.image[max(0, y - reach) : y + reach, max(0, x - reach) : x + reach]


def _cut_out(picture: Picture, box_xywh: list[float]) -> Hand | None:
    """The hand in a box, or None where what was cut out is none."""
    x, y, box_width, box_height = box_xywh
    scale = _SIDE_PX / max(box_width, box_height, 1.0) / (1 + 2 * _AIR)
    small = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    air = _AIR * max(box_width, box_height) * scale
    left, top = int(max(0, x * scale - air)), int(max(0, y * scale - air))
    right, bottom = math.ceil((x + box_width) * scale + air), math.ceil((y + box_height) * scale + air)
    part = np.ascontiguousarray(small[top:bottom, left:right])
    inner = (int(x * scale) - left, int(y * scale) - top, int(box_width * scale), int(box_height * scale))
    if min(inner[2:]) < 8:
        return None
    cells = np.zeros(part.shape[:2], np.uint8)
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(part, cells, inner, np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_RECT)
    except cv2.error:
        return None
    mask = np.where((cells == cv2.GC_FGD) | (cells == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    mask = np.where(labels == largest, 255, 0).astype(np.uint8)
    filled = cv2.countNonZero(mask) / max(1, inner[2] * inner[3])
    return Hand(part, mask) if _FILLED[0] <= filled <= _FILLED[1] else None
