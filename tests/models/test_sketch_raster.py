"""Strokes become the bitmaps that Quick, Draw! made of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.sketch_raster import fit_into_box, rasterize_strokes, simplify

UNIT_PX = 28 / 304  # the box of 256, padding and half the line on both sides, on 28 pixels
RADIUS = 8.0


def stroke(*points: tuple[float, float]) -> NDArray[np.float64]:
    return np.array(points, dtype=np.float64)


def ink_px(picture: NDArray[np.uint8]) -> float:
    """How many pixels' worth of full ink there is."""
    return float(picture.sum()) / 255


def test_a_horizontal_line_covers_its_area_in_the_middle() -> None:
    picture = rasterize_strokes([stroke((0, 0), (255, 0))])
    # A rectangle of 255 x 16 units and two half discs of radius 8 at its ends.
    area = (255 * 16 + np.pi * RADIUS**2) * UNIT_PX**2
    assert ink_px(picture) == pytest.approx(area, rel=0.03)
    assert np.flatnonzero(picture.any(axis=1)).tolist() == [13, 14]
    # Its ends lie 16 + 0.5 units from the picture's edges, which is in the second pixel.
    assert np.flatnonzero(picture.any(axis=0)).tolist() == list(range(1, 27))
    assert np.abs(picture.astype(int) - picture[::-1, ::-1]).max() <= 30


def test_one_point_is_a_disc_in_the_middle() -> None:
    picture = rasterize_strokes([stroke((40, 70))])
    # The disc is a polygon in truth, a little smaller.
    assert ink_px(picture) == pytest.approx(np.pi * RADIUS**2 * UNIT_PX**2, rel=0.15)
    assert np.flatnonzero(picture.any(axis=0)).tolist() == [13, 14]
    assert np.flatnonzero(picture.any(axis=1)).tolist() == [13, 14]


def test_scale_and_place_do_not_matter_but_proportions_do() -> None:
    drawing = [stroke((0, 0), (255, 0), (255, 127)), stroke((20, 20), (90, 110))]
    picture = rasterize_strokes(drawing)
    moved = rasterize_strokes([points * 3.7 + (1000, -50) for points in drawing])
    assert np.abs(picture.astype(int) - moved).max() <= 20
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    # 255 x 127 units and a line of 16: 25 x 13.2 pixels.
    assert (len(rows), len(columns)) == (14, 26)


@pytest.mark.parametrize(
    "strokes",
    [
        [],  # nothing drawn yet
        [np.zeros((0, 2))],  # a pen that was not put down
    ],
)
def test_nothing_drawn_is_black(strokes: list[NDArray[np.float64]]) -> None:
    picture = rasterize_strokes(strokes)
    assert picture.shape == (28, 28)
    assert picture.dtype == np.uint8
    assert not picture.any()


def test_other_sides_and_pens() -> None:
    drawing = [stroke((0, 0), (255, 255))]
    assert rasterize_strokes(drawing, 56).shape == (56, 56)
    assert ink_px(rasterize_strokes(drawing, 56)) == pytest.approx(4 * ink_px(rasterize_strokes(drawing)), rel=0.1)
    assert ink_px(rasterize_strokes(drawing, line_diameter=32)) > 1.7 * ink_px(rasterize_strokes(drawing))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (np.zeros(4), r"shape \(N, 2\)"),  # a flat list
        (np.zeros((2, 3)), r"shape \(N, 2\)"),  # with times
        (np.array([[0.0, np.nan]]), "finite"),
        (np.array([[0.0, np.inf]]), "finite"),
    ],
)
def test_what_is_no_stroke_is_refused(bad: NDArray[np.float64], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        rasterize_strokes([bad])


def test_fitting_keeps_proportions_and_starts_at_the_origin() -> None:
    fitted = fit_into_box([stroke((10, 20), (30, 20)), stroke((10, 60), (10, 60))])
    # The taller side, 40, becomes 255; the width, 20, becomes 127.5.
    np.testing.assert_allclose(fitted[0], np.array([[0, 0], [127.5, 0]]))
    np.testing.assert_allclose(fitted[1], np.array([[0.0, 255], [0, 255]]))


def test_simplifying_keeps_corners_and_drops_what_lies_between() -> None:
    corner = np.array([[0.0, 0], [50, 0.2], [100, 0], [100, 50], [100.2, 80], [100, 100]])
    # Scaled by 2.55 / 1.002; nothing between the corners is farther off the line than epsilon 2.
    (simple,) = simplify([corner])
    np.testing.assert_allclose(simple, np.array([[0, 0], [254.5, 0], [254.5, 254.5]]), atol=0.6)


@pytest.mark.parametrize("name", ["apple", "diamond", "train"])
def test_quickdraws_own_bitmaps_come_out(test_data: Path, name: str) -> None:
    """Of these categories the files of strokes and of bitmaps begin with the same drawings."""
    lines = (test_data / "quickdraw/strokes" / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()
    bitmaps = np.load(test_data / "quickdraw/bitmaps" / f"{name}.npz")["bitmaps"].reshape(-1, 28, 28)
    drawings = [[np.array(points[:2]).T for points in json.loads(line)["drawing"]] for line in lines]
    drawn = np.stack([rasterize_strokes(simplify(drawing)) for drawing in drawings]).astype(float)
    real = bitmaps[: len(drawn)].astype(float)
    differences = np.sqrt(((drawn - real) ** 2).mean(axis=(1, 2)))
    assert differences.mean() < 7, "grey levels, root mean square"
    assert differences.max() < 15, "the worst drawing"
    # One pixel to the side it is far off, so that the limit above means something.
    assert np.sqrt(((np.roll(drawn, 1, axis=2) - real) ** 2).mean()) > 40
    assert drawn.mean() == pytest.approx(real.mean(), rel=0.03)
    assert (drawn > 127).mean() == pytest.approx((real > 127).mean(), rel=0.03)
