"""Quick, Draw! files are read as Google lays them out, and split by position."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.training.errors import TrainingError
from models.training.quickdraw_data import (
    SketchSet,
    Split,
    category_names,
    read_bitmaps,
    read_sketches,
    without_copies_of,
)
from tests.models.training.drawn_files import SHAPES, write_bitmaps, write_strokes

HALVES = Split(held_out=0.5, validation=0.5)


@pytest.mark.parametrize(
    ("count", "held_out", "validation", "expected"),
    [
        (100, 0.1, 0.05, (range(85), range(85, 90), range(90, 100))),
        (3500, 0.1, 0.0, (range(3150), range(3150, 3150), range(3150, 3500))),  # 3500 * 0.9 is 3149.99... in floats
        (18, 0.2, 0.0, (range(14), range(14, 14), range(14, 18))),  # held out is never less than its share
        (1, 0.1, 0.0, (range(0), range(0), range(1))),  # a lone drawing is held out rather than trained on
        (0, 0.1, 0.1, (range(0), range(0), range(0))),
    ],
)
def test_parts_lie_one_after_another(
    count: int, held_out: float, validation: float, expected: tuple[range, range, range]
) -> None:
    split = Split(held_out, validation)
    parts = split.range_of("training", count), split.range_of("validation", count), split.range_of("held_out", count)
    assert [list(part) for part in parts] == [list(part) for part in expected]


@pytest.mark.parametrize("share", [-0.1, 1.0, 1.5])
def test_a_share_is_a_share(share: float) -> None:
    with pytest.raises(ValueError, match="expected a share"):
        Split(held_out=share, validation=0.1)


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_bitmaps_are_read_in_order(tmp_path: Path, suffix: str) -> None:
    write_bitmaps(tmp_path, 8, suffix)
    assert category_names(tmp_path) == SHAPES
    held_out = read_sketches(tmp_path, "held_out", HALVES, SHAPES)
    assert held_out.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert np.array_equal(held_out.bitmaps[4:8], read_bitmaps(tmp_path / f"cross{suffix}")[4:])
    training = read_sketches(tmp_path, "training", HALVES, SHAPES)
    assert np.array_equal(training.bitmaps[:2], read_bitmaps(tmp_path / f"circle{suffix}")[:2])


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "simplified"])
def test_strokes_are_read_in_both_layouts(tmp_path: Path, raw: bool) -> None:
    write_strokes(tmp_path, 4, raw=raw)
    sketches = read_sketches(tmp_path, "held_out", HALVES, SHAPES)
    assert len(sketches) == 6
    assert [len(strokes) for strokes in sketches.drawings] == [1, 1, 2, 2, 1, 1], "one pen stroke, and two for a cross"
    for strokes in sketches.drawings:
        points = np.concatenate(strokes)
        assert points.min() >= 0
        assert points.max() == pytest.approx(255)
    assert sketches.rendered().shape == (6, 28, 28)


def test_a_category_without_a_file_is_left_out(tmp_path: Path) -> None:
    write_bitmaps(tmp_path, 4)
    sketches = read_sketches(tmp_path, "training", HALVES, ["dragon", "line"])
    assert set(sketches.labels.tolist()) == {1}


def test_copies_in_the_other_form_are_found(tmp_path: Path) -> None:
    bitmaps = read_sketches(write_bitmaps(tmp_path / "b", 8), "training", Split(0.0, 0.0), SHAPES)
    strokes = read_sketches(write_strokes(tmp_path / "s", 4), "training", Split(0.0, 0.0), SHAPES)
    # Both files were drawn from the same seeds: the first 4 of the 8 bitmaps of a shape are the 4 stroke drawings.
    crosses = without_copies_of(bitmaps, strokes)
    crosses = SketchSet(SHAPES, crosses.bitmaps[crosses.labels == 1], (), crosses.labels[crosses.labels == 1])
    assert np.array_equal(crosses.bitmaps, bitmaps.bitmaps[12:16])
    others = without_copies_of(strokes, bitmaps)
    assert len(others) == 0
    assert len(without_copies_of(bitmaps, others)) == len(bitmaps)


def test_a_folder_without_drawings_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"expected one \.npz, \.npy or \.ndjson a category"):
        category_names(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("no json", "drawing 1 is not in Quick, Draw!'s layout"),
        (json.dumps({"word": "line"}), "drawing 1 is not in"),  # no strokes at all
        (json.dumps({"drawing": [[[0, 1], [0]]]}), "drawing 1 is not in"),  # fewer y than x
        (json.dumps({"drawing": [[[0, 1]]]}), "drawing 1 is not in"),  # no y
        (json.dumps({"drawing": []}), "drawing 1 has no strokes"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "line.ndjson").write_text(content + "\n", encoding="utf-8")
    with pytest.raises(TrainingError, match=reason):
        read_sketches(tmp_path, "training", Split(0.0, 0.0), ["line"])


def test_files_that_hold_no_bitmaps_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", pictures=np.zeros((2, 784), np.uint8))
    np.save(tmp_path / "b.npy", np.zeros((2, 784), np.float32))
    np.save(tmp_path / "c.npy", np.zeros((2, 100), np.uint8))
    (tmp_path / "d.npz").write_bytes(b"PK no archive")
    (tmp_path / "e.npy").write_bytes(b"")
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(TrainingError, match=path.name):
            read_bitmaps(path)


def test_a_set_checks_its_shapes() -> None:
    with pytest.raises(ValueError, match="bitmaps: expected uint8"):
        SketchSet(SHAPES, np.zeros((1, 28, 27), np.uint8), (), np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="labels: expected"):
        SketchSet(SHAPES, np.zeros((1, 28, 28), np.uint8), (), np.zeros(2, np.int64))
