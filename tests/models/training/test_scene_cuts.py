"""However a picture is framed, its boxes lie where its objects are."""

from __future__ import annotations

import numpy as np
import pytest

from models.training.box_data import Scene
from models.training.scene_cuts import CutRange, cut, mirrored

SIZE = (96, 64)
ALL = np.array([True, True])


def marked(boxes: list[tuple[int, int, int, int]], size_wh: tuple[int, int] = (160, 120)) -> Scene:
    """Black, with an object as a white box."""
    image = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    for left, top, right, bottom in boxes:
        image[top:bottom, left:right] = 255
    return Scene(image, np.array(boxes, np.float32).reshape(-1, 4), np.zeros(len(boxes), np.int64), ALL)


@pytest.mark.parametrize(
    "how",
    [
        CutRange(far_chance=0.0, near=0.9),  # nearly all of it
        CutRange(far_chance=0.0, near=0.3),  # near
        CutRange(far_chance=1.0, far=3.0),  # from afar, with a margin
        CutRange(squeeze_std=0.5),  # out of proportion
        CutRange(quarter_turn_chance=1.0),  # on its side
    ],
    ids=["whole", "near", "afar", "squeezed", "turned"],
)
def test_a_box_stays_on_its_object(how: CutRange) -> None:
    scene = marked([(40, 30, 90, 70)])
    margin = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    seen = 0
    for seed in range(40):
        framed = cut(scene, SIZE, how, margin, np.random.default_rng(seed))
        assert framed.image.shape == (64, 96, 3)
        rows, columns = np.nonzero(framed.image[..., 0] >= 128)
        if len(framed.boxes_xyxy):
            seen += 1
            white = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert framed.boxes_xyxy[0] == pytest.approx(np.array(white), abs=1.5)
        else:
            assert not framed.complete[0], "what was cut off may still be found"
            assert framed.complete[1]
    assert seen > 25


def test_left_becomes_right() -> None:
    scene = mirrored(marked([(10, 30, 40, 70)]))
    assert scene.boxes_xyxy.tolist() == [[120, 30, 150, 70]]
    assert (scene.image[30:70, 120:150] == 255).all()
    assert scene.image.sum() == 255 * 3 * 40 * 30


@pytest.mark.parametrize("size_wh", [(1, 1), (3, 500), (500, 2)])
def test_pictures_of_any_size_are_framed(size_wh: tuple[int, int]) -> None:
    scene = marked([], size_wh)
    for seed in range(10):
        margin = np.full((SIZE[1], SIZE[0], 3), 9, np.uint8)
        framed = cut(scene, SIZE, CutRange(), margin, np.random.default_rng(seed))
        assert framed.image.shape == (64, 96, 3)
        assert len(framed.boxes_xyxy) == 0
