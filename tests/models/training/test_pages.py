"""Pages are fixed by their seed, and what they say of themselves is exactly true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.training.page_drawings import Drawing, DrawingBook
from models.training.page_pens import Pen, ink_drawing, ink_lines
from models.training.pages import MAX_DRAWINGS, Page, PageMaker, label_ink, sheet_light
from tests.models.training.drawn_files import SHAPES, write_bitmaps, write_strokes

BLACK = (0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quickdraw")
    write_bitmaps(folder / "bitmaps", 20)
    write_strokes(folder / "strokes", 20)
    return folder


@pytest.fixture(scope="module")
def book(folder: Path) -> DrawingBook:
    return DrawingBook(folder, "training")


def same(one: Page, other: Page) -> bool:
    arrays = ("image", "boxes_xyxy", "categories", "owners", "covered")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)


def test_a_seed_and_an_index_name_a_page_for_ever(folder: Path, book: DrawingBook) -> None:
    first = PageMaker(book, (96, 72))
    first.make(3, 0)  # what was made before is of no consequence
    again = PageMaker(DrawingBook(folder, "training"), (96, 72))
    assert same(first.make(3, 5), again.make(3, 5))
    assert not same(first.make(3, 5), again.make(3, 6))
    assert not same(first.make(3, 5), again.make(4, 5))


@pytest.mark.parametrize(
    "size_wh",
    [
        (96, 72),  # as a webcam's
        (48, 80),  # portrait
        (65, 33),  # odd sides
        (33, 33),
    ],
)
def test_boxes_lie_around_the_ink_that_is_to_be_seen(book: DrawingBook, size_wh: tuple[int, int]) -> None:
    maker = PageMaker(book, size_wh, bitmap_share=0.3)
    counts = set()
    for index in range(40):
        page = maker.make(1, index)
        assert page.image.shape == (size_wh[1], size_wh[0], 3)
        assert page.image.dtype == np.uint8
        counts.add(len(page.boxes_xyxy))
        assert len(page.boxes_xyxy) == len(page.categories) <= MAX_DRAWINGS
        assert set(page.categories.tolist()) <= {0, 1, 2}
        assert page.class_names == SHAPES
        assert not (page.ink & ~page.covered).any(), "ink lies on the sheet"
        for number, box in enumerate(page.boxes_xyxy, start=1):
            rows, columns = np.nonzero(page.owners == number)
            outside = (columns < box[0]) | (columns >= box[2]) | (rows < box[1]) | (rows >= box[3])
            assert not outside.any()
        assert (page.boxes_xyxy >= 0).all()
        assert (page.boxes_xyxy[:, 2:] <= size_wh).all()
    assert len(counts) > 2


def test_a_line_is_inked_where_it_is_drawn() -> None:
    # From (10, 20) to (30, 20) with a round pen 4 wide: 8..32 across, 18..22 down.
    line = [np.array([[10, 20], [30, 20]], np.float32)]
    ink = ink_lines(line, np.eye(3), Pen(BLACK, 1.0, 4.0), (64, 48))
    assert ink is not None
    cover = np.zeros((48, 64), np.uint8)
    cover[ink.top : ink.top + ink.cover.shape[0], ink.left : ink.left + ink.cover.shape[1]] = ink.cover
    rows, columns = np.nonzero(cover >= 128)
    found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert np.abs(found - [8, 18, 32, 22]).max() <= 1
    assert (cover[19:21, 12:28] == 255).all()


def test_a_pen_narrower_than_a_pixel_leaves_a_paler_line() -> None:
    line = [np.array([[10, 20.5], [50, 20.5]], np.float32)]
    sums = []
    for width in (0.25, 0.5, 1.0, 2.0):
        ink = ink_lines(line, np.eye(3), Pen(BLACK, 1.0, width), (64, 48))
        assert ink is not None
        sums.append(float(ink.cover.sum()) / 255 / 40)
    # Pixels covered for each pixel of length: the pen's width, and a pixel that OpenCV's antialiasing adds.
    assert sums == sorted(sums)
    assert sums[0] == pytest.approx(sums[1] / 2, rel=0.05)
    assert sums[3] == pytest.approx(3.0, abs=0.2)


def square(category: int) -> Drawing:
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], np.float32)
    return Drawing(category, (corners,), None, (1.0, 1.0))


@pytest.mark.parametrize(
    ("hidden_columns", "box"),
    [
        (
            0,
            (18, 8, 42, 32),
        ),  # all of it is to be seen: 20..40 by 10..30, half of the pen, half a pixel of antialiasing
        (30, (30, 8, 42, 32)),  # the left half is hidden: the box is the right half's
        (40, None),  # only the right side is left, which is a quarter: that is no drawing any more
    ],
)
def test_what_is_hidden_has_no_box(hidden_columns: int, box: tuple[int, ...] | None) -> None:
    place = np.array([[20, 0, 20], [0, 20, 10], [0, 0, 1]], float)
    ink = ink_drawing(square(2), place, Pen(BLACK, 1.0, 2.0), (64, 48), smooth=False)
    assert ink is not None
    hidden = np.zeros((48, 64), np.bool_)
    hidden[:, :hidden_columns] = True
    boxes, categories, owners = label_ink([(square(2), ink)], hidden)
    if box is None:
        assert len(boxes) == 0
        assert not owners.any()
        return
    assert boxes.tolist() == [list(box)]
    assert categories.tolist() == [2]
    assert (owners[hidden] == 0).all()
    assert owners[10, 35] == 1
    assert owners[20, 35] == 0, "what a line goes round is no ink"


def test_held_out_drawings_are_the_last_tenth_of_each_file(folder: Path) -> None:
    # 20 bitmaps and 20 strokes of three shapes each: the last two of each file.
    assert len(DrawingBook(folder, "held_out")) == 3 * 2 * 2
    assert len(DrawingBook(folder, "training")) == 3 * 2 * 18
    only = DrawingBook(folder, "held_out", ["cross"])
    assert only.class_names == ("cross",)
    assert len(only) == 4


def test_a_sheet_held_up_leaves_the_scene_behind_it(book: DrawingBook) -> None:
    maker = PageMaker(book, (96, 72))
    backdrop = np.full((72, 96, 3), (0, 200, 0), np.uint8)
    for index in range(10):
        page = maker.make(2, index, backdrop)
        assert page.photographed
        assert 0.02 < page.covered.mean() < 0.98
        behind = page.image[~page.covered].astype(int)
        # Green as before, but for the camera's colours, noise and shadows.
        assert np.median(behind[:, 1]) > np.median(behind[:, [0, 2]], axis=0).max()


def test_the_light_of_a_sheet_is_freed_of_what_is_drawn_on_it() -> None:
    sheet = np.tile(np.linspace(120, 240, 320).astype(np.uint8)[None, :, None], (240, 1, 3))
    drawn = sheet.copy()
    drawn[60:64, 40:280] = 20
    drawn[40:200, 150:153] = 20
    assert np.abs(sheet_light(drawn) - sheet_light(sheet)).max() < 0.03
    assert sheet_light(sheet).mean() == pytest.approx(1.0, abs=0.01)
    assert sheet_light(sheet)[30, 70] > sheet_light(sheet)[30, 10]
