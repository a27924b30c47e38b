"""Writes what the webcam models are measured on as COCO files that `mirilla evaluate` reads: nothing of it ever trains.

Called by `mirilla train webcam-sets`. Pages are made of held-out drawings before held-out photographs, with a seed of
their own; photographs are those that `models/training/detector_scenes.py` holds out.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.box_data import BoxPicture, category_names, read_boxes
from models.training.detector_scenes import CLASS_NAMES, held_out_backdrops, page_makers, read_people
from models.training.pages import Page

PAGES = 500
PAGES_SEED = 20_261
_PAGE_WH = (640, 480)
_JPEG_QUALITY = 95
LEAST_FACE = 0.08
"""Of the picture's height: faces that are smaller count neither way."""


def write_evaluation_sets(data: Path, output: Path, pages: int, on_set: Callable[[str], None]) -> None:
    """Write the folders `pages`, `pages-32`, `faces`, `hands`, `scenes`, `photographs` and `photographs-seen`.

    Args:
        data: the data folder, with `quickdraw`, `people`, `coco`, `drawings`.
        output: is made; sets in it are replaced.
        pages: how many pages; the stated figures are of 500.
        on_set: told the name of each set when it is there.

    Raises:
        TrainingError: something of the data is missing.
    """
    backdrops = held_out_backdrops(data)
    named = tuple(sorted(path.stem for path in (data / "quickdraw/bitmaps").glob("*.npz")))
    for name, categories in (("pages", None), ("pages-32", named)):
        makers = page_makers(data, _PAGE_WH, "held_out", backdrops, categories)
        made = (makers[index % len(makers)].make(PAGES_SEED, index) for index in range(pages))
        write_pages(output / name, made)
        on_set(name)
    people = read_people(data)
    for name, pictures, names in (
        ("faces", [*people.held_out["faces"], *people.held_out["portraits"]], ("face",)),
        ("hands", people.held_out["hands"], ("hand",)),
        ("photographs", people.held_out["photographs"], ("drawing",)),
        ("photographs-seen", people.empty, ("drawing",)),
    ):
        _write_photographs(output / name, pictures, names)
        on_set(name)
    _write_photographs(output / "scenes", _doodle_scenes(data), ("drawing",))
    on_set("scenes")


def write_pages(folder: Path, pages: Iterator[Page]) -> None:
    """Write pages as `images/`, `masks/` (255 on the ink), `drawings.json` (one class) and `categories.json`."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    images: list[dict[str, Any]] = []
    boxes: list[tuple[int, NDArray[np.float32], int]] = []
    names: tuple[str, ...] = ()
    for index, page in enumerate(pages):
        name = f"{index:04d}"
        picture = folder / "images" / f"{name}.jpg"
        cv2.imwrite(str(picture), page.image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        cv2.imwrite(str(folder / "masks" / f"{name}.png"), page.ink.astype(np.uint8) * 255)
        images.append(_image(index, picture.name, page.image))
        boxes += [(index, box, int(kind)) for box, kind in zip(page.boxes_xyxy, page.categories, strict=True)]
        names = page.class_names
    (folder / "masks" / "classes.txt").unlink(missing_ok=True)
    _write_json(folder / "drawings.json", images, ["drawing"], [(image, box, 0, False) for image, box, _ in boxes])
    _write_json(folder / "categories.json", images, names, [(image, box, kind, False) for image, box, kind in boxes])


def _doodle_scenes(data: Path) -> list[BoxPicture]:
    """Scenes that people drew on a screen, each thing in them a drawing, whatever it shows."""
    path = data / "drawings/scenes/scenes.json"
    pictures = read_boxes(path, category_names(path))
    number = CLASS_NAMES.index("drawing")
    return [replace(picture, class_ids=np.full_like(picture.class_ids, number)) for picture in pictures]


def _write_photographs(folder: Path, pictures: Sequence[BoxPicture], names: Sequence[str]) -> None:
    """Copies of photographs, and a COCO file of the classes in question."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "images").mkdir(parents=True)
    images, rows = [], []
    for index, picture in enumerate(pictures):
        # Two data sets may have the same names.
        name = f"{index:04d}-{picture.path.name}"
        shutil.copyfile(picture.path, folder / "images" / name)
        scene = picture.read()
        images.append(_image(index, name, scene.image))
        for box, class_id in zip(scene.boxes_xyxy, scene.class_ids, strict=True):
            if CLASS_NAMES[class_id] in names:
                small = CLASS_NAMES[class_id] == "face" and box[3] - box[1] < LEAST_FACE * scene.image.shape[0]
                rows.append((index, box, names.index(CLASS_NAMES[class_id]), bool(small)))
    _write_json(folder / f"{folder.name}.json", images, names, rows)


def _image(index: int, name: str, image: NDArray[np.uint8]) -> dict[str, Any]:
    height, width = image.shape[:2]
    return {"id": index, "file_name": name, "width": width, "height": height}


def _write_json(
    path: Path,
    images: Sequence[dict[str, Any]],
    names: Sequence[str],
    rows: Sequence[tuple[int, NDArray[np.float32], int, bool]],
) -> None:
    """COCO's layout; the last of a row is whether the object counts neither way, which COCO says as `iscrowd`."""
    annotations = []
    for number, (image, box, kind, ignored) in enumerate(rows, start=1):
        left, top, right, bottom = (float(value) for value in box)
        size = [right - left, bottom - top]
        row = {"id": number, "image_id": image, "category_id": kind + 1, "bbox": [left, top, *size]}
        annotations.append({**row, "area": size[0] * size[1], "iscrowd": int(ignored)})
    categories = [{"id": index, "name": name} for index, name in enumerate(names, start=1)]
    content = {"images": list(images), "categories": categories, "annotations": annotations}
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")
