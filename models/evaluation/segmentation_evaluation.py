"""Measures a segmentation model on a folder with `images/` and `masks/`, matched by the stems of their names.

A mask holds a class number for each pixel: the line of `classes.txt` in the folder, counted from 0, or the model's own
class id where there is no such file. 255 is not counted, except that in a mask of nothing but 0 and 255, for a model of
two classes, it stands for the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.evaluation.charts import draw_confusion
from models.evaluation.class_matching import ClassMatching, match_classes
from models.evaluation.errors import DataError
from models.evaluation.evaluation import Evaluation, OnProgress
from models.evaluation.pictures import pictures_in, read_picture
from models.evaluation.segmentation_figures import SegmentationTally
from models.model import Model
from models.segmentation_map import UNLABELLED, SegmentationMap

IMAGES, MASKS, CLASSES = "images", "masks", "classes.txt"
_NOT_COUNTED = 255
_VALUES = UNLABELLED + 1


def is_segmentation_folder(folder: Path) -> bool:
    """Whether a folder has pictures and masks in the two places."""
    return (folder / IMAGES).is_dir() and (folder / MASKS).is_dir()


def evaluate_segmentation(model: Model, folder: Path, on_progress: OnProgress) -> Evaluation:
    """Run a segmentation model over the pictures of a folder.

    Raises:
        DataError: nothing of the data is for this model, or a picture or a mask is missing, damaged or of another size.
    """
    pairs = _pairs(folder)
    names = _class_names(folder) or dict(enumerate(model.manifest.class_names))
    matching = match_classes(model.manifest.class_names, names)
    rows = {data_id: row for row, data_id in enumerate(matching.names)}
    row_of_truth = _lookup(len(rows), rows)
    row_of_guess = _lookup(len(rows), {class_id: rows[data_id] for class_id, data_id in matching.data_ids.items()})
    tally = SegmentationTally(list(matching.names.values()))
    for number, (picture, mask) in enumerate(pairs):
        found = model(read_picture(picture))
        if not isinstance(found, SegmentationMap):
            raise DataError(f"data: {folder} has masks, and {model.name} makes none; give other data")
        truth = _read_mask(mask, found.class_map.shape, names)
        tally.add(row_of_truth[truth], row_of_guess[found.class_map])
        on_progress(number + 1, len(pairs))
    return _evaluation(model, folder, len(pairs), tally, matching)


def _pairs(folder: Path) -> list[tuple[Path, Path]]:
    masks = {path.stem: path for path in pictures_in(folder / MASKS)}
    pictures = pictures_in(folder / IMAGES)
    missing = [path.name for path in pictures if path.stem not in masks]
    if missing or not pictures:
        lack = f"{missing[0]} has no mask of its name" if missing else f"no pictures in {IMAGES}/"
        raise DataError(f"data: {folder}: {lack}; give each picture in {IMAGES}/ a mask in {MASKS}/")
    return [(path, masks[path.stem]) for path in pictures]


def _class_names(folder: Path) -> dict[int, str] | None:
    path = folder / CLASSES
    if not path.is_file():
        return None
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {number: name for number, name in enumerate(lines) if name}


def _lookup(other: int, rows: Mapping[int, int]) -> NDArray[np.int64]:
    """Rows of the tally by class number; `other` for numbers that have none."""
    table = np.full(_VALUES, other, np.int64)
    table[list(rows)] = list(rows.values())
    return table


def _read_mask(path: Path, shape: tuple[int, ...], names: Mapping[int, str]) -> NDArray[np.uint16]:
    try:
        # Pillow keeps the numbers of a palette picture, of which OpenCV would make colours.
        mask = np.asarray(Image.open(path))
    except (OSError, ValueError) as error:
        raise DataError(f"data: {path} cannot be read ({error}); copy it again") from error
    if mask.shape != shape:
        raise DataError(
            f"data: {path}: expected a class number for each pixel of {shape[1]}x{shape[0]}, got an array of "
            f"{mask.shape}; write masks of one channel, at their pictures' size"
        )
    values = np.unique(mask)
    if len(names) == 2 and set(values.tolist()) <= {0, 255}:
        return (mask > 0).astype(np.uint16)
    strangers = [value for value in values.tolist() if value not in names and value != _NOT_COUNTED]
    if strangers:
        raise DataError(f"data: {path}: {strangers[0]} is the number of no class; name it in {CLASSES}")
    return mask.astype(np.uint16)


def _evaluation(
    model: Model, folder: Path, count: int, tally: SegmentationTally, matching: ClassMatching
) -> Evaluation:
    title = f"{model.name}, pixels of {folder.name}"
    chart = partial(draw_confusion, title=title, confusion=tally.confusion, names=tally.names)
    return Evaluation(
        model=model.name,
        task=model.manifest.task,
        data=str(folder),
        pictures=count,
        figures=tally.figures(),
        classes=tally.class_rows(),
        notes=matching.notes(),
        charts={"confusion.png": chart},
    )
