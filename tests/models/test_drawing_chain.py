"""A detector, an ink segmenter and a sketch classifier in a row: each drawing gets its own ink and its own name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models import Detections, DrawingChain, ModelError, load_model
from stream.overlays.drawing import draw
from tests.models.drawing_packages import ink_package, stroke_package
from tests.models.stand_in_packages import detector_package

# Of 64x64, what the detector sees: a drawing at the left, one at the right, a face, and an unlikely drawing.
TALL, WIDE = [6, 8, 18, 56, 0.7, 1], [30, 24, 60, 36, 0.9, 1]
FACE, UNLIKELY = [20, 40, 30, 62, 0.8, 0], [40, 50, 60, 60, 0.2, 1]
ROWS = [WIDE, FACE, TALL, UNLIKELY]
CLASSES = ("face", "drawing")


def page(size_wh: tuple[int, int] = (320, 320), *, with_ink: bool = True) -> NDArray[np.uint8]:
    """White paper with a line from top to bottom at the left and one from side to side at the right."""
    width, height = size_wh
    paper = np.full((height, width, 3), 250, np.uint8)
    if with_ink:
        x, y = width * 12 // 64, height * 30 // 64
        cv2.line(paper, (x, height * 10 // 64), (x, height * 54 // 64), (20, 20, 20), 6)
        cv2.line(paper, (width * 33 // 64, y), (width * 57 // 64, y), (20, 20, 20), 6)
    return paper


def chain(
    folder: Path, rows: Sequence[Sequence[float]] = ROWS, *, size: int | None = None, **model: Any
) -> DrawingChain:
    detector = load_model(detector_package(folder / "detector", rows, CLASSES), device="cpu")
    ink = load_model(ink_package(folder / "ink", size=size), device="cpu")
    return DrawingChain(detector, ink, load_model(stroke_package(folder / "strokes"), device="cpu", **model))


@pytest.mark.parametrize("size_wh", [(320, 320), (640, 480), (481, 643)], ids=["square", "webcam", "odd portrait"])
# A graph that takes any size is shown small cuts; another one its own size.
@pytest.mark.parametrize("size", [None, 96])
def test_every_drawing_has_its_own_ink_and_name(tmp_path: Path, size_wh: tuple[int, int], size: int | None) -> None:
    picture = page(size_wh)
    found = chain(tmp_path, size=size)(picture)
    assert isinstance(found, Detections)
    width, height = size_wh
    scale = np.array([width, height, width, height]) / 64
    expected = {"tall": np.array(TALL[:4]) * scale, "wide": np.array(WIDE[:4]) * scale}
    assert sorted(found.labels) == ["tall", "wide"]
    assert found.masks is not None
    is_ink = picture[..., 0] < 128
    for row, label in enumerate(found.labels):
        np.testing.assert_allclose(found.boxes_xyxy[row], expected[label], atol=1e-3)
        own = np.zeros(picture.shape[:2], np.bool_)
        left, top, right, bottom = np.rint(expected[label]).astype(int)
        own[top:bottom, left:right] = is_ink[top:bottom, left:right]
        shared = (found.masks[row] & own).sum() / (found.masks[row] | own).sum()
        assert shared > 0.65  # a line of six pixels, cut at a coarser size
        assert not (found.masks[row] & ~cv2.dilate(own.astype(np.uint8), np.ones((9, 9))).astype(bool)).any()
    # The surest name first, and each with its probability of all classes.
    assert (np.diff(found.scores) <= 0).all()
    np.testing.assert_allclose(found.guesses.sum(axis=1), 1, rtol=1e-5)
    surety = dict(zip(found.labels, found.found_scores.tolist(), strict=True))
    assert surety == pytest.approx({"tall": 0.7, "wide": 0.9})


def test_the_name_is_that_of_the_drawing_shown_alone(tmp_path: Path) -> None:
    """With the bundled classifier: what it says of the whole picture with one drawing, its own way to find ink."""
    turn = np.linspace(0, 2 * np.pi, 60)
    paper = np.full((400, 400, 3), 245, np.uint8)
    ring = np.stack([200 + 120 * np.cos(turn), 200 + 60 * np.sin(turn)], axis=1).astype(np.int32)
    cv2.polylines(paper, [ring], True, (30, 30, 30), 8)
    cv2.circle(paper, (200, 200), 28, (30, 30, 30), 8)
    alone = load_model("quickdraw-32", device="cpu")(paper)
    detector = detector_package(tmp_path / "detector", [[9, 17, 55, 47, 0.9, 1]], CLASSES)
    ink = load_model(ink_package(tmp_path / "ink"), device="cpu")
    found = DrawingChain(load_model(detector, device="cpu"), ink, load_model("quickdraw-32", device="cpu"))(paper)
    assert found.labels == [alone.to_dict()["labels"][0]["label"]]


@pytest.mark.parametrize(
    ("rows", "with_ink", "count"),
    [
        ([], True, 0),  # nothing was found
        ([FACE], True, 0),  # nothing that is a drawing
        (ROWS, False, 0),  # a blank sheet
        ([TALL] * 70, True, 70),  # more than one batch holds
    ],
)
def test_where_there_is_no_ink_there_is_no_drawing(
    tmp_path: Path, rows: Sequence[Sequence[float]], with_ink: bool, count: int
) -> None:
    found = chain(tmp_path, rows)(page(with_ink=with_ink))
    assert len(found) == count
    assert found.masks is not None
    assert found.masks.shape == (count, 320, 320)


def test_a_detector_that_knows_no_drawings_is_taken_at_its_word(tmp_path: Path) -> None:
    detector = load_model(detector_package(tmp_path / "detector", [TALL, FACE], ("cup", "sheet")), device="cpu")
    ink = load_model(ink_package(tmp_path / "ink"), device="cpu")
    found = DrawingChain(detector, ink, load_model(stroke_package(tmp_path / "strokes"), device="cpu"))(page())
    assert found.labels == ["tall"]


def test_what_is_wanted_of_the_names_is_kept_to(tmp_path: Path) -> None:
    assert chain(tmp_path, classes=["wide"])(page()).labels == ["wide"]


@pytest.mark.parametrize("size_wh", [(1, 1), (3, 500), (641, 37)])
def test_pictures_of_every_size_are_taken(tmp_path: Path, size_wh: tuple[int, int]) -> None:
    found = chain(tmp_path)(page(size_wh, with_ink=False))
    assert len(found) == 0


def test_it_is_drawn_as_objects_are(tmp_path: Path) -> None:
    model = chain(tmp_path)
    picture = page()
    found = model(picture)
    plain = Detections(found.task, found.boxes_xyxy, found.scores, found.class_ids, found.class_names, found.masks)
    np.testing.assert_array_equal(draw(picture, found), draw(picture, plain))
    assert (model.name, model.manifest.task, found.task) == (
        "strokes",
        "instance_segmentation",
        "instance_segmentation",
    )


@pytest.mark.parametrize(
    ("packages", "message"),
    [
        (("ink", "ink", "strokes"), "detector: .*ink is for semantic_segmentation; give one for object_detection"),
        (
            ("detector", "strokes", "strokes"),
            "ink: .*strokes does not tell ink from paper; give a segmentation package",
        ),
        (("detector", "cups", "strokes"), "ink: .*cups does not tell ink from paper"),
        (("detector", "ink", "ink"), "model: .*ink is for semantic_segmentation; only sketch_classification names"),
    ],
)
def test_models_for_something_else_are_refused(tmp_path: Path, packages: tuple[str, ...], message: str) -> None:
    detector_package(tmp_path / "detector", ROWS, CLASSES)
    ink_package(tmp_path / "ink")
    ink_package(tmp_path / "cups", names=("table", "cup"))
    stroke_package(tmp_path / "strokes")
    models = [load_model(tmp_path / name, device="cpu") for name in packages]
    with pytest.raises(ModelError, match=message):
        DrawingChain(*models)
