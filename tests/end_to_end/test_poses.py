"""A pose model behind a detector, as a user runs it: skeletons in the picture, keypoints in the results files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.end_to_end.conftest import Mirilla
from tests.models.stand_in_packages import detector_package, pose_package

# Of a picture of 64x64.
ROWS = [[8, 8, 24, 56, 0.9, 1], [44, 20, 64, 64, 0.8, 1], [30, 2, 40, 12, 0.7, 0]]


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Three frames of 128x128 in which a red spot, in the first person's box, moves down."""
    folder = tmp_path / "street"
    folder.mkdir()
    for index in range(3):
        picture = np.full((128, 128, 3), 60, np.uint8)
        cv2.circle(picture, (30, 60 + 8 * index), 4, (60, 60, 250), cv2.FILLED, cv2.LINE_AA)
        cv2.imwrite(str(folder / f"{index}.png"), picture)
    detector_package(tmp_path / "detector", ROWS)
    pose_package(tmp_path / "pose")
    return folder


def test_poses_of_those_whom_the_detector_finds(mirilla: Mirilla, street: Path, tmp_path: Path) -> None:
    options = ["--track", "--device", "cpu", "--no-hud", "--report", "report.json"]
    sinks = ["--sink", "frames/", "--sink", "out.jsonl", "--sink", "out.csv"]
    result = mirilla("run", "--source", street, "--model", "pose", "--detector", "detector", *sinks, *options)
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    for index, line in enumerate(lines):
        said = line["results"]["pose"]
        assert said["task"] == "keypoint_detection"
        first, second = said["poses"]
        assert (first["label"], first["track_id"], second["track_id"]) == ("person", 1, 2)
        assert first["box"] == {"xmin": 16.0, "ymin": 16.0, "xmax": 48.0, "ymax": 112.0}
        nose = first["keypoints"][first["labels"].index("Nose")]
        assert nose == pytest.approx([30, 60 + 8 * index], abs=1.5)
        assert len(first["keypoints"]) == len(first["scores"]) == len(first["labels"])
    assert lines[-1]["counts"]["pose"] == {"present": {"person": 2}, "unique": {"person": 2}}
    # A table has a row a person.
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    said = [(row["label"], row["track_id"]) for row in rows if row["task"] == "keypoint_detection"]
    assert said == [("person", "1"), ("person", "2")] * 3
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["frames"]["inferred"] == {"pose": 3}
    assert report["models"]["pose"]["detector"] == "detector"
    drawn = cv2.imread(str(sorted((tmp_path / "frames").iterdir())[0]))
    assert drawn is not None
    assert (drawn[:50] != 60).any()


def test_people_with_poses_can_be_isolated(mirilla: Mirilla, street: Path, tmp_path: Path) -> None:
    arguments = ["--source", street / "0.png", "--model", "pose", "--no-hud", "--isolate", "person"]
    result = mirilla("run", *arguments, "--detector", "detector", "--sink", "frames/")
    assert result.returncode == 0, result.stderr
    drawn = cv2.imread(str(next((tmp_path / "frames").iterdir())))
    assert drawn is not None
    inside = np.zeros((128, 128), np.bool_)
    inside[16:112, 16:48] = inside[40:128, 88:128] = True
    # Skeletons, and the joints that are guessed beyond a box, are thin.
    assert (drawn[~inside] == 255).all(axis=1).mean() > 0.95
    assert (drawn[inside] == 60).all(axis=1).mean() > 0.95


CONFIG = """
streams:
  street:
    source: street
    models: [{package: pose, threshold: 0.5, detector: {package: detector, classes: [dog], threshold: 0.6}}]
    sinks: [out.jsonl]
"""


def test_a_configuration_says_more_of_the_detector(mirilla: Mirilla, street: Path, tmp_path: Path) -> None:
    assert street.is_dir()
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    result = mirilla("run", path)
    assert result.returncode == 0, result.stderr
    first = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])
    assert [one["label"] for one in first["results"]["pose"]["poses"]] == ["dog"]


def test_the_whole_picture_may_be_one_person(mirilla: Mirilla, street: Path, tmp_path: Path) -> None:
    arguments = ["--source", street / "0.png", "--model", "pose", "--detector", "none", "--sink", "out.jsonl"]
    result = mirilla("run", *arguments)
    assert result.returncode == 0, result.stderr
    (line,) = (tmp_path / "out.jsonl").read_text().splitlines()
    (person,) = json.loads(line)["results"]["pose"]["poses"]
    assert person["box"] == {"xmin": 0.0, "ymin": 0.0, "xmax": 128.0, "ymax": 128.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--model", "pose"],
            "pose: a pose model has to be told where people are; give a detector's package as 'detector' (--detector), "
            "or 'none' to take the whole picture for one person",
        ),
        (["--model", "detector", "--detector", "detector"], "detector: only pose and sketch models look at what"),
        (
            ["--model", "pose", "--detector", "pose"],
            "detector: pose is for keypoint_detection; give one for object_det",
        ),
        (["--model", "pose", "--detector", "detector", "--isolate", "persn"], "did you mean 'person'?"),
        (["--model", "pose", "--detector", "detector", "--isolate", "dog"], "find; they find person"),
        (["--model", "pose", "--detector", "none", "--isolate", "person"], "no model of the stream says where things"),
        (["--model", "pose", "--detector", "nothing"], "model: 'nothing' is neither a bundled model nor a file"),
        (["--model", "pose", "--detector", "detector", "--classes", "person"], "classes: 'person' is no class of the"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_frame(
    mirilla: Mirilla, street: Path, arguments: list[str], message: str
) -> None:
    result = mirilla("run", "--source", street, "--sink", "out.jsonl", *arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_poses_are_neither_compared_nor_evaluated(mirilla: Mirilla, street: Path) -> None:
    compared = mirilla("compare", "pose", "detector", "--source", street)
    assert (compared.returncode, compared.stderr.strip()) == (
        2,
        "mirilla: compare: pose: poses cannot be compared yet; give other models",
    )
    evaluated = mirilla("evaluate", "pose", "--data", street)
    assert evaluated.returncode == 2
    assert "there is no measure for keypoint_detection yet" in evaluated.stderr
