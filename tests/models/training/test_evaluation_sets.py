"""The evaluation sets are COCO files of what never trains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.training.box_data import is_held_out_hand
from models.training.evaluation_sets import LEAST_FACE, write_evaluation_sets, write_pages
from models.training.page_drawings import DrawingBook
from models.training.pages import PageMaker
from tests.models.training.drawn_files import SHAPES, write_strokes


def content_of(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_pages_are_written_as_they_are(tmp_path: Path) -> None:
    maker = PageMaker(DrawingBook(write_strokes(tmp_path / "strokes", 10), "held_out"), (96, 72))
    pages = [maker.make(1, index) for index in range(6)]
    write_pages(tmp_path / "pages", iter(pages))
    drawings, categories = (content_of(tmp_path / "pages" / f"{name}.json") for name in ("drawings", "categories"))
    assert [row["name"] for row in drawings["categories"]] == ["drawing"]
    assert [row["name"] for row in categories["categories"]] == list(SHAPES)
    assert len(drawings["annotations"]) == sum(len(page.boxes_xyxy) for page in pages) > 0
    for index, page in enumerate(pages):
        rows = [row for row in categories["annotations"] if row["image_id"] == index]
        boxes = [[x, y, x + w, y + h] for x, y, w, h in (row["bbox"] for row in rows)]
        assert boxes == page.boxes_xyxy.tolist()
        assert [row["category_id"] - 1 for row in rows] == page.categories.tolist()
        mask = cv2.imread(str(tmp_path / "pages/masks" / f"{index:04d}.png"), cv2.IMREAD_GRAYSCALE)
        assert np.array_equal(mask == 255, page.ink)
        image = cv2.imread(str(tmp_path / "pages/images" / f"{index:04d}.jpg"))
        assert image is not None
        assert np.abs(image.astype(int) - page.image).mean() < 4


@pytest.fixture(scope="module")
def sets(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    write_evaluation_sets(test_data, folder, 2, lambda name: None)  # noqa: ARG005 - a listener that does not listen
    return folder


def test_every_set_is_there(sets: Path) -> None:
    pictures = {path.name: len(list((path / "images").iterdir())) for path in sets.iterdir()}
    # A tenth of 683 photographs and 836 portraits; sessions; 28 and 100 of the 128 of COCO; the doodle scenes.
    assert pictures == {
        "pages": 2,
        "pages-32": 2,
        "faces": 69 + 84,
        "hands": 279,
        "photographs": 28,
        "photographs-seen": 100,
        "scenes": 102,
    }


def test_small_faces_count_neither_way(sets: Path) -> None:
    content = content_of(sets / "faces/faces.json")
    heights = {row["id"]: row["height"] for row in content["images"]}
    for row in content["annotations"]:
        assert row["iscrowd"] == int(row["bbox"][3] < LEAST_FACE * heights[row["image_id"]])
    assert 100 < sum(1 - row["iscrowd"] for row in content["annotations"]) < len(content["annotations"])


def test_hands_are_of_sessions_that_never_train(sets: Path) -> None:
    names = [row["file_name"].split("-", 1)[1] for row in content_of(sets / "hands/hands.json")["images"]]
    assert all(is_held_out_hand(name) for name in names)


def test_photographs_have_no_drawings(sets: Path) -> None:
    assert content_of(sets / "photographs/photographs.json")["annotations"] == []
