"""A shared sketchpad's pictures: the strokes as they are at each moment."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from models.results import SketchGuess
from stream.sources.source import Source
from stream.web.sketchpad_drawing import Drawing
from stream.web.sketchpad_share import RepeatedGuess
from stream.web.sketchpad_source import SHEET_XYXY, SIZE_WH, SheetPainter, SketchpadSource

LEFT, TOP, RIGHT, BOTTOM = SHEET_XYXY
SCALE = (RIGHT - LEFT) / 1000


def line(*places: tuple[float, float], width: float = 20.0) -> NDArray[np.float32]:
    return np.array([(x, y, width) for x, y in places], np.float32)


def ink(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the sheet is dark."""
    return np.asarray(picture[TOP:BOTTOM, LEFT:RIGHT].max(axis=2) < 128)


def test_a_line_lies_where_it_was_drawn_and_is_as_wide_as_the_pen() -> None:
    dark = ink(SheetPainter().paint(Drawing().with_points(0, line((200, 500), (800, 500), width=30))))
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    assert rows.mean() == pytest.approx(500 * SCALE, abs=1)
    assert len(rows) == pytest.approx(30 * SCALE, abs=2)
    # Round ends reach half a pen's width beyond.
    assert columns[[0, -1]].tolist() == pytest.approx([185 * SCALE, 815 * SCALE], abs=2)


def test_a_pen_that_is_pressed_draws_wider() -> None:
    points = np.array([(100, 500, 10), (500, 500, 10), (900, 500, 60)], np.float32)
    dark = ink(SheetPainter().paint(Drawing().with_points(0, points)))
    thin, wide = (int(dark[:, round(x * SCALE)].sum()) for x in (300, 700))
    assert [thin, wide] == pytest.approx([10 * SCALE, 60 * SCALE], abs=2)


@pytest.mark.parametrize("place", [(0, 0), (1000, 1000), (500, 500)])
def test_a_dot_is_seen_also_at_the_edge(place: tuple[float, float]) -> None:
    assert ink(SheetPainter().paint(Drawing().with_points(0, line(place)))).any()


def test_a_drawing_that_grows_is_painted_as_one_that_came_at_once() -> None:
    pieces = [line((100, 100), (300, 120)), line((300, 400)), line((320, 800), (900, 850))]
    painter, growing = SheetPainter(), Drawing()
    for piece in pieces:
        growing = growing.with_points(3, piece)
        grown = painter.paint(growing)
    whole = SheetPainter().paint(Drawing().with_points(3, np.concatenate(pieces)))
    # Where two pieces meet, the smooth edges of their ends lie upon one another.
    assert np.count_nonzero(ink(grown) != ink(whole)) < 0.005 * np.count_nonzero(ink(whole))


def test_what_is_erased_is_gone_and_the_desk_stays() -> None:
    painter = SheetPainter()
    blank = painter.paint(Drawing())
    both = Drawing().with_points(0, line((100, 100), (900, 100))).with_points(1, line((100, 900), (900, 900)))
    painter.paint(both)
    left = ink(painter.paint(both.without([0])))
    assert not left[: left.shape[0] // 2].any()
    assert left[left.shape[0] // 2 :].any()
    assert np.array_equal(painter.paint(Drawing()), blank)


class ScriptedTime:
    """Each look at the clock is four milliseconds after the last."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        self.now_ns += 4_000_000
        return self.now_ns


def test_pictures_come_also_where_nothing_changes_and_end_when_closed() -> None:
    now = Drawing()
    source: Source = SketchpadSource(lambda: now, ScriptedTime())
    frames = iter(source)
    first, second = islice(frames, 2)
    now = now.with_points(0, line((100, 100), (900, 900)))
    third = next(frames)
    assert second.image is first.image
    assert ink(third.image).any()
    assert not ink(second.image).any()
    assert [frame.index for frame in (first, second, third)] == [0, 1, 2]
    assert first.pts < second.pts < third.pts
    assert first.size_wh == SIZE_WH == (source.info.width, source.info.height)
    assert source.info.is_live
    source.close()
    source.close()
    assert next(frames, None) is None


class Session:
    guess: SketchGuess | None = None


def test_the_guess_is_repeated_with_its_place_in_the_picture() -> None:
    session = Session()
    model = RepeatedGuess(session)
    nothing = model(np.zeros((8, 8, 3), np.uint8))
    assert len(nothing) == 0
    region = np.array([0, 0, 1000, 500], np.float32)
    ids, scores = np.array([0]), np.array([1.0], np.float32)
    session.guess = SketchGuess("sketch_classification", ids, scores, ("cat",), region_xyxy=region)
    guess = model(np.zeros((8, 8, 3), np.uint8))
    assert guess.labels == ["cat"]
    assert guess.region_xyxy is not None
    assert guess.region_xyxy.tolist() == [LEFT, TOP, RIGHT, (TOP + BOTTOM) / 2]
