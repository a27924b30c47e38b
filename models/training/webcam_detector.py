"""What `mirilla train webcam-detector` trains on, and how its package is measured: the project's data, or the user's.

The project's data is a folder with `quickdraw`, `people`, `coco` and `drawings`; a COCO file, or a folder with one, is
the user's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.evaluation.evaluate import evaluate
from models.evaluation.evaluation import Evaluation, EvaluationOptions
from models.manifest import MODEL_NAME, read_manifest, write_manifest
from models.training.box_data import BoxPicture, category_names, read_boxes, split_last
from models.training.coco_scenes import CocoScenes, PlainScenes
from models.training.detector_batches import SceneMaker
from models.training.detector_card import CREDIT, CURVES_NAME, draw_curves, webcam_card, write_record
from models.training.detector_scenes import CLASS_NAMES, WebcamScenes
from models.training.detector_settings import DetectorTrainingSettings
from models.training.errors import TrainingError
from models.training.evaluation_sets import PAGES, write_evaluation_sets
from models.training.train_detector import train_detector
from models.training.trained_detector import DetectorReport, TrainedDetector

HELD_OUT_FILE = "held-out.json"
SETS_FOLDER = "sets"


@dataclass(frozen=True, slots=True)
class DetectorData:
    """What a detector learns from.

    Attributes:
        class_names: of the detector.
        maker: scenes to train on.
        watched: scenes to look at meanwhile.
        watched_count: how many of them there are at the most.
        held_out: the user's pictures that never train; empty for the project's data, which has sets of its own.
        annotations: the user's file; None for the project's data.
    """

    class_names: tuple[str, ...]
    maker: SceneMaker
    watched: SceneMaker
    watched_count: int
    held_out: Sequence[BoxPicture] = ()
    annotations: Path | None = None


def read_detector_data(settings: DetectorTrainingSettings) -> DetectorData:
    """Find out what `settings.data` is, and read it.

    Raises:
        TrainingError: it is neither, or something of it is missing or in another layout.
    """
    data = settings.data.expanduser()
    if (data / "quickdraw").is_dir() and (data / "people").is_dir():
        scenes, new_ones = (WebcamScenes(data, settings.size_wh, settings.seed + add) for add in (0, 1))
        return DetectorData(CLASS_NAMES, scenes, new_ones, settings.watched)
    annotations = _annotation_file(data)
    names = category_names(annotations)
    training, held_out = split_last(read_boxes(annotations, names), settings.held_out)
    watched = PlainScenes(held_out, settings.size_wh)
    count = min(settings.watched, len(held_out))
    if not count:
        raise TrainingError(f"{annotations}: too few pictures, none is left to measure on; give more")
    return DetectorData(
        names, CocoScenes(training, settings.size_wh, settings.seed), watched, count, held_out, annotations
    )


def train_on(
    data: DetectorData, settings: DetectorTrainingSettings, on_report: Callable[[DetectorReport], None]
) -> TrainedDetector:
    """Train, and write the checkpoint with its record.

    Raises:
        TrainingError: as `train_detector`.
    """
    settings = replace(settings, watched=data.watched_count)
    trained = train_detector(settings, data.maker, data.watched, data.class_names, on_report)
    write_record(trained, settings, CREDIT if data.annotations is None else None)
    return trained


def measure_package(
    package: Path,
    data: DetectorData,
    settings: DetectorTrainingSettings,
    trained: TrainedDetector,
    on_set: Callable[[str], None],
) -> dict[str, float]:
    """Measure a package by `mirilla evaluate` on what never trained; write that into its manifest, and its papers.

    Returns:
        The figures, 0..1, as the manifest has them.

    Raises:
        MirillaError: the package does not load, or the data is gone.
    """
    if data.annotations is None:
        accuracy = measure_webcam_detector(package, settings.data, settings.output / SETS_FOLDER, on_set)
        size_mb = (package / MODEL_NAME).stat().st_size / 1e6
        (package / "README.md").write_text(webcam_card(trained, settings, accuracy, size_mb), encoding="utf-8")
    else:
        subset = settings.output / HELD_OUT_FILE
        _write_subset(data.annotations, data.held_out, subset)
        result = evaluate(package, subset, EvaluationOptions(images=data.annotations.parent, device="cpu"))
        accuracy = {name: value for name in ("map", "ap50") if (value := result.figures[name]) is not None}
    draw_curves(package / CURVES_NAME, trained)
    write_manifest(read_manifest(package).model_copy(update={"accuracy": accuracy}), package)
    return accuracy


def measure_webcam_detector(package: Path, data: Path, sets: Path, on_set: Callable[[str], None]) -> dict[str, float]:
    """The figures of the webcam detector; the evaluation sets are written where they are not there yet.

    Returns:
        `drawing_ap50`, `drawing_ap`, `face_ap50`, `hand_ap50`, and `false_drawings`: how many a photograph without any.
    """
    if not (sets / "scenes").is_dir():
        write_evaluation_sets(data, sets, PAGES, on_set)
    options = EvaluationOptions(device="cpu")
    pages = evaluate(package, sets / "pages" / "drawings.json", options)
    on_set("pages measured")
    faces = evaluate(package, sets / "faces" / "faces.json", options)
    hands = evaluate(package, sets / "hands" / "hands.json", options)
    empty = evaluate(package, sets / "photographs" / "photographs.json", options)
    figures = {
        "drawing_ap50": pages.figures["ap50"],
        "drawing_ap": pages.figures["map"],
        "face_ap50": faces.figures["ap50"],
        "hand_ap50": hands.figures["ap50"],
        "false_drawings": false_per_picture(empty),
    }
    return {name: value for name, value in figures.items() if value is not None}


def false_per_picture(evaluation: Evaluation) -> float:
    """How many detections at the evaluation's score are wrong, a picture."""
    return float(evaluation.settings["wrong"]) / evaluation.pictures


def _annotation_file(data: Path) -> Path:
    if data.is_file():
        return data
    files = sorted(data.glob("*.json")) if data.is_dir() else []
    if len(files) != 1:
        raise TrainingError(
            f"data: {data}: expected COCO annotations (.json), a folder with one such file, or a folder with quickdraw "
            "and people; give one of them"
        )
    return files[0]


def _write_subset(annotations: Path, pictures: Sequence[BoxPicture], output: Path) -> None:
    """A COCO file of some of another's pictures."""
    content = json.loads(annotations.read_bytes())
    names = {picture.path.name for picture in pictures}
    images = [row for row in content["images"] if Path(row["file_name"]).name in names]
    kept = {row["id"] for row in images}
    rows = [row for row in content["annotations"] if row["image_id"] in kept]
    output.write_text(json.dumps({**content, "images": images, "annotations": rows}), encoding="utf-8")
