"""Measures a classifier on a folder with one sub-folder a class, or a sketch network on Quick, Draw! files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.classification import Classification
from models.evaluation.charts import draw_confusion
from models.evaluation.class_matching import ClassMatching, match_classes
from models.evaluation.classification_figures import ClassificationTally
from models.evaluation.errors import DataError
from models.evaluation.evaluation import Evaluation, EvaluationOptions, OnProgress
from models.evaluation.pictures import pictures_in, read_picture
from models.model import Model
from models.onnx_session import OnnxSession
from models.package import Package
from models.training.quickdraw_data import BITMAP_SUFFIXES, STROKES_SUFFIX, Split, category_names, read_sketches

_BATCH = 256
_TOP = 5
SKETCHES = "sketch_classification"
ZERO_SHOT = "zero_shot_image_classification"


def is_sketch_folder(folder: Path) -> bool:
    """Whether a folder has Quick, Draw! files in it."""
    return any(path.suffix in (*BITMAP_SUFFIXES, STROKES_SUFFIX) for path in folder.iterdir())


def class_folders(folder: Path) -> dict[str, list[Path]]:
    """The pictures by class: of each sub-folder that has any, under its name."""
    found = {path.name: pictures_in(path) for path in sorted(folder.iterdir()) if path.is_dir()}
    return {name: pictures for name, pictures in found.items() if pictures}


def evaluate_classifier(model: Model, folder: Path, on_progress: OnProgress) -> Evaluation:
    """Run a classifier over the pictures of a folder's sub-folders.

    Args:
        model: loaded so that it reports at least its best five classes.
        folder: with one sub-folder a class.
        on_progress: told of every picture.

    Raises:
        DataError: nothing of the data is for this model, or a picture cannot be read.
    """
    pictures = class_folders(folder)
    matching = match_classes(model.manifest.class_names, dict(enumerate(pictures)))
    rows = _rows(matching)
    tally = ClassificationTally(list(matching.names.values()))
    work = [(row, path) for row, name in enumerate(matching.names.values()) for path in pictures[name]]
    for number, (row, path) in enumerate(work):
        said = model(read_picture(path))
        if not isinstance(said, Classification):
            raise DataError(f"data: {folder} has classes of pictures, and {model.name} names none; give other data")
        guesses = rows[said.class_ids]
        # A sketch model says nothing of a picture in which it finds no drawing.
        tally.add(np.array([row]), (guesses if len(guesses) else np.array([len(tally.names)]))[None])
        on_progress(number + 1, len(work))
    return _evaluation(model.name, model.manifest.task, folder, tally, matching.notes())


def evaluate_sketches(
    package: Package, folder: Path, options: EvaluationOptions, on_progress: OnProgress
) -> Evaluation:
    """Show a sketch network the drawings of Quick, Draw! files, as they are.

    Raises:
        DataError: the model reads no drawings, or nothing of the data is for it.
        TrainingError: a file is not in Google's layout.
    """
    manifest = package.manifest
    if manifest.task != SKETCHES:
        raise DataError(f"data: {folder} has drawings, and {manifest.name} is for {manifest.task}; give other data")
    matching = match_classes(manifest.class_names, dict(enumerate(category_names(folder))))
    names = list(matching.names.values())
    split = Split(options.held_out or 0.0, 0.0)
    sketches = read_sketches(folder, "training" if options.held_out is None else "held_out", split, names)
    bitmaps, spec = sketches.rendered(), manifest.input
    session = OnnxSession(package.model_path, device=options.device, threads=options.threads)
    step = _BATCH if spec.dynamic_batch else 1
    rows, tally = _rows(matching), ClassificationTally(names)
    for start in range(0, len(bitmaps), step):
        levels = bitmaps[start : start + step, None].astype(np.float32) * np.float32(spec.scale)
        logits = session.run({spec.name: (levels - np.float32(spec.mean[0])) / np.float32(spec.std[0])})
        best = np.argsort(-logits[manifest.outputs[0]], axis=1, kind="stable")[:, :_TOP]
        tally.add(sketches.labels[start : start + step], rows[best])
        on_progress(min(start + step, len(bitmaps)), len(bitmaps))
    settings = {} if options.held_out is None else {"held_out": options.held_out}
    return _evaluation(manifest.name, manifest.task, folder, tally, matching.notes(), settings)


def _rows(matching: ClassMatching) -> NDArray[np.int64]:
    """The row of the tally by the model's class id; the number of rows for classes that the data does not have."""
    row_by_id = {data_id: row for row, data_id in enumerate(matching.names)}
    class_count = len(matching.data_ids) + len(matching.only_in_model)
    table = np.full(class_count, len(row_by_id), np.int64)
    for class_id, data_id in matching.data_ids.items():
        table[class_id] = row_by_id[data_id]
    return table


def _evaluation(
    name: str,
    task: str,
    folder: Path,
    tally: ClassificationTally,
    notes: list[str],
    settings: Mapping[str, float] | None = None,
) -> Evaluation:
    title = f"{name} on {folder.name}"
    chart = partial(draw_confusion, title=title, confusion=tally.confusion, names=tally.names)
    return Evaluation(
        model=name,
        task=task,
        data=str(folder),
        pictures=int(tally.counts.sum()),
        figures=tally.figures(),
        classes=tally.class_rows(),
        settings=settings or {},
        notes=notes,
        charts={"confusion.png": chart},
    )
