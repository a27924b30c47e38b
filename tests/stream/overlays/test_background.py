"""What is behind people changes, and they do not; the edge is soft and steady, and begins anew at a cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.results import Classification, Detections, Result, SegmentationMap
from stream.overlays.background import Background
from stream.overlays.drawing import Painter

HEIGHT, WIDTH = 120, 160
NAMES = ("background", "person")
SECOND = 1 / 25


def picture(level: int = 90) -> NDArray[np.uint8]:
    """Coloured noise around a level."""
    noise = np.random.default_rng(0).integers(-30, 30, (HEIGHT, WIDTH, 3))
    return np.asarray(level + noise, np.uint8)


def standing(left: int = 50, right: int = 110, top: int = 30) -> NDArray[np.bool_]:
    area = np.zeros((HEIGHT, WIDTH), np.bool_)
    area[top:, left:right] = True
    return area


def as_map(area: NDArray[np.bool_]) -> SegmentationMap:
    return SegmentationMap("semantic_segmentation", area.astype(np.uint16), NAMES)


def as_objects(area: NDArray[np.bool_], label: str = "person") -> Detections:
    return Detections(
        "instance_segmentation",
        np.array([[50, 30, 110, 120]], np.float32),
        np.array([0.9], np.float32),
        np.zeros(1, np.int64),
        (label, "person" if label != "person" else "dog"),
        area[None],
    )


def shown(background: Background, result: Result | None, seconds: float = 0.0, level: int = 90) -> NDArray[np.uint8]:
    canvas = picture(level)
    background.apply(canvas, {} if result is None else {"model": result}, seconds)
    return canvas


def pointed(area: NDArray[np.bool_]) -> Detections:
    """What somebody clicked on; nobody says what it is."""
    return replace(as_objects(area, "object 1"), task="prompted_segmentation", class_names=("object 1", "object 2"))


@pytest.mark.parametrize(
    "result", [as_map(standing()), as_objects(standing()), pointed(standing())], ids=["map", "masks", "clicked on"]
)
def test_people_stay_and_the_rest_is_white(result: Result) -> None:
    canvas = shown(Background("white"), result)
    # Eight pixels within and beyond the outline nothing is mixed.
    np.testing.assert_array_equal(canvas[40:, 60:100], picture()[40:, 60:100])
    assert (canvas[:20] == 255).all()
    assert (canvas[:, :40] == 255).all()
    assert (canvas[:, 120:] == 255).all()


def test_the_edge_is_soft() -> None:
    dark = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    Background("white").apply(dark, {"model": as_map(standing())}, 0.0)
    across = dark[80, 35:75, 0].astype(int)
    assert (across[0], across[-1]) == (255, 0)
    # It falls all the way, in more than one step, and crosses the middle at the outline.
    assert (np.diff(across) <= 0).all()
    assert ((across > 0) & (across < 255)).sum() >= 3
    assert abs(35 + int(np.searchsorted(-across, -127)) - 50) <= 1


def test_another_picture_fills_the_frame_and_keeps_its_shape() -> None:
    # A third of its width is cut off: as much on either side.
    behind = np.zeros((30, 80, 3), np.uint8)
    behind[:, :40] = 255
    canvas = shown(Background(behind), as_map(standing(70, 90)))
    assert (canvas[10:20, :76] == 255).all()
    assert (canvas[10:20, 84:] == 0).all()
    square = np.repeat(np.repeat(np.arange(0, 240, 8, dtype=np.uint8)[:, None, None], 30, 1), 3, 2)
    filled = shown(Background(square), as_map(standing(70, 90, 110)))
    # Of a square the upper and lower eighth are cut off: 30 rows of 8 levels, from the fourth on.
    assert abs(int(filled[0, 0, 0]) - 30) <= 6


def test_blur_leaves_nothing_small() -> None:
    canvas = shown(Background("blur"), as_map(standing()))
    assert canvas[:20].std() < picture()[:20].std() / 4
    assert abs(canvas[:20].mean() - picture()[:20].mean()) < 2


@pytest.mark.parametrize(
    "result",
    [
        None,  # no model has answered yet
        as_map(standing(0, 0)),
        as_objects(standing(), label="cat"),
        replace(as_objects(standing()), masks=None),
    ],
    ids=["no answer", "nobody", "a cat", "a box only"],
)
def test_what_was_to_be_hidden_is_never_shown(result: Result | None) -> None:
    assert (shown(Background("white"), result) == 255).all()


def test_an_edge_that_trembles_is_steadied() -> None:
    """An outline that jumps two pixels to and fro between frames, as a network's does."""
    background = Background("white")
    canvases = [
        shown(background, as_map(standing(50 + 2 * (index % 2))), index * SECOND).astype(int) for index in range(20)
    ]
    raw = [shown(Background("white"), as_map(standing(50 + 2 * (index % 2)))).astype(int) for index in range(2)]
    steadied, unsteady = np.abs(canvases[-1] - canvases[-2]), np.abs(raw[1] - raw[0])
    assert steadied.sum() < unsteady.sum() / 2


def test_what_really_moves_is_followed_at_once() -> None:
    background = Background("white")
    shown(background, as_map(standing(20, 60)), 0.0)
    canvas = shown(background, as_map(standing(100, 140)), SECOND)
    np.testing.assert_array_equal(canvas[45:, 110:130], picture()[45:, 110:130])
    assert (canvas[45:, 30:50] == 255).all()


@pytest.mark.parametrize(
    ("seconds", "level"),
    [
        (SECOND, 190),  # another scene
        (7.0, 90),  # a gap
        (-3.0, 90),  # a source that begins anew
    ],
)
def test_it_begins_anew_where_the_scene_is_cut(seconds: float, level: int) -> None:
    background = Background("white")
    shown(background, as_map(standing(50)), 0.0)
    again = shown(background, as_map(standing(53)), seconds, level)
    np.testing.assert_array_equal(again, shown(Background("white"), as_map(standing(53)), 0.0, level))


def test_the_same_frame_again_is_the_same_picture() -> None:
    background = Background("white")
    shown(background, as_map(standing(50)), 0.0)
    first = shown(background, as_map(standing(54)), SECOND)
    np.testing.assert_array_equal(shown(background, as_map(standing(54)), SECOND), first)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (241, 77)])
@pytest.mark.parametrize("kind", ["white", "blur", "picture"])
def test_frames_of_every_size_are_taken(shape: tuple[int, int], kind: str) -> None:
    canvas = np.full((*shape, 3), 50, np.uint8)
    background = Background(np.zeros((7, 5, 3), np.uint8) if kind == "picture" else kind)  # type: ignore[arg-type]
    background.apply(canvas, {"model": as_map(np.ones(shape, np.bool_))}, 0.0)
    assert (canvas == 50).all()


def test_people_are_not_tinted_and_all_else_is_drawn() -> None:
    labels = Classification("image_classification", np.array([0]), np.array([0.7], np.float32), ("desk",))
    results: dict[str, Result] = {"people": as_map(standing()), "things": as_objects(standing()), "room": labels}
    drawn = Background("white").drawn(results)
    assert set(drawn) == {"things", "room"}
    things = drawn["things"]
    assert isinstance(things, Detections)
    assert things.masks is None
    canvas = picture()
    Painter().paint(canvas, {"people": results["people"]}, background=Background("white"))
    np.testing.assert_array_equal(canvas[45:, 62:98], picture()[45:, 62:98])
