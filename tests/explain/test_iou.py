"""The picture of intersection over union: its areas are those of the boxes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from stream.errors import ConfigError, SinkError
from stream.explain.iou import Box, draw_iou, parse_box, write_iou


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [
        # 12,000 of 55,400
        ((40, 40, 240, 190), (120, 90, 340, 260), 12000 / 55400),
        # the same
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        # one within the other
        ((0, 0, 100, 100), (25, 25, 75, 75), 0.25),
        # apart, of very unlike sizes, and negative
        ((-5, -5, -4.5, -4.5), (100, 0, 900, 3), 0.0),
    ],
)
def test_value_and_picture(a: Box, b: Box, value: float, tmp_path: Path) -> None:
    path = tmp_path / "new" / "iou.png"
    assert write_iou(a, b, path, overwrite=False) == pytest.approx(value)
    picture = cv2.imread(str(path))
    assert picture is not None
    assert np.array_equal(picture, draw_iou(a, b))
    assert np.array_equal(draw_iou(a, b)[0, 0], [250, 249, 248])


def test_the_shared_part_is_filled_in_proportion() -> None:
    # B is A moved by half of its width: a third of what both cover. The caption lies below line 540.
    picture = draw_iou((0, 0, 200, 100), (100, 0, 300, 100))[:540].astype(int)
    inked = np.abs(picture - (250, 249, 248)).max(axis=2) > 20
    left, right = np.flatnonzero(inked.sum(axis=0) > 100)[[0, -1]]
    green = (picture[..., 1] > picture[..., 0] + 20) & (picture[..., 1] > picture[..., 2] + 20)
    row = green[300]
    assert row.sum() / (right - left + 1) == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,x", "5,0,5,9", "0,9,5,0", "0,0,inf,1", "1 2 3 4"])
def test_what_is_no_box_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--b: expected x1,y1,x2,y2"):
        parse_box("--b", text)


def test_spaces_and_fractions_are_a_box() -> None:
    assert parse_box("--a", " 1, 2.5 ,3,1e2 ") == (1, 2.5, 3, 100)


def test_a_name_of_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"iou\.jpg is no \.png"):
        write_iou((0, 0, 2, 2), (1, 1, 3, 3), tmp_path / "iou.jpg", overwrite=False)
    assert not list(tmp_path.iterdir())


def test_an_earlier_picture_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "iou.png"
    path.write_text("mine")
    with pytest.raises(SinkError, match="--overwrite"):
        write_iou((0, 0, 1, 1), (0, 0, 1, 1), path, overwrite=False)
    assert path.read_text() == "mine"
