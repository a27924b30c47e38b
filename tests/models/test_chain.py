"""A detector and a pose model in a row: each person is looked at, and the keypoints are the picture's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models import ModelError, Poses, TopDown, load_model
from tests.models.stand_in_packages import KEYPOINTS, detector_package, pose_package

# Of 64x64: a person at the left, one who is cut off by the right border, a dog, and someone unlikely.
ROWS = [[8, 8, 24, 56, 0.9, 1], [44, 20, 64, 64, 0.8, 1], [30, 2, 40, 12, 0.7, 0], [26, 40, 40, 60, 0.2, 1]]
BLUE, GREEN, RED = 0, 1, 2


def spotted(size_wh: tuple[int, int], spots: Sequence[tuple[int, int, int]]) -> NDArray[np.uint8]:
    """A grey picture with soft spots at (x, y) in one channel each."""
    picture = np.full((size_wh[1], size_wh[0], 3), 60, np.uint8)
    for x, y, channel in spots:
        plane = np.zeros(picture.shape[:2], np.float32)
        plane[y, x] = 1
        # A spot of a little over a cell, which the refinement of peaks is made for.
        soft = cv2.GaussianBlur(plane, (0, 0), 3)
        picture[..., channel] = np.maximum(picture[..., channel], 60 + 180 * soft / soft.max())
    return picture


def chain(folder: Path, rows: Sequence[Sequence[float]] = ROWS, **detector: Any) -> TopDown:
    found = load_model(detector_package(folder / "detector", rows), device="cpu", **detector)
    return TopDown(found, load_model(pose_package(folder / "pose"), device="cpu"))


def test_every_person_has_the_keypoints_of_their_own_cut(tmp_path: Path) -> None:
    # Twice as wide and three times as high as what the detector sees.
    spots = [(30, 60, RED), (22, 100, GREEN), (40, 130, BLUE), (110, 90, RED), (100, 150, GREEN), (118, 170, BLUE)]
    poses = chain(tmp_path)(spotted((128, 192), spots))
    assert poses.objects.labels == ["person", "person"]
    assert poses.objects.boxes_xyxy.tolist() == [[16, 24, 48, 168], [88, 60, 128, 192]]
    expected = np.array([[(x, y) for x, y, _ in spots[:3]], [(x, y) for x, y, _ in spots[3:]]])
    np.testing.assert_allclose(poses.keypoints_xy, expected, atol=0.6)
    assert poses.keypoint_names == KEYPOINTS
    assert poses.scores.min() > 0.8


@pytest.mark.parametrize(
    ("rows", "options", "labels"),
    [
        (ROWS, {"threshold": 0.1}, ["person", "person", "person"]),
        (ROWS, {"max_detections": 1}, ["person"]),
        # Who names classes has them looked at.
        (ROWS, {"classes": ["dog"]}, ["dog"]),
        (ROWS[2:3], {}, []),
        ([], {}, []),
    ],
)
def test_the_detector_says_who_is_looked_at(
    tmp_path: Path, rows: list[list[float]], options: dict[str, Any], labels: list[str]
) -> None:
    poses = chain(tmp_path, rows, **options)(spotted((64, 64), []))
    assert poses.objects.labels == labels
    assert poses.keypoints_xy.shape == (len(labels), 3, 2)


def test_a_detector_that_knows_no_person_is_taken_at_its_word(tmp_path: Path) -> None:
    detector = detector_package(tmp_path / "detector", ROWS, ("cat", "dog"))
    pose = load_model(pose_package(tmp_path / "pose"), device="cpu")
    poses = TopDown(load_model(detector, device="cpu"), pose)(spotted((64, 64), []))
    assert poses.objects.labels == ["dog", "dog", "cat"]


def test_a_graph_of_one_picture_sees_one_after_the_other(tmp_path: Path) -> None:
    pose = pose_package(
        tmp_path / "pose",
        input={"height": 64, "width": 48, "resize": "box_crop", "antialias": False, "dynamic_batch": False},
    )
    detector = load_model(detector_package(tmp_path / "detector", ROWS), device="cpu")
    picture = spotted((64, 64), [(14, 20, RED), (54, 40, RED)])
    expected = chain(tmp_path / "batch")(picture)
    found = TopDown(detector, load_model(pose, device="cpu"))(picture)
    np.testing.assert_array_equal(found.keypoints_xy, expected.keypoints_xy)


@pytest.mark.parametrize("size_wh", [(1, 1), (3, 500), (641, 37)])
def test_pictures_of_every_size_are_taken(tmp_path: Path, size_wh: tuple[int, int]) -> None:
    poses = chain(tmp_path)(spotted(size_wh, []))
    assert poses.keypoints_xy.shape == (2, 3, 2)


def test_stages_are_timed_of_both_models(tmp_path: Path) -> None:
    stages: list[str] = []

    class Timed:
        def __init__(self, stage: str) -> None:
            stages.append(stage)

        def __enter__(self) -> None:
            pass

        def __exit__(self, *_: object) -> None:
            pass

    model = chain(tmp_path)
    model(spotted((64, 64), []), Timed)
    assert stages == ["preprocess", "inference", "postprocess"] * 2
    assert (model.name, model.package.origin) == ("pose", str(tmp_path / "pose"))


def test_a_pose_model_alone_takes_the_picture_for_one_person(tmp_path: Path) -> None:
    poses = load_model(pose_package(tmp_path / "pose"), device="cpu")(spotted((60, 80), [(20, 30, RED)]))
    assert isinstance(poses, Poses)
    assert poses.objects.boxes_xyxy.tolist() == [[0, 0, 60, 80]]
    np.testing.assert_allclose(poses.keypoints_xy[0, 0], [20, 30], atol=0.6)


@pytest.mark.parametrize(
    ("detector", "pose", "message"),
    [
        ("pose", "pose", "detector: .*pose is for keypoint_detection; give one for object_detection or instance_seg"),
        ("detector", "detector", "model: .*detector is for object_detection; only pose models .* look at what"),
    ],
)
def test_models_for_something_else_are_refused(tmp_path: Path, detector: str, pose: str, message: str) -> None:
    detector_package(tmp_path / "detector", ROWS)
    pose_package(tmp_path / "pose")
    models = [load_model(tmp_path / name, device="cpu") for name in (detector, pose)]
    with pytest.raises(ModelError, match=message):
        TopDown(*models)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"class_names": ("Nose",), "skeleton": ()}, "heatmaps with 1 class names expects (N, 1, H, W), got (1, 3, 64"),
        (
            {"input": {"height": 64, "width": 48, "resize": "stretch"}},
            "input.resize: 'stretch' is not box_crop, the only rule that keypoint_detection has",
        ),
    ],
)
def test_a_manifest_that_does_not_fit_is_named(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=re.escape(message)):
        load_model(pose_package(tmp_path / "pose", **fields), device="cpu")
