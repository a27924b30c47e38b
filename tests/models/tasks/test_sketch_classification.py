"""A drawing that was put into a frame comes out of it as Quick, Draw! would have drawn it; nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models import load_model
from models.errors import ModelError
from models.manifest import InputSpec, Manifest, SourceSpec
from models.results import ResultFilter, SketchGuess
from models.sketch_raster import rasterize_strokes
from models.tasks.ink import find_drawing
from models.tasks.sketch_classification import TASK

Image = NDArray[np.uint8]
SIZE_WH = (1280, 720)

HOUSE = [
    np.array([(30, 100), (30, 250), (230, 250), (230, 100)], np.float32),
    np.array([(0, 110), (130, 0), (260, 110)], np.float32),
    np.array([(100, 250), (100, 160), (150, 160), (150, 250)], np.float32),
]


def ink_mask(
    strokes: list[NDArray[np.float32]], corner: tuple[int, int], zoom: float, width: int
) -> NDArray[np.float32]:
    """0..1 (720, 1280): strokes drawn with `corner` as their origin."""
    canvas = np.zeros((SIZE_WH[1], SIZE_WH[0]), np.uint8)
    for stroke in strokes:
        points = np.rint(stroke * zoom + corner).astype(np.int32)
        cv2.polylines(canvas, [points], False, 255, width, cv2.LINE_AA)
    return canvas.astype(np.float32)[:, :, None] / np.float32(255)


def plain(bgr: tuple[int, int, int]) -> NDArray[np.float32]:
    return np.full((SIZE_WH[1], SIZE_WH[0], 3), bgr, np.float32)


def sheet_on_table() -> NDArray[np.float32]:
    """A tilted white sheet before a dark table with bright and dark things on it, and a thumb over the sheet's edge."""
    picture = plain((40, 62, 84))
    for x in range(0, 1280, 160):
        cv2.circle(picture, (x + 60, 70), 46, (30, 160, 190), cv2.FILLED)
        cv2.rectangle(picture, (x, 640), (x + 70, 710), (120, 60, 30), cv2.FILLED)
    corners = np.array([(250, 60), (1010, 90), (1040, 660), (230, 630)], np.int32)
    cv2.fillConvexPoly(picture, corners, (228, 236, 240), cv2.LINE_AA)
    cv2.ellipse(picture, (245, 420), (62, 26), -20, 0, 360, (120, 150, 205), cv2.FILLED, cv2.LINE_AA)
    return picture


