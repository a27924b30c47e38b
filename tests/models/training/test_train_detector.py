"""The training loop of detectors on scenes made by code: it learns, repeats itself, goes on where it was cut off."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from transformers import AutoImageProcessor, AutoModelForObjectDetection

from models.training.box_data import Scene
from models.training.coco_scenes import CocoScenes, PlainScenes
from models.training.detector_batches import as_batch, batches
from models.training.detector_settings import DetectorTrainingSettings
from models.training.errors import TrainingError
from models.training.train_detector import RESUME_FILE, train_detector
from models.training.trained_detector import DetectorReport, TrainedDetector
from models.training.webcam_detector import read_detector_data, train_on

NAMES = ("square", "disc")


class Shapes:
    """A white square or disc on grey; the class of discs is not labelled in every third scene."""

    def scene(self, index: int) -> Scene:
        random = np.random.default_rng((5, index))
        image = np.full((64, 64, 3), 90, np.uint8)
        side = int(random.integers(16, 32))
        left, top = (int(value) for value in random.integers(0, 64 - side, 2))
        kind = int(random.integers(2))
        if kind == 0:
            image[top : top + side, left : left + side] = 255
        else:
            cv2.circle(image, (left + side // 2, top + side // 2), side // 2, (255, 255, 255), -1)
        labelled = kind == 0 or index % 3 > 0
        boxes = np.array([[left, top, left + side, top + side]] if labelled else [], np.float32).reshape(-1, 4)
        ids = np.array([kind] if labelled else [], np.int64)
        return Scene(image, boxes, ids, np.array([True, index % 3 > 0]))


def settings(output: Path) -> DetectorTrainingSettings:
    return DetectorTrainingSettings(
        data=output,
        output=output,
        width=64,
        height=64,
        channels=(8, 8, 16, 16),
        model_width=16,
        feed_forward=16,
        decoder_layers=2,
        queries=6,
        denoising=4,
        steps=6,
        batch_size=4,
        rise=2,
        report_every=3,
        watched=8,
        loaders=0,
        mixed_precision=False,
        seed=3,
    )


def run(wanted: DetectorTrainingSettings) -> tuple[TrainedDetector, list[DetectorReport]]:
    reports: list[DetectorReport] = []
    return train_detector(wanted, Shapes(), Shapes(), NAMES, reports.append), reports


def test_it_learns(tmp_path: Path) -> None:
    wanted = replace(settings(tmp_path), steps=40, learning_rate=3e-3, report_every=40)
    trained, reports = run(wanted)
    assert len(trained.losses) == 40
    assert np.mean(trained.losses[-10:]) < 0.8 * np.mean(trained.losses[:10])
    assert [report.step for report in reports] == [40]
    assert 0 <= reports[0].map <= 1
    # What is left is a checkpoint as any other of transformers.
    model = AutoModelForObjectDetection.from_pretrained(trained.checkpoint, local_files_only=True)
    assert model.config.id2label == {0: "square", 1: "disc"}
    processor = AutoImageProcessor.from_pretrained(trained.checkpoint)  # type: ignore[no-untyped-call]
    assert dict(processor.size) == {"height": 64, "width": 64}


def test_a_training_that_was_cut_off_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole, _ = run(settings(tmp_path / "whole"))
    cut_off = settings(tmp_path / "cut")
    first, _ = run(replace(cut_off, stop_after=3))
    assert len(first.losses) == 3
    second, reports = run(replace(cut_off, resume=True))
    assert list(second.losses) == list(whole.losses)
    assert [report.step for report in second.history] == [3, 6]
    assert [report.step for report in reports] == [6]
    assert second.command.endswith("--resume")
    weights = [torch.load(tmp_path / name / RESUME_FILE)["average"] for name in ("whole", "cut")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_training_can_be_made_longer_before_its_rate_falls(tmp_path: Path) -> None:
    short, long = settings(tmp_path), replace(settings(tmp_path), steps=12)
    # A fifth of six steps falls: from step 4.8 on, so step 5 is the only one that differs.
    rates = [[each.learning_rate_at(step) / each.learning_rate for step in range(6)] for each in (short, long)]
    assert rates[0] == pytest.approx([0.5, 1, 1, 1, 1, 1 / 1.2])
    assert rates[1] == pytest.approx([0.5, 1, 1, 1, 1, 1])
    assert long.learning_rate_at(11) / long.learning_rate == pytest.approx(1 / 2.4)


def test_state_of_another_network_is_refused(tmp_path: Path) -> None:
    run(replace(settings(tmp_path), steps=1))
    with pytest.raises(TrainingError, match="another network or damaged"):
        run(replace(settings(tmp_path), queries=7, model_width=32, resume=True))


def test_the_number_of_loaders_changes_nothing() -> None:
    alone, helped = (list(batches(Shapes(), 2, 3, 5, loaders)) for loaders in (0, 1))
    assert len(alone) == len(helped) == 2
    for (images, labels), (other_images, other_labels) in zip(alone, helped, strict=True):
        assert torch.equal(images, other_images)
        assert all(torch.equal(a[key], b[key]) for a, b in zip(labels, other_labels, strict=True) for key in a)
    assert torch.equal(alone[0][0], as_batch([Shapes().scene(6), Shapes().scene(7)])[0])


def test_a_batch_is_what_transformers_wants() -> None:
    image = np.zeros((20, 40, 3), np.uint8)
    image[..., 0] = 200  # blue
    boxes = np.array([[10, 5, 30, 15]], np.float32)
    images, labels = as_batch([Scene(image, boxes, np.array([1]), np.array([True, False]))])
    assert images.shape == (1, 3, 20, 40)
    assert images[0, :, 0, 0].tolist() == [0, 0, 200]
    assert labels[0]["boxes"].tolist() == [[0.5, 0.5, 0.5, 0.5]]
    assert labels[0]["class_labels"].tolist() == [1]
    assert labels[0]["complete"].tolist() == [True, False]


def write_own_data(folder: Path, count: int) -> Path:
    """The shapes as a user's COCO file."""
    folder.mkdir()
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index in range(count):
        scene = Shapes().scene(3 * index + 1)
        name = f"{index:03d}.png"
        cv2.imwrite(str(folder / name), scene.image)
        images.append({"id": index, "file_name": name, "width": 64, "height": 64})
        for box, kind in zip(scene.boxes_xyxy.tolist(), scene.class_ids.tolist(), strict=True):
            size = [box[2] - box[0], box[3] - box[1]]
            annotations.append(
                {"id": len(annotations) + 1, "image_id": index, "category_id": kind + 1, "bbox": box[:2] + size}
            )
    categories = [{"id": index, "name": name} for index, name in enumerate(NAMES, start=1)]
    path = folder / "own.json"
    path.write_text(json.dumps({"images": images, "categories": categories, "annotations": annotations}))
    return path


