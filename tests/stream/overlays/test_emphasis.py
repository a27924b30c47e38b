"""One label alone, or before all others: its pixels stay exactly as they are, all others change."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.results import UNLABELLED, Classification, Detections, Poses, Result, SegmentationMap
from stream.overlays.drawing import Painter
from stream.overlays.emphasis import Emphasis, Rest

NAMES = ("person", "piña")
WIDTH, HEIGHT = 160, 121


@pytest.fixture
def picture() -> NDArray[np.uint8]:
    """Coloured noise: no two neighbours are alike."""
    return np.random.default_rng(0).integers(0, 200, (HEIGHT, WIDTH, 3), np.uint8)


def circle(x: int, y: int, radius: int) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    return np.asarray((columns - x) ** 2 + (rows - y) ** 2 <= radius**2)


PERSON, OTHER = circle(50, 60, 20), circle(110, 60, 20)


def objects(*, masks: bool) -> Detections:
    """A person and a piña; their boxes surround their masks."""
    boxes = np.array([[30, 40, 71, 81], [90, 40, 131, 81]], np.float32)
    scores = np.array([0.9, 0.8], np.float32)
    planes = np.stack([PERSON, OTHER]) if masks else None
    return Detections("instance_segmentation", boxes, scores, np.arange(2), NAMES, planes)


def segments() -> SegmentationMap:
    class_map = np.full((HEIGHT, WIDTH), UNLABELLED, np.uint16)
    class_map[PERSON], class_map[OTHER] = 0, 1
    return SegmentationMap("semantic_segmentation", class_map, NAMES)


def poses() -> Poses:
    """A person and a piña with a nose each, in the middle of their boxes."""
    noses = np.array([[[50, 60]], [[110, 60]]], np.float32)
    return Poses("keypoint_detection", objects(masks=False), noses, np.ones((2, 1), np.float32), ("nose",))


def box_area() -> NDArray[np.bool_]:
    area = np.zeros((HEIGHT, WIDTH), np.bool_)
    area[40:81, 30:71] = True
    return area


def changed(picture: NDArray[np.uint8], rest: Rest) -> NDArray[np.uint8]:
    """What the rest of a picture should be, without OpenCV; a blur has no other definition."""
    if rest == "white":
        return np.full_like(picture, 255)
    if rest == "dim":
        return np.asarray(np.rint(picture * 0.3), np.uint8)
    luma = picture @ np.array([0.114, 0.587, 0.299])
    return np.asarray(np.repeat(np.rint(luma)[..., None], 3, axis=2), np.uint8)


@pytest.mark.parametrize("rest", ["white", "grey", "dim"])
@pytest.mark.parametrize(
    ("results", "area"),
    [
        ({"m": objects(masks=True)}, PERSON),
        ({"m": objects(masks=False)}, box_area()),
        ({"m": segments()}, PERSON),
        ({"m": poses()}, box_area()),
        # What any model finds is kept.
        ({"m": segments(), "boxes": objects(masks=False)}, box_area()),
        # No model finds it: nothing is left.
        ({"m": objects(masks=True)[1]}, np.zeros_like(PERSON)),
        ({}, np.zeros_like(PERSON)),
    ],
    ids=["masks", "boxes", "map", "poses", "both", "nothing", "no models"],
)
def test_only_what_has_the_label_stays_as_it_is(
    picture: NDArray[np.uint8], rest: Rest, results: dict[str, Result], area: NDArray[np.bool_]
) -> None:
    canvas = picture.copy()
    Emphasis("person", rest).apply(canvas, results)
    np.testing.assert_array_equal(canvas[area], picture[area])
    np.testing.assert_allclose(canvas[~area], changed(picture, rest)[~area], atol=1)


def test_blurred_is_out_of_focus_but_as_bright(picture: NDArray[np.uint8]) -> None:
    canvas = picture.copy()
    Emphasis("person", "blur").apply(canvas, {"m": objects(masks=True)})
    np.testing.assert_array_equal(canvas[PERSON], picture[PERSON])
    assert canvas[~PERSON].std() < picture[~PERSON].std() / 5
    assert canvas[~PERSON].mean() == pytest.approx(picture[~PERSON].mean(), abs=3)


@pytest.mark.parametrize("rest", ["white", "blur", "grey"])
def test_an_isolated_label_is_not_covered_by_its_own_tint_box_or_tag(picture: NDArray[np.uint8], rest: Rest) -> None:
    canvas, expected = picture.copy(), picture.copy()
    results: dict[str, Result] = {"m": objects(masks=True)}
    Painter().paint(canvas, results, emphasis=Emphasis("person", rest))
    Emphasis("person", rest).apply(expected, results)
    np.testing.assert_array_equal(canvas, expected)


def test_a_highlighted_label_has_its_box_and_the_others_have_none(picture: NDArray[np.uint8]) -> None:
    both, alone = picture.copy(), picture.copy()
    painter, dimmed = Painter(), Emphasis("person", "dim")
    painter.paint(both, {"m": objects(masks=True)}, emphasis=dimmed)
    painter.paint(alone, {"m": objects(masks=True)[0]}, emphasis=dimmed)
    np.testing.assert_array_equal(both, alone)
    np.testing.assert_array_equal(both[55:65, 45:55], picture[55:65, 45:55])
    assert (both[60, 30] != np.rint(picture[60, 30] * 0.3)).any()  # the left edge of the box


@pytest.mark.parametrize("rest", ["white", "dim"])
def test_only_the_skeletons_of_the_label_are_drawn(picture: NDArray[np.uint8], rest: Rest) -> None:
    both, alone, without = picture.copy(), picture.copy(), picture.copy()
    painter, alone_in = Painter(), Emphasis("person", rest)
    painter.paint(both, {"m": poses()}, emphasis=alone_in)
    painter.paint(alone, {"m": poses()[:1]}, emphasis=alone_in)
    Emphasis("person", rest).apply(without, {"m": poses()})
    np.testing.assert_array_equal(both, alone)
    assert (both != without).any()


def test_what_says_nothing_of_places_is_drawn_as_ever(picture: NDArray[np.uint8]) -> None:
    said = Classification("image_classification", np.array([0]), np.array([0.9], np.float32), NAMES)
    assert Emphasis("person", "white").drawn({"c": said, "m": objects(masks=True)}) == {"c": said}
    Painter().paint(picture, {"c": said}, emphasis=Emphasis("person", "white"))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 720), (720, 1), (7, 5), (720, 1280)])
@pytest.mark.parametrize("rest", ["white", "blur", "grey", "dim"])
def test_every_size_is_changed(width: int, height: int, rest: Rest) -> None:
    canvas = np.full((height, width, 3), 100, np.uint8)
    beyond = np.array([[-50, -50, 9000, 9000]], np.float32)
    whole = Detections("object_detection", beyond, np.ones(1, np.float32), np.zeros(1, np.int64), NAMES)
    Emphasis("person", rest).apply(canvas, {"m": whole})
    assert (canvas == 100).all()
    Emphasis("person", rest).apply(canvas, {})
    assert canvas.shape == (height, width, 3)
