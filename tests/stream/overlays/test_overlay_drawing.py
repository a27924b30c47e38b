"""What is drawn for results: on pictures of every size, inside its place, and true to the scores."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import models.results
from models.results import Classification, Result, SketchGuess
from stream.overlays.drawing import Painter, draw
from stream.overlays.hud import HudReading
from stream.overlays.theme import class_colour, sizes_for

NAMES = ("murciélago", "piña", "león", "árbol", "cat", "bicycle")
SIZES_WH = [
    (1, 1),
    (1, 720),
    (720, 1),
    (16, 16),
    (64, 48),
    (160, 121),
    (320, 240),
    (721, 405),
    (720, 1280),
    (3840, 2160),
]


def _classification(
    scores: list[float], names: tuple[str, ...] = NAMES, ids: list[int] | None = None
) -> Classification:
    class_ids = np.array(ids if ids is not None else range(len(scores)), np.int64)
    return Classification("image_classification", class_ids, np.array(scores, np.float32), names)


def _sketch(region: tuple[float, ...], scores: tuple[float, ...] = (0.9, 0.06, 0.04)) -> SketchGuess:
    return SketchGuess(
        task="sketch_classification",
        class_ids=np.arange(len(scores)),
        scores=np.array(scores, np.float32),
        class_names=NAMES,
        region_xyxy=np.array(region, np.float32),
        drawing=np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8),
    )


def _no_drawing() -> SketchGuess:
    return SketchGuess(
        task="sketch_classification",
        class_ids=np.empty(0, np.int64),
        scores=np.empty(0, np.float32),
        class_names=NAMES,
    )


def _plain(width: int, height: int, level: int = 255) -> NDArray[np.uint8]:
    return np.full((height, width, 3), level, np.uint8)


def _changed(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((before != after).any(axis=2))


def _box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """The bounding box (left, top, right, bottom) of a mask, right and bottom exclusive."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _bar_length(picture: NDArray[np.uint8], class_id: int) -> int:
    """How many columns are exactly of a class's colour."""
    return int((picture == np.array(class_colour(class_id), np.uint8)).all(axis=2).any(axis=0).sum())


@pytest.mark.parametrize("level", [0, 90, 255])
def test_bars_are_as_long_as_scores_are_high(level: int) -> None:
    full = _bar_length(draw(_plain(1280, 720, level), _classification([1.0])), 0)
    picture = draw(_plain(1280, 720, level), _classification([0.5, 0.25, 0.125, 0.1, 0.0]))
    assert full == sizes_for(1280, 720).panel_width - 2 * sizes_for(1280, 720).padding
    assert [_bar_length(picture, class_id) for class_id in range(5)] == pytest.approx(
        [full * score for score in (0.5, 0.25, 0.125, 0.1, 0.0)], abs=0.51
    )


@pytest.mark.parametrize(("score", "share"), [(3.5, 1.0), (-2.0, 0.0)])
def test_scores_that_are_no_shares_stay_in_the_bar(score: float, share: float) -> None:
    full = _bar_length(draw(_plain(640, 360), _classification([1.0])), 0)
    assert _bar_length(draw(_plain(640, 360), _classification([score])), 0) == full * share


def test_a_class_keeps_its_colour_at_every_rank() -> None:
    first = draw(_plain(640, 360), _classification([0.6, 0.4], ids=[3, 1]))
    second = draw(_plain(640, 360), _classification([0.6, 0.4], ids=[1, 3]))
    assert _bar_length(first, 3) == _bar_length(second, 1) > _bar_length(first, 1) == _bar_length(second, 3) > 0


def test_at_most_five_classes_are_shown() -> None:
    five = draw(_plain(1280, 720), _classification([0.3, 0.2, 0.2, 0.1, 0.1]))
    six = draw(_plain(1280, 720), _classification([0.3, 0.2, 0.2, 0.1, 0.1, 0.1]))
    assert np.array_equal(five, six)


def test_labels_are_drawn_with_their_accents() -> None:
    accented = draw(_plain(640, 360), _classification([0.9], names=("león",)))
    plain = draw(_plain(640, 360), _classification([0.9], names=("leon",)))
    assert _changed(accented, plain).any()


