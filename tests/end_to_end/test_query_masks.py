"""A head of query masks, as a user runs it: its masks reach results files, pictures, isolate, ids and figures."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from tests.end_to_end.conftest import Mirilla
from tests.models.stand_in_packages import query_mask_package

SIZE_HW = (96, 128)


def discs() -> list[tuple[float, int, NDArray[np.bool_]]]:
    """A person at the left, and a dog at the right, on planes of 32x32."""
    y, x = np.mgrid[:32, :32]
    person, dog = ((x - cx) ** 2 + (y - 16) ** 2 < 36 for cx in (8, 24))
    return [(0.7, 0, dog), (0.9, 1, person), (0.95, 2, x >= 0)]


@pytest.fixture
def field(tmp_path: Path) -> Path:
    """Two grey frames, and the package beside them."""
    query_mask_package(tmp_path / "masker", discs())
    folder = tmp_path / "field"
    folder.mkdir()
    for index in range(2):
        cv2.imwrite(str(folder / f"{index}.png"), np.full((*SIZE_HW, 3), 90, np.uint8))
    return folder


def expected_mask(plane: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The plane at the frame's size, its border between two cells."""
    enlarged = cv2.resize(plane.astype(np.float32), SIZE_HW[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged > 0.5)


def test_masks_reach_every_sink(mirilla: Mirilla, field: Path, tmp_path: Path) -> None:
    sinks = ["--sink", "out.jsonl", "--sink", "masks:masks/", "--sink", "frames/"]
    result = mirilla("run", "--source", field, "--model", "masker", "--track", "--no-hud", *sinks)
    assert result.returncode == 0, result.stderr
    first, second = (
        json.loads(line)["results"]["masker"] for line in (tmp_path / "out.jsonl").read_text().splitlines()
    )
    assert first["task"] == "instance_segmentation"
    assert [one["label"] for one in first["detections"]] == ["person", "dog"]
    assert [one["track_id"] for one in second["detections"]] == [one["track_id"] for one in first["detections"]]
    dog, person, _ = discs()
    for one, (*_, plane) in zip(first["detections"], (person, dog), strict=True):
        mask = coco_mask.decode(one["mask"]).astype(bool)
        # Each pixel is one of the two's: what neither covers goes to the likelier one there.
        assert mask.shape == SIZE_HW
        assert (mask & expected_mask(plane)).sum() == expected_mask(plane).sum()
        track = one["track_id"]
        picture = cv2.imread(str(tmp_path / "masks" / f"frame_000000_masker_{one['label']}_{track}.png"), 0)
        assert picture is not None
        assert ((picture == 255) == mask).all()
    drawn = cv2.imread(str(sorted((tmp_path / "frames").iterdir())[0]))
    assert drawn is not None
    assert (drawn != 90).any()


def test_one_label_is_isolated_to_the_pixel(mirilla: Mirilla, field: Path, tmp_path: Path) -> None:
    arguments = ["--isolate", "dog", "--no-hud", "--sink", "frames/", "--sink", "out.jsonl"]
    result = mirilla("run", "--source", field, "--model", "masker", *arguments)
    assert result.returncode == 0, result.stderr
    said = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])["results"]["masker"]["detections"]
    dog = coco_mask.decode(next(one for one in said if one["label"] == "dog")["mask"]).astype(bool)
    shown = cv2.imread(str(sorted((tmp_path / "frames").iterdir())[0]))
    assert shown is not None
    assert (shown[dog] == 90).all()
    assert (shown[~dog] == 255).all()


def test_masks_are_measured(mirilla: Mirilla, field: Path, tmp_path: Path) -> None:
    result = mirilla("run", "--source", field / "0.png", "--model", "masker", "--sink", "out.jsonl")
    assert result.returncode == 0, result.stderr
    (line,) = (tmp_path / "out.jsonl").read_text().splitlines()
    annotations = []
    for index, one in enumerate(json.loads(line)["results"]["masker"]["detections"], 1):
        box = one["box"]
        corners = [box["xmin"], box["ymin"], box["xmax"] - box["xmin"], box["ymax"] - box["ymin"]]
        annotations.append(
            {
                "id": index,
                "image_id": 1,
                "category_id": {"person": 1, "dog": 2}[one["label"]],
                "bbox": corners,
                "area": int(coco_mask.area(one["mask"])),
                "iscrowd": 0,
                "segmentation": one["mask"],
            }
        )
    content = {
        "images": [{"id": 1, "file_name": "0.png", "width": SIZE_HW[1], "height": SIZE_HW[0]}],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}],
        "annotations": annotations,
    }
    (field / "annotations.json").write_text(json.dumps(content))
    result = mirilla("evaluate", "masker", "--data", field / "annotations.json", "--json", "figures.json")
    assert result.returncode == 0, result.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())["figures"]
    assert figures["map"] == pytest.approx(1.0)
    assert figures["mask_map"] == pytest.approx(1.0)
