"""Reads object annotations in COCO's JSON layout (https://cocodataset.org/#format-data), and finds their pictures."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.evaluation.errors import DataError
from models.evaluation.matching import Objects
from models.evaluation.pictures import PictureIndex

_REQUIRED = {
    "images": ("id", "file_name"),
    "categories": ("id", "name"),
    "annotations": ("id", "image_id", "category_id", "bbox"),
}


@dataclass(frozen=True, slots=True)
class AnnotatedPicture:
    """One picture of the annotations.

    Attributes:
        image_id: as the annotations number it.
        path: where it lies.
        size_wh: width and height at which it was annotated, in pixels; None where the file does not say.
    """

    image_id: int
    path: Path
    size_wh: tuple[int, int] | None

    def check_size(self, size_wh: tuple[int, int]) -> None:
        """Raise DataError where the picture has another size than its annotations."""
        if self.size_wh is not None and self.size_wh != size_wh:
            got, wanted = (f"{width}x{height}" for width, height in (size_wh, self.size_wh))
            raise DataError(f"data: {self.path} is {got}, and was annotated at {wanted}; give the original pictures")


@dataclass(frozen=True, slots=True)
class CocoAnnotations:
    """Objects that people marked in pictures.

    Attributes:
        path: the JSON file.
        pictures: in the file's order.
        category_names: by category id, in the file's order.
        content: the file as it is, with the fields filled in that its layout allows to leave out.
    """

    path: Path
    pictures: Sequence[AnnotatedPicture]
    category_names: Mapping[int, str]
    content: Mapping[str, Any]

    @property
    def has_masks(self) -> bool:
        """Whether every object has an outline or a mask."""
        rows = self.content["annotations"]
        return bool(rows) and all(row.get("segmentation") for row in rows)

    def objects(self) -> dict[int, Objects]:
        """The objects by image id, labelled with their category ids; pictures without objects have empty ones."""
        rows = _rows_by_image(self.content)
        return {picture.image_id: _as_objects(rows[picture.image_id]) for picture in self.pictures}


def read_coco(path: Path, images: Path | None = None) -> CocoAnnotations:
    """Read a JSON file and find its pictures.

    Args:
        path: the file.
        images: the folder below which the pictures lie; the file's own where None.

    Raises:
        DataError: the file is in another layout, or pictures are missing; names the first thing that is wrong.
    """
    content = _checked_content(path)
    pictures = _find_pictures(path, images or path.parent, content["images"])
    return CocoAnnotations(path, pictures, _category_names(content), content)


def read_coco_objects(path: Path) -> tuple[dict[int, str], dict[str, Objects]]:
    """What a JSON file says of pictures that lie elsewhere: category names by id, and objects by file name.

    Raises:
        DataError: the file is in another layout.
    """
    content = _checked_content(path)
    rows = _rows_by_image(content)
    objects = {Path(row["file_name"]).name: _as_objects(rows[row["id"]]) for row in content["images"]}
    return _category_names(content), objects


def _checked_content(path: Path) -> dict[str, Any]:
    content = _read_json(path)
    for key, fields in _REQUIRED.items():
        _check_rows(path, key, content.get(key), fields)
    categories = _category_names(content)
    known = {row["id"] for row in content["images"]}
    for row in content["annotations"]:
        _complete(path, row, known, categories)
    return content


def _category_names(content: Mapping[str, Any]) -> dict[int, str]:
    return {row["id"]: str(row["name"]) for row in content["categories"]}


def _rows_by_image(content: Mapping[str, Any]) -> defaultdict[int, list[Mapping[str, Any]]]:
    rows = defaultdict(list)
    for row in content["annotations"]:
        rows[row["image_id"]].append(row)
    return rows


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"data: {path} is no JSON that can be read ({error}); give COCO annotations") from error
    if not isinstance(content, dict):
        raise DataError(f"data: {path}: expected an object with {', '.join(_REQUIRED)}; give COCO annotations")
    return content


def _check_rows(path: Path, key: str, rows: Any, fields: Sequence[str]) -> None:
    if not isinstance(rows, list):
        raise DataError(f"data: {path}: {key}: expected a list; give COCO annotations")
    for number, row in enumerate(rows):
        missing = [name for name in fields if not isinstance(row, dict) or name not in row]
        if missing:
            raise DataError(f"data: {path}: {key}[{number}]: {missing[0]} is missing; give COCO annotations")


def _complete(path: Path, row: dict[str, Any], image_ids: set[int], categories: Mapping[int, str]) -> None:
    where = f"data: {path}: annotation {row['id']}"
    if row["image_id"] not in image_ids or row["category_id"] not in categories:
        raise DataError(f"{where}: its image_id or its category_id is not in the file; mend it")
    box = np.asarray(row["bbox"], np.float64) if isinstance(row["bbox"], list) else np.empty(0)
    if box.shape != (4,) or not np.isfinite(box).all() or (box[2:] < 0).any():
        raise DataError(f"{where}: bbox: expected [left, top, width, height], got {row['bbox']}; mend it")
    row.setdefault("iscrowd", 0)
    row.setdefault("area", float(box[2] * box[3]))


def _find_pictures(path: Path, folder: Path, rows: Sequence[Mapping[str, Any]]) -> list[AnnotatedPicture]:
    index = PictureIndex(folder)
    found = [(row, index.find(str(row["file_name"]))) for row in rows]
    missing = [row["file_name"] for row, file in found if file is None]
    if missing:
        raise DataError(
            f"data: {len(missing)} of the {len(rows)} pictures of {path} are not below {folder}, the first is "
            f"{missing[0]}; give their folder with --images"
        )
    if not found:
        raise DataError(f"data: {path} names no pictures; give annotations that do")
    return [AnnotatedPicture(row["id"], file, _size_wh(row)) for row, file in found if file is not None]


def _size_wh(row: Mapping[str, Any]) -> tuple[int, int] | None:
    return (int(row["width"]), int(row["height"])) if row.get("width") and row.get("height") else None


def _as_objects(rows: Sequence[Mapping[str, Any]]) -> Objects:
    boxes = np.array([row["bbox"] for row in rows], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    labels = np.array([row["category_id"] for row in rows], np.int64)
    return Objects(boxes, labels, np.array([bool(row["iscrowd"]) for row in rows], np.bool_))