@pytest.mark.parametrize(("width", "height"), SIZES_WH)
def test_every_size_is_drawn_on_or_left_alone(width: int, height: int) -> None:
    before = _plain(width, height, 128)
    results: dict[str, Result] = {
        "a-model": _sketch((width * 0.2, height * 0.2, width * 0.5, height * 0.6)),
        "another": _classification([0.5, 0.3, 0.1]),
        "a third": _no_drawing(),
    }
    canvas = before.copy()
    Painter().paint(canvas, results, HudReading(width, height, 30.0, {"a-model": 29.7}, 30.0, 12.0, 18.0))
    changed = _changed(before, canvas)
    if min(width, height) >= 240:
        assert 0.05 < changed.mean() < 0.75
    for edge in (changed[0], changed[-1], changed[:, 0], changed[:, -1]):
        assert not edge.any() or min(width, height) < 64


@pytest.mark.parametrize("region", [(0, 0, 1, 1), (-50, -50, 2000, 2000), (100, 100, 100, 100), (639, 359, 640, 360)])
def test_any_region_is_drawn_without_leaving_the_picture(region: tuple[float, ...]) -> None:
    before = _plain(640, 360)
    assert _changed(before, draw(before, _sketch(region))).any()


def test_only_the_panel_changes() -> None:
    before = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), np.uint8)
    left, top, right, bottom = _box(_changed(before, draw(before, _classification([0.5, 0.3, 0.1, 0.06, 0.04]))))
    sizes = sizes_for(1280, 720)
    assert (left, top, right) == (1280 - sizes.margin - sizes.panel_width, sizes.margin, 1280 - sizes.margin)
    assert bottom < 360


def test_panels_have_round_corners() -> None:
    before = _plain(1280, 720)
    picture = draw(before, _classification([0.5]))
    left, top, right, bottom = _box(_changed(before, picture))
    corner = picture[top : top + 8, left : left + 8, 0]
    assert corner[0, 0] == 255
    assert len(np.unique(corner)) > 2  # antialiased
    assert np.array_equal(picture[top : top + 8, right - 8 : right, 0][:, ::-1], corner)
    assert np.array_equal(picture[bottom - 8 : bottom, left : left + 8, 0][::-1], corner)
    assert np.array_equal(picture[bottom - 8 : bottom, right - 8 : right, 0][::-1, ::-1], corner)


def test_long_names_stay_inside_the_panel() -> None:
    before = _plain(640, 360)
    short = draw(before, {"m": _classification([0.5, 0.3], names=("a", "b"))})
    long = draw(before, {"m" * 200: _classification([0.5, 0.3], names=("murciélago " * 50, "W" * 300))})
    assert _box(_changed(before, long)) == _box(_changed(before, short))


def test_long_guess_stays_inside_a_low_picture() -> None:
    guess = SketchGuess(
        task="sketch_classification",
        class_ids=np.array([0]),
        scores=np.array([0.5], np.float32),
        class_names=("W" * 400,),
        region_xyxy=np.array([100, 60, 140, 100], np.float32),
        drawing=np.zeros((28, 28), np.uint8),
    )
    before = _plain(320, 240)
    changed = _changed(before, draw(before, guess))
    assert not changed[:, :2].any()
    assert not changed[:, -2:].any()


