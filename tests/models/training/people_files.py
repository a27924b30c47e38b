"""People, hands and backgrounds made by code, in the layouts that the training of the person segmenter reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SKIN_BGR = (120, 150, 220)


def person(height: int = 200, width: int = 180) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[float]]:
    """A street with somebody in it, cut at the thigh: picture, mask, box of the face."""
    image = np.full((height, width, 3), (40, 120, 40), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    middle = width // 2
    for canvas, colour in ((image, (200, 60, 60)), (mask, (255,))):
        cv2.rectangle(canvas, (middle - 35, 80), (middle + 35, height), colour, -1)
        cv2.circle(canvas, (middle, 50), 25, SKIN_BGR if canvas is image else colour, -1)
    return image, mask, [middle - 20.0, 25.0, 40.0, 50.0]


def write_people(folder: Path, count: int = 20, hands: int = 0) -> Path:
    """`portraits/` with so many people, and `hands/` where there are any."""
    portraits = folder / "portraits"
    for name in ("images", "masks"):
        (portraits / name).mkdir(parents=True)
    rows: dict[str, Any] = {"categories": [{"id": 1, "name": "face"}, {"id": 2, "name": "person"}]}
    rows |= {"images": [], "annotations": []}
    for number in range(1, count + 1):
        image, mask, face = person()
        # Each has a mark of its own.
        image[:16, :16] = 6 * number
        name = f"{number:04d}"
        cv2.imwrite(str(portraits / "images" / f"{name}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 100])
        cv2.imwrite(str(portraits / "masks" / f"{name}.png"), mask)
        rows["images"].append({"id": number, "file_name": f"{name}.jpg"})
        box = [float(value) for value in cv2.boundingRect(mask)]
        rows["annotations"] += [
            {"image_id": number, "category_id": 1, "bbox": face},
            {"image_id": number, "category_id": 2, "bbox": box},
        ]
    (portraits / "boxes.json").write_text(json.dumps(rows), encoding="utf-8")
    if hands:
        _write_hands(folder / "hands", hands)
    return folder


def write_backgrounds(folder: Path, count: int = 20) -> Path:
    """Pictures of noise; the first one has a person in it, say its annotations."""
    (folder / "images").mkdir(parents=True)
    random = np.random.default_rng(0)
    images = []
    for number in range(1, count + 1):
        noise = random.integers(0, 255, (12, 16, 3), np.uint8)
        cv2.imwrite(str(folder / "images" / f"{number:03d}.jpg"), cv2.resize(noise, (160, 120)))
        images.append({"id": number, "file_name": f"{number:03d}.jpg"})
    told = {"categories": [{"id": 1, "name": "person"}], "images": images, "annotations": []}
    told["annotations"] = [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9]}]
    (folder / "instances.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def _write_hands(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    images, annotations = [], []
    random = np.random.default_rng(1)
    for number in range(1, count + 1):
        # A wall with a grain, a fist with a finger before it.
        image = np.clip(random.normal((90, 110, 80), 6, (160, 160, 3)), 0, 255).astype(np.uint8)
        cv2.circle(image, (80, 100), 32, SKIN_BGR, -1)
        cv2.line(image, (80, 90), (80, 42), SKIN_BGR, 16)
        name = f"a_{number:03d}.jpg"
        cv2.imwrite(str(folder / name), image)
        images.append({"id": number, "file_name": name})
        annotations.append({"image_id": number, "category_id": 1, "bbox": [46, 32, 68, 102]})
    told = {"images": images, "annotations": annotations}
    (folder / "hands.json").write_text(json.dumps(told), encoding="utf-8")