def uneven_light(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Falls to six tenths from left to right."""
    return picture * np.linspace(1, 0.6, picture.shape[1], dtype=np.float32)[None, :, None]


def soft_shadow(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """A hand's shadow from below that takes a quarter of the light."""
    shadow = np.ones(picture.shape[:2], np.float32)
    cv2.ellipse(shadow, (800, 720), (300, 330), 0, 0, 360, 0.75, cv2.FILLED)
    return picture * cv2.GaussianBlur(shadow, (0, 0), 30)[:, :, None]


def seen(picture: NDArray[np.float32], sigma: float = 4) -> Image:
    """As a camera gives it: slightly soft, with noise."""
    return np.asarray(np.clip(cv2.GaussianBlur(picture, (0, 0), 0.8) + sigma * camera_noise(), 0, 255), np.uint8)


@cache
def camera_noise() -> NDArray[np.float32]:
    return np.random.default_rng(5).standard_normal((SIZE_WH[1], SIZE_WH[0], 3), np.float32)


def likeness(drawing: Image, reference: Image) -> float:
    return float(np.corrcoef(drawing.ravel(), reference.ravel())[0, 1])


GROUNDS: dict[str, tuple[Callable[[], NDArray[np.float32]], tuple[int, int, int], float]] = {
    # name: (the picture without ink, the ink's colour, camera noise)
    "a sheet held before a table": (sheet_on_table, (50, 45, 40), 4),
    "a sheet in uneven light": (lambda: uneven_light(sheet_on_table()), (50, 45, 40), 4),
    "a sheet with a hand's shadow": (lambda: soft_shadow(sheet_on_table()), (50, 45, 40), 4),
    "a whiteboard that fills the frame, red marker": (lambda: uneven_light(plain((212, 215, 210))), (40, 40, 190), 4),
    "a blackboard, chalk": (lambda: uneven_light(plain((52, 70, 50))), (205, 215, 215), 4),
    "a screen, thin black lines": (lambda: plain((255, 255, 255)), (0, 0, 0), 0),
    "white on black, as the bitmaps are": (lambda: plain((0, 0, 0)), (255, 255, 255), 0),
}


@pytest.mark.parametrize("width_px", [5, 9, 18], ids=["thin pen", "marker", "thick marker"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_a_drawing_comes_back_as_quick_draw_would_have_drawn_it(ground: str, width_px: int) -> None:
    make, ink_bgr, noise = GROUNDS[ground]
    mask = ink_mask(HOUSE, (480, 200), 1.2, width_px)
    image = seen(make() * (1 - mask) + np.array(ink_bgr, np.float32) * mask, noise)

    found = find_drawing(image)

    assert found is not None
    assert likeness(found.drawing, rasterize_strokes(HOUSE)) > 0.85
    rows, columns = np.nonzero(mask[:, :, 0] > 0.5)
    expected = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(found.region_xyxy, expected, atol=9)


def test_ink_has_the_weight_of_the_real_bitmaps() -> None:
    # A line across the box is 16 of 304 units wide on 28 pixels: 1.47 pixels, however wide it was in the frame.
    for width_px in (6, 24):
        mask = ink_mask([np.array([(0, 0), (300, 0)], np.float32)], (400, 360), 1.5, width_px)
        found = find_drawing(seen(plain((230, 230, 230)) * (1 - mask), 0))
        assert found is not None
        column = found.drawing[:, 14].astype(float) / 255
        assert column.sum() == pytest.approx(16 / 304 * 28, abs=0.35)


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(sheet_on_table(), id="a blank sheet: neither its edge nor the thumb nor the table is ink"),
        pytest.param(soft_shadow(sheet_on_table()), id="a blank sheet with a shadow"),
        pytest.param(uneven_light(plain((212, 215, 210))), id="a blank whiteboard"),
        pytest.param(plain((52, 70, 50)), id="a blank blackboard"),
        pytest.param(plain((0, 0, 0)), id="a covered lens"),
        pytest.param(np.random.default_rng(1).uniform(0, 255, (720, 1280, 3)).astype(np.float32), id="pure noise"),
    ],
)
def test_where_nothing_is_drawn_nothing_is_found(picture: NDArray[np.float32]) -> None:
    assert find_drawing(seen(picture)) is None


def test_the_first_stroke_alone_is_found() -> None:
    mask = ink_mask(HOUSE[1:2], (480, 200), 1.2, 8)
    found = find_drawing(seen(sheet_on_table() * (1 - mask)))
    assert found is not None
    assert likeness(found.drawing, rasterize_strokes(HOUSE[1:2])) > 0.85


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 9), (9, 1), (3, 5), (1, 3000), (3000, 1), (333, 77), (28, 28), (719, 1281)]
)
@pytest.mark.parametrize("level", [0, 127, 255])
def test_a_picture_of_any_size_without_ink_is_no_drawing(shape: tuple[int, int], level: int) -> None:
    assert find_drawing(np.full((*shape, 3), level, np.uint8)) is None


@pytest.mark.parametrize("size_wh", [(28, 28), (280, 280), (641, 479), (405, 721), (1919, 1079)])
def test_a_drawing_is_found_at_any_size_of_picture(size_wh: tuple[int, int]) -> None:
    side = min(size_wh)
    canvas = np.zeros((size_wh[1], size_wh[0]), np.uint8)
    canvas[:side, :side] = cv2.resize(rasterize_strokes(HOUSE), (side, side), interpolation=cv2.INTER_LINEAR)
    found = find_drawing(np.repeat(canvas[:, :, None], 3, axis=2))
    assert found is not None
    # 28 pixels do not say where within a pixel a line runs: half a pixel of shift costs this much.
    assert likeness(found.drawing, rasterize_strokes(HOUSE)) > 0.65
    assert found.region_xyxy[2] <= size_wh[0]
    assert found.region_xyxy[3] <= size_wh[1]


def manifest(*class_names: str, **changes: object) -> Manifest:
    spec = {"height": 28, "width": 28, "channels": 1, "colour_order": "gray", "resize": "ink_crop"}
    return Manifest(
        name="sketches",
        task="sketch_classification",
        decoder="softmax",
        input=InputSpec.model_validate({**spec, "mean": (0.0,), "std": (1.0,), **changes}),
        outputs=("logits",),
        class_names=class_names or ("a", "b"),
        source=SourceSpec(id="tests"),
        opset=18,
    )


def house_picture() -> Image:
    mask = ink_mask(HOUSE, (480, 200), 1.2, 9)
    return seen(plain((230, 230, 230)) * (1 - mask), 0)