def test_panels_of_several_models_do_not_meet() -> None:
    sketch = _sketch((100, 100, 300, 300))
    canvas = _plain(1280, 720)
    Painter().paint(canvas, {"one": sketch, "two": _classification([0.5]), "three": _no_drawing()})
    sizes = sizes_for(1280, 720)
    # A column of pixels through the panels' empty left padding: panel, gap, panel, gap, panel.
    column = canvas[sizes.margin + sizes.radius :, 1280 - sizes.margin - sizes.panel_width + sizes.padding // 2, 0]
    starts = np.flatnonzero(np.diff((column < 255).astype(int)) == 1)
    assert len(starts) == 2
    darkest_alone = draw(_plain(1280, 720), _no_drawing())[:, :, 0].min()
    assert column.min() == darkest_alone


def test_the_drawing_is_shown_as_the_network_saw_it() -> None:
    sketch = _sketch((100, 100, 300, 300))
    picture = draw(_plain(1280, 720, 0), sketch)
    assert sketch.drawing is not None
    enlarged = np.kron(sketch.drawing, np.ones((3, 3), np.uint8))
    inner = cv2.cvtColor(enlarged[3:-3, 3:-3], cv2.COLOR_GRAY2BGR)
    difference, _, _, _ = cv2.minMaxLoc(cv2.matchTemplate(picture, inner, cv2.TM_SQDIFF))
    assert difference < 1e-3 * float(np.square(inner.astype(float)).sum())


def test_brackets_lie_around_the_drawing_and_leave_it_free() -> None:
    before = _plain(1280, 720)
    changed = _changed(before, draw(before, _sketch((300, 250, 600, 500))))
    assert not changed[250:500, 300:600].any()
    # Something lies close outside each corner, and a tag above the box.
    assert changed[235:250, 285:300].any()
    assert changed[235:250, 600:615].any()
    assert changed[500:515, 285:300].any()
    assert changed[500:515, 600:615].any()
    assert changed[205:230, 300:400].all()


def test_the_tag_goes_below_a_drawing_at_the_top() -> None:
    before = _plain(1280, 720)
    changed = _changed(before, draw(before, _sketch((300, 0, 600, 200))))
    assert changed[225:240, 310:400].all()


def test_marks_lie_under_panels() -> None:
    # The second model's drawing is behind the first one's panel, and must not cover its words.
    first, behind = _classification([0.0, 0.0], ids=[1, 2]), _sketch((1100, 40, 1200, 120))
    alone, together = (
        draw(_plain(1280, 720), {"first": first}),
        draw(_plain(1280, 720), {"first": first, "two": behind}),
    )
    panel = np.s_[20:90, 1000:1250]
    words = (alone[panel] == 255).all(axis=2)
    assert words.any()
    assert np.array_equal((together[panel] == 255).all(axis=2), words)
    assert not (together[panel] == np.array(class_colour(0), np.uint8)).all(axis=2).any()
    assert _changed(alone[panel], together[panel]).any()


def test_no_drawing_is_said_quietly() -> None:
    before = _plain(1280, 720)
    quiet = _changed(before, draw(before, _no_drawing()))
    found = _changed(before, draw(before, _sketch((100, 100, 300, 300))))
    assert 0 < quiet.sum() < found.sum() / 3
    assert not quiet[:, :900].any()


def test_an_empty_classification_draws_nothing() -> None:
    before = _plain(640, 360)
    assert np.array_equal(draw(before, _classification([])), before)


def test_low_pictures_show_fewer_bars() -> None:
    low = draw(_plain(640, 120), _classification([0.9, 0.8, 0.7, 0.6, 0.5]))
    assert _bar_length(low, 0) > _bar_length(low, 1) > 0
    assert _bar_length(low, 4) == 0


def test_draw_leaves_its_image_as_it_was() -> None:
    image = np.random.default_rng(2).integers(0, 256, (360, 640, 3), np.uint8)
    image.setflags(write=False)
    before = image.copy()
    picture = draw(image, _sketch((100, 100, 300, 300)))
    assert np.array_equal(image, before)
    assert not np.array_equal(picture, image)
    assert picture.shape == image.shape
    assert picture.dtype == np.uint8
    assert picture.flags.writeable


def test_draw_takes_any_memory_layout() -> None:
    image = np.random.default_rng(3).integers(0, 256, (360, 640, 3), np.uint8)
    result = _classification([0.7, 0.2])
    flipped = image[:, ::-1]
    assert np.array_equal(draw(flipped, result), draw(np.ascontiguousarray(flipped), result))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((10, 10), np.uint8),  # gray
        np.zeros((10, 10, 4), np.uint8),  # with alpha
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(image: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"canvas: expected uint8 \(H, W, 3\), got"):
        draw(image, _no_drawing())


def test_a_result_without_overlay_is_refused() -> None:
    class Other(Classification):
        pass

    with pytest.raises(TypeError, match=r"expected one of Classification, .*got Other"):
        draw(_plain(64, 48), Other("t", np.array([0]), np.array([1.0], np.float32), ("a",)))


def test_every_kind_of_result_has_an_overlay() -> None:
    offered = [getattr(models.results, name) for name in models.results.__all__]
    kinds = {kind for kind in offered if dataclasses.is_dataclass(kind) and hasattr(kind, "to_dict")}
    assert {Classification, SketchGuess} < kinds
    assert kinds <= set(Painter().result_types)


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.5])
def test_what_is_stale_is_drawn_faintly(strength: float) -> None:
    before, whole, faint = (_plain(320, 240, 90) for _ in range(3))
    results: dict[str, Result] = {"m": _classification([0.6, 0.4])}
    Painter().paint(whole, results)
    Painter().paint(faint, results, strengths={"m": strength})
    expected = strength * whole.astype(float) + (1 - strength) * before
    assert np.abs(faint - expected).max() <= 0.5
