"""COCO files as training data: what is labelled, what is not, and what never trains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.training.box_data import hand_session, is_held_out_hand, read_boxes, split_last, split_where
from models.training.errors import TrainingError


def write_coco(folder: Path, rows: list[dict[str, Any]], names: tuple[str, ...] = ("hand", "cup")) -> Path:
    """Two grey pictures b.png and a.png, and boxes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("b.png", "a.png"):
        cv2.imwrite(str(folder / name), np.full((40, 60, 3), 128, np.uint8))
    content = {
        "images": [
            {"id": 1, "file_name": "b.png", "width": 60, "height": 40},
            {"id": 2, "file_name": "a.png", "width": 60, "height": 40},
        ],
        "categories": [{"id": 7 + index, "name": name} for index, name in enumerate(names)],
        "annotations": [{"id": number, **row} for number, row in enumerate(rows, start=1)],
    }
    path = folder / "boxes.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_only_the_classes_of_the_file_are_complete(tmp_path: Path) -> None:
    path = write_coco(
        tmp_path,
        [
            {"image_id": 1, "category_id": 7, "bbox": [10, 5, 20, 10]},
            {"image_id": 1, "category_id": 8, "bbox": [0, 0, 9, 9]},  # a cup is no class of the detector
            {"image_id": 1, "category_id": 7, "bbox": [3, 3, 0, 4]},  # no area: nothing to be found
        ],
    )
    second, first = read_boxes(path, ("face", "hand", "drawing"), absent=("drawing",))
    assert [second.path.name, first.path.name] == ["a.png", "b.png"], "by name, whatever the file's order"
    assert first.boxes_xyxy.tolist() == [[10, 5, 30, 15]]
    assert first.class_ids.tolist() == [1]
    assert first.complete.tolist() == [False, True, True]
    assert second.boxes_xyxy.shape == (0, 4)
    assert first.read().image.shape == (40, 60, 3)


def test_a_crowd_makes_its_class_incomplete_in_its_picture(tmp_path: Path) -> None:
    row = {"image_id": 2, "category_id": 7, "bbox": [0, 0, 50, 30], "iscrowd": 1}
    crowded, other = read_boxes(write_coco(tmp_path, [row]), ("hand",))
    assert crowded.boxes_xyxy.shape == (0, 4)
    assert crowded.complete.tolist() == [False]
    assert other.complete.tolist() == [True]


@pytest.mark.parametrize(
    ("breaking", "said"),
    [
        (lambda path: path.write_text("{"), "boxes.json"),  # torn
        (lambda path: (path.parent / "a.png").unlink(), "a.png"),  # a picture is missing
        (lambda path: path.unlink(), "boxes.json"),  # there is no file
    ],
)
def test_what_is_wrong_with_the_data_is_said_in_one_line(tmp_path: Path, breaking: Any, said: str) -> None:
    path = write_coco(tmp_path, [])
    breaking(path)
    with pytest.raises(TrainingError, match=said) as caught:
        read_boxes(path, ("hand",))
    assert "\n" not in str(caught.value)


def test_data_without_any_class_of_the_detector_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"hand, cup.*none of face"):
        read_boxes(write_coco(tmp_path, []), ("face",))


def test_a_picture_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    path = write_coco(tmp_path, [])
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(TrainingError, match=r"a\.png is no picture"):
        read_boxes(path, ("hand",))[0].read()


@pytest.mark.parametrize(
    ("name", "session"),
    [
        ("s_1528664299.56_pic00034.jpg", "s_1528664299.56_"),
        ("s_pic00021.jpg", "s_"),
        ("g_IMG-20230312-WA0486_jpg.rf.fc9a.jpg", "g_20230312"),
        ("g_Screenshot-2023-03-14-213428_png.rf.02.jpg", "g_20230314"),
        ("a_K8_jpg.rf.0a.jpg", "a_K"),
    ],
)
def test_sessions_of_hands_go_by_their_names(name: str, session: str) -> None:
    assert hand_session(name) == session


def test_what_is_held_out_never_trains(tmp_path: Path) -> None:
    pictures = read_boxes(write_coco(tmp_path, []), ("hand",))
    training, held_out = split_last(pictures, 0.5)
    assert [[p.path.name for p in part] for part in (training, held_out)] == [["a.png"], ["b.png"]]
    training, held_out = split_where(pictures, lambda name: name.startswith("a"))
    assert [[p.path.name for p in part] for part in (training, held_out)] == [["b.png"], ["a.png"]]


def test_about_a_seventh_of_the_hands_is_held_out_by_whole_sessions(test_data: Path) -> None:
    names = [path.name for path in (test_data / "people/hands/images").iterdir()]
    held_out = [name for name in names if is_held_out_hand(name)]
    assert 0.1 <= len(held_out) / len(names) <= 0.16
    assert {name[0] for name in held_out} == {"s", "g", "a"}, "of every kind"
    assert not {hand_session(name) for name in held_out} & {hand_session(n) for n in names if not is_held_out_hand(n)}
