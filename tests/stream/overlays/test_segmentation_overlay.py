"""What is drawn for a segmentation map: a tint a class, borders between them, and a legend by area."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.results import UNLABELLED, SegmentationMap
from stream.overlays.drawing import draw
from stream.overlays.theme import class_colour, sizes_for

NAMES = ("background", "árbol", "cielo", "camino")


def halves(
    left: int, right: int, names: tuple[str, ...] = NAMES, size_wh: tuple[int, int] = (640, 360)
) -> SegmentationMap:
    width, height = size_wh
    class_map = np.full((height, width), left, np.uint16)
    class_map[:, width // 2 :] = right
    return SegmentationMap("semantic_segmentation", class_map, names)


def noise(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def is_coloured(picture: NDArray[np.uint8], class_id: int) -> NDArray[np.bool_]:
    return np.asarray((picture == np.array(class_colour(class_id), np.uint8)).all(axis=2))


def test_every_pixel_is_half_its_class() -> None:
    before = noise(640, 360)
    picture = draw(before, halves(1, 2))
    # Below the legend.
    for part, class_id in ((np.s_[200:350, 10:310], 1), (np.s_[200:350, 330:630], 2)):
        expected = before[part] / 2 + np.array(class_colour(class_id)) / 2
        np.testing.assert_allclose(picture[part], expected, atol=0.51)


def test_borders_keep_the_colours_of_their_sides() -> None:
    picture = draw(noise(640, 360), halves(1, 2))
    assert is_coloured(picture, 1)[200:350, 319].all()
    assert is_coloured(picture, 2)[200:350, 320].all()
    assert not is_coloured(picture, 1)[200:350, :310].any()


@pytest.mark.parametrize("left", [0, UNLABELLED])  # background, nothing
def test_what_is_nothing_stays_as_it_is(left: int) -> None:
    before = noise(640, 360)
    picture = draw(before, halves(left, 3))
    np.testing.assert_array_equal(picture[:, :310], before[:, :310])
    assert (picture[200:350, 330:] != before[200:350, 330:]).any(axis=2).all()


def test_a_map_without_anything_draws_nothing() -> None:
    before = noise(64, 48)
    np.testing.assert_array_equal(draw(before, halves(UNLABELLED, 0, size_wh=(64, 48))), before)


def swatches(picture: NDArray[np.uint8], class_ids: list[int]) -> list[int]:
    """For each class the first row of the legend's swatch, or -1 where it has none."""
    sizes = sizes_for(picture.shape[1], picture.shape[0])
    left = picture.shape[1] - sizes.margin - sizes.panel_width + sizes.padding
    column = picture[:, left + sizes.text // 3]
    rows = [np.flatnonzero((column == np.array(class_colour(i), np.uint8)).all(axis=1)) for i in class_ids]
    return [int(found[0]) if len(found) else -1 for found in rows]


def test_the_legend_lists_classes_by_area_without_the_background() -> None:
    class_map = np.zeros((720, 1280), np.uint16)
    class_map[:, :600] = 3
    class_map[:, 600:900] = 1
    class_map[:, 900:905] = 2
    picture = draw(np.zeros((720, 1280, 3), np.uint8), SegmentationMap("semantic_segmentation", class_map, NAMES))
    third, first, second, background = swatches(picture, [3, 1, 2, 0])
    assert 0 < third < first < second
    assert background == -1


def test_a_legend_is_as_long_as_there_is_room() -> None:
    names = tuple(f"class {number}" for number in range(30))
    class_map = np.repeat(np.arange(30, dtype=np.uint16), 10)[None].repeat(100, axis=0)
    for height, rows in ((1200, 8), (100, 4)):
        picture = draw(
            np.zeros((height, 300, 3), np.uint8),
            SegmentationMap("semantic_segmentation", class_map.repeat(height // 100, axis=0), names),
        )
        assert picture.shape == (height, 300, 3)
        assert sum(row >= 0 for row in swatches(picture, list(range(8)))) <= rows


def test_more_classes_than_colours_are_drawn() -> None:
    names = tuple(f"class {number}" for number in range(1000))
    before = noise(640, 360)
    picture = draw(before, halves(255, 999, names))
    assert (picture[200:350] != before[200:350]).any(axis=2).mean() > 0.99


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 720), (16, 16), (721, 405), (720, 1280), (3840, 2160)])
def test_every_size_is_drawn_on(width: int, height: int) -> None:
    before = np.full((height, width, 3), 7, np.uint8)
    assert (draw(before, halves(1, 2, size_wh=(width, height))) != before).any()
