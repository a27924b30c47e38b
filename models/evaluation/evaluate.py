"""Measures a model on whatever annotated data it is given: says what the data is, and hands it to its evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from models.evaluation.classification_evaluation import (
    SKETCHES,
    ZERO_SHOT,
    class_folders,
    evaluate_classifier,
    evaluate_sketches,
    is_sketch_folder,
)
from models.evaluation.coco_annotations import read_coco
from models.evaluation.detection_evaluation import LEAST_SCORE, MOST_DETECTIONS, evaluate_detector
from models.evaluation.errors import DataError
from models.evaluation.evaluation import Evaluation, EvaluationOptions, OnProgress
from models.evaluation.segmentation_evaluation import evaluate_segmentation, is_segmentation_folder
from models.model import Model, load_model
from models.package import Package, find_package

_LAYOUTS = {
    "object_detection": "COCO annotations (.json)",
    "instance_segmentation": "COCO annotations (.json)",
    "semantic_segmentation": "a folder with images/ and masks/",
    "image_classification": "a folder with one sub-folder a class",
    ZERO_SHOT: "a folder with one sub-folder a class, whose names become the texts",
    SKETCHES: "a folder of Quick, Draw! files (.npz, .npy, .ndjson), or one with one sub-folder a class",
}


def evaluate(
    model: str | Path,
    data: Path,
    options: EvaluationOptions | None = None,
    on_progress: OnProgress = lambda _done, _total: None,
) -> Evaluation:
    """Measure a model on annotated data.

    Args:
        model: a bundled name, a package folder or an `.onnx` file.
        data: COCO annotations or a folder that holds one such file; a folder with `images/` and `masks/`; a folder
            with one sub-folder a class; a folder of Quick, Draw! files.
        options: how to measure.
        on_progress: told of every picture.

    Raises:
        MirillaError: the model or the data is missing or damaged, or they are not for each other.
    """
    options = options or EvaluationOptions()
    _check(options)
    package = find_package(model, unverified=options.unverified)
    task = package.manifest.task
    if task not in _LAYOUTS:
        raise DataError(f"evaluate: {package.manifest.name}: there is no measure for {task} yet; give another model")
    data = data.expanduser()
    if not data.exists():
        raise DataError(f"data: {data} does not exist; for this model give {_LAYOUTS[task]}")
    _check_fit(options, task, data)
    if task in ("object_detection", "instance_segmentation"):
        annotations = read_coco(_annotation_file(data), options.images)
        return evaluate_detector(_loaded(package, options), annotations, options, on_progress)
    if data.is_dir() and task == SKETCHES and is_sketch_folder(data):
        return evaluate_sketches(package, data, options, on_progress)
    if data.is_dir() and task == "semantic_segmentation" and is_segmentation_folder(data):
        return evaluate_segmentation(_loaded(package, options), data, on_progress)
    if data.is_dir() and task in ("image_classification", SKETCHES) and class_folders(data):
        return evaluate_classifier(_loaded(package, options), data, on_progress)
    if data.is_dir() and task == ZERO_SHOT and class_folders(data):
        texts = [name.replace("_", " ") for name in class_folders(data)]
        return evaluate_classifier(_loaded(package, options, texts), data, on_progress)
    raise DataError(f"data: {data} is not in the layout for {task}; give {_LAYOUTS[task]}")


def _check(options: EvaluationOptions) -> None:
    limits = {"score": options.score, "iou": options.iou}
    if options.held_out is not None:
        limits["held-out"] = options.held_out
    for name, value in limits.items():
        if not 0 < value <= 1 or (name == "held-out" and value == 1):
            raise DataError(f"--{name}: expected a number above 0 and below 1, got {value}; mend it")


def _check_fit(options: EvaluationOptions, task: str, data: Path) -> None:
    """Raise DataError where an option has no meaning for the data: it would be left out in silence."""
    if options.images is not None and task not in ("object_detection", "instance_segmentation"):
        raise DataError(f"--images: only COCO annotations name pictures, and {task} has none; leave it out")
    if options.held_out is not None and not (task == SKETCHES and is_sketch_folder(data)):
        raise DataError(f"--held-out: only Quick, Draw! files have such a share, and {data} has none; leave it out")


def _annotation_file(data: Path) -> Path:
    if data.is_file():
        return data
    files = sorted(data.glob("*.json"))
    if len(files) != 1:
        lack = f"holds {len(files)} .json files" if files else "holds no .json file"
        raise DataError(f"data: {data} {lack}; give the file of COCO annotations")
    return files[0]


def _loaded(package: Package, options: EvaluationOptions, texts: Sequence[str] | None = None) -> Model:
    is_detector = package.manifest.task in ("object_detection", "instance_segmentation")
    return load_model(
        package.origin,
        device=options.device,
        threads=options.threads,
        threshold=LEAST_SCORE if is_detector else 0.0,
        max_detections=MOST_DETECTIONS,
        unverified=options.unverified,
        texts=texts,
    )