def test_the_tensor_is_the_drawing_in_the_manifests_units() -> None:
    tensor, found = TASK.make(manifest(mean=(0.5,), std=(0.25,)), ResultFilter()).preprocess(house_picture())
    assert tensor.shape == (1, 1, 28, 28)
    assert tensor.dtype == np.float32
    np.testing.assert_allclose(tensor[0, 0], (found.drawing / 255 - 0.5) / 0.25, atol=1e-6)


@pytest.mark.parametrize(
    ("logits", "ids", "scores"),
    [
        # ln 3 against 0 is three to one
        ([0.0, np.log(3)], [1, 0], [0.75, 0.25]),
        # equal logits keep the order of the classes
        ([7.0, 7.0], [0, 1], [0.5, 0.5]),
        # no overflow
        ([2000.0, -2000.0], [0, 1], [1.0, 0.0]),
        # all are told; how many are shown is the filter's affair
        ([0, 0, 0, 0, 0, 0, np.log(94)], [6, 0, 1, 2, 3, 4, 5], [0.94, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01]),
    ],
)
def test_logits_become_classes_best_first(logits: list[float], ids: list[int], scores: list[float]) -> None:
    task = TASK.make(manifest(*"abcdefg"[: len(logits)]), ResultFilter())
    _, found = task.preprocess(house_picture())
    guess = task.postprocess({"logits": np.array([logits], np.float32)}, found)
    assert isinstance(guess, SketchGuess)
    assert guess.class_ids.tolist() == ids
    np.testing.assert_allclose(guess.scores, scores, atol=1e-5)
    assert guess.region_xyxy is not None
    np.testing.assert_array_equal(guess.drawing, found.drawing)


def test_without_a_drawing_there_is_no_guess() -> None:
    task = TASK.make(manifest(), ResultFilter())
    tensor, nothing = task.preprocess(np.full((72, 128, 3), 255, np.uint8))
    guess = task.postprocess({"logits": np.array([[5.0, 1.0]], np.float32)}, nothing)
    assert not tensor.any()
    assert guess.to_dict() == {"task": "sketch_classification", "labels": []}


@pytest.mark.parametrize(
    "changes",
    [
        {"height": 32},
        {"width": 27},
        {"resize": "stretch"},
        {"channels": 3, "colour_order": "rgb", "mean": (0.0,) * 3, "std": (1.0,) * 3},
    ],
    ids=["height", "width", "resize rule", "channels"],
)
def test_a_manifest_of_another_input_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ModelError, match=r"sketches: manifest.json: input: .* 28, .*export the model again"):
        TASK.make(manifest(**changes), ResultFilter())


@pytest.mark.parametrize("picture", [house_picture(), np.zeros((9, 9, 3), np.uint8)], ids=["a drawing", "none"])
def test_a_network_with_other_classes_than_the_manifest_is_refused(picture: NDArray[np.uint8]) -> None:
    task = TASK.make(manifest(), ResultFilter())
    _, found = task.preprocess(picture)
    with pytest.raises(ModelError, match=r"expected logits of shape \(1, 2\).*got \(1, 3\)"):
        task.postprocess({"logits": np.zeros((1, 3), np.float32)}, found)


def test_real_drawings_before_a_camera_are_named_nearly_as_well_as_the_bitmaps(test_data: Path) -> None:
    model = load_model("quickdraw-32", device="cpu")
    rng = np.random.default_rng(11)
    ground = soft_shadow(uneven_light(sheet_on_table()))
    right = {"bitmap": 0, "camera": 0}
    total = 0
    for name in model.manifest.class_names:
        bitmaps = np.load(test_data / "quickdraw" / "bitmaps" / f"{name}.npz")["bitmaps"]
        for bitmap in bitmaps[-5:].reshape(-1, 28, 28):
            side = int(rng.integers(300, 480))
            large = cv2.resize(bitmap, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
            mask = np.zeros((720, 1280, 1), np.float32)
            x, y = int(rng.integers(300, 970 - side)), int(rng.integers(110, 620 - side))
            mask[y : y + side, x : x + side, 0] = np.clip((large - 90) / 60, 0, 1)
            frame = seen(ground * (1 - np.float32(0.8) * mask))
            right["bitmap"] += _best(model(np.repeat(bitmap[:, :, None], 3, axis=2))) == name
            right["camera"] += _best(model(frame)) == name
            total += 1
    assert right["bitmap"] / total > 0.85
    assert right["camera"] / total > right["bitmap"] / total - 0.06


def _best(guess: object) -> str | None:
    assert isinstance(guess, SketchGuess)
    return guess.labels[0] if len(guess) else None
