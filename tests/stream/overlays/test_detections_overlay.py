"""What is drawn for detections: boxes where they are, masks under them, labels that can be read."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.results import Detections, Result, SegmentationMap
from stream.overlays.drawing import draw
from stream.overlays.labels import LabelPlaces
from stream.overlays.layout import Rect
from stream.overlays.theme import DARK, class_colour, sizes_for

NAMES = ("persona", "león", "señal de tráfico con un nombre demasiado largo para caber en ninguna parte" * 3)


def detections(boxes: Any, class_ids: Any = None, **fields: Any) -> Detections:
    boxes_xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    count = len(boxes_xyxy)
    ids = np.zeros(count, np.int64) if class_ids is None else np.array(class_ids, np.int64)
    scores = np.linspace(0.9, 0.5, count).astype(np.float32)
    return Detections("object_detection", boxes_xyxy, scores, ids, NAMES, **fields)


def plain(width: int, height: int, level: int = 255) -> NDArray[np.uint8]:
    return np.full((height, width, 3), level, np.uint8)


def is_coloured(picture: NDArray[np.uint8], class_id: int) -> NDArray[np.bool_]:
    return np.asarray((picture == np.array(class_colour(class_id), np.uint8)).all(axis=2))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_box_is_drawn_just_inside_what_it_surrounds(level: int) -> None:
    coloured = is_coloured(draw(plain(640, 360, level), detections([[100, 80, 300, 240]])), 0)
    line = sizes_for(640, 360).line
    inside = coloured[80:240, 100:300]
    assert inside[line:-line, line:-line].sum() == 0
    for edge in (inside[:line], inside[-line:], inside[:, :line], inside[:, -line:]):
        assert edge.mean() > 0.95
    # Outside lies nothing but the label, above.
    assert not coloured[240:].any()
    assert not coloured[:, :100].any()
    assert coloured[60:80, 100:140].any()


@pytest.mark.parametrize(
    "box",
    [
        [0, 0, 640, 360],  # all four edges
        [-50, -50, 700, 500],  # beyond them
        [620, 340, 640, 360],  # the lower right corner
        [0, 0, 1, 1],
        [300, 100, 300, 100],  # no area
    ],
)
def test_a_box_at_the_border_is_seen_whole(box: list[float]) -> None:
    picture = draw(plain(640, 360), detections([box]))
    rows, columns = np.nonzero(is_coloured(picture, 0))
    left, top, right, bottom = np.clip(box, 0, [640, 360, 640, 360])
    assert columns.min() <= left + 1
    assert columns.max() >= right - 2
    assert rows.min() <= top + 1
    assert rows.max() >= bottom - 2


@pytest.mark.parametrize(
    "box",
    [
        (10, 2, 50, 10),
        (10, 2, 15, 10),  # one pixel is left in the middle
        (10, 2, 14, 10),  # the lines meet
        (10, 2, 13, 10),  # thinner than two lines
        (10, 2, 11, 3),  # one pixel
        (0, 0, 60, 12),  # at the border: the rim without falls off
        (-7, -7, 20, 9),  # beyond it
    ],
)
def test_a_box_is_a_line_within_it_and_a_dark_rim_on_both_sides(box: tuple[int, int, int, int]) -> None:
    # Too low for a label.
    height, width = 12, 60
    line, rim = 2, 1
    assert sizes_for(width, height).line == line
    left, top, right, bottom = np.clip(box, 0, (width, height, width, height))
    rows, columns = np.mgrid[:height, :width]
    # How far inside the box each pixel is: 0 at its edge, below 0 outside.
    depth = np.min([columns - left, right - 1 - columns, rows - top, bottom - 1 - rows], axis=0)
    expected = plain(width, height)
    expected[(depth >= -rim) & (depth < line + rim)] = [level // 3 for level in class_colour(0)]
    expected[(depth >= 0) & (depth < line)] = class_colour(0)
    np.testing.assert_array_equal(draw(plain(width, height), detections([box])), expected)


@pytest.mark.parametrize("box", [[0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 2, 300], [-9, -9, 0, 0]])
def test_a_box_thinner_than_its_lines_marks_nothing_far_from_it(box: list[float]) -> None:
    picture = draw(plain(640, 360), detections([box]))
    assert (picture[:, 320:] == 255).all()


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (1, 720), (720, 1), (16, 16), (64, 48), (161, 121), (720, 1280), (3840, 2160)]
)
def test_every_size_is_drawn_on(width: int, height: int) -> None:
    boxes = np.array([[0.1, 0.1, 0.6, 0.9], [0.3, 0.05, 0.99, 0.5], [0, 0, 1, 1]]) * [width, height, width, height]
    masks = np.ones((3, height, width), np.bool_)
    before = plain(width, height, 128)
    assert (draw(before, detections(boxes, [0, 1, 2], masks=masks)) != before).any()


def test_nothing_found_draws_nothing() -> None:
    before = plain(64, 48)
    assert np.array_equal(draw(before, detections([])), before)
    assert np.array_equal(draw(before, detections([], masks=np.empty((0, 48, 64), np.bool_))), before)


def test_a_class_keeps_its_colour_and_other_classes_have_others() -> None:
    assert len({class_colour(class_id) for class_id in range(150)}) == 150
    both = draw(plain(640, 360), detections([[10, 100, 200, 300], [300, 100, 500, 300]], [1, 0]))
    assert is_coloured(both[:, :250], 1).any()
    assert not is_coloured(both[:, :250], 0).any()
    assert is_coloured(both[:, 250:], 0).any()


def contrast(colour: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """As WCAG 2.2 defines it."""

    def luminance(bgr: tuple[int, int, int]) -> float:
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (level / 255 for level in bgr)]
        return 0.0722 * linear[0] + 0.7152 * linear[1] + 0.2126 * linear[2] + 0.05

    lighter, darker = sorted((luminance(colour), luminance(other)), reverse=True)
    return lighter / darker


def test_every_class_colour_carries_dark_text() -> None:
    assert min(contrast(class_colour(class_id), DARK) for class_id in range(1000)) >= 4.5


def test_the_track_is_said_in_the_label() -> None:
    box = [[100, 80, 300, 240]]
    without = is_coloured(draw(plain(640, 360), detections(box)), 0)[:80]
    tracked = is_coloured(draw(plain(640, 360), detections(box, track_ids=np.array([7], np.int64))), 0)[:80]
    assert np.flatnonzero(tracked.any(axis=0)).max() > np.flatnonzero(without.any(axis=0)).max() + 10


def test_a_long_name_is_cut_and_an_accent_is_drawn() -> None:
    box = [[20, 100, 40, 120]]
    sizes = sizes_for(1280, 720)
    widths = []
    for class_id in (1, 2):
        label = is_coloured(draw(plain(1280, 720), detections(box, [class_id])), class_id)[:100]
        columns = np.flatnonzero(label.any(axis=0))
        widths.append(columns[-1] + 1 - columns[0])
    assert widths[0] < widths[1]
    # Cut where it is as wide as a panel, not much before.
    assert 0.8 * sizes.panel_width < widths[1] <= sizes.panel_width
    accented, without = (
        draw(plain(1280, 720), dataclasses.replace(detections(box), class_names=(name,))) for name in ("león", "leon")
    )
    assert not np.array_equal(accented, without)


def test_a_crowd_is_drawn_in_its_boxes_and_beside_them_only() -> None:
    chance = np.random.default_rng(0)
    starts = chance.uniform((0, 200), (500, 400), (150, 2))
    boxes = np.hstack([starts, starts + chance.uniform(5, 100, (150, 2))])
    picture = draw(plain(1280, 720), detections(boxes, np.arange(150) % 3))
    changed = (picture != 255).any(axis=2)
    sizes = sizes_for(1280, 720)
    # A label is at most as wide as a panel, and above or below its box.
    rows, columns = np.nonzero(changed)
    assert columns.max() <= 600 + sizes.panel_width
    assert rows.min() >= 200 - 2 * sizes.text
    assert rows.max() <= 500 + 2 * sizes.text
    assert all(is_coloured(picture, class_id).sum() > 5000 for class_id in range(3))


def test_a_mask_tints_its_pixels_only_and_lies_under_the_boxes() -> None:
    mask = np.zeros((1, 360, 640), np.bool_)
    mask[0, 100:200, 150:250] = True
    before = np.random.default_rng(0).integers(0, 256, (360, 640, 3), np.uint8)
    picture = draw(before, detections([[100, 80, 300, 240]], masks=mask))
    changed = (picture != before).any(axis=2)
    assert changed[104:196, 154:246].all()
    # Between the mask and the box, and outside the box below, nothing changes.
    assert not changed[205:230, 110:290].any()
    assert not changed[250:].any()
    # A tint: the picture's own levels are still there, weaker.
    inside = np.s_[110:190, 160:240, 0]
    assert np.corrcoef(before[inside].ravel(), picture[inside].ravel())[0, 1] > 0.99
    # The contour is nearly the pure colour.
    away = np.abs(picture.astype(int) - class_colour(0)).sum(axis=2)
    assert away[100, 160:240].mean() < 0.3 * away[110:190, 160:240].mean()


def test_the_likeliest_object_lies_on_top() -> None:
    masks = np.ones((2, 100, 100), np.bool_)
    whole = [[0, 0, 100, 100]] * 2
    first, second = (draw(plain(100, 100), detections(whole, ids, masks=masks)) for ids in ([0, 1], [1, 0]))
    middle = np.s_[60, 60]
    # Over the other's tint, the tint of the likeliest class is the stronger one.
    for picture, top, under in ((first, 0, 1), (second, 1, 0)):
        distance = [np.abs(picture[middle].astype(int) - class_colour(class_id)).sum() for class_id in (top, under)]
        assert distance[0] < distance[1]


rectangles = st.tuples(st.integers(-50, 700), st.integers(-50, 400), st.integers(0, 700), st.integers(0, 400))


@given(st.lists(rectangles, max_size=40), st.integers(1, 200), st.integers(1, 40))
def test_labels_stay_in_the_picture_and_can_be_read(boxes: list[tuple[int, ...]], width: int, height: int) -> None:
    places = LabelPlaces(640, 360)
    placed: list[Rect] = []
    for left, top, box_width, box_height in boxes:
        place = places.place(Rect(left, top, box_width, box_height), width, height)
        if place is None:
            continue
        assert (place.width, place.height) == (width, height)
        assert 0 <= place.left <= 640 - width
        assert 0 <= place.top <= 360 - height
        hidden = np.zeros((360, 640), np.bool_)
        for other in placed:
            hidden[other.top : other.top + height, other.left : other.left + width] = True
        assert hidden[place.top : place.top + height, place.left : place.left + width].mean() <= 0.2
        placed.append(place)
    assert len(placed) >= min(1, len(boxes))


@pytest.mark.parametrize(
    ("box", "taken", "expected"),
    [
        # Above, at the left edge of the box.
        (Rect(100, 100, 200, 100), [], (100, 80)),
        # No room above: inside.
        (Rect(100, 10, 200, 100), [], (100, 10)),
        # Would leave the picture at the right: pushed in.
        (Rect(600, 100, 40, 100), [], (540, 80)),
        # Above at the left is taken: above at the right.
        (Rect(100, 100, 200, 100), [Rect(100, 100, 50, 50)], (200, 80)),
        # Both are: inside.
        (Rect(100, 100, 200, 100), [Rect(100, 100, 50, 50), Rect(200, 100, 50, 50)], (100, 100)),
        # A box higher than the picture: at its top.
        (Rect(100, -30, 200, 500), [], (100, 0)),
    ],
)
def test_where_a_label_goes(box: Rect, taken: list[Rect], expected: tuple[int, int]) -> None:
    places = LabelPlaces(640, 360)
    for other in taken:
        places.place(other, 100, 20)
    place = places.place(box, 100, 20)
    assert place is not None
    assert (place.left, place.top) == expected


def test_labels_of_the_same_box_are_not_stacked_on_one_another() -> None:
    places = LabelPlaces(640, 360)
    found = [places.place(Rect(300, 150, 20, 20), 100, 20) for _ in range(30)]
    assert 4 <= sum(place is not None for place in found) < 30


def test_a_label_larger_than_the_picture_is_left_out() -> None:
    assert LabelPlaces(99, 50).place(Rect(0, 0, 10, 10), 100, 20) is None
    assert LabelPlaces(200, 19).place(Rect(0, 0, 10, 10), 100, 20) is None


def test_masks_of_every_model_lie_below_the_boxes_of_every_model() -> None:
    whole = SegmentationMap("semantic_segmentation", np.zeros((360, 640), np.uint16), ("wall",))
    box = detections([[100, 80, 300, 240]], [1])
    orders: list[dict[str, Result]] = [{"boxes": box, "map": whole}, {"map": whole, "boxes": box}]
    for results in orders:
        edge = is_coloured(draw(plain(640, 360), results), 1)[120:200, 100]
        assert edge.all()