def test_a_users_own_pictures_train_from_a_checkpoint(tmp_path: Path) -> None:
    begun, _ = run(replace(settings(tmp_path / "begun"), steps=2))
    path = write_own_data(tmp_path / "own", 20)
    wanted = replace(settings(tmp_path / "out"), data=path, start=begun.checkpoint, steps=2)
    data = read_detector_data(wanted)
    assert data.class_names == NAMES
    assert [picture.path.name for picture in data.held_out] == ["018.png", "019.png"]
    reports: list[DetectorReport] = []
    trained = train_on(data, wanted, reports.append)
    assert len(reports) == 1
    record = json.loads((trained.checkpoint / "training.json").read_text())
    assert "--start" in record["command"]
    assert record["attribution"] is None, "whose the pictures are is for the user to say"
    assert (trained.checkpoint / "training.png").stat().st_size > 1000


def test_every_picture_comes_before_any_comes_again(tmp_path: Path) -> None:
    wanted = replace(settings(tmp_path / "out"), data=write_own_data(tmp_path / "own", 10), held_out=0.2)
    data = read_detector_data(wanted)
    assert isinstance(data.maker, CocoScenes)
    assert isinstance(data.watched, PlainScenes)
    plain = data.watched.scene(0)
    stored = cv2.imread(str(data.held_out[0].path))
    assert stored is not None
    assert np.array_equal(plain.image, stored)
    scenes = [data.maker.scene(index) for index in range(8)]
    again = data.maker.scene(3)
    assert np.array_equal(scenes[3].image, again.image)
    assert all(scene.image.shape == (64, 64, 3) for scene in scenes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"width": 100}, "width: expected a multiple of 32"),
        ({"depths": (1, 2, 2, 2)}, "depths: expected four of at least 2"),
        ({"steps": 0}, "steps: expected at least 1"),
        ({"fall": 1.5}, "fall"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        DetectorTrainingSettings.from_texts([], data=tmp_path, output=tmp_path, **changes)


def test_words_of_a_command_line_become_settings_and_back(tmp_path: Path) -> None:
    texts = ["queries=40", "channels=8,16,32,64"]
    wanted = DetectorTrainingSettings.from_texts(texts, data=tmp_path / "data", output=tmp_path / "mine", steps=99)
    assert (wanted.queries, wanted.channels, wanted.steps) == (40, (8, 16, 32, 64), 99)
    assert wanted.command().startswith("mirilla train webcam-detector --data ")
    assert wanted.command().endswith("--output mine --set channels=8,16,32,64 --set queries=40 --steps 99")
    with pytest.raises(TrainingError, match="did you mean 'queries'"):
        DetectorTrainingSettings.from_texts(["querys=4"], data=tmp_path, output=tmp_path)


def test_only_what_is_a_detector_of_the_family_can_be_started_from(tmp_path: Path) -> None:
    (tmp_path / "start").mkdir()
    with pytest.raises(TrainingError, match="holds no checkpoint"):
        run(replace(settings(tmp_path / "out"), start=tmp_path / "start"))
    (tmp_path / "start/config.json").write_text(json.dumps({"model_type": "yolos"}))
    with pytest.raises(TrainingError, match="is a yolos"):
        run(replace(settings(tmp_path / "out"), start=tmp_path / "start"))
