"""Random changes keep a drawing a drawing, and depend on their generator alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.sketch_raster import draw_in_box, fit_into_box
from models.training.augment import GENTLE, HARD, Augmentation, augment_bitmap, augment_strokes

Picture = NDArray[np.uint8]
HOUSE = fit_into_box(
    [
        np.array([[0.0, 4], [0, 10], [8, 10], [8, 4], [0, 4], [4, 0], [8, 4]]),
        np.array([[3.0, 10], [3, 7], [5, 7], [5, 10]]),
        np.array([[6.0, 6]]),
    ]
)
BITMAP = draw_in_box(HOUSE)
STILL = Augmentation(
    rotation_std_deg=0,
    scale_std=0,
    shear_std=0,
    shift_std_px=0,
    mirror_chance=0,
    wave_std=0,
    stroke_shift_std=0,
    stroke_scale_std=0,
    stroke_rotation_std_deg=0,
    truncate_chance=0,
    drop_stroke_chance=0,
    line_diameter_range=(16, 16),
    erase_chance=0,
    level_range=(127, 127),
)


def of_bitmap(how: Augmentation, seed: int = 0) -> Picture:
    return augment_bitmap(BITMAP, how, np.random.default_rng(seed))


def of_strokes(how: Augmentation, seed: int = 0) -> Picture:
    return augment_strokes(HOUSE, how, np.random.default_rng(seed))


BOTH = pytest.mark.parametrize("draw", [of_bitmap, of_strokes], ids=["bitmap", "strokes"])


def differences(a: Picture, b: Picture) -> float:
    """Root mean square, in grey levels."""
    return float(np.sqrt(((a.astype(float) - b) ** 2).mean()))


@BOTH
@pytest.mark.parametrize("how", [GENTLE, HARD], ids=["gentle", "hard"])
def test_the_seed_decides(draw: Callable[[Augmentation, int], Picture], how: Augmentation) -> None:
    pictures = [draw(how, seed) for seed in range(20)]
    again = [draw(how, seed) for seed in range(20)]
    assert all(np.array_equal(a, b) for a, b in zip(pictures, again, strict=True))
    assert len({picture.tobytes() for picture in pictures}) > 12
    for picture in pictures:
        assert picture.shape == (28, 28)
        assert picture.dtype == np.uint8
        assert picture.max() > 200, "the strokes stay white"


def test_without_change_a_bitmap_stays_itself() -> None:
    assert differences(of_bitmap(STILL), BITMAP) < 12
    assert np.array_equal(of_bitmap(replace(STILL, unchanged_chance=1.0)), BITMAP)


def test_sharpness_survives_turning() -> None:
    turned = [of_bitmap(replace(STILL, rotation_std_deg=10), seed) for seed in range(10)]

    # Grey pixels over all inked ones: resampling alone would blur strokes of 1.5 pixels into grey.
    def grey(picture: Picture) -> float:
        return float(((picture > 20) & (picture < 235)).sum() / (picture > 20).sum())

    assert np.mean([grey(picture) for picture in turned]) < grey(BITMAP) + 0.1


def test_a_lower_level_is_a_wider_pen() -> None:
    wide, narrow = of_bitmap(replace(STILL, level_range=(70, 70))), of_bitmap(replace(STILL, level_range=(185, 185)))
    assert wide.sum() > 1.2 * narrow.sum()
    diameters = [(22, 22), (11, 11)]
    wide, narrow = (of_strokes(replace(STILL, line_diameter_range=diameter)) for diameter in diameters)
    assert wide.sum() > 1.4 * narrow.sum()


def test_a_mirror_turns_left_to_right() -> None:
    flag = fit_into_box([np.array([[0.0, 10], [0, 0], [6, 2], [0, 4]])])

    def bitmap(how: Augmentation) -> Picture:
        return augment_bitmap(draw_in_box(flag), how, np.random.default_rng(0))

    def strokes(how: Augmentation) -> Picture:
        return augment_strokes(flag, how, np.random.default_rng(0))

    for draw in (bitmap, strokes):
        picture, mirrored = draw(STILL), draw(replace(STILL, mirror_chance=1.0))
        assert differences(mirrored, picture[:, ::-1]) < differences(mirrored, picture) / 3


def test_a_truncated_drawing_has_its_beginning() -> None:
    whole = of_strokes(STILL)
    cut = replace(STILL, truncate_chance=1.0, truncate_least=0.55)
    inks = [of_strokes(cut, seed).sum() / whole.sum() for seed in range(30)]
    assert min(inks) < 0.95
    # The outline comes first and alone has 7 of the 12 points: it is always there.
    assert min(inks) > 0.6


def test_the_longest_stroke_is_never_dropped() -> None:
    line = np.array([[0.0, 0], [60, 0], [120, 0], [180, 0], [255, 0]], np.float32)
    short = [np.array([[0.0, 100], [100, 100]], np.float32), np.array([[100.0, 200], [255, 200]], np.float32)]
    dropping = replace(STILL, drop_stroke_chance=1.0)
    left = augment_strokes([short[0], line, short[1]], dropping, np.random.default_rng(0))
    assert np.flatnonzero(left.any(axis=1)).tolist() == [13, 14], "one line, in the middle"
    # Of two strokes none is dropped: too little would be left.
    both = augment_strokes([line, short[1]], dropping, np.random.default_rng(0))
    assert len(np.flatnonzero(both.any(axis=1))) == 4


@BOTH
def test_erasing_blanks_a_box(draw: Callable[[Augmentation, int], Picture]) -> None:
    for seed in range(5):
        erased = draw(replace(STILL, erase_chance=1.0), seed)
        rows, columns = np.nonzero((draw(STILL, seed) > 0) & (erased == 0))
        if len(rows):
            assert np.ptp(rows) < 10
            assert np.ptp(columns) < 10


def test_a_drawing_of_one_place_does_no_harm() -> None:
    dot = [np.zeros((1, 2), np.float32)]
    for seed in range(5):
        assert augment_strokes(dot, HARD, np.random.default_rng(seed)).shape == (28, 28)


def test_strength_multiplies_how_far_a_drawing_is_changed() -> None:
    assert HARD.times(1.0) == HARD
    twice = HARD.times(2.0)
    assert (twice.rotation_std_deg, twice.stroke_shift_std, twice.shift_std_px) == (20.0, 12.0, 2.0)
    assert twice.drop_stroke_chance == pytest.approx(0.12)
    assert (twice.mirror_chance, twice.level_range) == (HARD.mirror_chance, HARD.level_range)
    still = replace(STILL, mirror_chance=0.5)
    assert still.times(5.0) == still
